//! Messages over the socket of a run.

use sharptui::live::{parse_event, parse_request};

use crate::campaign::{Target, run};

fn reads<T>(name: &'static str, place: &str, reader: impl Fn(&[u8]) -> Result<T, String>) {
    let target = Target {
        name,
        place,
        most_memory_bytes: 128 << 20,
        seeds: Vec::new(),
    };
    run(&target, |line| reader(line).map(drop));
}

#[test]
fn no_message_over_the_socket_makes_either_end_panic_or_take_memory() {
    reads("control", "control message", parse_request);
    reads("events", "event", parse_event);
}
