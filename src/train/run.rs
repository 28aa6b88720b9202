//! The state of a cell in training, and what is done with it.

use std::error::Error;
use std::time::Instant;

use burn::tensor::{DType, Tensor};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::evaluate::{Evaluation, evaluate};
use super::optimizer::HeavyBall;
use super::pace::Pace;
use super::probes::ProbeTrack;
use super::schedule::{LambdaSchedule, evaluation_due};
use super::{Control, Log, Outbox, Stopwatch, Task, Trained, Verdict};
use crate::config::{Extent, Precision, Settings};
use crate::event::{Activity, CellEnding, Event, LambdaPoint, Point, Progress, StopReason, Summary};
use crate::model::{Examples, Normalization, Pass, Purpose, RunningStatistics, loss_and_gradient, stream};

/// Step losses are read from the device this many at a time: reading each would make it wait for the host.
const LOSSES_READ_AT_ONCE: usize = 32;

/// One cell in training.
pub(super) struct Run<'a> {
    task: Task<'a>,
    control: &'a mut Control,
    outbox: &'a mut Outbox,
    log: &'a mut Log<'a>,
    stopwatch: Stopwatch,
    pace: Pace,
    step: u64,
    parameters: Tensor<1>,
    running: Vec<RunningStatistics>,
    optimizer: HeavyBall,
    order: Order,
    dropout: ChaCha8Rng,
    /// Mean losses of the last steps' batches, still on the device.
    losses: Vec<Tensor<1>>,
    gradient: Option<Tensor<1>>,
    schedule: LambdaSchedule,
    probes: Vec<ProbeTrack>,
    summary: Summary,
}

/// Which examples come next.
struct Order {
    rng: ChaCha8Rng,
    indices: Vec<usize>,
    next: usize,
}

impl Order {
    /// The next `size` examples of a fresh random order for every epoch; fewer at an epoch's end.
    fn take(&mut self, size: usize) -> &[usize] {
        if self.next >= self.indices.len() {
            self.next = 0;
        }
        if self.next == 0 {
            self.indices.shuffle(&mut self.rng);
        }
        let start = self.next;
        self.next = (start + size).min(self.indices.len());
        &self.indices[start..self.next]
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(task: Task<'a>, control: &'a mut Control, outbox: &'a mut Outbox, log: &'a mut Log<'a>) -> Self {
        let settings = task.settings;
        let dtype = dtype(settings);
        Self {
            stopwatch: Stopwatch::start(),
            pace: Pace::start(),
            step: 0,
            parameters: task.network.initial_parameters(settings.seed, task.device, dtype),
            running: task.network.initial_statistics(task.device, dtype),
            optimizer: HeavyBall::new(settings.learning_rate, settings.momentum, settings.weight_decay),
            order: Order {
                rng: stream(settings.seed, Purpose::Order),
                indices: (0..task.train.len()).collect(),
                next: 0,
            },
            dropout: stream(settings.seed, Purpose::Dropout),
            losses: Vec::new(),
            gradient: None,
            schedule: LambdaSchedule::new(settings.lambda_every, settings.steps_per_epoch()),
            probes: ProbeTrack::all(&task),
            summary: Summary::default(),
            task,
            control,
            outbox,
            log,
        }
    }

    pub(super) fn steps(&self) -> u64 {
        self.step
    }

    /// Takes one optimizer step on the next batch.
    pub(super) fn step(&mut self) {
        let settings = self.task.settings;
        let batch = match settings.batch_size {
            Extent::Full => self.task.train.clone(),
            Extent::Count(size) => self.task.train.select(self.order.take(size)),
        };
        let (loss, gradient) = self.mean_gradient(&batch);
        let parameters = self.parameters.clone();
        self.parameters = self.optimizer.step(parameters, gradient.clone());
        self.gradient = Some(gradient);
        self.losses.push(loss);
        self.step += 1;
    }

    /// The mean loss, `[1]`, and its gradient, `[parameters]`, in training mode, accumulated over chunks.
    fn mean_gradient(&mut self, batch: &Examples) -> (Tensor<1>, Tensor<1>) {
        let settings = self.task.settings;
        let mut total: Option<(Tensor<1>, Tensor<1>)> = None;
        for part in batch.chunks(chunk(settings, batch.len(), self.task.network.has_batch_norm())) {
            let mut pass = Pass {
                dropout: Some(&mut self.dropout),
                normalization: Normalization::Batch,
                running: &mut self.running,
                observe: true,
            };
            let (loss, gradient) =
                loss_and_gradient(self.task.network, settings.loss, &self.parameters, &part, &mut pass);
            total = Some(match total {
                Some((l, g)) => (l + loss, g + gradient),
                None => (loss, gradient),
            });
        }
        // A batch has at least one example, hence one chunk.
        let (loss, gradient) = total.unwrap_or_else(|| unreachable!("a batch of no examples"));
        let count = batch.len() as f64;
        (loss / count, gradient / count)
    }

    /// Whether a step's loss was not finite. Looks now and then, or `now`.
    pub(super) fn has_diverged(&mut self, now: bool) -> bool {
        if self.losses.is_empty() || (self.losses.len() < LOSSES_READ_AT_ONCE && !now) {
            return false;
        }
        let losses = Tensor::cat(std::mem::take(&mut self.losses), 0).into_data_as::<f64>();
        losses.iter::<f64>().any(|loss| !loss.is_finite())
    }

    /// Waits while paused; gives the ending if the cell is to end.
    pub(super) fn checkpoint(&mut self, activity: Activity) -> Option<CellEnding> {
        self.control.busy_with(activity, self.outbox);
        let before = self.stopwatch.left_out();
        let verdict = self
            .control
            .checkpoint(self.task.cell, self.outbox, &mut self.stopwatch);
        if self.stopwatch.left_out() > before {
            self.pace.restart(self.step);
        }
        ending(verdict)
    }

    /// Measures what is due, or everything at the end of the cell, and writes it down.
    ///
    /// Gives the ending if the cell is at its end: `budget` is used up, the loss or accuracy aimed at is reached, it
    /// has diverged, or it was told to end.
    pub(super) fn observe(
        &mut self,
        budget: Option<StopReason>,
    ) -> Result<Option<CellEnding>, Box<dyn Error + Send + Sync>> {
        let settings = self.task.settings;
        let first = self.step == 0;
        let mut point = self.point();
        let mut stop = budget;
        if first || stop.is_some() || evaluation_due(settings.evaluate_every, self.step, settings.steps_per_epoch()) {
            if let Err(ending) = self.evaluate(&mut point) {
                return Ok(Some(ending));
            }
            if point.train_loss.is_some_and(|loss| !loss.is_finite()) {
                self.write(point)?;
                return Ok(Some(CellEnding::Diverged));
            }
            stop = reached(settings, &point).or(stop);
        }
        let asked = self.control.take_audit();
        if first || stop.is_some() || asked || self.schedule.due(self.step, self.stopwatch.seconds()) {
            // A tried-out eigenvalue is what a table will show, so the last one is always checked.
            if let Some(ending) = self.measure_lambda(&mut point, asked || stop.is_some())? {
                return Ok(Some(ending));
            }
        }
        if has_values(&point) {
            self.write(point)?;
        }
        Ok(stop.map(CellEnding::Finished))
    }

    /// Writes down the losses of a cell that has diverged.
    pub(super) fn observe_divergence(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut point = self.point();
        if self.evaluate(&mut point).is_ok() {
            self.write(point)?;
        }
        Ok(())
    }

    fn point(&self) -> Point {
        Point {
            step: self.step,
            epoch: self.epoch(),
            seconds: self.stopwatch.seconds(),
            ..Point::default()
        }
    }

    fn epoch(&self) -> f64 {
        let steps_per_epoch = self.task.settings.steps_per_epoch();
        self.step as f64 / steps_per_epoch as f64
    }

    fn evaluate(&mut self, point: &mut Point) -> Result<(), CellEnding> {
        self.control.busy_with(Activity::Evaluating, self.outbox);
        let settings = self.task.settings;
        let mut verdict = Verdict::Go;
        let mut both = [None; 2];
        for (slot, examples) in both.iter_mut().zip([self.task.train, self.task.test]) {
            *slot = evaluate(
                self.task.network,
                settings.loss,
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
        let Evaluation { loss, accuracy } = train;
        (point.train_loss, point.train_accuracy) = (Some(loss), Some(accuracy));
        (point.test_loss, point.test_accuracy) = (Some(test.loss), Some(test.accuracy));
        Ok(())
    }

    /// Measures λ_max on every probe; the first goes into `point`, each other one into a line of its own.
    fn measure_lambda(
        &mut self,
        point: &mut Point,
        audit: bool,
    ) -> Result<Option<CellEnding>, Box<dyn Error + Send + Sync>> {
        let started = self.stopwatch.seconds();
        point.threshold = Some(self.task.settings.stability_threshold());
        point.gradient_norm = self.gradient.as_ref().map(norm);
        let mut others = Vec::new();
        let mut probes = std::mem::take(&mut self.probes);
        for (index, probe) in probes.iter_mut().enumerate() {
            let lambda = match self.measure_probe(index, probe, audit) {
                Ok(lambda) => lambda,
                Err(ending) => return Ok(Some(ending)),
            };
            if index == 0 {
                point.lambda = Some(lambda);
            } else {
                let mut other = self.point();
                other.threshold = point.threshold;
                other.lambda = Some(lambda);
                others.push(other);
            }
        }
        self.probes = probes;
        self.schedule.measured(self.stopwatch.seconds() - started);
        for other in others {
            self.write(other)?;
        }
        Ok(None)
    }

    fn measure_probe(&mut self, index: usize, probe: &mut ProbeTrack, audit: bool) -> Result<LambdaPoint, CellEnding> {
        let activity = if audit || probe.audit_is_due() {
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
        if let Some(from) = measured.corrected_from {
            self.outbox.state(Event::Notice(format!(
                "cell {}, step {}: an audit found λ_max {:.4} where the track had {from:.4}; corrected",
                self.task.cell + 1,
                self.step,
                measured.value,
            )));
        }
        let paused = self.stopwatch.left_out().saturating_sub(left_out);
        Ok(LambdaPoint {
            lambda_max: measured.value,
            lambda_residual: measured.residual,
            lambda_converged: measured.converged,
            lambda_hvps: measured.products,
            lambda_seconds: started.elapsed().saturating_sub(paused).as_secs_f64(),
            lambda_probe: index,
            lambda_on: self.task.settings.probes[index].describe(self.task.settings),
            lambda_audited: measured.audited,
            lambda_corrected_from: measured.corrected_from,
        })
    }

    fn write(&mut self, point: Point) -> Result<(), Box<dyn Error + Send + Sync>> {
        (self.log)(&point)?;
        let last = &mut self.summary;
        last.train_loss = point.train_loss.or(last.train_loss);
        last.train_accuracy = point.train_accuracy.or(last.train_accuracy);
        last.test_loss = point.test_loss.or(last.test_loss);
        last.test_accuracy = point.test_accuracy.or(last.test_accuracy);
        if let Some(lambda) = point.lambda.as_ref().filter(|lambda| lambda.lambda_probe == 0) {
            last.lambda_max = Some(lambda.lambda_max);
            last.lambda_residual = Some(lambda.lambda_residual);
            last.lambda_converged = Some(lambda.lambda_converged);
        }
        self.outbox.point(self.task.cell, point);
        Ok(())
    }

    /// Tells how far the cell is, if it is time to, or `now`.
    pub(super) fn report_progress(&mut self, now: bool) {
        let due = self.pace.report_due();
        if due || now {
            let progress = Progress {
                step: self.step,
                epoch: self.epoch(),
                seconds: self.stopwatch.seconds(),
                steps_per_second: self.pace.steps_per_second(self.step),
            };
            let cell = self.task.cell;
            self.outbox.droppable(Event::Progress { cell, progress });
        }
    }

    pub(super) fn finish(self, ending: CellEnding) -> Trained {
        let summary = Summary {
            steps: self.step,
            epochs: self.epoch(),
            seconds: self.stopwatch.seconds(),
            ..self.summary
        };
        Trained {
            ending,
            summary,
            parameters: self.parameters,
            running: self.running,
        }
    }
}

/// The floating-point format of a cell's tensors.
pub fn dtype(settings: &Settings) -> DType {
    match settings.precision {
        Precision::F32 => DType::F32,
        Precision::F64 => DType::F64,
    }
}

/// Examples in one pass of a training step. With batch norm a chunk shares its statistics, so there it is the batch,
/// or the stated group of a full one.
fn chunk(settings: &Settings, batch: usize, batch_norm: bool) -> usize {
    match (batch_norm, settings.batch_size, settings.statistics_group) {
        (false, _, _) => settings.chunk_size,
        (true, Extent::Full, Extent::Count(group)) => group,
        (true, _, _) => batch,
    }
}

fn ending(verdict: Verdict) -> Option<CellEnding> {
    match verdict {
        Verdict::Go => None,
        Verdict::Abort => Some(CellEnding::Aborted),
        Verdict::Quit => Some(CellEnding::Interrupted),
    }
}

/// Whether the loss or accuracy aimed at is reached.
fn reached(settings: &Settings, point: &Point) -> Option<StopReason> {
    let loss = settings.until_train_loss.zip(point.train_loss);
    let accuracy = settings.until_train_accuracy.zip(point.train_accuracy);
    if loss.is_some_and(|(aim, loss)| loss <= aim) {
        Some(StopReason::TrainLoss)
    } else if accuracy.is_some_and(|(aim, accuracy)| accuracy >= aim) {
        Some(StopReason::TrainAccuracy)
    } else {
        None
    }
}

fn has_values(point: &Point) -> bool {
    point.train_loss.is_some() || point.lambda.is_some()
}

/// ‖x‖.
fn norm(x: &Tensor<1>) -> f64 {
    (x.clone() * x.clone()).sum().into_scalar::<f64>().sqrt()
}
