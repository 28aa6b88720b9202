//! The state of a cell in training, and its steps.

mod observe;

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Tensor;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sharpness::model::{Examples, Normalization, Pass, RunningStatistics, mean_loss_and_gradient};
use sharpness::optimizer::{Optimizer, State, Step};
use sharpness::random::{Purpose, stream};
use sharpness::schedule::Schedule;

use super::augment::Augmenter;
use super::chunk::chunk;
use super::gauges::{self, Gauged};
use super::last_values::LastValues;
use super::losses::Losses;
use super::pace::Pace;
use super::parts::Parts;
use super::probes::ProbeTrack;
use super::schedule::{MeasuringSchedule, evaluation_due};
use super::snapshot::{Position, SUMMARY, Snapshot, SnapshotError};
use super::{AnyError, Control, Keeper, Outbox, Stopwatch, Task, Trained, Verdict};
use crate::config::{Extent, Gauge, Keep, Settings};
use crate::event::{CellEnding, Event, Progress, RateChange, Summary};
use crate::quantity::{LEARNING_RATE, PRECONDITIONED_THRESHOLD, Quantity, THRESHOLD};
use crate::setup;

/// One cell in training.
pub(super) struct Run<'a> {
    task: Task<'a>,
    control: &'a mut Control,
    outbox: &'a mut Outbox,
    keeper: &'a mut dyn Keeper,
    kept_at: Instant,
    stopwatch: Stopwatch,
    pace: Pace,
    step: u64,
    parameters: Tensor<1>,
    running: Vec<RunningStatistics>,
    /// The learning rate η that the schedule scales; the person watching may have changed it.
    learning_rate: f64,
    schedule: Schedule,
    optimizer: Box<dyn Optimizer>,
    order: Order,
    augmenter: Option<Augmenter>,
    dropout: ChaCha8Rng,
    /// The losses of the last steps' batches.
    losses: Losses,
    /// The gradient of the last step's batch, before SAM's ascent step.
    gradient: Option<Tensor<1>>,
    /// The parameters before the last step, for gauges that need them.
    before: Option<Tensor<1>>,
    measuring: MeasuringSchedule,
    probes: Vec<ProbeTrack>,
    gauges: Vec<Gauged>,
    summary: Summary,
}

/// The order in which examples are used.
struct Order {
    rng: ChaCha8Rng,
    /// Shared with snapshots until the next shuffle.
    indices: Arc<Vec<usize>>,
    next: usize,
}

impl Order {
    /// Returns the examples that were taken last, in batches of `size`; none before the first.
    fn last(&self, size: usize) -> Option<&[usize]> {
        let start = self.next.checked_sub(1)? / size * size;
        Some(&self.indices[start..self.next])
    }

    /// Returns the next `size` examples, or fewer at the end of an epoch. Every epoch has a new random order.
    fn take(&mut self, size: usize) -> &[usize] {
        if self.next >= self.indices.len() {
            self.next = 0;
        }
        if self.next == 0 {
            Arc::make_mut(&mut self.indices).shuffle(&mut self.rng);
        }
        let start = self.next;
        self.next = (start + size).min(self.indices.len());
        &self.indices[start..self.next]
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        task: Task<'a>,
        control: &'a mut Control,
        outbox: &'a mut Outbox,
        keeper: &'a mut dyn Keeper,
    ) -> Self {
        let settings = task.settings;
        let dtype = setup::dtype(settings);
        let optimizer = setup::optimizer(settings);
        Self {
            stopwatch: Stopwatch::start(),
            pace: Pace::start(),
            step: 0,
            parameters: task.network.initial_parameters(settings.seed, task.device, dtype),
            running: task.network.initial_statistics(task.device, dtype),
            learning_rate: settings.learning_rate,
            schedule: setup::schedule(settings),
            order: Order {
                rng: stream(settings.seed, Purpose::Order),
                indices: Arc::new((0..task.train.len()).collect()),
                next: 0,
            },
            augmenter: Augmenter::of(settings, task.network.input(), task.black),
            dropout: stream(settings.seed, Purpose::Dropout),
            losses: Losses::new(&task.train.images),
            gradient: None,
            before: None,
            measuring: MeasuringSchedule::new(
                settings.lambda_every,
                settings.gauges.iter().map(Gauge::every).collect(),
                settings.steps_per_epoch(),
                settings.planned_steps(),
            ),
            probes: ProbeTrack::all(&task, optimizer.is_preconditioned()),
            gauges: gauges::all(&task),
            optimizer,
            summary: Summary::default(),
            task,
            control,
            outbox,
            keeper,
            kept_at: Instant::now(),
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
        let batch = match &mut self.augmenter {
            Some(augmenter) => augmenter.vary(&batch),
            None => batch,
        };
        let learning_rate = self.learning_rate_in_force();
        let mut training = Training {
            task: self.task,
            batch,
            dropout: &mut self.dropout,
            running: &mut self.running,
        };
        let keeps = settings.keep_checkpoints.is_some();
        if keeps || self.gauges.iter().any(|gauged| gauged.measure.needs_last_step()) {
            self.before = Some(self.parameters.clone());
        }
        let masks = training.dropout.clone();
        let (loss, gradient) = training.mean_gradient(&self.parameters, true);
        self.parameters = self.optimizer.step(Step {
            parameters: self.parameters.clone(),
            gradient: gradient.clone(),
            learning_rate,
            gradient_at: &mut |parameters| {
                training.dropout.clone_from(&masks);
                training.mean_gradient(parameters, false).1
            },
        });
        self.gradient = Some(gradient);
        self.losses.push(loss);
        self.step += 1;
    }

    /// Applies a pending learning rate, if there is one: it becomes η of the next step, and the schedule continues from
    /// it in the same shape. A checkpoint is written with it, so that a crash does not undo the change.
    pub(super) fn change_learning_rate(&mut self) -> Result<(), AnyError> {
        let Some(asked) = self.control.take_learning_rate() else {
            return Ok(());
        };
        let cell = Some(self.task.cell);
        let from = self.learning_rate_in_force();
        // Without a schedule the factor is exactly 1, so the typed value is used unchanged.
        let scaled = asked * (self.learning_rate / from);
        let is_usable = |rate: f64| rate.is_finite() && rate > 0.0;
        if !is_usable(asked) || !is_usable(scaled) {
            self.outbox
                .notice(cell, format!("the learning rate stays {from}: {asked} cannot be used"));
            return Ok(());
        }
        self.learning_rate = scaled;
        let to = self.learning_rate_in_force();
        if to.to_bits() == from.to_bits() {
            return Ok(());
        }
        let mut point = self.point().with(LEARNING_RATE.key, to);
        if let Some((quantity, threshold)) = self.threshold(to) {
            point.values.set(quantity.key, threshold);
        }
        point.changed_by_hand = Some(RateChange { from, to });
        self.write(point)?;
        self.keep_now()?;
        let step = self.step;
        self.outbox.notice(
            cell,
            format!("the learning rate was changed by hand, from {from} to {to}, at step {step}"),
        );
        Ok(())
    }

    /// Returns η of the next step.
    fn learning_rate_in_force(&self) -> f64 {
        self.schedule.learning_rate(self.learning_rate, self.step)
    }

    /// Returns the threshold of steps at this rate, of λ_max or of the preconditioned sharpness, if it is known.
    fn threshold(&self, learning_rate: f64) -> Option<(&'static Quantity, f64)> {
        let optimizer = &self.optimizer;
        if optimizer.is_preconditioned() {
            Some((&PRECONDITIONED_THRESHOLD, optimizer.edge(learning_rate)?))
        } else {
            Some((&THRESHOLD, optimizer.threshold(learning_rate)?))
        }
    }

    /// Writes the parameters down.
    pub(super) fn keep_parameters(&mut self) -> Result<(), AnyError> {
        let (step, parameters, running) = (self.step, self.parameters.clone(), self.running.clone());
        self.insist(|keeper| keeper.parameters(step, &parameters, &running))
    }

    /// Writes everything that the cell needs to continue.
    pub(super) fn keep(&mut self, snapshot: &Snapshot) -> Result<(), AnyError> {
        self.kept_at = Instant::now();
        self.insist(|keeper| keeper.snapshot(snapshot))
    }

    /// Writes a snapshot of the state after a step whose observation is complete.
    pub(super) fn keep_now(&mut self) -> Result<(), AnyError> {
        let snapshot = self.snapshot(true);
        self.keep(&snapshot)
    }

    /// Writes, and waits while the disk cannot be written.
    fn insist(&mut self, mut write: impl FnMut(&mut dyn Keeper) -> Result<(), AnyError>) -> Result<(), AnyError> {
        let left_out = self.stopwatch.left_out();
        let keeper = RefCell::new(&mut *self.keeper);
        let written = self.control.insist(
            self.outbox,
            Some(&mut self.stopwatch),
            |error| keeper.borrow().can_pass(error),
            || write(&mut **keeper.borrow_mut()),
        );
        if self.stopwatch.left_out() > left_out {
            self.pace.restart(self.step);
        }
        written
    }

    /// Writes a snapshot that stays after the cell has ended, if one is to be kept after this step. `is_last` tells whether
    /// the cell ends with it. It has what was needed to observe the step, so that this can be done again.
    pub(super) fn keep_lasting(&mut self, is_last: bool) -> Result<(), AnyError> {
        let settings = self.task.settings;
        let is_due = match settings.keep_checkpoints {
            None => false,
            Some(Keep::Last) => is_last,
            Some(Keep::Every(every)) => is_last || evaluation_due(every, self.step, settings.steps_per_epoch()),
        };
        if is_due {
            let snapshot = self.snapshot(false);
            self.insist(|keeper| keeper.lasting(&snapshot))?;
        }
        Ok(())
    }

    /// Writes a snapshot if one is due or was asked for.
    pub(super) fn keep_now_and_then(&mut self) -> Result<(), AnyError> {
        if self.control.take_keep() || self.kept_at.elapsed() >= self.keeper.keep_every() {
            self.keep_now()?;
        }
        Ok(())
    }

    /// Returns everything that determines how the cell continues. Tensors are shared, not copied.
    pub(super) fn snapshot(&mut self, observed: bool) -> Snapshot {
        let position = Position {
            step: self.step,
            observed,
        };
        let mut snapshot = Snapshot::new(position, self.parameters.clone(), self.running.clone());
        self.parts(&mut Parts::Take(&mut snapshot));
        snapshot
    }

    /// Restores the state that an earlier process saved.
    pub(super) fn go_on_from(&mut self, from: &Snapshot) -> Result<(), SnapshotError> {
        self.step = from.position.step;
        self.parameters = from.parameters.clone();
        self.running.clone_from(&from.running);
        let mut wrong = None;
        self.parts(&mut Parts::PutBack(from, &mut wrong));
        self.forget_pace();
        wrong.map_or(Ok(()), Err)
    }

    /// Takes the position of a snapshot, with the state of the optimizer and the last step if the snapshot is complete, so
    /// that the cell can be measured there.
    pub(super) fn stand_at(&mut self, from: &Snapshot, is_complete: bool) -> Result<(), SnapshotError> {
        self.step = from.position.step;
        self.parameters = from.parameters.clone();
        self.running.clone_from(&from.running);
        let mut wrong = None;
        if is_complete {
            self.parts_of_steps(&mut Parts::PutBack(from, &mut wrong));
        }
        wrong.map_or(Ok(()), Err)
    }

    /// Lists every other part of the state that determines how the cell continues. This list both saves and restores.
    fn parts(&mut self, parts: &mut Parts) {
        let parameters = self.task.network.layout().len();
        parts.value_of(
            "seconds",
            &mut self.stopwatch,
            Stopwatch::seconds,
            Stopwatch::add_earlier,
        );
        self.parts_of_steps(parts);
        parts.scalars_of("losses", &mut self.losses, Losses::all, Losses::go_on_with);
        parts.stream("order_position", &mut self.order.rng);
        parts.stream("dropout_position", &mut self.dropout);
        parts.stream_if_any("augmentation_position", self.augmenter.as_mut().map(Augmenter::stream));
        parts.value("spending", &mut self.measuring.spending);
        ProbeTrack::parts(&mut self.probes, parts, parameters);
        for gauged in &mut self.gauges {
            gauged.measure.parts(parts);
        }
        parts.value_of(
            SUMMARY,
            &mut self.summary,
            |summary| LastValues(summary.clone()),
            |summary, LastValues(last)| *summary = last,
        );
    }

    /// Lists the parts that also decide what is measured: the state of the optimizer, and the last step.
    fn parts_of_steps(&mut self, parts: &mut Parts) {
        let parameters = self.task.network.layout().len();
        for kept in self.optimizer.kept() {
            let name = optimizer_name(kept.name);
            match kept.state {
                State::Vector(tensor) => parts.tensor(name, tensor, parameters),
                State::Scalar(tensor) => parts.tensor(name, tensor, 1),
                // The names of values are words of RON, which have no points.
                State::Count(count) => parts.value(format!("optimizer_{}", kept.name), count),
            }
        }
        // These are needed only for observing their step.
        if !parts.is_observed() {
            parts.tensor("gradient".into(), &mut self.gradient, parameters);
            parts.tensor("before".into(), &mut self.before, parameters);
        }
        parts.order("order", &mut self.order.indices);
        parts.value("next", &mut self.order.next);
        parts.newer_value("learning_rate", &mut self.learning_rate);
    }

    /// Returns whether the next [`Self::between_steps`] waits.
    pub(super) fn is_to_pause(&mut self) -> bool {
        self.control.is_to_pause(self.task.cell)
    }

    /// Returns whether the loss of a step was above the limit or not finite. Losses are read every few steps, or all
    /// with `now`.
    fn has_diverged(&mut self, now: bool) -> bool {
        let losses = self.losses.look(now);
        losses.into_iter().any(|loss| has_diverged(loss, self.task.settings))
    }

    /// Waits while paused; a pending learning rate ends the wait. Returns the ending if the cell must end.
    pub(super) fn between_steps(&mut self) -> Option<CellEnding> {
        let before = self.stopwatch.left_out();
        let verdict = self
            .control
            .between_steps(self.task.cell, self.outbox, &mut self.stopwatch);
        if self.stopwatch.left_out() > before {
            self.forget_pace();
        }
        ending(verdict)
    }

    fn epoch(&self) -> f64 {
        let steps_per_epoch = self.task.settings.steps_per_epoch();
        self.step as f64 / steps_per_epoch as f64
    }

    /// Restarts the measurement of the step rate, because the cell was not stepping until now.
    pub(super) fn forget_pace(&mut self) {
        self.pace.restart(self.step);
    }

    /// Reports the progress of the cell if it is due, or `now`.
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
            reached_aim: ending.reached_aim(self.task.settings.has_aim()),
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

/// Returns the name of an optimizer's tensor among the parts. SAM's `climbed` has no prefix because files of earlier
/// versions have it so.
fn optimizer_name(name: &'static str) -> Cow<'static, str> {
    match name {
        "climbed" => name.into(),
        _ => format!("optimizer.{name}").into(),
    }
}

/// A batch, with the state that a pass over it in training mode uses and changes.
struct Training<'a> {
    task: Task<'a>,
    batch: Examples,
    dropout: &'a mut ChaCha8Rng,
    running: &'a mut [RunningStatistics],
}

impl Training<'_> {
    /// Returns the mean loss of the batch, `[1]`, at `parameters` and its gradient, `[parameters]`, accumulated over
    /// chunks. With `observe`, updates the running statistics with the batch's.
    fn mean_gradient(&mut self, parameters: &Tensor<1>, observe: bool) -> (Tensor<1>, Tensor<1>) {
        let Task { settings, network, .. } = self.task;
        let mut pass = Pass {
            dropout: Some(self.dropout),
            normalization: Normalization::Batch,
            running: self.running,
            observe,
        };
        let chunk = chunk(settings, self.batch.len(), network.has_batch_norm());
        mean_loss_and_gradient(
            network,
            setup::loss(settings),
            parameters,
            &self.batch,
            chunk,
            &mut pass,
        )
    }
}

/// Returns whether the cell has diverged: its mean training loss is not finite or is above the limit.
fn has_diverged(loss: f64, settings: &Settings) -> bool {
    // A comparison with NaN is always false.
    loss.is_nan() || loss > settings.loss_limit
}

fn ending(verdict: Verdict) -> Option<CellEnding> {
    match verdict {
        Verdict::Go => None,
        Verdict::Abort => Some(CellEnding::Aborted),
        // The cell continues from its checkpoint later, in this process or another.
        Verdict::Skip | Verdict::Quit => Some(CellEnding::Interrupted),
    }
}
