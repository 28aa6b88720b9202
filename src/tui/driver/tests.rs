//! Tests of the real loop on its own thread. They send keys and events, and read its screen.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crossbeam_channel::unbounded;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::backend::{ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::*;
use crate::event::{Activity, Cells, SweepEnding};
use crate::tui::fixture::script;
use crate::tui::theme::{Colours, Glyphs, Theme};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// A screen that can be read while the loop draws on it, and that can break.
#[derive(Clone)]
struct Shared {
    screen: Arc<Mutex<TestBackend>>,
    frames: Arc<Mutex<u32>>,
    mood: Mood,
}

/// What happens when a frame is drawn.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Works,
    Fails,
    Panics,
}

impl Shared {
    fn with<T>(&self, act: impl FnOnce(&mut TestBackend) -> Result<T, Infallible>) -> io::Result<T> {
        assert!(self.mood != Mood::Panics, "a test of a panic while drawing");
        if self.mood == Mood::Fails {
            return Err(io::Error::other("the terminal is gone"));
        }
        act(&mut self.screen.lock().unwrap()).map_err(|never| match never {})
    }
}

impl Backend for Shared {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        *self.frames.lock().unwrap() += 1;
        self.with(|screen| screen.draw(content))
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.with(Backend::hide_cursor)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.with(Backend::show_cursor)
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.with(Backend::get_cursor_position)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.with(|screen| screen.set_cursor_position(position))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.with(Backend::clear)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.with(|screen| screen.clear_region(region))
    }

    fn size(&self) -> io::Result<Size> {
        Ok(Size::new(80, 24))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.with(Backend::window_size)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(Backend::flush)
    }
}

/// The other ends of the channels.
struct Bench {
    backend: Shared,
    events: Option<Sender<Event>>,
    commands: Receiver<Command>,
    signals: Sender<Signal>,
    input: Sender<Input>,
    jobs: Sender<Job>,
    wanted: Receiver<Vec<CellIndex>>,
    driver: JoinHandle<Pass>,
}

impl Bench {
    fn start(mood: Mood) -> Self {
        let (events, events_out) = unbounded();
        let (commands_in, commands) = unbounded();
        let (signals, signals_out) = unbounded();
        let (input, input_out) = unbounded();
        let (jobs, jobs_out) = unbounded();
        let (wanted_in, wanted) = unbounded();
        let screen = Arc::new(Mutex::new(TestBackend::new(80, 24)));
        let backend = Shared {
            screen,
            frames: Arc::default(),
            mood,
        };
        let mut terminal = Terminal::new(backend.clone()).unwrap();
        let driver = thread::spawn(move || {
            let mut driver = Driver::new(View::new(Theme::new(Colours::Indexed, Glyphs::Unicode)));
            let wires = Wires {
                events: &events_out,
                commands: &commands_in,
                signals: &signals_out,
                jobs: &jobs_out,
                input: &input_out,
                owns: true,
                wanted: Some(&wanted_in),
                load: None,
            };
            driver.run(&mut terminal, &wires)
        });
        let bench = Self {
            backend,
            events: Some(events),
            commands,
            signals,
            input,
            jobs,
            wanted,
            driver,
        };
        bench.tell(script::half_way());
        bench
    }

    fn tell(&self, events: impl IntoIterator<Item = Event>) {
        let sender = self.events.as_ref().unwrap();
        for event in events {
            // A loop that has ended reads no more.
            let _ = sender.send(event);
        }
    }

    fn press(&self, code: KeyCode) {
        self.input
            .send(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)))
            .unwrap();
    }

    fn letter(&self, letter: char) {
        self.press(KeyCode::Char(letter));
    }

    fn wait_for(&self, words: &str) {
        let since = Instant::now();
        loop {
            let screen = self.backend.screen.lock().unwrap().to_string();
            if screen.contains(words) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{words:?} never came:\n{screen}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn asked(&self) -> Command {
        self.commands.recv_timeout(PATIENCE).unwrap()
    }

    fn left(self) -> Pass {
        let since = Instant::now();
        while !self.driver.is_finished() {
            assert!(since.elapsed() < PATIENCE, "the loop did not end");
            thread::sleep(Duration::from_millis(2));
        }
        self.driver.join().unwrap()
    }
}

#[test]
fn the_curves_of_all_seeds_are_asked_for_when_they_are_shown_together() {
    let bench = Bench::start(Mood::Works);
    let mut plan = script::plan();
    plan.cells.resize(20, plan.cells[5].clone());
    for (seed, cell) in plan.cells.iter_mut().enumerate() {
        cell.swept = vec![("seed".into(), seed.to_string())];
        cell.settings.clone_from(&cell.swept);
    }
    bench.tell([Event::SweepStarted(plan)]);
    bench.wait_for("0 of 20 done");
    let asked: Vec<Vec<CellIndex>> = bench.wanted.try_iter().collect();
    assert!(asked.iter().all(|cells| cells.len() < 20), "{asked:?}");
    bench.letter('g');
    bench.wait_for("mean of 0 of 20 seeds");
    let all = |mut cells: Vec<CellIndex>| {
        cells.sort_unstable();
        cells.into_iter().eq(0..20)
    };
    while !all(bench.wanted.recv_timeout(PATIENCE).unwrap()) {}
    bench.signals.send(Signal::Hangup).unwrap();
    bench.left();
}

#[test]
fn a_key_shows_at_once_and_the_trainer_confirms_it() {
    let bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    bench.letter(' ');
    assert_eq!(bench.asked(), Command::Pause(Cells::All));
    bench.wait_for("‖ pausing…");
    bench.tell([Event::Activity {
        cell: Some(2),
        activity: Activity::Paused,
    }]);
    bench.wait_for("‖ paused");
    bench.letter(' ');
    assert_eq!(bench.asked(), Command::Resume(Cells::All));
    bench.wait_for("▶ resuming…");
}

#[test]
fn quitting_asks_waits_for_the_trainer_and_then_leaves() {
    let bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    bench.letter('q');
    bench.wait_for("y stop the sweep");
    bench.letter('y');
    assert_eq!(bench.asked(), Command::Quit);
    bench.wait_for("stopping after this step…");
    bench.tell([Event::SweepEnded(SweepEnding::Stopped)]);
    assert_eq!(bench.left(), Pass::Left(Outcome::Ended(SweepEnding::Stopped)));
}

#[test]
fn what_something_else_wrote_onto_the_screen_can_be_wiped_off() {
    let bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    let stray = Cell::new("X");
    bench
        .backend
        .screen
        .lock()
        .unwrap()
        .draw([(40, 4, &stray), (41, 4, &stray)].into_iter())
        .unwrap();
    bench.wait_for("XX");
    bench
        .input
        .send(Input::Key(KeyEvent::new(KeyCode::Char('l'), KeyModifiers::CONTROL)))
        .unwrap();
    let since = Instant::now();
    while bench.backend.screen.lock().unwrap().to_string().contains("XX") {
        assert!(since.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_shell_that_stops_or_continues_the_program_is_heard() {
    for (told, pass) in [
        (&[Job::Stop][..], Pass::Suspend),
        (&[Job::Continued], Pass::Continued),
        (&[Job::Continued, Job::Continued], Pass::Continued),
    ] {
        let bench = Bench::start(Mood::Works);
        bench.wait_for("▶ training");
        let commands = bench.commands.clone();
        for job in told {
            // The loop may have ended at the first.
            let _ = bench.jobs.send(*job);
        }
        assert_eq!(bench.left(), pass);
        assert_eq!(commands.try_recv().ok(), None, "training is left alone");
    }
}

#[test]
fn a_second_quit_does_not_wait() {
    let bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    for key in ['q', 'y', 'q'] {
        bench.letter(key);
    }
    assert_eq!(bench.left(), Pass::Left(Outcome::LeftAtOnce));
}

#[test]
fn the_screen_stays_when_the_sweep_has_ended_until_it_is_left() {
    let bench = Bench::start(Mood::Works);
    bench.tell([Event::SweepEnded(SweepEnding::Complete)]);
    bench.wait_for("✓ complete");
    assert!(!bench.driver.is_finished());
    bench.letter('q');
    assert_eq!(bench.left(), Pass::Left(Outcome::Ended(SweepEnding::Complete)));
}

#[test]
fn a_trainer_that_vanishes_does_not_end_the_screen() {
    let mut bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    bench.events = None;
    bench.wait_for("the training process exited");
    bench.letter('?');
    bench.wait_for("─ keys of page charts ─");
    bench.letter('q');
    assert_eq!(bench.left(), Pass::Left(Outcome::TrainerGone));
}

#[test]
fn a_lost_terminal_ends_the_screen_and_the_sweep_goes_on() {
    let bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    bench.signals.send(Signal::Hangup).unwrap();
    let commands = bench.commands.clone();
    assert_eq!(bench.left(), Pass::TerminalLost(Outcome::Detached));
    assert_eq!(commands.try_recv().ok(), None);
}

#[test]
fn a_terminal_that_fails_to_draw_counts_as_lost() {
    let bench = Bench::start(Mood::Fails);
    assert_eq!(bench.left(), Pass::TerminalLost(Outcome::Detached));
}

#[test]
fn detaching_leaves_the_sweep_alone_by_its_key_and_at_the_question() {
    for keys in ["D", "qd"] {
        let bench = Bench::start(Mood::Works);
        bench.wait_for("▶ training");
        let commands = bench.commands.clone();
        keys.chars().for_each(|key| bench.letter(key));
        assert_eq!(bench.left(), Pass::Left(Outcome::Detached), "{keys}");
        assert_eq!(commands.try_recv().ok(), None);
    }
}

#[test]
fn a_panic_while_drawing_ends_the_screen_but_not_the_training() {
    let bench = Bench::start(Mood::Panics);
    let commands = bench.commands.clone();
    assert_eq!(bench.left(), Pass::Left(Outcome::Broken));
    assert_eq!(commands.try_recv().ok(), None);
}

#[test]
fn an_interrupt_stops_and_a_second_one_leaves_at_once() {
    let bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    bench.signals.send(Signal::Interrupt).unwrap();
    assert_eq!(bench.asked(), Command::Quit);
    bench.wait_for("stopping after this step…");
    bench.signals.send(Signal::Interrupt).unwrap();
    assert_eq!(bench.left(), Pass::Left(Outcome::LeftAtOnce));
}

#[test]
fn a_flood_of_events_neither_floods_the_terminal_nor_holds_up_a_key() {
    let bench = Bench::start(Mood::Works);
    bench.wait_for("▶ training");
    let before = *bench.backend.frames.lock().unwrap();
    let since = Instant::now();
    for round in 0..200_u64 {
        bench.tell((0..1_000).map(|_| script::progress(2, 720 + round)));
    }
    bench.letter('?');
    bench.wait_for("─ keys of page charts ─");
    bench.press(KeyCode::Esc);
    bench.wait_for("step 919");
    let frames = *bench.backend.frames.lock().unwrap() - before;
    let most = since.elapsed().as_millis() / COUNTERS.as_millis() + 5;
    assert!(u128::from(frames) <= most, "{frames} frames in {:?}", since.elapsed());
}

#[test]
fn frames_that_take_many_bytes_come_less_often_but_a_key_is_never_waited_for() {
    let mut driver = Driver::new(View::new(Theme::new(Colours::Indexed, Glyphs::Unicode)));
    let drawn = Instant::now();
    driver.drawn = Some(drawn);
    for (frame_bytes, due, milliseconds) in [
        (100, Due::Soon, 200),
        (2_000, Due::Soon, 500),
        (2_000, Due::Counters, 500),
        (3_000, Due::Counters, 750),
        // Not more than a second.
        (50_000, Due::Soon, 1_000),
        (50_000, Due::Tick, 1_000),
        (50_000, Due::Now, 0),
    ] {
        (driver.frame_bytes, driver.due) = (frame_bytes, due);
        let waits = driver.next_frame(drawn) - drawn;
        assert_eq!(waits, Duration::from_millis(milliseconds), "{frame_bytes} {due:?}");
    }
}
