//! The book's reference of settings: form, range, default and meaning of each.

use super::{
    Activation, Augment, Cadence, Data, Extent, Gauge, Keep, Loss, Model, Optimizer, Precision, Probe, Schedule,
    Settings, Subset, Tracking,
};

/// One setting.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    /// How its values are written.
    pub(super) form: String,
    /// The allowed ranges; empty if all values of this form are allowed.
    pub(super) ranges: Vec<String>,
    /// The default as RON text; `None` if the setting must be given.
    pub(super) default: Option<String>,
    pub(super) meaning: &'static str,
}

/// Returns the documentation of all settings in Markdown, with a heading for each.
#[must_use]
pub fn markdown_reference() -> String {
    let entry = |entry: Entry| {
        let default = match entry.default.as_deref() {
            None => "none; it must be given".to_owned(),
            Some("None") => "not set".to_owned(),
            Some(text) => format!("`{}`", text.replace(':', ": ").replace(',', ", ")),
        };
        format!(
            "### `{}`\n\n{}\n\n- **Values:** {}\n- **Default:** {default}\n",
            entry.name,
            entry.meaning,
            entry.values()
        )
    };
    let entries: Vec<String> = Settings::reference().into_iter().map(entry).collect();
    entries.join("\n")
}

impl Entry {
    /// Returns the form of its values and the allowed ranges.
    fn values(&self) -> String {
        let ranges = self.ranges.join("; ");
        if ranges.is_empty() {
            self.form.clone()
        } else if ranges.starts_with("`Full`") {
            ranges
        } else if self.form.starts_with('a') {
            format!("{}, {ranges}", self.form)
        } else {
            format!("{}; {ranges}", self.form)
        }
    }
}

/// A type that a setting can have.
pub(super) trait Form {
    /// Returns how a value is written in a configuration.
    fn form() -> String;
}

macro_rules! forms {
    ($( $type:ty: $form:literal, )*) => {
        $( impl Form for $type {
            fn form() -> String {
                $form.to_owned()
            }
        } )*
    };
}

forms! {
    bool: "`true` or `false`",
    f64: "a number",
    u64: "a whole number",
    usize: "a whole number",
    Extent: "`Full` or a whole number",
    Data: "`FashionMnistSubset`, `FashionMnist`, `Mnist`, `Cifar10`, `Cifar100`, `Idx(files: \"…\", classes: n, first_label: n, shape: (c, h, w))`, `Csv(files: \"…\", classes: n, first_label: n, label: \"…\", features: n)`, `Safetensors(files: \"…\", classes: n, first_label: n, features: n)`",
    Subset: "`First`, `Balanced(seed: n)`",
    Augment: "`Off`, `CropAndFlip(pad: n)`",
    Model: "`Mlp(widths: […])`, `Cnn(channels: (a, b))`, `Vgg11(width: n)`, `ResNet18(width: n)`, `ResNet20(width: n)`",
    Activation: "`Relu`, `Tanh`",
    Loss: "`CrossEntropy`, `SquaredError`",
    Optimizer: "`Sgd`, `Nesterov`, `RmsProp(alpha: …, eps: …)`, `Adam(beta1: …, beta2: …, eps: …)`, `AdamW(…)`",
    Schedule: "`Constant`, `Step(every: …, factor: …)`, `Cosine(to: …)`",
    Cadence: "`Steps(n)`, `Epochs(n)`",
    Tracking: "`Steps(n)`, `Epochs(n)`, `Share(s)`, `Ends`",
    Probe: "`(from: …, examples: …, statistics: …, group: …)`",
    Keep: "`Last`, `Every(Steps(n))`, `Every(Epochs(n))`",
    Gauge: "`BatchSharpness(error: …, batches: …, every: …)`, `Alignment()`, `GaussNewton(every: …)`, `Trace(products: …, by: …, every: …)`, `Spectrum(vectors: …, steps: …, every: …)`, `Layers(every: …)`",
    Precision: "`F32`, `F64`",
}

impl<T: Form> Form for Option<T> {
    fn form() -> String {
        T::form()
    }
}

impl<T: Form> Form for Vec<T> {
    fn form() -> String {
        format!("a list of {}", T::form())
    }
}
