//! Shortens the panic messages of LibTorch: the C++ stack trace after the message has ten thousand characters in one
//! line.

use std::io::Write;
use std::{panic, thread};

/// The texts that begin the stack trace, as they are and as Rust's `Debug` escapes them.
const ENDS: [&str; 4] = [
    "\nException raised from ",
    "\\nException raised from ",
    "\nframe #0: ",
    "\\nframe #0: ",
];

/// Installs a panic hook that prints panics from LibTorch's exceptions without the stack trace. Other panics print as
/// before.
pub fn shorten_panics() {
    let earlier = panic::take_hook();
    panic::set_hook(Box::new(move |info| match info.payload_as_str().and_then(own_words) {
        Some(words) => {
            let thread = thread::current();
            let name = thread.name().unwrap_or("unnamed").to_owned();
            // Standard error may be closed.
            let _ = writeln!(std::io::stderr(), "thread '{name}' panicked: {words}");
        }
        None => earlier(info),
    }));
}

/// Returns LibTorch's message without the stack trace, or `None` if there is no stack trace.
fn own_words(said: &str) -> Option<&str> {
    ENDS.iter()
        .filter_map(|end| said.find(end))
        .min()
        .map(|end| &said[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_is_left_out_and_everything_else_stays() {
        let said = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA out of memory. Tried to allocate 47.85 \
            GiB.\\nException raised from malloc at CUDACachingAllocator.cpp:1574\\nframe #0: c10::Error::Error\")";
        let words = own_words(said).unwrap();
        assert!(words.ends_with("Tried to allocate 47.85 GiB."), "{words}");
        assert_eq!(
            own_words("[enforce fail] can't allocate\nframe #0: c10"),
            Some("[enforce fail] can't allocate")
        );
        assert_eq!(own_words("index out of bounds: the len is 3"), None);
    }
}
