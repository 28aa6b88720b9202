//! Explains panics of devices that run out of memory. LibTorch throws a C++ exception, which arrives as a panic.

use super::present;

/// Parts of the messages of LibTorch, CUDA's libraries and C++ when memory runs out.
const SIGNS: [&str; 6] = [
    "out of memory",
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "std::bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
];

/// The part that all explanations have.
const RAN_OUT: &str = " ran out of memory";

/// Returns whether these words are those of `explain`.
#[must_use]
pub fn is_out_of_memory(words: &str) -> bool {
    words.starts_with("device ") && words.contains(RAN_OUT)
}

/// If the panic message `said` is about memory, says that `device` ran out of memory and what to do.
pub(super) fn explain(said: &str, device: &str) -> Option<String> {
    if !SIGNS.iter().any(|sign| said.contains(sign)) {
        return None;
    }
    let asked = asked(said).map_or_else(String::new, |amount| format!(" when asked for {amount} more"));
    Some(format!(
        "device {device}{RAN_OUT}{asked}; the recorded data are kept. Free memory on the device, or continue \
         with `sharptui resume` on another --device ({}), or start a new run with a smaller `chunk_size` (with batch \
         norm: `batch_size`, `statistics_group` or a probe's `group`)",
        present()
    ))
}

/// Returns the amount of memory in the message: the allocation that failed.
fn asked(said: &str) -> Option<String> {
    // CUDA's allocator: "Tried to allocate 20.00 MiB. GPU 0 has a total capacity of …".
    if let Some((_, rest)) = said.split_once("Tried to allocate ") {
        let (amount, _) = rest.split_once(". ").or_else(|| rest.split_once(" ("))?;
        return Some(amount.to_owned());
    }
    // The host's: "you tried to allocate 125440000000 bytes."
    let (_, rest) = said.split_once("tried to allocate ")?;
    let bytes: u64 = rest.split_once(" bytes")?.0.parse().ok()?;
    Some(format!("{} MiB", bytes >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUDA: &str = "called `Result::unwrap()` on an `Err` value: Torch(\"CUDA out of memory. Tried to allocate 20.00 \
        MiB. GPU 0 has a total capacity of 79.10 GiB of which 10.00 MiB is free. Process 7 has 79.00 GiB memory in use.\")";

    const HOST: &str = "called `Result::unwrap()` on an `Err` value: Torch(\"[enforce fail at alloc_cpu.cpp:118] err == 0. \
        DefaultCPUAllocator: can't allocate memory: you tried to allocate 125440000000 bytes. Error code 12 (Cannot \
        allocate memory)\\nframe #0: c10::ThrowEnforceNotMet\")";

    #[test]
    fn memory_that_runs_out_is_said_with_the_device_and_how_much_was_asked_for() {
        for (said, amount) in [(CUDA, "20.00 MiB"), (HOST, "119628 MiB")] {
            let words = explain(said, "libtorch (CUDA 0)").unwrap();
            let begin = format!("device libtorch (CUDA 0) ran out of memory when asked for {amount} more; ");
            assert!(words.starts_with(&begin), "{words}");
            assert!(
                words.contains("`sharptui resume`") && words.contains(&present()),
                "{words}"
            );
        }
    }

    #[test]
    fn where_it_is_not_said_how_much_was_asked_for_nothing_is_made_up() {
        for said in [
            "CUDA error: out of memory",
            "std::bad_alloc",
            "Tried to allocate, out of memory",
        ] {
            let words = explain(said, "x").unwrap();
            assert!(is_out_of_memory(&words));
            assert!(words.starts_with("device x ran out of memory; "), "{words}");
        }
    }

    #[test]
    fn other_panics_are_not_taken_for_it() {
        assert_eq!(explain("index out of bounds: the len is 3", "x"), None);
    }
}
