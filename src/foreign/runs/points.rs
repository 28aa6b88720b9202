//! The points of a run, made from the numbers under its tags.

use std::collections::BTreeMap;

use super::super::Time;
use super::super::names::{Meaning, Part};
use super::{Place, Run, Runs};
use crate::event::{LambdaPoint, Point, PreconditionedPoint};
use crate::quantity::{PRODUCT_SECONDS, Source, Subject};

impl Runs {
    /// Returns the points of a run at a step: one for each probe.
    pub(in crate::foreign) fn points(&self, run: &Run, step: u64) -> Vec<Point> {
        let Some(numbers) = run.rows.get(&step) else {
            return Vec::new();
        };
        let seconds = |probe: usize| {
            let of_probe = numbers.times.iter().find(|(known, _)| *known == Some(probe));
            match (of_probe.or(numbers.times.first()), run.began) {
                (Some((_, Time::Seconds(seconds))), _) => *seconds,
                (Some((_, Time::OfDay(at))), Some(began)) => at - began,
                _ => f64::NAN,
            }
        };
        let new = |probe: usize| Point {
            step,
            epoch: numbers.epoch.unwrap_or(f64::NAN),
            seconds: seconds(probe),
            ..Point::default()
        };
        let mut points: BTreeMap<usize, Point> = BTreeMap::new();
        for &(tag, value) in &numbers.values {
            let tag = &self.tags[tag];
            match tag.place {
                Place::Declared(meaning) => {
                    let is_of_probe = meaning.quantity.subject == Subject::Probe;
                    let probe = tag.probe.filter(|_| is_of_probe).unwrap_or(0);
                    let value = if tag.is_percent() { value / 100.0 } else { value };
                    let point = points.entry(probe).or_insert_with(|| new(probe));
                    put(point, meaning, probe, value);
                }
                Place::Own(quantity) => {
                    let point = points.entry(0).or_insert_with(|| new(0));
                    point.values.set(quantity.key, value);
                }
                Place::New | Place::None => {}
            }
        }
        for (probe, point) in &mut points {
            complete(point, run.probes.get(probe));
        }
        // Which probe a point belongs to is known from its λ_max.
        points.retain(|probe, point| *probe == 0 || point.lambda.is_some());
        points.into_values().collect()
    }
}

/// Sets a number of a point.
fn put(point: &mut Point, Meaning { quantity, part, .. }: Meaning, probe: usize, value: f64) {
    match (quantity.source, part) {
        (Source::Recorded, Part::Value) => point.values.set(quantity.key, value),
        (Source::Recorded, Part::Error) => {
            if let Some(key) = quantity.error_key() {
                point.values.set(key, value);
            }
        }
        (Source::Recorded, Part::Converged) => {
            if let Some(key) = quantity.converged_key() {
                point.values.set(key, value);
            }
        }
        (Source::Lambda(_), part) => {
            let lambda = point.lambda.get_or_insert_with(|| unmeasured(probe));
            match part {
                Part::Value if *quantity == PRODUCT_SECONDS => (lambda.lambda_hvps, lambda.lambda_seconds) = (1, value),
                Part::Value => lambda.lambda_max = value,
                Part::Error => lambda.lambda_residual = value,
                Part::Converged => lambda.lambda_converged = value != 0.0,
            }
        }
        (Source::Preconditioned(_), part) => {
            let found = point.preconditioned.get_or_insert_with(|| PreconditionedPoint {
                preconditioned_sharpness: NOTHING,
                preconditioned_residual: f64::NAN,
                preconditioned_converged: true,
                ..PreconditionedPoint::default()
            });
            match part {
                Part::Value => found.preconditioned_sharpness = value,
                Part::Error => found.preconditioned_residual = value,
                Part::Converged => found.preconditioned_converged = value != 0.0,
            }
        }
    }
}

/// Marks a value that is still to be set; no measurement has it.
const NOTHING: f64 = f64::NEG_INFINITY;

/// Returns a measurement of λ_max without a value. Unless the files say that a search did not converge, its value is shown
/// without the mark for that.
fn unmeasured(probe: usize) -> LambdaPoint {
    LambdaPoint {
        lambda_max: NOTHING,
        lambda_residual: f64::NAN,
        lambda_converged: true,
        lambda_seconds: f64::NAN,
        lambda_probe: probe,
        ..LambdaPoint::default()
    }
}

/// Drops measurements without a value, and names the probe.
fn complete(point: &mut Point, on: Option<&String>) {
    point.lambda = point.lambda.take().filter(|lambda| lambda.lambda_max != NOTHING);
    let is_measured = |found: &PreconditionedPoint| found.preconditioned_sharpness != NOTHING;
    point.preconditioned = point.preconditioned.take().filter(is_measured);
    if let Some((lambda, on)) = point.lambda.as_mut().zip(on) {
        lambda.lambda_on.clone_from(on);
    }
}
