//! Every setting with its form, range, default and meaning, as the book shows them.

use super::{
    Activation, Augment, Cadence, Data, Extent, Loss, Model, Precision, Probe, Schedule, Settings, Subset, Tracking,
};

/// One setting.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    /// How its values are written.
    pub(super) form: String,
    /// Which of those are allowed; empty if all are.
    pub(super) ranges: Vec<String>,
    /// The default as RON text; `None` if the setting must be given.
    pub(super) default: Option<String>,
    pub(super) meaning: &'static str,
}

/// The table of all settings for documentation, in Markdown.
#[must_use]
pub fn markdown_table() -> String {
    let mut table = "| setting | what it is | values | default |\n|---|---|---|---|\n".to_owned();
    for entry in Settings::reference() {
        let values: Vec<String> = std::iter::once(entry.form).chain(entry.ranges).collect();
        let default = match entry.default.as_deref() {
            None => "must be given".to_owned(),
            Some("None") => "none".to_owned(),
            Some(text) => format!("`{text}`"),
        };
        let cells = [
            format!("`{}`", entry.name),
            entry.meaning.to_owned(),
            values.join("; "),
            default,
        ];
        let escaped = cells.map(|cell| cell.replace('|', "\\|"));
        table.push_str(&format!("| {} |\n", escaped.join(" | ")));
    }
    table
}

/// A type that a setting can have.
pub(super) trait Form {
    /// How a value is written in a configuration.
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
    Data: "`FashionMnistSubset`, `FashionMnist`, `Mnist`, `Cifar10`, `Cifar100`",
    Subset: "`First`, `Balanced(seed: n)`",
    Augment: "`Off`, `CropAndFlip(pad: n)`",
    Model: "`Mlp(widths: […])`, `Cnn(channels: (a, b))`, `Vgg11(width: n)`, `ResNet18(width: n)`, `ResNet20(width: n)`",
    Activation: "`Relu`, `Tanh`",
    Loss: "`CrossEntropy`, `SquaredError`",
    Schedule: "`Constant`, `Step(every: …, factor: …)`, `Cosine(to: …)`",
    Cadence: "`Steps(n)`, `Epochs(n)`",
    Tracking: "`Steps(n)`, `Epochs(n)`, `Share(s)`, `Ends`",
    Probe: "`(from: …, examples: …, statistics: …, group: …)`",
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
