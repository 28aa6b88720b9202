//! What a panic prints: LibTorch's words without the C++ stack behind them, which is ten thousand letters in one line.

use std::io::Write;
use std::{panic, thread};

/// Where LibTorch's own words end: as they are, and as Rust quotes them.
const ENDS: [&str; 4] = [
    "\nException raised from ",
    "\\nException raised from ",
    "\nframe #0: ",
    "\\nframe #0: ",
];

/// From now on panics that LibTorch's exceptions cause print their words alone. All others print what they printed before.
pub fn shorten_panics() {
    let earlier = panic::take_hook();
    panic::set_hook(Box::new(move |info| match info.payload_as_str().and_then(own_words) {
        Some(words) => {
            let thread = thread::current();
            let name = thread.name().unwrap_or("unnamed").to_owned();
            // Nobody may read it any more.
            let _ = writeln!(std::io::stderr(), "thread '{name}' panicked: {words}");
        }
        None => earlier(info),
    }));
}

/// What LibTorch says before it tells its stack; none where there is no stack.
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
