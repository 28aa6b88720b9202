//! Panics while the screen is up: kept, so that they can be read once it is gone.

use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, Once, PoisonError};

/// Messages of panics since recording began; none while no screen is up.
static RECORDED: Mutex<Option<Vec<String>>> = Mutex::new(None);

static INSTALL: Once = Once::new();

/// Begins to record. Earlier hooks still run: what they print on stderr is in the log by then.
pub(in crate::tui) fn start() {
    *RECORDED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    INSTALL.call_once(|| {
        let earlier = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(messages) = &mut *RECORDED.lock().unwrap_or_else(PoisonError::into_inner) {
                messages.push(describe(info));
            }
            earlier(info);
        }));
    });
}

/// Stops recording and returns what there was.
///
/// The hook stays: it cannot be taken back while a thread is panicking, which is when this may be called.
pub(in crate::tui) fn stop() -> Vec<String> {
    RECORDED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .unwrap_or_default()
}

/// The last message so far.
pub(in crate::tui) fn last() -> Option<String> {
    RECORDED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_ref()
        .and_then(|messages| messages.last().cloned())
}

fn describe(info: &PanicHookInfo) -> String {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("unnamed");
    let what = info.payload_as_str().unwrap_or("something that is not text");
    match info.location() {
        Some(place) => format!("thread '{name}' panicked at {place}: {what}"),
        None => format!("thread '{name}' panicked: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_another_thread_is_kept_with_its_name_and_place() {
        start();
        let thread = std::thread::Builder::new().name("trainer".into());
        thread
            .spawn(|| panic!("out of {}", "bounds"))
            .unwrap()
            .join()
            .unwrap_err();
        // Tests that fail beside this one are recorded, too.
        let messages = stop();
        let ours = |said: &&String| said.starts_with("thread 'trainer' panicked at src/tui/terminal/panics.rs:");
        let said = messages.iter().find(ours).unwrap();
        assert!(said.ends_with("out of bounds"), "{said}");
        assert_eq!(last(), None);
    }
}
