//! One cell of the sweep: its plan, its state, and its curves.

use crate::curve::{Curve, Marks};
use crate::event::{
    CellEnding, CellPlan, LambdaPoint, LayerPoint, Point, Progress, RateChange, SpectrumPoint, Standing, Summary,
    Values,
};
use crate::quantity::{
    self, LAMBDA_MAX, LAMBDA_RESIDUAL, PRECONDITIONED_SHARPNESS, PRECONDITIONED_THRESHOLD, Quantity, Subject, THRESHOLD,
};

use super::kept::Kept;
use super::trend::Trend;

/// Number of buckets that a curve of an ended cell is reduced to, because a large sweep has hundreds of cells.
pub(super) const BUCKETS_OF_ENDED: usize = 1_024;

/// The state of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellState {
    /// It is queued.
    Queued,
    /// It is running.
    Running,
    /// It is running, and is paused.
    Paused,
    /// It ended.
    Ended(CellEnding),
}

impl CellState {
    /// Returns whether the cell has ended and this process will not run it again. (A resumed sweep runs failed cells
    /// again.)
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Ended(ending) if *ending != CellEnding::Interrupted)
    }

    /// Returns whether the cell can be aborted.
    #[must_use]
    pub fn can_be_aborted(&self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Paused)
    }
}

/// All measurements of a cell, over its steps.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    measured: Vec<Measured>,
    /// Seconds that the cell had run at each step.
    pub(super) seconds: Curve,
}

/// One quantity over the steps of a cell.
#[derive(Clone, Debug)]
struct Measured {
    key: &'static str,
    probe: usize,
    curve: Curve,
}

static NOTHING: Curve = Curve::new();

impl Curves {
    /// Returns the curve of a quantity over steps, on this probe if the quantity is measured on probes; empty if it was
    /// not measured.
    #[must_use]
    pub fn of(&self, quantity: &Quantity, probe: usize) -> &Curve {
        let probe = probe_of(quantity, probe);
        let mut all = self.measured.iter();
        let found = all.find(|measured| measured.key == quantity.key && measured.probe == probe);
        found.map_or(&NOTHING, |measured| &measured.curve)
    }

    fn of_mut(&mut self, quantity: &Quantity, probe: usize) -> &mut Curve {
        let (key, probe) = (quantity.key, probe_of(quantity, probe));
        let found = self
            .measured
            .iter()
            .position(|measured| measured.key == key && measured.probe == probe);
        let at = found.unwrap_or_else(|| {
            let curve = Curve::new();
            self.measured.push(Measured { key, probe, curve });
            self.measured.len() - 1
        });
        &mut self.measured[at].curve
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Curve> {
        let measured = self.measured.iter_mut().map(|measured| &mut measured.curve);
        measured.chain([&mut self.seconds])
    }
}

fn probe_of(quantity: &Quantity, probe: usize) -> usize {
    match quantity.subject {
        Subject::Cell => 0,
        Subject::Probe => probe,
    }
}

/// The last value of each quantity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latest {
    /// The last λ_max on each probe.
    pub lambda: Vec<Option<LambdaPoint>>,
    /// Number of optimizer steps taken when λ_max on the first probe was last measured.
    pub lambda_step: Option<u64>,
    /// The values measured on each probe. The values of the first probe also contain those of the cell itself.
    values: Vec<Values>,
}

impl Latest {
    /// Returns the last value of a quantity, on this probe if the quantity is measured on probes.
    #[must_use]
    pub fn of(&self, quantity: &Quantity, probe: usize) -> Option<f64> {
        self.values.get(probe_of(quantity, probe))?.get(quantity.key)
    }

    /// Returns the last value of a quantity, on the first probe if the quantity is measured on probes.
    #[must_use]
    pub fn first(&self, quantity: &Quantity) -> Option<f64> {
        self.of(quantity, 0)
    }

    /// Returns the possible error of the last value, on this probe if the quantity is measured on probes.
    #[must_use]
    pub fn error_of(&self, quantity: &Quantity, probe: usize) -> Option<f64> {
        self.values.get(probe_of(quantity, probe))?.get(quantity.error_key()?)
    }

    /// Sets a value, replacing an existing one.
    pub fn set(&mut self, quantity: &Quantity, probe: usize, value: f64) {
        self.values_of(probe_of(quantity, probe)).set(quantity.key, value);
    }

    /// Sets the possible error of a value, or removes it.
    fn set_error(&mut self, quantity: &Quantity, probe: usize, error: Option<f64>) {
        let Some(key) = quantity.error_key() else { return };
        let values = self.values_of(probe_of(quantity, probe));
        match error {
            Some(error) => values.set(key, error),
            None => values.remove(key),
        }
    }

    /// Returns whether the search for the last value converged, if there was one; for a quantity of probes, on the first.
    #[must_use]
    pub fn converged(&self, quantity: &Quantity) -> Option<bool> {
        Some(self.values.first()?.get(quantity.converged_key()?)? != 0.0)
    }

    fn set_converged(&mut self, quantity: &Quantity, probe: usize, converged: Option<bool>) {
        if let Some((key, converged)) = quantity.converged_key().zip(converged) {
            let values = self.values_of(probe_of(quantity, probe));
            values.set(key, f64::from(u8::from(converged)));
        }
    }

    fn values_of(&mut self, probe: usize) -> &mut Values {
        if self.values.len() <= probe {
            self.values.resize_with(probe + 1, Values::default);
        }
        &mut self.values[probe]
    }
}

/// One cell of the sweep.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its plan, and its ending once it has ended.
    pub plan: CellPlan,
    /// Its state, without pauses; see [`super::Monitor::state`].
    pub state: CellState,
    /// The number of the runner that trains it, or trained it last.
    pub runner: Option<u32>,
    /// Its progress.
    pub progress: Progress,
    /// The first progress that was received. It comes after the measurements that precede the first step.
    pub(super) first_progress: Option<Progress>,
    /// Number of audits of λ_max on its first probe.
    pub audits: u64,
    /// Whether it is held.
    pub is_held: bool,
    /// How it stands, if another process has it and its state does not say that.
    pub standing: Option<Standing>,
    /// Number of points that were dropped on the way to this process. They are on disk.
    pub skipped_points: u64,
    /// Whether the person watching changed its learning rate.
    pub changed_by_hand: bool,
    /// Changes of the learning rate with their steps, as far as the points of the cell were received.
    pub rate_changes: Vec<(u64, RateChange)>,
    /// Ratio to the edge of stability over the steps, on its first probe.
    pub trend: Trend,
    /// The last value of each quantity.
    pub latest: Latest,
    /// All measurements over the steps.
    pub curves: Curves,
    /// Spectral densities.
    pub spectra: Kept<SpectrumPoint>,
    /// λ_max of the layers.
    pub layers: Kept<Vec<LayerPoint>>,
}

impl Cell {
    pub(super) fn new(plan: CellPlan) -> Self {
        let ended = plan.ended.clone();
        let probes = plan.probes.len();
        let mut cell = Self {
            runner: None,
            plan,
            state: CellState::Queued,
            progress: Progress::default(),
            first_progress: None,
            audits: 0,
            is_held: false,
            standing: None,
            skipped_points: 0,
            changed_by_hand: false,
            rate_changes: Vec::new(),
            trend: Trend::default(),
            latest: Latest {
                lambda: vec![None; probes],
                ..Latest::default()
            },
            curves: Curves::default(),
            spectra: Kept::default(),
            layers: Kept::default(),
        };
        if let Some((ending, summary)) = ended {
            cell.end(ending, &summary);
        }
        cell
    }

    pub(super) fn start(&mut self) {
        // Whether the cell starts or continues from a checkpoint, its progress follows, and its earlier points are sent
        // again.
        let runner = self.runner;
        self.begin_anew();
        (self.state, self.runner) = (CellState::Running, runner);
    }

    /// Discards everything except the plan.
    pub(super) fn begin_anew(&mut self) {
        let mut plan = std::mem::take(&mut self.plan);
        plan.ended = None;
        *self = Self::new(plan);
    }

    /// Returns its last values, if it has ended and this process received them.
    #[must_use]
    pub fn summary(&self) -> Option<&Summary> {
        self.plan.ended.as_ref().map(|(_, summary)| summary)
    }

    /// Discards the measurements, because they will be sent again or the cell is no longer viewed.
    pub(super) fn forget_curves(&mut self) {
        self.curves = Curves::default();
        self.spectra = Kept::default();
        self.layers = Kept::default();
        self.audits = 0;
        self.rate_changes.clear();
    }

    /// Returns its progress, if it was received.
    #[must_use]
    pub fn progress_told(&self) -> Option<Progress> {
        self.first_progress.map(|_| self.progress)
    }

    pub(super) fn advance(&mut self, mut progress: Progress) {
        // A point that was read from the disk may be newer than a progress that arrives after it.
        if progress.step < self.progress.step {
            let known = self.progress;
            (progress.step, progress.epoch, progress.seconds) = (known.step, known.epoch, known.seconds);
        }
        self.first_progress.get_or_insert(progress);
        self.progress = progress;
    }

    pub(super) fn measure(&mut self, point: &Point) {
        let step = point.step;
        let probe = quantity::probe_of(point);
        let is_planned = probe < self.plan.probes.len().max(1);
        // Steps and seconds never go back, even if a file says otherwise.
        let last = self.curves.seconds.buckets().last();
        if last.is_none_or(|last| last.last_step < step && last.last <= point.seconds) && point.seconds.is_finite() {
            self.curves.seconds.push(step, point.seconds);
        }
        for quantity in quantity::all().filter(|_| is_planned) {
            if let Some(value) = quantity.value(point) {
                self.curves
                    .of_mut(quantity, probe)
                    .push_marked(step, value, Marks::of(quantity, point));
                self.latest.set(quantity, probe, value);
                self.latest.set_error(quantity, probe, quantity.uncertainty(point));
                let outcome = quantity.outcome(point);
                self.latest
                    .set_converged(quantity, probe, outcome.map(|outcome| outcome.converged));
            }
        }
        if let Some(spectrum) = &point.spectrum {
            self.spectra.push(step, SpectrumPoint::clone(spectrum));
        }
        if !point.layers.is_empty() {
            self.layers.push(step, point.layers.clone());
        }
        // A measurement after a step proves that the step was taken, also if no progress events arrive.
        if step >= self.progress.step && !self.state.is_done() {
            (self.progress.step, self.progress.epoch) = (step, point.epoch);
            self.progress.seconds = self.progress.seconds.max(point.seconds);
        }
        if let Some(change) = point.changed_by_hand {
            self.changed_by_hand = true;
            self.rate_changes.push((step, change));
        }
        if let Some(lambda) = &point.lambda {
            self.measure_lambda(step, lambda);
            if let Some(ratio) = self.ratio(lambda.lambda_max).filter(|_| lambda.lambda_probe == 0) {
                self.trend.push(step, self.plan.planned_steps, ratio);
            }
        }
        // A resumed sweep also sends the points of cells that ended before.
        if self.state.is_done() {
            let large = |curve: &&mut Curve| curve.buckets().len() > BUCKETS_OF_ENDED;
            let large = self.curves.all_mut().filter(large);
            large.for_each(|curve| curve.compact(BUCKETS_OF_ENDED));
        }
    }

    fn measure_lambda(&mut self, step: u64, lambda: &LambdaPoint) {
        let probe = lambda.lambda_probe;
        if probe == 0 {
            self.audits += u64::from(lambda.lambda_audited);
            self.latest.lambda_step = Some(step);
        }
        // The files of another program may not name the probe.
        if self.plan.probes.is_empty() && probe == 0 && self.latest.lambda.is_empty() {
            self.latest.lambda.push(None);
        }
        if let Some(last) = self.latest.lambda.get_mut(probe) {
            *last = Some(lambda.clone());
        }
    }

    pub(super) fn end(&mut self, ending: CellEnding, summary: &Summary) {
        self.plan.ended = Some((ending.clone(), summary.clone()));
        self.state = CellState::Ended(ending);
        self.changed_by_hand |= summary.changed_by_hand;
        self.progress.step = summary.steps;
        self.progress.epoch = summary.epochs;
        self.progress.seconds = summary.seconds;
        self.progress.steps_per_second = 0.0;
        for quantity in quantity::all() {
            if let Some(value) = summary.last(quantity) {
                self.latest.set(quantity, 0, value);
                let error = quantity.error_key().and_then(|key| summary.values.get(key));
                self.latest.set_error(quantity, 0, error);
                self.latest.set_converged(quantity, 0, summary.converged(quantity));
            }
        }
        if let (Some(first), Some(lambda_max)) = (self.latest.lambda.first_mut(), summary.last(&LAMBDA_MAX)) {
            let last = first.get_or_insert_default();
            last.lambda_max = lambda_max;
            last.lambda_residual = summary.values.get(LAMBDA_RESIDUAL).unwrap_or(f64::NAN);
            last.lambda_converged = summary.lambda_converged.unwrap_or(false);
            self.latest.lambda_step = summary.lambda_step.or(self.latest.lambda_step);
        }
        self.curves.all_mut().for_each(|curve| curve.compact(BUCKETS_OF_ENDED));
    }

    /// Returns the steps after which the learning rate was changed by hand, as far as the points were received.
    #[must_use]
    pub fn changes(&self) -> Vec<u64> {
        self.rate_changes.iter().map(|(step, _)| *step).collect()
    }

    /// Returns the ratio to the edge of stability at the last λ_max on the first probe: (λ_max + μ)/(threshold + μ),
    /// where μ is the weight decay. For gradient descent without weight decay this is λ_max·η/2. For an adaptive optimizer
    /// it is the preconditioned sharpness over its threshold. None if there is no threshold or the value did not converge.
    #[must_use]
    pub fn edge(&self) -> Option<f64> {
        let lambda = self.latest.lambda.first()?.as_ref()?;
        let converged = if self.plan.threshold.is_preconditioned {
            self.latest.converged(&PRECONDITIONED_SHARPNESS) == Some(true)
        } else {
            lambda.lambda_converged
        };
        self.ratio(lambda.lambda_max).filter(|_| converged)
    }

    /// Returns the last threshold, of λ_max or of the preconditioned sharpness.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        if self.plan.threshold.is_preconditioned {
            self.latest.first(&PRECONDITIONED_THRESHOLD)
        } else {
            self.latest.first(&THRESHOLD)
        }
    }

    /// Returns the ratio of [`edge`](Self::edge) for this λ_max, or for the last preconditioned sharpness.
    fn ratio(&self, lambda_max: f64) -> Option<f64> {
        if !self.plan.threshold.is_preconditioned {
            return self.edge_at(lambda_max);
        }
        let ratio = self.latest.first(&PRECONDITIONED_SHARPNESS)? / self.threshold()?;
        ratio.is_finite().then_some(ratio)
    }

    /// Returns the ratio of λ_max to its threshold.
    ///
    /// The optimizer minimizes the loss plus the weight decay term. The Hessian of this objective has eigenvalues
    /// λ + μ, and training is unstable if the largest one exceeds the bare threshold, that is, the threshold without
    /// weight decay. The ratio is 1 if λ_max equals the threshold. It also orders cells correctly if the threshold is zero or
    /// negative, whereas λ_max/threshold would change its sign there.
    fn edge_at(&self, lambda_max: f64) -> Option<f64> {
        let weight_decay = self.plan.threshold.weight_decay;
        let bare = self.latest.first(&THRESHOLD)? + weight_decay;
        let ratio = (lambda_max + weight_decay) / bare;
        (bare > 0.0 && bare.is_finite() && ratio.is_finite()).then_some(ratio)
    }

    /// Returns whether the threshold is negative, so that the optimizer is unstable at every λ_max ≥ 0.
    #[must_use]
    pub fn is_unstable_at_zero(&self) -> bool {
        self.latest.first(&THRESHOLD).is_some_and(|threshold| threshold < 0.0)
    }

    /// Returns the step of the last λ_max on the first probe, if the cell has ended and the step was not its last.
    #[must_use]
    pub fn lambda_is_older(&self) -> Option<u64> {
        let has_ended = matches!(self.state, CellState::Ended(_));
        self.latest
            .lambda_step
            .filter(|step| has_ended && *step != self.progress.step)
    }

    /// Returns the seconds that the cell had run after this step, excluding pauses. Interpolates linearly between
    /// points, and extrapolates at the average pace after the last one.
    #[must_use]
    pub fn seconds_at(&self, step: u64) -> f64 {
        let known = self.curves.seconds.buckets();
        let behind = known.partition_point(|bucket| bucket.last_step < step);
        let before = behind.checked_sub(1).map(|at| (known[at].last_step, known[at].last));
        let (from, start) = before.unwrap_or((0, 0.0));
        let ((from, start), (to, end)) = match known.get(behind) {
            Some(bucket) if bucket.first_step >= step => ((from, start), (bucket.first_step, bucket.first)),
            // Within a bucket.
            Some(bucket) => ((bucket.first_step, bucket.first), (bucket.last_step, bucket.last)),
            // After the last point.
            None => {
                let progress = (self.progress.step, self.progress.seconds);
                let (steps, seconds) = if progress.0 > from { progress } else { (from, start) };
                if step <= steps {
                    ((from, start), (steps, seconds))
                } else {
                    return seconds * (step as f64 / steps.max(1) as f64);
                }
            }
        };
        let share = if to > from {
            (step - from) as f64 / (to - from) as f64
        } else {
            1.0
        };
        start + share * (end - start)
    }

    /// Returns the fraction of the planned steps that was taken, from 0 to 1. A cell may stop before it reaches 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.plan.planned_steps == 0 {
            return 0.0;
        }
        (self.progress.step as f64 / self.plan.planned_steps as f64).min(1.0)
    }
}
