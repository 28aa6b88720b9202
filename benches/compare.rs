//! The Rust half of `benches/compare/run`: trains one network, and times on it what it is asked to on standard input.
//!
//! Requests and answers are JSON, a line each.

#[path = "compare/case.rs"]
mod case;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow};
use burn::tensor::{Tensor, TensorData};
use serde::Deserialize;
use serde_json::{Value, json};
use sharptui::curvature::{SymmetricOperator, Tracker};
use sharptui::model::Examples;
use sharptui::record::{NamedTensor, TensorValues, write_tensors};
use sharptui::train::dtype;

use case::{Case, Training, devices};

const USAGE: &str = "compare NETWORK BATCH STEPS FILE: for benches/compare/run, which asks it what to time";

/// What is asked for. A device is a position in the first answer's list.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Train on for `steps` steps, and write the parameters into `file`.
    Advance { steps: u64, file: PathBuf },
    /// Time training steps from the present parameters, which stay as they are.
    Step { device: usize, repeats: usize },
    /// Time the first and each further product at the present parameters.
    Product { device: usize, repeats: usize },
    /// Measure λ_max from a cold start.
    Cold { device: usize, seed: u64 },
    /// Measure λ_max on the device's track, which begins cold.
    Track { device: usize },
}

fn main() -> anyhow::Result<()> {
    // `cargo bench` adds an argument of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [network, batch, steps, file] = arguments.as_slice() else {
        println!("{USAGE}");
        return Ok(());
    };
    let (kind, batch) = (network.parse()?, batch.parse().context("BATCH")?);
    let cases = devices().into_iter().map(|device| Case::new(kind, batch, device));
    let cases: Vec<Case> = cases.collect::<anyhow::Result<_>>()?;
    let first = cases.first().ok_or_else(|| anyhow!("this build has no device"))?;

    let mut session = Session {
        training: first.start(),
        sides: cases.iter().map(Side::new).collect(),
    };
    session.advance(steps.parse().context("STEPS")?, Path::new(file))?;
    let names: Vec<&str> = cases.iter().map(|case| case.device.name.as_str()).collect();
    answer(&json!({ "devices": names }))?;
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read what is asked")?;
        let request = serde_json::from_str(&line).with_context(|| format!("cannot understand {line}"))?;
        answer(&session.serve(request)?)?;
    }
    Ok(())
}

fn answer(value: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")
        .and_then(|()| out.flush())
        .context("cannot answer")
}

/// A case on every device, all at the same parameters, which the first of them trains.
struct Session<'a> {
    training: Training<'a>,
    sides: Vec<Side<'a>>,
}

impl<'a> Session<'a> {
    fn serve(&mut self, request: Request) -> anyhow::Result<Value> {
        match request {
            Request::Advance { steps, file } => self.advance(steps, &file).map(|()| json!({})),
            Request::Step { device, repeats } => self.side(device)?.time_steps(repeats),
            Request::Product { device, repeats } => self.side(device)?.time_products(repeats),
            Request::Cold { device, seed } => {
                let side = self.side(device)?;
                measure(side.case, &mut side.case.tracker(seed), &side.parameters)
            }
            Request::Track { device } => {
                let side = self.side(device)?;
                measure(side.case, &mut side.tracker, &side.parameters)
            }
        }
    }

    fn side(&mut self, device: usize) -> anyhow::Result<&mut Side<'a>> {
        let side = self.sides.get_mut(device);
        side.ok_or_else(|| anyhow!("there is no device {device}"))
    }

    fn advance(&mut self, steps: u64, file: &Path) -> anyhow::Result<()> {
        self.training.advance(steps);
        let values: Vec<f32> = host(&self.training.parameters);
        for side in &mut self.sides {
            let data = TensorData::new(values.clone(), [values.len()]);
            let on = (&side.case.device.device, dtype(&side.case.settings));
            side.parameters = Tensor::from_data(data, on);
        }
        dump(&self.sides[0], file)
    }
}

/// A case on one device.
struct Side<'a> {
    case: &'a Case,
    parameters: Tensor<1>,
    tracker: Tracker,
}

impl<'a> Side<'a> {
    fn new(case: &'a Case) -> Self {
        Self {
            case,
            parameters: case.start().parameters,
            tracker: case.tracker(0),
        }
    }

    fn time_steps(&self, repeats: usize) -> anyhow::Result<Value> {
        let mut training = self.case.start();
        training.parameters = self.parameters.clone();
        let mut step = || {
            training.step();
            self.case.wait()
        };
        // The first one fills caches and pools of memory.
        step()?;
        Ok(json!({ "seconds": timed(repeats, step)? }))
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

fn host<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data_as::<f32>().iter::<f32>().collect()
}

/// Parameters by PyTorch's names, the training set and the probe, for the Python half.
fn dump(side: &Side, file: &Path) -> anyhow::Result<()> {
    let case = side.case;
    let layout = case.network.layout();
    let parts = layout.split(&side.parameters);
    let named = layout.entries().iter().zip(parts).map(|(entry, part)| NamedTensor {
        name: entry.name.clone(),
        shape: entry.shape.clone(),
        data: TensorValues::F32(host(&part)),
    });
    let mut tensors: Vec<NamedTensor> = named.collect();
    for (name, examples) in [("train", &case.train), ("probe", &case.probe)] {
        tensors.extend(examples_of(name, examples));
    }
    Ok(write_tensors(file, &tensors, &BTreeMap::new())?)
}

fn examples_of(name: &str, examples: &Examples) -> [NamedTensor; 2] {
    let labels = examples.labels.clone().argmax(1).into_data_as::<i64>();
    [
        NamedTensor {
            name: format!("{name}.images"),
            shape: examples.images.dims().to_vec(),
            data: TensorValues::F32(host(&examples.images)),
        },
        NamedTensor {
            name: format!("{name}.labels"),
            shape: vec![examples.len()],
            data: TensorValues::I64(labels.iter::<i64>().collect()),
        },
    ]
}
