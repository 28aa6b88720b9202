//! Measures a cell while it trains, and writes the results.

use std::time::Instant;

use burn::tensor::Tensor;
use sharpness::curvature::Measurement;
use sharpness::tensor::norm;

use super::{Run, ending, has_diverged};
use crate::config::{Extent, Settings};
use crate::event::{Activity, CellEnding, LambdaPoint, Point, PreconditionedPoint, StopReason, Values};
use crate::number::count::counted;
use crate::number::significant;
use crate::quantity::{
    EIGENVALUES, EIGENVALUES_ABOVE, GRADIENT_NORM, LEARNING_RATE, PRECONDITIONED_SHARPNESS, Quantity, TEST_ACCURACY,
    TEST_LOSS, THRESHOLD, TRAIN_ACCURACY, TRAIN_LOSS,
};
use crate::setup;
use crate::train::evaluate::evaluate;
use crate::train::gauges::{At, Gauged, LastStep};
use crate::train::probes::ProbeTrack;
use crate::train::schedule::evaluation_due;
use crate::train::{AnyError, Verdict};

/// What is asked of the gauges.
#[derive(Clone, Copy)]
struct Asks {
    /// Whether λ_max was measured now.
    lambda: bool,
    /// Whether all gauges are measured, due or not.
    all: bool,
    /// Whether searches for eigenvalues also start from a random vector.
    audit: bool,
}

impl Run<'_> {
    /// Measures everything that is due, or everything at the end of the cell, and writes it.
    ///
    /// Returns the ending if the cell ends here: `budget` is used up, the aimed loss or accuracy is reached, the cell
    /// has diverged, or it was told to end.
    pub(in crate::train) fn observe(&mut self, budget: Option<StopReason>) -> Result<Option<CellEnding>, AnyError> {
        let settings = self.task.settings;
        let first = self.step == 0;
        let asked = self.control.take_measurement();
        let evaluate = first
            || asked.plain
            || budget.is_some()
            || evaluation_due(settings.evaluate_every, self.step, settings.steps_per_epoch());
        let audit = self.probes.iter().any(ProbeTrack::audit_is_due);
        let due = self.measuring.due(self.step, self.stopwatch.seconds(), audit);
        let measure = first || asked.plain || asked.audit || budget.is_some() || due;
        let mut point = self.point();
        let mut stop = budget;
        let diverged = self.has_diverged(evaluate || measure);
        if evaluate || diverged {
            if let Err(ending) = self.evaluate(&mut point) {
                return Ok(Some(ending));
            }
            if diverged
                || TRAIN_LOSS
                    .value(&point)
                    .is_some_and(|loss| has_diverged(loss, settings))
            {
                self.write(point)?;
                return Ok(Some(CellEnding::Diverged));
            }
            stop = reached(settings, &point).or(stop);
        }
        let mut points = vec![point];
        let mut ending = stop.map(CellEnding::Finished);
        if measure || stop.is_some() {
            // Tables show the last value, so it is always audited.
            if let Err(told_to_end) = self.measure_lambda(&mut points, asked.audit || stop.is_some()) {
                ending = Some(told_to_end);
            }
        }
        if ending.is_none() || stop.is_some() {
            let lambda = measure || stop.is_some();
            let all = first || asked.plain || stop.is_some();
            let asks = Asks {
                lambda,
                all,
                audit: asked.audit || stop.is_some(),
            };
            if let Err(told_to_end) = self.measure_gauges(&mut points[0], asks) {
                ending = Some(told_to_end);
            }
        }
        for point in points.into_iter().filter(has_values) {
            self.write(point)?;
        }
        Ok(ending)
    }

    /// Measures λ_max on every probe from a cold start, and every gauge. Returns a point for each probe.
    pub(in crate::train) fn measure_here(&mut self) -> Result<Vec<Point>, CellEnding> {
        let mut points = vec![self.point()];
        self.measure_lambda(&mut points, true)?;
        let asks = Asks {
            lambda: true,
            all: true,
            audit: true,
        };
        self.measure_gauges(&mut points[0], asks)?;
        Ok(points)
    }

    pub(super) fn point(&self) -> Point {
        Point {
            step: self.step,
            epoch: self.epoch(),
            seconds: self.stopwatch.seconds(),
            ..Point::default()
        }
    }

    fn evaluate(&mut self, point: &mut Point) -> Result<(), CellEnding> {
        self.control.busy_with(Activity::Evaluating, self.outbox);
        let settings = self.task.settings;
        let mut verdict = Verdict::Go;
        let mut both = [None; 2];
        for (slot, examples) in both.iter_mut().zip([self.task.train, self.task.test]) {
            *slot = evaluate(
                self.task.network,
                setup::loss(settings),
                &self.parameters,
                &mut self.running,
                examples,
                settings.chunk_size,
                &mut || {
                    verdict = self
                        .control
                        .checkpoint(self.task.cell, self.outbox, &mut self.stopwatch);
                    verdict == Verdict::Go
                },
            );
        }
        let [Some(train), Some(test)] = both else {
            return Err(ending(verdict).unwrap_or(CellEnding::Interrupted));
        };
        for (quantity, value) in [
            (&TRAIN_LOSS, train.loss),
            (&TRAIN_ACCURACY, train.accuracy),
            (&TEST_LOSS, test.loss),
            (&TEST_ACCURACY, test.accuracy),
        ] {
            point.values.set(quantity.key, value);
        }
        Ok(())
    }

    /// Measures λ_max on every probe, and the preconditioned sharpness if the optimizer took a preconditioned step. The
    /// first probe's values go into the existing point, those of each other one into a new point.
    fn measure_lambda(&mut self, points: &mut Vec<Point>, audit: bool) -> Result<(), CellEnding> {
        let settings = self.task.settings;
        let started = self.stopwatch.seconds();
        let cold = audit || self.probes.iter().any(ProbeTrack::audit_is_due);
        let learning_rate = self.learning_rate_in_force();
        let threshold = self.threshold(learning_rate);
        let preconditioner = self.optimizer.preconditioner();
        let gradient_norm = self.gradient.as_ref().map(norm);
        let mut probes = std::mem::take(&mut self.probes);
        for (index, probe) in probes.iter_mut().enumerate() {
            let audit = audit || probe.audit_is_due();
            let (lambda, measured) = self.measure_probe(index, probe, audit)?;
            let preconditioned = match &preconditioner {
                Some(preconditioner) => self.measure_preconditioned(probe, preconditioner, audit)?,
                None => None,
            };
            if index > 0 {
                points.push(self.point());
            }
            points[index].lambda = Some(lambda);
            if settings.eigenvalues > 1 {
                set_eigenvalues(&mut points[index].values, &measured, threshold);
            }
            points[index].preconditioned = preconditioned;
            let of_cell = [
                Some((&LEARNING_RATE, learning_rate)),
                threshold,
                gradient_norm.filter(|_| index == 0).map(|norm| (&GRADIENT_NORM, norm)),
            ];
            for (quantity, value) in of_cell.into_iter().flatten() {
                points[index].values.set(quantity.key, value);
            }
        }
        self.probes = probes;
        let seconds = self.stopwatch.seconds();
        self.measuring.measured(seconds, seconds - started, cold);
        Ok(())
    }

    fn measure_probe(
        &mut self,
        index: usize,
        probe: &mut ProbeTrack,
        audit: bool,
    ) -> Result<(LambdaPoint, Measurement), CellEnding> {
        let activity = if audit {
            Activity::Auditing
        } else {
            Activity::MeasuringLambda
        };
        self.control.busy_with(activity, self.outbox);
        let started = Instant::now();
        let left_out = self.stopwatch.left_out();
        let mut verdict = Verdict::Go;
        let measured = probe.measure(&self.task, &self.parameters, &self.running, audit, &mut || {
            verdict = self
                .control
                .checkpoint(self.task.cell, self.outbox, &mut self.stopwatch);
            verdict == Verdict::Go
        });
        let Ok(measured) = measured else {
            return Err(ending(verdict).unwrap_or(CellEnding::Interrupted));
        };
        self.notice_correction("λ_max", &measured);
        for (index, from) in measured.corrections.iter().enumerate().skip(1) {
            if let Some(from) = *from {
                let name = format!("eigenvalue {} by size", index + 1);
                self.notice_corrected(&name, from, measured.eigenvalues[index].value);
            }
        }
        let paused = self.stopwatch.left_out().saturating_sub(left_out);
        let lambda = LambdaPoint {
            lambda_max: measured.value,
            lambda_residual: measured.residual,
            // Of several eigenvalues, only the first is λ_max.
            lambda_converged: measured.eigenvalues.first().is_some_and(|first| first.converged),
            lambda_hvps: measured.products,
            lambda_rounded_hvps: measured.rounded_products,
            lambda_seconds: started.elapsed().saturating_sub(paused).as_secs_f64(),
            lambda_probe: index,
            lambda_on: self.task.settings.probes[index].describe(self.task.settings),
            lambda_audited: measured.audited,
            lambda_corrected_from: measured.corrected_from,
        };
        Ok((lambda, measured))
    }

    fn measure_preconditioned(
        &mut self,
        probe: &mut ProbeTrack,
        preconditioner: &Tensor<1>,
        audit: bool,
    ) -> Result<Option<PreconditionedPoint>, CellEnding> {
        let mut verdict = Verdict::Go;
        let measured = probe.measure_preconditioned(
            &self.task,
            (&self.parameters, &self.running),
            (preconditioner, self.optimizer.weight_decay()),
            audit,
            &mut || {
                verdict = self
                    .control
                    .checkpoint(self.task.cell, self.outbox, &mut self.stopwatch);
                verdict == Verdict::Go
            },
        );
        let Ok(measured) = measured else {
            return Err(ending(verdict).unwrap_or(CellEnding::Interrupted));
        };
        let Some(measured) = measured else { return Ok(None) };
        self.notice_correction(PRECONDITIONED_SHARPNESS.label, &measured);
        Ok(Some(PreconditionedPoint {
            preconditioned_sharpness: measured.value,
            preconditioned_residual: measured.residual,
            preconditioned_converged: measured.converged,
            preconditioned_hvps: measured.products,
            preconditioned_rounded_hvps: measured.rounded_products,
            preconditioned_audited: measured.audited,
            preconditioned_corrected_from: measured.corrected_from,
        }))
    }

    /// Measures the gauges that are due, or all.
    fn measure_gauges(&mut self, point: &mut Point, asks: Asks) -> Result<(), CellEnding> {
        let mut gauges = std::mem::take(&mut self.gauges);
        let measured = gauges
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, gauged)| self.measure_gauge(index, gauged, point, asks));
        self.gauges = gauges;
        measured
    }

    fn measure_gauge(
        &mut self,
        index: usize,
        gauged: &mut Gauged,
        point: &mut Point,
        asks: Asks,
    ) -> Result<(), CellEnding> {
        let started = self.stopwatch.seconds();
        let dropped = self.measuring.dropped(index);
        if !asks.all && !self.measuring.gauge_due(index, self.step, started, asks.lambda) {
            if dropped == 0 && self.measuring.dropped(index) == 1 {
                self.notice_dropped(gauged);
            }
            return Ok(());
        }
        self.control.busy_with(Activity::MeasuringGauge, self.outbox);
        let learning_rate = self.learning_rate_in_force();
        let Some(first) = self.probes.first() else {
            return Ok(());
        };
        let mut verdict = Verdict::Go;
        let settings = self.task.settings;
        let last_step = self.before.as_ref().map(|before| LastStep {
            before,
            batch: match settings.batch_size {
                Extent::Full => None,
                Extent::Count(size) => self.order.last(size),
            },
        });
        let at = At {
            task: self.task,
            parameters: &self.parameters,
            running: &self.running,
            probe: first.loss(&self.task, &self.running),
            top: asks.lambda.then(|| first.eigenvectors()),
            audit: asks.audit,
            gradient: self.gradient.as_ref(),
            last_step,
            optimizer: &*self.optimizer,
            learning_rate,
            go_on: &mut || {
                verdict = self
                    .control
                    .checkpoint(self.task.cell, self.outbox, &mut self.stopwatch);
                verdict == Verdict::Go
            },
        };
        if gauged.measure.measure(at, point).is_err() {
            return Err(ending(verdict).unwrap_or(CellEnding::Interrupted));
        }
        self.measuring.gauge_measured(index, self.stopwatch.seconds() - started);
        Ok(())
    }

    /// Publishes that a gauge is measured less often than was asked for.
    fn notice_dropped(&mut self, gauged: &Gauged) {
        let (name, step) = (gauged.gauge.name(), self.step);
        self.outbox.notice(
            Some(self.task.cell),
            format!(
                "{name} was not measured at step {step}, and is measured less often than `every` says: the share of the time \
                 for measurements (`lambda_every: Share(…)`) is used up"
            ),
        );
    }

    /// Publishes how many measurements of each gauge were dropped.
    pub(in crate::train) fn tell_dropped(&mut self) {
        for (index, gauged) in self.gauges.iter().enumerate() {
            let dropped = self.measuring.dropped(index);
            if dropped > 0 {
                let (name, count) = (gauged.gauge.name(), counted(dropped, "measurement"));
                let words = format!("{count} of {name} did not fit into the share of the time, and were dropped");
                self.outbox.notice(Some(self.task.cell), words);
            }
        }
    }

    /// Publishes that an audit corrected a value.
    fn notice_correction(&mut self, name: &str, measured: &Measurement) {
        if let Some(from) = measured.corrected_from {
            self.notice_corrected(name, from, measured.value);
        }
    }

    fn notice_corrected(&mut self, name: &str, from: f64, value: f64) {
        let (value, from) = (significant(value, 5), significant(from, 5));
        let step = self.step;
        self.outbox.notice(
            Some(self.task.cell),
            format!("an audit at step {step} corrected {name} from {from} to {value}"),
        );
    }

    pub(super) fn write(&mut self, point: Point) -> Result<(), AnyError> {
        self.insist(|keeper| keeper.point(&point))?;
        self.summary.take_in(&point);
        self.outbox.point(self.task.cell, point);
        Ok(())
    }
}

/// Returns the reason to stop if the aimed loss or accuracy is reached.
fn reached(settings: &Settings, point: &Point) -> Option<StopReason> {
    let loss = settings.until_train_loss.zip(TRAIN_LOSS.value(point));
    let accuracy = settings.until_train_accuracy.zip(TRAIN_ACCURACY.value(point));
    if loss.is_some_and(|(aim, loss)| loss <= aim) {
        Some(StopReason::TrainLoss)
    } else if accuracy.is_some_and(|(aim, accuracy)| accuracy >= aim) {
        Some(StopReason::TrainAccuracy)
    } else {
        None
    }
}

/// Sets the tracked eigenvalues under the numbers of their eigenvectors, and how many are above the threshold of λ_max.
fn set_eigenvalues(values: &mut Values, measured: &Measurement, threshold: Option<(&'static Quantity, f64)>) {
    for (eigenvalue, &number) in measured.eigenvalues.iter().zip(&measured.numbers) {
        let quantity = &EIGENVALUES[number as usize];
        quantity.set_found(values, eigenvalue.value, eigenvalue.residual, eigenvalue.converged);
    }
    if let Some((_, threshold)) = threshold.filter(|(quantity, _)| **quantity == THRESHOLD) {
        let above = measured.eigenvalues.iter().filter(|found| found.value > threshold);
        values.set(EIGENVALUES_ABOVE.key, above.count() as f64);
    }
}

fn has_values(point: &Point) -> bool {
    point.lambda.is_some() || !point.values.is_empty() || point.spectrum.is_some() || !point.layers.is_empty()
}
