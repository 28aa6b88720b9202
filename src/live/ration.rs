//! Limits how often progress and activities are passed on to screens, however many cells run.
//!
//! A cell reports its progress ten times a second and changes its activity several times at each measurement. Nobody can
//! read this, and over SSH or with many runners it would be most of the traffic.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::event::{Activity, CellIndex, Event, Progress};

/// The shortest time between two reports about one cell. A screen draws its step counters as often.
const SHORTEST: Duration = Duration::from_millis(500);

/// The largest number of reports a second about all cells together. One report is at most a progress of about 120 bytes
/// and an activity of about 50 bytes.
const MOST_A_SECOND: u32 = 16;

/// An activity that ends sooner than this is reported as training.
const BRIEF: Duration = Duration::from_millis(250);

/// What is known of one cell and was not passed on, and what was passed on.
#[derive(Debug)]
struct Report {
    progress: Option<Progress>,
    /// The present activity, with the time at which it began; none if it is the one that was passed on.
    activity: Option<(Activity, Instant)>,
    /// Whether the cell took steps since an activity was passed on that is another one.
    has_trained: bool,
    told_activity: Option<Activity>,
    /// The time from which on the next report may be made.
    from: Instant,
}

/// The progress and the activities that are held back.
#[derive(Debug, Default)]
pub(super) struct Ration {
    /// Without a cell: the activity of the sweep between cells.
    reports: BTreeMap<Option<CellIndex>, Report>,
}

impl Ration {
    /// Returns the events to pass on because of `event`. Everything except progress and activities is passed on
    /// immediately. The beginning and the end of a preparation and of a pause are, too.
    pub(super) fn take(&mut self, event: &Event, now: Instant) -> Vec<Event> {
        match *event {
            Event::Progress { cell, progress } => {
                self.report(Some(cell), now).progress = Some(progress);
                self.due_of(Some(cell), now)
            }
            Event::Activity { cell, activity } => {
                let report = self.report(cell, now);
                // Everything else alternates while a cell trains.
                let is_rare = |activity| matches!(activity, Activity::Paused | Activity::Blocked | Activity::Preparing);
                let told = report.told_activity;
                if told == Some(activity) && !report.has_trained {
                    report.activity = None;
                } else if told != Some(activity) && (is_rare(activity) || told.is_none_or(is_rare)) {
                    (report.told_activity, report.activity) = (Some(activity), None);
                    report.has_trained = false;
                    // While a cell is paused, its progress stands still, so it must be shown as it is.
                    let progress = cell.and_then(|cell| Some((cell, report.progress.take()?)));
                    let progress = progress.map(|(cell, progress)| Event::Progress { cell, progress });
                    return progress.into_iter().chain([event.clone()]).collect();
                } else if report.activity.is_none_or(|(held, _)| held != activity) {
                    report.activity = Some((activity, now));
                    report.has_trained |= activity == Activity::Training;
                }
                self.due_of(cell, now)
            }
            Event::CellStarted { cell } => {
                if let Some(report) = self.reports.get_mut(&Some(cell)) {
                    report.progress = None;
                }
                vec![event.clone()]
            }
            Event::CellEnded { cell, .. } | Event::CellRetried { cell } => {
                self.reports.remove(&Some(cell));
                vec![event.clone()]
            }
            Event::SweepStarted(_) | Event::SweepEnded(_) => {
                self.reports.clear();
                vec![event.clone()]
            }
            _ => vec![event.clone()],
        }
    }

    /// Returns the held events that are due.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Event> {
        let cells: Vec<_> = self.reports.keys().copied().collect();
        cells.into_iter().flat_map(|cell| self.due_of(cell, now)).collect()
    }

    /// Returns when the next held event is due; none if nothing is held.
    pub(super) fn next(&self) -> Option<Instant> {
        self.reports.values().filter_map(Report::due).min()
    }

    fn report(&mut self, cell: Option<CellIndex>, now: Instant) -> &mut Report {
        self.reports.entry(cell).or_insert_with(|| Report::new(now))
    }

    /// Returns the time between two reports about one cell.
    fn interval(&self) -> Duration {
        let cells = u32::try_from(self.reports.len()).unwrap_or(u32::MAX);
        SHORTEST.max(Duration::from_secs(cells.into()) / MOST_A_SECOND)
    }

    fn due_of(&mut self, cell: Option<CellIndex>, now: Instant) -> Vec<Event> {
        let interval = self.interval();
        let Some(report) = self.reports.get_mut(&cell) else {
            return Vec::new();
        };
        if report.due().is_none_or(|due| due > now) {
            return Vec::new();
        }
        report.from = now + interval;
        let mut events = Vec::new();
        if let Some(activity) = report.to_tell(now) {
            report.activity = report.activity.filter(|(held, _)| *held != activity);
            report.has_trained = false;
            if report.told_activity.replace(activity) != Some(activity) {
                events.push(Event::Activity { cell, activity });
            }
        }
        if let (Some(cell), Some(progress)) = (cell, report.progress.take()) {
            events.push(Event::Progress { cell, progress });
        }
        events
    }
}

impl Report {
    fn new(now: Instant) -> Self {
        Self {
            progress: None,
            activity: None,
            has_trained: false,
            told_activity: None,
            from: now,
        }
    }

    /// Returns when a part of it may be passed on; none if nothing is held.
    fn due(&self) -> Option<Instant> {
        let activity = self.activity.map(|(activity, since)| {
            let is_due = activity == Activity::Training || self.has_trained;
            if is_due {
                self.from
            } else {
                self.from.max(since + BRIEF)
            }
        });
        let progress = self.progress.map(|_| self.from);
        progress.into_iter().chain(activity).min()
    }

    /// Returns the activity to report. Cells measure and evaluate many times a second for a moment, and take steps
    /// between.
    fn to_tell(&self, now: Instant) -> Option<Activity> {
        let (activity, since) = self.activity?;
        if activity == Activity::Training || since + BRIEF <= now {
            Some(activity)
        } else {
            self.has_trained.then_some(Activity::Training)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CellEnding, Summary};

    const SECOND: u64 = 1_000;

    fn progress(cell: CellIndex, step: u64) -> Event {
        let progress = Progress {
            step,
            ..Progress::default()
        };
        Event::Progress { cell, progress }
    }

    fn activity(cell: CellIndex, activity: Activity) -> Event {
        let cell = Some(cell);
        Event::Activity { cell, activity }
    }

    /// Returns what is passed on, with its time in milliseconds, when these events arrive at these times.
    fn told(arrive: impl IntoIterator<Item = (u64, Event)>) -> Vec<(u64, Event)> {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let since = |now: Instant| u64::try_from((now - start).as_millis()).unwrap();
        let (mut ration, mut told) = (Ration::default(), Vec::new());
        let flush = |ration: &mut Ration, until: Option<Instant>, told: &mut Vec<(u64, Event)>| {
            while let Some(due) = ration.next().filter(|due| until.is_none_or(|until| *due <= until)) {
                let events = ration.due(due);
                told.extend(events.into_iter().map(|event| (since(due), event)));
            }
        };
        for (milliseconds, event) in arrive {
            flush(&mut ration, Some(at(milliseconds)), &mut told);
            let events = ration.take(&event, at(milliseconds));
            told.extend(events.into_iter().map(|event| (milliseconds, event)));
        }
        flush(&mut ration, None, &mut told);
        told
    }

    #[test]
    fn the_first_progress_is_told_at_once_and_then_the_latest_twice_a_second() {
        let arrive = (0..12).map(|tenth| (tenth * 100, progress(3, tenth)));
        // At the time of a report, the event of that time has not arrived yet.
        let expected = [(0, 0), (500, 4), (1_000, 9), (1_500, 11)];
        assert_eq!(told(arrive), expected.map(|(at, step)| (at, progress(3, step))));
    }

    #[test]
    fn any_number_of_cells_share_sixteen_reports_a_second_evenly() {
        for cells in [1, 2, 8, 16, 100] {
            let arrive =
                (0..600_u64).flat_map(|tenth| (0..cells).map(move |cell| (tenth * 100, progress(cell, tenth))));
            let told = told(arrive);
            let between = |from, to| told.iter().filter(move |(at, _)| (from..to).contains(at));
            // The first report of each cell is immediate.
            let later = between(10 * SECOND, 60 * SECOND).count();
            assert!(later <= 50 * 16 + cells, "{later} of {cells} cells");
            let of_each = (0..cells).map(|cell| {
                let is_of_it = |event: &Event| matches!(event, Event::Progress { cell: own, .. } if *own == cell);
                between(10 * SECOND, 60 * SECOND)
                    .filter(|(_, event)| is_of_it(event))
                    .count()
            });
            let expected = (50 * 16 / cells).min(50 * 2);
            for count in of_each {
                assert!(
                    count.abs_diff(expected) <= 1 + expected / 20,
                    "{count} of {expected}, {cells} cells"
                );
            }
        }
    }

    #[test]
    fn an_activity_is_told_if_it_lasts_and_a_pause_at_once_with_the_progress_up_to_it() {
        use Activity::{Evaluating, MeasuringLambda, Paused, Training};
        let told = told([
            (0, activity(1, Training)),
            // Brief ones.
            (100, activity(1, MeasuringLambda)),
            (200, activity(1, Training)),
            (300, activity(1, Evaluating)),
            (540, activity(1, Training)),
            // A long one.
            (1_000, activity(1, MeasuringLambda)),
            (1_400, activity(1, Training)),
            // Pauses.
            (2_900, progress(1, 7)),
            (2_950, progress(1, 8)),
            (3_000, activity(1, Paused)),
            (3_010, activity(1, Training)),
            (3_020, activity(1, Paused)),
        ]);
        let expected = [
            (0, Training),
            (1_250, MeasuringLambda),
            (1_750, Training),
            (3_000, Paused),
            (3_010, Training),
            (3_020, Paused),
        ];
        let mut expected: Vec<_> = expected.map(|(at, now)| (at, activity(1, now))).into();
        expected.insert(3, (2_900, progress(1, 7)));
        expected.insert(4, (3_000, progress(1, 8)));
        assert_eq!(told, expected);
    }

    #[test]
    fn a_cell_that_measures_and_steps_by_turns_is_told_to_be_training() {
        use Activity::{Evaluating, MeasuringLambda, Preparing, Training};
        let by_turns = (0..50).flat_map(|turn| {
            let at = 1_000 + 40 * turn;
            [(at, activity(1, Evaluating)), (at + 20, activity(1, Training))]
        });
        let arrive = [
            (0, activity(1, Preparing)),
            (10, activity(1, MeasuringLambda)),
            // One follows the other without a step: the second is told once it has lasted.
            (700, activity(1, Evaluating)),
        ];
        let told = told(arrive.into_iter().chain(by_turns));
        let expected = [
            (0, Preparing),
            (10, MeasuringLambda),
            (950, Evaluating),
            (1_450, Training),
        ];
        assert_eq!(told, expected.map(|(at, now)| (at, activity(1, now))));
    }

    #[test]
    fn what_is_held_of_a_cell_is_dropped_when_the_cell_ends() {
        let ended = Event::CellEnded {
            cell: 1,
            ending: CellEnding::Aborted,
            summary: Summary::default(),
        };
        let told = told([
            (0, progress(1, 1)),
            (10, progress(1, 2)),
            (20, progress(2, 1)),
            (30, progress(2, 2)),
            (40, ended.clone()),
        ]);
        let expected = vec![
            (0, progress(1, 1)),
            (20, progress(2, 1)),
            (40, ended),
            (520, progress(2, 2)),
        ];
        assert_eq!(told, expected);
    }
}
