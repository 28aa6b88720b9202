//! Messages of panics while the screen is shown. They are kept, so that they can be printed afterwards.

use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, Once, PoisonError};

/// Messages of panics since recording began; `None` while no screen is shown.
static RECORDED: Mutex<Option<Vec<String>>> = Mutex::new(None);

static INSTALL: Once = Once::new();

/// Starts to record. Earlier hooks still run; their output on stderr goes to the log.
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

/// Stops recording and returns the messages.
///
/// The hook stays: it cannot be removed while a thread is panicking, and this function may be called then.
pub(in crate::tui) fn stop() -> Vec<String> {
    RECORDED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .unwrap_or_default()
}

/// Returns the last message so far.
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
        // Panics of tests that fail at the same time are recorded, too.
        let messages = stop();
        let ours = |said: &&String| said.starts_with("thread 'trainer' panicked at src/tui/terminal/panics.rs:");
        let said = messages.iter().find(ours).unwrap();
        assert!(said.ends_with("out of bounds"), "{said}");
        assert_eq!(last(), None);
    }
}
