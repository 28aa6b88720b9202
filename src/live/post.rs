//! Commands by files, on the side of the screen: for processes whose socket it cannot reach.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::inbox::{Reply, cell_of, needs_claim, words};
use super::wire::Request;
use crate::event::{Activity, CellIndex, Cells, Command, Event, cell_name};
use crate::record::{CommandFiles, OrderName, RecordError, claim_names, read_claim};

/// Interval between looks for answers, while one is awaited.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long an order waits for an answer before it is withdrawn.
const PATIENCE: Duration = Duration::from_secs(30);

/// The number of cells that a message names.
const MOST_NAMED: usize = 5;

/// The place for commands that are sent by files.
#[derive(Clone, Debug)]
pub struct Post(Sender<Command>);

impl Post {
    /// Returns the place for commands, and the channel of the answers: notices, and which cells are paused.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn open(run_dir: &Path) -> io::Result<(Self, Receiver<Event>)> {
        let (commands_in, commands) = unbounded();
        let (out, events) = unbounded();
        let mut letters = Letters::new(run_dir, out);
        thread::Builder::new()
            .name("post".to_owned())
            .spawn(move || letters.run(&commands))?;
        Ok((Self(commands_in), events))
    }

    /// Sends a command. The answer comes as an event.
    pub fn send(&self, command: Command) {
        let _ = self.0.send(command);
    }
}

/// A command that was sent, as one order for each of its cells.
struct Sent {
    command: Command,
    since: Instant,
    /// The orders without an answer.
    open: BTreeMap<OrderName, CellIndex>,
    /// Who took it up, for each cell.
    taken: BTreeMap<CellIndex, String>,
    refused: Vec<(CellIndex, String)>,
    /// The cells that their process gave up before it could take the order up.
    released: Vec<CellIndex>,
    /// The cells whose order was withdrawn, or taken without an answer.
    unanswered: Vec<CellIndex>,
}

struct Letters {
    run_dir: PathBuf,
    session: String,
    count: u64,
    open: Vec<Sent>,
    out: Sender<Event>,
}

impl Letters {
    fn new(run_dir: &Path, out: Sender<Event>) -> Self {
        Self {
            run_dir: run_dir.to_owned(),
            // Two screens never use the same name.
            session: format!("{:016x}", RandomState::new().hash_one(std::process::id())),
            count: 0,
            open: Vec::new(),
            out,
        }
    }

    fn run(&mut self, commands: &Receiver<Command>) {
        loop {
            let next = if self.open.is_empty() {
                commands.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                commands.recv_timeout(LOOK_EVERY)
            };
            match next {
                Ok(command) => self.send(command),
                Err(RecvTimeoutError::Timeout) => self.look(),
                // The screen is left: what nobody has taken up is withdrawn.
                Err(RecvTimeoutError::Disconnected) => return self.withdraw_all(),
            }
        }
    }

    fn send(&mut self, command: Command) {
        if let Err(why) = self.try_send(command) {
            let what = words(command);
            self.tell(None, format!("{what}: cannot be sent through the run directory: {why}"));
        }
    }

    fn try_send(&mut self, command: Command) -> Result<(), String> {
        let claims: BTreeMap<CellIndex, u32> = claim_names(&self.run_dir)
            .map_err(|error| error.to_string())?
            .into_iter()
            .collect();
        // A dead process of this host answers nothing.
        let may_live = |cell: CellIndex, claim: u32| {
            read_claim(&self.run_dir, cell, claim).is_none_or(|holder| !holder.is_dead_process())
        };
        let each = |command: fn(Cells) -> Command| {
            let alive = claims.iter().filter(|(cell, claim)| may_live(**cell, **claim));
            alive.map(|(cell, _)| (*cell, command(Cells::One(*cell)))).collect()
        };
        let parts: Vec<(CellIndex, Command)> = match command {
            Command::Pause(Cells::All) => each(Command::Pause),
            Command::Resume(Cells::All) => each(Command::Resume),
            Command::Keep(Cells::All) => each(Command::Keep),
            // A screen that does not own the sweep never asks for this; a signal stops the sweep of one that does.
            Command::Quit => return Ok(()),
            _ => cell_of(command).map(|cell| (cell, command)).into_iter().collect(),
        };
        if parts.is_empty() {
            return Err(if command.running() == Some(Cells::All) {
                "no cell runs".to_owned()
            } else {
                "only commands about single cells can be".to_owned()
            });
        }
        let files = CommandFiles::open_or_create(&self.run_dir).map_err(|error: RecordError| error.to_string())?;
        let mut sent = Sent {
            command,
            since: Instant::now(),
            open: BTreeMap::new(),
            taken: BTreeMap::new(),
            refused: Vec::new(),
            released: Vec::new(),
            unanswered: Vec::new(),
        };
        for (cell, part) in parts {
            let claim = claims.get(&cell).copied().unwrap_or(0);
            if needs_claim(part).is_some_and(|needs| needs != (claim > 0)) {
                let why = if claim > 0 {
                    "a process trains it"
                } else {
                    "no process trains it"
                };
                return Err(format!("{why}: {}", cell_name(cell)));
            }
            self.count += 1;
            let token = format!("{}-{:06}", self.session, self.count);
            let name = OrderName { cell, claim, token };
            let contents = serde_json::to_vec(&Request::Command(part)).map_err(|error| error.to_string())?;
            files.send(&name, &contents).map_err(|error| error.to_string())?;
            sent.open.insert(name, cell);
        }
        self.open.push(sent);
        Ok(())
    }

    /// Looks for answers, and withdraws orders that got none in time.
    fn look(&mut self) {
        // What cannot be read now may be read later.
        let Ok(Some(files)) = CommandFiles::open(&self.run_dir) else {
            return;
        };
        let Ok((_, answers)) = files.list() else { return };
        for answer in answers {
            let Some(sent) = self.open.iter_mut().find(|sent| sent.open.contains_key(&answer)) else {
                continue;
            };
            sent.open.remove(&answer);
            let reply = files.take_answer(&answer).ok();
            match reply.and_then(|reply| serde_json::from_slice::<Reply>(&reply).ok()) {
                Some(Reply { by, refused: None }) => {
                    sent.taken.insert(answer.cell, by);
                    let activity = match sent.command {
                        Command::Pause(_) => Some(Activity::Paused),
                        Command::Resume(_) => Some(Activity::Training),
                        _ => None,
                    };
                    let cell = Some(answer.cell);
                    let told = activity.map(|activity| Event::Activity { cell, activity });
                    if let Some(told) = told {
                        let _ = self.out.send(told);
                    }
                }
                Some(Reply { by, refused: Some(why) }) => {
                    sent.refused
                        .push((answer.cell, format!("{by} refused {}: {why}", words(sent.command))));
                }
                None => sent.unanswered.push(answer.cell),
            }
        }
        let claims = claim_names(&self.run_dir).ok();
        let is_released = |name: &OrderName| {
            let is_there = |claims: &BTreeSet<(CellIndex, u32)>| claims.contains(&(name.cell, name.claim));
            name.claim > 0 && claims.as_ref().is_some_and(|claims| !is_there(claims))
        };
        for sent in &mut self.open {
            let released: Vec<OrderName> = sent.open.keys().filter(|name| is_released(name)).cloned().collect();
            for name in released {
                // If it was taken, an answer follows.
                if files.withdraw(&name).unwrap_or(false) {
                    sent.open.remove(&name);
                    sent.released.push(name.cell);
                }
            }
            if sent.since.elapsed() >= PATIENCE {
                for (name, cell) in std::mem::take(&mut sent.open) {
                    let _ = files.withdraw(&name);
                    sent.unanswered.push(cell);
                }
            }
        }
        let (done, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|sent| sent.open.is_empty());
        self.open = open;
        for sent in done {
            self.report(sent);
        }
    }

    fn withdraw_all(&mut self) {
        if let Ok(Some(files)) = CommandFiles::open(&self.run_dir) {
            for name in self.open.iter().flat_map(|sent| sent.open.keys()) {
                let _ = files.withdraw(name);
            }
        }
    }

    fn report(&self, sent: Sent) {
        let what = words(sent.command);
        match sent.taken.iter().next() {
            Some((cell, by)) if sent.taken.len() == 1 => self.tell(Some(*cell), format!("{by} took up: {what}")),
            Some(_) => self.tell(None, format!("{} cells took up: {what}", sent.taken.len())),
            None => {}
        }
        for cell in sent.released.into_iter().take(MOST_NAMED) {
            self.tell(
                Some(cell),
                format!("its process had ended it or given it up before: {what}"),
            );
        }
        for (cell, why) in sent.refused.into_iter().take(MOST_NAMED) {
            self.tell(Some(cell), why);
        }
        match sent.unanswered.as_slice() {
            [] => {}
            [cell] => self.tell(
                Some(*cell),
                format!(
                    "no answer after {} s: {what}; the order was withdrawn",
                    PATIENCE.as_secs()
                ),
            ),
            cells => {
                let named: Vec<String> = cells.iter().take(MOST_NAMED).map(ToString::to_string).collect();
                let more = if cells.len() > MOST_NAMED { ", …" } else { "" };
                let (count, named) = (cells.len(), named.join(", "));
                let words = format!(
                    "no answer from {count} cells ({named}{more}) after {} s: {what}; the orders were withdrawn",
                    PATIENCE.as_secs()
                );
                self.tell(None, words);
            }
        }
    }

    fn tell(&self, cell: Option<CellIndex>, words: String) {
        let _ = self.out.send(Event::Notice { cell, words });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunDir;

    #[test]
    fn an_order_without_an_answer_is_withdrawn_and_reported() {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = RunDir::create(folder.path(), "run").unwrap();
        let claims = [3, 4].map(|cell| run_dir.claim_cell(cell, "", None).unwrap());
        let (out, events) = unbounded();
        let mut letters = Letters::new(run_dir.path(), out);
        letters.send(Command::Abort(3));
        letters.send(Command::Pause(Cells::All));
        letters.look();
        let orders = || CommandFiles::open(run_dir.path()).unwrap().unwrap().list().unwrap().0;
        assert_eq!((orders().len(), events.len()), (3, 0));
        assert!(orders().iter().all(|name| name.claim == 1));
        for sent in &mut letters.open {
            sent.since = sent.since.checked_sub(PATIENCE).unwrap();
        }
        letters.look();
        assert!(orders().is_empty() && letters.open.is_empty());
        let told: Vec<String> = events
            .try_iter()
            .map(|event| match event {
                Event::Notice { words, .. } => words,
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            "no answer after 30 s: abort; the order was withdrawn",
            "no answer from 2 cells (3, 4) after 30 s: pause; the orders were withdrawn",
        ];
        assert_eq!(told, expected);
        // The cell ends before its process looks.
        letters.send(Command::Abort(4));
        let [_claim, ended] = claims;
        drop(ended);
        letters.look();
        let told = events.try_recv().unwrap();
        assert!(
            matches!(&told, Event::Notice { cell: Some(4), words } if words.contains("before: abort")),
            "{told:?}"
        );
        // Nobody could carry these out.
        for command in [Command::Audit(7), Command::Retry(3), Command::SetRunners(2)] {
            letters.send(command);
            let told = events.try_recv().unwrap();
            assert!(
                matches!(&told, Event::Notice { words, .. } if words.contains("cannot be sent")),
                "{told:?}"
            );
        }
        assert!(orders().is_empty());
    }
}
