//! The Rust half of `benches/compare/run`: trains one network, and measures what requests on standard input ask for.
//!
//! Requests and answers are JSON, one per line.

#[path = "compare/case.rs"]
mod case;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use burn::tensor::{DType, Tensor, TensorData};
use serde::Deserialize;
use serde_json::{Value, json};
use sharpness::curvature::{Rules, SymmetricOperator, Tracker};
use sharpness::model::Examples;
use sharpness::random::{Purpose, stream};
use sharptui::config::Precision;
use sharptui::device::{self, Computing, DeviceChoice};
use sharptui::record::{NamedTensor, TensorValues, write_tensors};
use sharptui::setup::dtype;
use sharptui::sweep::{to_tensors, values};
use sharptui::train::rules;

use case::{Case, Kind, Size, Training};

const USAGE: &str = "compare NETWORK PRECISION BATCH PROBE STEPS DEVICE,… FILE: for benches/compare/run, which asks it what \
                     to time";

/// The most Hessian-vector products for λ_max to its last digits.
const MAX_PRODUCTS: u64 = 2_000;

/// A request. A device is an index into the list of the first answer.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Train for `steps` more steps, and write the parameters into `file`.
    Advance { steps: u64, file: PathBuf },
    /// Time training steps from the present parameters, which stay unchanged. Each of the `repeats` is `burst` steps in
    /// a row, and then a wait for the device.
    Step {
        device: usize,
        repeats: usize,
        burst: usize,
    },
    /// Time the first and each further product at the present parameters.
    Product { device: usize, repeats: usize },
    /// Measure λ_max from a cold start.
    Cold { device: usize, seed: u64 },
    /// Measure λ_max from a cold start to this relative residual, however many products it takes.
    Truth { device: usize, tolerance: f64 },
    /// Measure λ_max on the device's track, which begins cold.
    Track { device: usize },
}

fn main() -> anyhow::Result<()> {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [network, precision, batch, probe, steps, devices, file] = arguments.as_slice() else {
        println!("{USAGE}");
        return Ok(());
    };
    let size = Size {
        precision: match precision.as_str() {
            "float32" => Precision::F32,
            "float64" => Precision::F64,
            _ => bail!("`{precision}` is not a precision; expected float32 or float64"),
        },
        batch: batch.parse().context("BATCH")?,
        probe: probe.parse().context("PROBE")?,
    };
    let devices = devices
        .split(',')
        .map(|name| cases(network.parse()?, size, name.parse()?));
    let devices: Vec<Vec<Opened>> = devices.collect::<anyhow::Result<_>>()?;
    let opened: Vec<&Opened> = devices.iter().flatten().collect();
    let first = opened.first().ok_or_else(|| anyhow!("no device was named"))?;
    first.prepare();

    let mut session = Session {
        training: first.case.start(),
        sides: opened.iter().copied().map(Side::new).collect(),
    };
    session.advance(steps.parse().context("STEPS")?, Path::new(file))?;
    let names: Vec<&str> = opened.iter().map(|opened| opened.name).collect();
    answer(&json!({ "devices": names }))?;
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read the request")?;
        let request = serde_json::from_str(&line).with_context(|| format!("cannot understand {line}"))?;
        answer(&session.serve(request)?)?;
    }
    Ok(())
}

/// A case on a device, with one way of computing.
struct Opened {
    /// Its name in the tables.
    name: &'static str,
    case: Case,
    /// Whether cuDNN benchmarks its algorithms.
    autotune: bool,
}

impl Opened {
    /// Applies the settings that hold for the whole process.
    fn prepare(&self) {
        self.case.device.compute(Computing {
            autotune: self.autotune,
            ..Computing::default()
        });
    }
}

/// Opens the case on a device; on CUDA twice, without and with cuDNN benchmarking its algorithms.
fn cases(kind: Kind, size: Size, choice: DeviceChoice) -> anyhow::Result<Vec<Opened>> {
    let ways: &[(&'static str, bool)] = match choice {
        DeviceChoice::Flex => &[("flex", false)],
        DeviceChoice::LibTorch => &[("LibTorch", false)],
        DeviceChoice::LibTorchCuda(_) => &[("CUDA", false), ("CUDA, autotuned", true)],
        DeviceChoice::Auto => bail!("name a device"),
    };
    let case = |&(name, autotune)| {
        let case = Case::new(kind, size, device::open(choice)?)?;
        Ok(Opened { name, case, autotune })
    };
    ways.iter().map(case).collect()
}

fn answer(value: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")
        .and_then(|()| out.flush())
        .context("cannot answer")
}

/// A case on every device, all at the same parameters. The first device trains.
struct Session<'a> {
    training: Training<'a>,
    sides: Vec<Side<'a>>,
}

impl<'a> Session<'a> {
    fn serve(&mut self, request: Request) -> anyhow::Result<Value> {
        match request {
            Request::Advance { steps, file } => self.advance(steps, &file).map(|()| json!({})),
            Request::Step { device, repeats, burst } => self.side(device)?.time_steps(repeats, burst),
            Request::Product { device, repeats } => self.side(device)?.time_products(repeats),
            Request::Cold { device, seed } => {
                let side = self.side(device)?;
                measure(side.case, &mut side.case.tracker(seed), &side.parameters)
            }
            Request::Truth { device, tolerance } => {
                let side = self.side(device)?;
                measure(side.case, &mut exact_tracker(side.case, tolerance), &side.parameters)
            }
            Request::Track { device } => {
                let side = self.side(device)?;
                measure(side.case, &mut side.tracker, &side.parameters)
            }
        }
    }

    fn side(&mut self, device: usize) -> anyhow::Result<&mut Side<'a>> {
        let side = self.sides.get_mut(device);
        let side = side.ok_or_else(|| anyhow!("there is no device {device}"))?;
        side.opened.prepare();
        Ok(side)
    }

    fn advance(&mut self, steps: u64, file: &Path) -> anyhow::Result<()> {
        self.training.advance(steps);
        let data = self.training.parameters.clone().into_data_as::<f64>();
        let values: Vec<f64> = data.iter::<f64>().collect();
        for side in &mut self.sides {
            let data = TensorData::new(values.clone(), [values.len()]);
            let on = (&side.case.device.device, dtype(&side.case.settings));
            side.parameters = Tensor::from_data(data, on);
        }
        dump(&self.training, self.sides[0].case, file)
    }
}

/// A case on one device.
struct Side<'a> {
    opened: &'a Opened,
    case: &'a Case,
    parameters: Tensor<1>,
    tracker: Tracker,
}

impl<'a> Side<'a> {
    fn new(opened: &'a Opened) -> Self {
        let case = &opened.case;
        Self {
            opened,
            case,
            parameters: case.start().parameters,
            tracker: case.tracker(0),
        }
    }

    fn time_steps(&self, repeats: usize, burst: usize) -> anyhow::Result<Value> {
        let mut training = self.case.start();
        training.parameters = self.parameters.clone();
        let mut steps = || {
            for _ in 0..burst {
                training.step();
            }
            self.case.wait()
        };
        // The first steps fill caches and memory pools.
        steps()?;
        let seconds = timed(repeats, steps)?.into_iter().map(|all| all / burst as f64);
        Ok(json!({ "seconds": seconds.collect::<Vec<f64>>() }))
    }

    fn time_products(&self, repeats: usize) -> anyhow::Result<Value> {
        let v = self.case.direction(&self.parameters);
        let first = || {
            let mut go_on = || true;
            let mut hessian = self.case.hessian(&self.parameters, &mut go_on);
            hessian.apply(&v)?;
            self.case.wait()
        };
        first()?;
        let first = timed(repeats, first)?;

        let mut go_on = || true;
        let mut hessian = self.case.hessian(&self.parameters, &mut go_on);
        let mut further = || {
            hessian.apply(&v)?;
            self.case.wait()
        };
        further()?;
        Ok(json!({ "first": first, "further": timed(repeats, further)? }))
    }
}

fn timed(repeats: usize, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Vec<f64>> {
    let one = |_| {
        let started = Instant::now();
        work().map(|()| started.elapsed().as_secs_f64())
    };
    (0..repeats).map(one).collect()
}

fn measure(case: &Case, tracker: &mut Tracker, parameters: &Tensor<1>) -> anyhow::Result<Value> {
    let started = Instant::now();
    let found = case.measure(tracker, parameters)?;
    case.wait()?;
    Ok(json!({
        "seconds": started.elapsed().as_secs_f64(),
        "value": found.value,
        "residual": found.residual,
        "converged": found.converged,
        "products": found.products,
    }))
}

/// Returns a tracker that starts cold and stops at a relative residual of `tolerance`.
fn exact_tracker(case: &Case, tolerance: f64) -> Tracker {
    let rules = Rules {
        audit_every: 0,
        max_products: MAX_PRODUCTS,
        ..rules(&case.settings, tolerance)
    };
    Tracker::new(rules, stream(0, Purpose::Eigenvector(0)))
}

/// Writes parameters and running statistics under PyTorch's names, the training set and the probe, for the Python half.
fn dump(training: &Training, case: &Case, file: &Path) -> anyhow::Result<()> {
    let mut tensors = to_tensors(&case.network, &training.parameters, &training.running);
    for (name, examples) in [("train", &case.train), ("probe", &case.probe)] {
        tensors.extend(examples_of(name, case, examples));
    }
    let metadata = [
        ("activation", format!("{:?}", case.settings.activation)),
        ("loss", format!("{:?}", case.settings.loss)),
        ("learning_rate", case.settings.learning_rate.to_string()),
    ];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
    Ok(write_tensors(file, &tensors, &BTreeMap::from(metadata))?)
}

fn examples_of(name: &str, case: &Case, examples: &Examples) -> [NamedTensor; 2] {
    let labels = examples.labels.clone().argmax(1).into_data_as::<i64>();
    let [channels, height, width] = case.network.input();
    [
        NamedTensor {
            name: format!("{name}.images"),
            shape: vec![examples.len(), channels, height, width],
            // Pixels have 32 bits in every precision.
            data: values(examples.images.clone().cast(DType::F32)),
        },
        NamedTensor {
            name: format!("{name}.labels"),
            shape: vec![examples.len()],
            data: TensorValues::I64(labels.iter::<i64>().collect()),
        },
    ]
}
