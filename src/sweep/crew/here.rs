//! A runner that is a thread of this process.

use std::io;
use std::thread;

use crossbeam_channel::{Sender, unbounded};

use super::super::worker::{Order, Worker};
use super::{Gone, Report};

/// Starts the runner and returns the channel of its orders and the name of its device. It ends when that channel
/// closes.
pub(super) fn start(
    worker: &mut Option<Box<Worker>>,
    number: u32,
    reports: Sender<(u32, Report)>,
) -> io::Result<(Sender<Order>, String)> {
    let worker = worker
        .take()
        .ok_or_else(|| io::Error::other("a sweep without processes has one runner"))?;
    let device = worker.device_name().to_owned();
    let (orders, ordered) = unbounded();
    let (events_in, events) = unbounded();
    let _ = reports.send((number, Report::Ready(device.clone())));
    thread::Builder::new()
        .name("trainer".to_owned())
        .spawn(move || worker.serve(ordered, &events_in))?;
    thread::Builder::new().name("reports".to_owned()).spawn(move || {
        for event in events {
            let _ = reports.send((number, Report::Event(event)));
        }
        let _ = reports.send((number, Report::Gone(Gone::default())));
    })?;
    Ok((orders, device))
}
