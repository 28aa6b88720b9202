//! What a screen that comes later has to be told.

use std::collections::VecDeque;

use crate::event::{Activity, CellEnding, CellIndex, Event, Progress, SweepEnding, SweepPlan};

/// A screen keeps no more either.
const KEPT_NOTICES: usize = 50;

/// How the sweep stands.
#[derive(Debug, Default)]
pub(super) struct Standing {
    plan: Option<SweepPlan>,
    running: Option<CellIndex>,
    progress: Option<Progress>,
    activity: Option<Activity>,
    notices: VecDeque<String>,
    ending: Option<SweepEnding>,
    /// The order in which cells wait, and those that are held out.
    queue: Option<(Vec<CellIndex>, Vec<CellIndex>)>,
}

impl Standing {
    /// Learns from an event.
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::SweepStarted(plan) => {
                *self = Self {
                    plan: Some(plan.clone()),
                    ..Self::default()
                }
            }
            Event::CellStarted { cell } => {
                (self.running, self.progress) = (Some(*cell), None);
                self.leave_the_queue(*cell);
            }
            Event::Progress { progress, .. } => self.progress = Some(*progress),
            Event::Activity(activity) => self.activity = Some(*activity),
            Event::CellEnded { cell, ending, summary } => {
                self.running = self.running.filter(|running| running != cell);
                if let Some(plan) = self.plan.as_mut().and_then(|plan| plan.cells.get_mut(*cell)) {
                    plan.ended = Some((ending.clone(), summary.clone()));
                }
                self.leave_the_queue(*cell);
                if let Some((order, _)) = self.queue.as_mut().filter(|_| *ending == CellEnding::Interrupted) {
                    order.push(*cell);
                }
            }
            Event::Notice(words) => {
                if self.notices.len() == KEPT_NOTICES {
                    self.notices.pop_front();
                }
                self.notices.push_back(words.clone());
            }
            Event::SweepEnded(ending) => self.ending = Some(ending.clone()),
            Event::Queue { order, held } => self.queue = Some((order.clone(), held.clone())),
            Event::CellAdded(added) => {
                if let Some(plan) = &mut self.plan {
                    plan.cells.push((**added).clone());
                }
            }
            Event::CellRetried { cell } => {
                if let Some(plan) = self.plan.as_mut().and_then(|plan| plan.cells.get_mut(*cell)) {
                    plan.ended = None;
                }
            }
            Event::Logged(_)
            | Event::Measured { .. }
            | Event::PointsSkipped { .. }
            | Event::History { .. }
            | Event::TrainerLost
            | Event::Elsewhere(_) => {}
        }
    }

    fn leave_the_queue(&mut self, cell: CellIndex) {
        if let Some((order, held)) = &mut self.queue {
            order.retain(|waits| *waits != cell);
            held.retain(|waits| *waits != cell);
        }
    }

    /// The events that lead here.
    pub(super) fn told(&self) -> Vec<Event> {
        let running = self.running;
        let progress = running.zip(self.progress);
        self.plan
            .iter()
            .cloned()
            .map(Event::SweepStarted)
            .chain(running.map(|cell| Event::CellStarted { cell }))
            .chain(self.queue.clone().map(|(order, held)| Event::Queue { order, held }))
            .chain(progress.map(|(cell, progress)| Event::Progress { cell, progress }))
            .chain(self.activity.map(Event::Activity))
            .chain(self.notices.iter().cloned().map(Event::Notice))
            .chain(self.ending.clone().map(Event::SweepEnded))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CellEnding, CellPlan, Summary};

    fn plan() -> SweepPlan {
        let cell = CellPlan {
            swept: Vec::new(),
            settings: Vec::new(),
            planned_steps: 10,
            steps_per_epoch: 1,
            probes: Vec::new(),
            threshold_label: String::new(),
            ended: None,
            ..CellPlan::default()
        };
        SweepPlan {
            name: "late".to_owned(),
            run_dir: "runs/late".into(),
            device: "flex".to_owned(),
            cells: vec![cell.clone(), cell],
            earlier_seconds: 0.0,
        }
    }

    #[test]
    fn whoever_comes_late_learns_where_the_sweep_is() {
        let mut standing = Standing::default();
        let ended = Event::CellEnded {
            cell: 0,
            ending: CellEnding::Aborted,
            summary: Summary::default(),
        };
        for event in [
            Event::SweepStarted(plan()),
            Event::CellStarted { cell: 0 },
            ended,
            Event::CellStarted { cell: 1 },
            Event::Activity(Activity::Training),
            Event::Notice("words".to_owned()),
        ] {
            standing.take(&event);
        }
        let mut expected = plan();
        expected.cells[0].ended = Some((CellEnding::Aborted, Summary::default()));
        let told = standing.told();
        assert_eq!(
            told,
            [
                Event::SweepStarted(expected),
                Event::CellStarted { cell: 1 },
                Event::Activity(Activity::Training),
                Event::Notice("words".to_owned()),
            ]
        );
    }
}
