//! Commands by files, on the side of the process that trains: for screens that cannot connect to its socket.
//!
//! Once a second the folder of the commands is listed. An order is carried out if it has appeared since the look before
//! and is addressed to a claim that this process holds. So no order is carried out late: one that was there at the first
//! look, or that appeared while this process was stopped, is not. No clocks are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use serde::{Deserialize, Serialize};

use super::wire::{Request, parse_request};
use crate::event::{CellIndex, Cells, Command, LogKind};
use crate::record::{CommandFiles, Logbook, OrderName, host_name, read_claim};

/// Interval between looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The longest time between two looks. What appeared in a longer one may be too old.
const MOST_BETWEEN: Duration = Duration::from_secs(30);

/// How long an order stays that no process takes up: screens withdraw theirs before.
const ORDERS_STAY: Duration = Duration::from_mins(1);

/// How long an answer stays that nobody reads.
const ANSWERS_STAY: Duration = Duration::from_mins(5);

/// The log line about what is no order.
const IGNORED: &str = "ignored a file in the folder of the commands";

/// An answer to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reply {
    /// The process that answers, for people: "task node7-4242".
    pub(super) by: String,
    /// Why the order was not taken up; none if it was.
    pub(super) refused: Option<String>,
}

/// What commands by files are for.
pub struct Inbox {
    /// The run directory.
    pub run_dir: PathBuf,
    /// The name of the task; none if this process conducts the whole run.
    pub task: Option<String>,
    /// The cells that this process sees to; none if it sees to all.
    pub cells: Option<BTreeSet<CellIndex>>,
    /// The log for people.
    pub log: Logbook,
}

impl Inbox {
    /// Passes on commands to `commands`, until nobody receives them.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn open(self, commands: Sender<Command>) -> io::Result<()> {
        let thread = thread::Builder::new().name("commands".to_owned());
        let mut reader = Reader::new(self, commands);
        thread.spawn(move || {
            while reader.look() {
                thread::sleep(LOOK_EVERY);
            }
        })?;
        Ok(())
    }
}

struct Reader {
    inbox: Inbox,
    commands: Sender<Command>,
    /// The orders that were there at the last look, each with the time when this process first saw it.
    seen: BTreeMap<OrderName, Instant>,
    /// When this process looked last; none before the first look.
    looked: Option<Instant>,
    answered: Vec<(OrderName, Instant)>,
}

impl Reader {
    fn new(inbox: Inbox, commands: Sender<Command>) -> Self {
        Self {
            inbox,
            commands,
            seen: BTreeMap::new(),
            looked: None,
            answered: Vec::new(),
        }
    }

    /// Looks for orders once. Returns false if nobody receives commands any more.
    fn look(&mut self) -> bool {
        let now = Instant::now();
        let before = self.looked.replace(now);
        let is_in_time = before.is_some_and(|before| now.duration_since(before) < MOST_BETWEEN);
        // What cannot be listed now may be listed later.
        let Ok(Some(files)) = CommandFiles::open(&self.inbox.run_dir) else {
            return true;
        };
        let Ok((orders, _)) = files.list() else {
            return true;
        };
        let mut seen = BTreeMap::new();
        for name in orders {
            let first = self.seen.get(&name).copied();
            if first.is_none() && is_in_time && self.is_for_this_process(&name) {
                if !self.take(&files, &name) {
                    return false;
                }
                continue;
            }
            let first = first.unwrap_or(now);
            if self.has(name.cell) && now.duration_since(first) >= ORDERS_STAY {
                self.discard(&files, &name);
                continue;
            }
            seen.insert(name, first);
        }
        self.seen = seen;
        self.answered.retain(|(name, at)| {
            let stays = now.duration_since(*at) < ANSWERS_STAY;
            if !stays {
                // Usually its reader has removed it.
                let _ = files.take_answer(name);
            }
            stays
        });
        true
    }

    fn has(&self, cell: CellIndex) -> bool {
        self.inbox.cells.as_ref().is_none_or(|cells| cells.contains(&cell))
    }

    fn is_for_this_process(&self, name: &OrderName) -> bool {
        let holder = || read_claim(&self.inbox.run_dir, name.cell, name.claim);
        self.has(name.cell) && (name.claim == 0 || holder().is_some_and(|holder| holder.is_of_this_process()))
    }

    /// Consumes an order, carries it out, and answers it. Returns false if nobody receives commands any more.
    fn take(&mut self, files: &CommandFiles, name: &OrderName) -> bool {
        let contents = match files.take(name) {
            Ok(Some(contents)) => contents,
            // Another task that has the cell took it.
            Ok(None) => return true,
            Err(error) => {
                self.log(name, &format!("{IGNORED}: {error}"));
                return true;
            }
        };
        let refused = match command(&contents, name) {
            Ok(command) if self.commands.send(command).is_err() => return false,
            Ok(_) => None,
            Err(why) => {
                self.log(name, &format!("{IGNORED}: {why}"));
                Some(why)
            }
        };
        let by = self.inbox.task.as_ref().map_or_else(
            || format!("process {} on {}", std::process::id(), host_name()),
            |task| format!("task {task}"),
        );
        if let Ok(reply) = serde_json::to_vec(&Reply { by, refused })
            && files.answer(name, &reply).is_ok()
        {
            self.answered.push((name.clone(), Instant::now()));
        }
        true
    }

    /// Removes an order that nobody took up. Its screen would have withdrawn it.
    fn discard(&self, files: &CommandFiles, name: &OrderName) {
        if let Ok(Some(contents)) = files.take(name) {
            let what = command(&contents, name).map_or("not readable", words);
            self.log(name, &format!("ignored an old command that no process took up: {what}"));
        }
    }

    fn log(&self, name: &OrderName, words: &str) {
        self.inbox.log.write(LogKind::Warning, Some(name.cell), words);
    }
}

/// Reads an order, which must be about the cell in its name.
fn command(contents: &[u8], name: &OrderName) -> Result<Command, String> {
    let Request::Command(command) = parse_request(contents)? else {
        return Err("a process is ended immediately only through its socket".to_owned());
    };
    let cell = cell_of(command).filter(|_| needs_claim(command).is_none_or(|needs| needs == (name.claim > 0)));
    let Some(cell) = cell else {
        return Err(format!("this command cannot be given by a file: {}", words(command)));
    };
    if cell != name.cell {
        return Err(format!("it is named for cell {}, and is about cell {cell}", name.cell));
    }
    if let Command::SetLearningRate { learning_rate, .. } = command
        && !(learning_rate.is_finite() && learning_rate > 0.0)
    {
        return Err(format!("no learning rate: {learning_rate}"));
    }
    Ok(command)
}

/// Returns the cell of a command that can be given by a file; none for other commands.
pub(super) fn cell_of(command: Command) -> Option<CellIndex> {
    match command {
        Command::Pause(Cells::One(cell))
        | Command::Resume(Cells::One(cell))
        | Command::Keep(Cells::One(cell))
        | Command::Audit(cell)
        | Command::Measure(cell)
        | Command::Skip(cell)
        | Command::SetLearningRate { cell, .. }
        | Command::Abort(cell)
        | Command::Retry(cell) => Some(cell),
        _ => None,
    }
}

/// Returns whether a command is only for a cell that a process has claimed, or only for one that none has; none if it is
/// for both.
pub(super) fn needs_claim(command: Command) -> Option<bool> {
    match command {
        Command::Abort(_) => None,
        Command::Retry(_) => Some(false),
        _ => Some(true),
    }
}

/// Returns a command in words.
pub(super) fn words(command: Command) -> &'static str {
    match command {
        Command::Pause(_) => "pause",
        Command::Resume(_) => "continue",
        Command::Keep(_) => "write a checkpoint",
        Command::Audit(_) => "audit",
        Command::Measure(_) => "measure now",
        Command::Skip(_) => "skip",
        Command::SetLearningRate { .. } => "change the learning rate",
        Command::Abort(_) => "abort",
        Command::Retry(_) => "run again",
        _ => "a command about the queue or the runners",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crossbeam_channel::{Receiver, unbounded};

    use super::*;
    use crate::record::RunDir;

    struct Run {
        folder: tempfile::TempDir,
        place: RunDir,
        reader: Reader,
        commands: Receiver<Command>,
    }

    fn run() -> Run {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = RunDir::create(folder.path(), "run").unwrap();
        let (commands_in, commands) = unbounded();
        let inbox = Inbox {
            run_dir: run_dir.path().to_owned(),
            task: Some("node7-42".to_owned()),
            cells: Some(BTreeSet::from([3, 4])),
            log: run_dir.logbook(),
        };
        Run {
            folder,
            place: run_dir,
            reader: Reader::new(inbox, commands_in),
            commands,
        }
    }

    impl Run {
        fn send(&self, cell: CellIndex, claim: u32, contents: &str) -> OrderName {
            let token = format!(
                "{:04}",
                fs::read_dir(self.folder.path().join("run/commands")).map_or(0, Iterator::count)
            );
            let name = OrderName { cell, claim, token };
            let files = CommandFiles::open_or_create(self.place.path()).unwrap();
            files.send(&name, contents.as_bytes()).unwrap();
            name
        }

        fn ask(&self, claim: u32, command: Command) -> OrderName {
            let contents = serde_json::to_string(&Request::Command(command)).unwrap();
            self.send(cell_of(command).unwrap(), claim, &contents)
        }

        fn reply(&self, name: &OrderName) -> Option<Reply> {
            let files = CommandFiles::open(self.place.path()).unwrap().unwrap();
            serde_json::from_slice(&files.take_answer(name).ok()?).ok()
        }

        fn orders(&self) -> usize {
            let files = CommandFiles::open(self.place.path()).unwrap().unwrap();
            files.list().unwrap().0.len()
        }

        fn log(&self) -> String {
            fs::read_to_string(self.place.path().join("events.jsonl")).unwrap_or_default()
        }
    }

    #[test]
    fn an_order_to_a_claim_of_this_process_is_carried_out_once_and_answered() {
        let mut run = run();
        let _claim = run.place.claim_cell(3, "", None).unwrap();
        assert!(run.reader.look());
        let mine = run.ask(1, Command::Pause(Cells::One(3)));
        let of_an_earlier_claim = run.ask(2, Command::Abort(3));
        let of_another_task = run.ask(1, Command::Abort(5));
        assert!(run.reader.look() && run.reader.look());
        let obeyed: Vec<Command> = run.commands.try_iter().collect();
        assert_eq!(obeyed, [Command::Pause(Cells::One(3))]);
        let reply = run.reply(&mine).unwrap();
        assert_eq!((reply.by.as_str(), reply.refused), ("task node7-42", None));
        assert_eq!(
            (run.reply(&of_an_earlier_claim), run.reply(&of_another_task)),
            (None, None)
        );
        // A cell without a claim is for any task that has it.
        let again = run.ask(0, Command::Retry(4));
        assert!(run.reader.look());
        assert_eq!(run.commands.try_recv(), Ok(Command::Retry(4)));
        assert!(run.reply(&again).unwrap().refused.is_none());
    }

    #[test]
    fn orders_from_before_the_first_look_or_a_long_stop_are_not_carried_out_and_go_in_the_end() {
        let mut run = run();
        run.ask(0, Command::Retry(3));
        assert!(run.reader.look() && run.reader.look());
        let long_ago = Instant::now().checked_sub(Duration::from_hours(1)).unwrap();
        // As if this process had been stopped for an hour.
        run.reader.looked = Some(long_ago);
        run.ask(0, Command::Retry(4));
        assert!(run.reader.look() && run.reader.look());
        assert_eq!((run.commands.len(), run.orders()), (0, 2));
        for first in run.reader.seen.values_mut() {
            *first = long_ago;
        }
        assert!(run.reader.look());
        assert_eq!((run.commands.len(), run.orders()), (0, 0));
        assert_eq!(
            run.log()
                .matches("ignored an old command that no process took up: run again")
                .count(),
            2
        );
    }

    #[test]
    fn what_is_no_order_is_ignored_with_a_line_in_the_log() {
        let mut run = run();
        assert!(run.reader.look());
        for contents in [
            "",
            "{\"Command\":{\"Retry\":",
            "{\"Command\":{\"Retry\":4}}",
            "{\"Command\":\"Quit\"}",
            "\"EndNow\"",
        ] {
            let name = run.send(3, 0, contents);
            assert!(run.reader.look());
            assert!(run.reply(&name).unwrap().refused.is_some(), "{contents}");
        }
        assert_eq!((run.commands.len(), run.orders()), (0, 0));
        assert_eq!(run.log().matches(IGNORED).count(), 5, "{}", run.log());
    }
}
