//! The commands that read a run and answer, without training: `export`, `lambda` and `measure`.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use crossbeam_channel::Receiver;

use crate::cli::{ExportArgs, LambdaArgs, MeasureArgs, PlaceArgs};
use crate::config;
use crate::device::OpenDevice;
use crate::export::{self, Ended, Follow, Format};
use crate::signals::{self, Signal};
use crate::sweep::{self, Datasets, MeasureRequest, Request, remeasure};
use crate::watch::{NO_SIGNALS, note, print, print_exactly};

/// Opens the device, and the data sets for the run in a directory.
type Open = fn(&PlaceArgs, Option<&Path>) -> anyhow::Result<(OpenDevice, Datasets)>;

/// Exports a run. A request to stop ends an export that follows its run, with what was written so far.
pub(crate) fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let request = export::Request {
        run_dir: &args.run_dir,
        format: match args {
            ExportArgs { csv: true, .. } => Format::Csv,
            ExportArgs { parquet: true, .. } => Format::Parquet,
            _ => Format::TensorBoard,
        },
        to: args.to.as_deref(),
        follow: if args.follow {
            Follow::UntilTheRunEnds
        } else {
            Follow::No
        },
    };
    let signals = if args.follow {
        Some(signals::listen(None).context(NO_SIGNALS)?)
    } else {
        None
    };
    let ended = export::write(&request, &mut io::stdout().lock(), &mut Terminal { signals })?;
    Ok(match ended {
        Ended::Complete => ExitCode::SUCCESS,
        Ended::Stopped => ExitCode::from(signals::STATUS_STOPPED),
    })
}

/// The terminal of an export.
struct Terminal {
    /// Requests to stop, if it follows a run.
    signals: Option<Receiver<Signal>>,
}

impl export::Host for Terminal {
    fn written(&mut self, path: &Path) {
        // Whoever started an export that follows its run may have closed the pipe.
        let _ = print_exactly([path.as_os_str().as_bytes(), b"\n"].concat());
    }

    fn note(&mut self, words: &str) {
        note(words);
    }

    fn wait(&mut self, time: Duration) -> bool {
        match &self.signals {
            // A closed terminal does not end it.
            Some(signals) => !matches!(signals.recv_timeout(time), Ok(Signal::Interrupt | Signal::Terminate)),
            None => false,
        }
    }
}

/// Measures λ_max again at the last parameters of a cell. `open` opens the device and the data sets.
pub(crate) fn lambda(args: &LambdaArgs, open: Open) -> anyhow::Result<ExitCode> {
    let (device, mut datasets) = open(&args.place, Some(&args.cell_dir.join("../..")))?;
    let request = Request {
        cell_dir: args.cell_dir.clone(),
        tolerance: args.tolerance,
        probe: args.probe,
        dump: args.dump.clone(),
    };
    let measured = measured(&device, || remeasure(&request, &device, &mut datasets))?;
    print(&measured.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// Measures λ_max and gauges again at parameters of a cell. `open` opens the device and the data sets.
pub(crate) fn measure(args: &MeasureArgs, open: Open) -> anyhow::Result<ExitCode> {
    let gauges = args.gauges.as_deref();
    let gauges = gauges.map(|text| config::read_gauges(text, "--gauges")).transpose()?;
    let (device, mut datasets) = open(&args.place, Some(&args.cell_dir.join("../..")))?;
    let request = MeasureRequest {
        cell_dir: args.cell_dir.clone(),
        step: args.step,
        gauges,
        eigenvalues: args.eigenvalues.and_then(|count| usize::try_from(count).ok()),
        tolerance: args.tolerance,
        dump: args.dump.clone(),
    };
    let measured = measured(&device, || sweep::measure(&request, &device, &mut datasets))?;
    if args.json {
        for point in &measured.points {
            print(&(serde_json::to_string(point)? + "\n"))?;
        }
    } else {
        print(&measured.to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures. A back end that runs out of memory panics, which is an error here.
fn measured<T, E: Into<anyhow::Error>>(
    device: &OpenDevice,
    measure: impl FnOnce() -> Result<T, E>,
) -> anyhow::Result<T> {
    let measured = catch_unwind(AssertUnwindSafe(measure));
    let measured = measured.map_err(|panic| anyhow!(device.explain_panic(&sweep::panic_text(panic.as_ref()))))?;
    measured.map_err(E::into)
}
