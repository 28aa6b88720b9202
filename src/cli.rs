//! Arguments.

mod cells;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::exit;

use clap::builder::PossibleValue;
use clap::{ArgGroup, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub use cells::CellList;

use crate::characters::Glyphs;
use crate::curve::Across;
use crate::device::{DeviceChoice, RunnerChoice};

/// The name of the program.
const NAME: &str = "sharptui";

/// What `--version` says: the version, and the back ends that are built in.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("SHARPTUI_BACK_ENDS"), ")");

/// Trains small neural networks through a sweep and shows, live, how sharp the loss is.
#[derive(Clone, Debug, Parser)]
#[command(
    version = VERSION,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    after_help = "The book about this program: sharptui book"
)]
#[command(override_usage = "sharptui [OPTIONS] <CONFIG.ron>\n       sharptui <COMMAND>")]
pub struct Cli {
    /// The command to run instead of a sweep.
    #[command(subcommand)]
    pub command: Option<Action>,
    /// The sweep to run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments for running a sweep.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Configuration of the sweep to run; `-` reads standard input
    #[arg(value_name = "CONFIG.ron", required = true)]
    pub config: Option<PathBuf>,
    /// Read the configuration from standard input; its path gives only the name
    #[arg(long, hide = true)]
    pub config_on_stdin: bool,
    /// Folder in which run directories are created
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub out: PathBuf,
    /// Stop every cell after N steps, to try out a configuration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// Make the run directory and print its path, without training; `sharptui train` trains its cells
    #[arg(long, conflicts_with_all = ["plain", "detach"])]
    pub prepare: bool,
    /// How and on which device to train.
    #[command(flatten)]
    pub how: HowArgs,
}

/// Arguments of the commands that train.
#[derive(Args, Clone, Debug)]
pub struct HowArgs {
    /// Print plain lines with a progress bar, even in a terminal
    #[arg(long)]
    pub plain: bool,
    /// Train without a screen and return to the shell; `sharptui attach` shows the run
    #[arg(long, conflicts_with = "plain")]
    pub detach: bool,
    /// How the screen is drawn.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// Run as the process that trains for a screen
    #[arg(long, hide = true)]
    pub trainer: bool,
    /// How cells are trained.
    #[command(flatten)]
    pub running: RunningArgs,
}

/// How cells are trained, in whatever command.
#[derive(Args, Clone, Debug)]
pub struct RunningArgs {
    /// Seconds between checkpoints of a running cell, the most that a crash loses; 0: after every step
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub checkpoint_every: u32,
    /// Cells that train at the same time, each in a process of its own: auto, a number, or devices with numbers, such
    /// as libtorch:cuda:0*4,libtorch:cuda:1*4
    #[arg(long, value_name = "RUNNERS", default_value_t)]
    pub runners: RunnerChoice,
    /// The device and the folder of data sets.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// How the screen is drawn.
#[derive(Args, Clone, Copy, Debug)]
pub struct ScreenArgs {
    /// Use only ASCII characters on the screen and in plain lines
    #[arg(long)]
    pub ascii: bool,
}

/// The device and the folder of data sets.
#[derive(Args, Clone, Debug)]
pub struct PlaceArgs {
    /// Device: auto, flex, libtorch or libtorch:cuda:N; auto takes the fastest one available
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Folder of the data sets (default: the usual places)
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// A command other than running a sweep.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Validate a configuration and list its cells with their settings
    Check {
        /// The configuration; `-` reads standard input
        #[arg(value_name = "CONFIG.ron")]
        config: PathBuf,
    },
    /// Continue the unfinished cells of a run directory
    Resume {
        /// The run directory
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
        /// Take cells over from processes that may be alive, such as those of a machine that is lost
        #[arg(long)]
        take_over: bool,
        /// Add values to an axis of the sweep, or seeds, such as 'seed: [5, 6]': new cells come behind all others; may be
        /// repeated
        #[arg(long, value_name = "VALUES")]
        add: Vec<String>,
        /// How and on which device to train.
        #[command(flatten)]
        how: HowArgs,
    },
    /// Train some cells of a run directory, beside other processes on any machine that sees it
    Train(TrainArgs),
    /// Send the unfinished cells of a sweep to a Slurm cluster, as an array job
    Submit(SubmitArgs),
    /// Show a run on the screen: one that is running, wherever it was started, with all keys, or one that has ended; or
    /// the curves of another program
    Attach {
        /// The run directory (default: the run in `runs` that is in progress), a folder with several, which are listed, or
        /// event files or CSV files of another program
        #[arg(value_name = "RUN_DIR")]
        run_dir: Option<PathBuf>,
        /// How the screen is drawn.
        #[command(flatten)]
        screen: ScreenArgs,
    },
    /// Print a preferences file for the screen (colours, characters, keys) with every default, or check one
    Screen {
        /// Check the preferences file in its usual place, or FILE
        #[arg(long, value_name = "FILE", num_args = 0..=1)]
        check: Option<Option<PathBuf>>,
    },
    /// Write report.html, report.md and figures: how the settings of a run, finished or not, change λ_max and test
    /// accuracy; or the curves of another program
    Report {
        /// The run directory, or event files or CSV files of another program
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
        /// Another run directory: the same cells of both runs are compared
        #[arg(value_name = "OTHER_RUN_DIR")]
        other: Option<PathBuf>,
        /// Folder to write to (default: the run directory, or `compared_with_…` in it)
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Horizontal axis of the curves, if one run is shown: steps, epochs or seconds
        #[arg(
            long,
            value_name = "AXIS",
            value_enum,
            default_value_t,
            hide_possible_values = true,
            conflicts_with = "other"
        )]
        across: Across,
    },
    /// Write the measurements of a run, finished or running, for TensorBoard, as CSV or as Parquet
    Export(ExportArgs),
    /// Train cells for the process that started this one
    #[command(hide = true)]
    Runner {
        /// The run directory
        run_dir: PathBuf,
        /// Seconds between checkpoints of the running cell
        #[arg(long)]
        checkpoint_every: u32,
        /// The device and the folder of data sets.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Measure λ_max again, in 64 bits and from a cold start, at the final parameters of a cell
    Lambda(LambdaArgs),
    /// Measure λ_max and gauges again, in 64 bits, at the last parameters of a cell or at a kept checkpoint
    Measure(MeasureArgs),
    /// Print a page of the book about this program, or say which pages it has and where it is
    Book {
        /// The page
        #[arg(value_name = "PAGE")]
        page: Option<String>,
    },
    /// Print the script with which a shell completes the arguments of this program
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page of this program, or of one of its commands
    Man {
        /// The command (default: the program itself)
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },
}

/// Parses the arguments of this process. For `--help` or wrong arguments, prints the text in characters that the
/// terminal can show, and ends the process.
#[must_use]
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        if Glyphs::of_output() == Glyphs::Unicode {
            error.exit();
        }
        let words = Glyphs::Ascii.spelled(error.render().to_string()).into_owned();
        let text = words.as_bytes();
        // A reader that closed the pipe has read enough.
        let _ = if error.use_stderr() {
            io::stderr().write_all(text)
        } else {
            io::stdout().write_all(text)
        };
        exit(error.exit_code())
    })
}

/// Returns the script with which `shell` completes the arguments.
#[must_use]
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    // clap_complete also lists hidden flags: in bash as a word in a list, in other shells on a line of their own.
    let hidden = ["trainer", "config-on-stdin"];
    let mut script = String::from_utf8_lossy(&script).into_owned();
    for flag in hidden {
        script = script.replace(&format!(" --{flag} "), " ");
        script = script.replace(&format!(" {flag} checkpoint"), " checkpoint");
    }
    let is_hidden = |line: &&str| hidden.iter().any(|flag| line.contains(flag));
    let lines = script.split_inclusive('\n').filter(|line| !is_hidden(line));
    lines.collect()
}

/// Returns the man page of the program, or of one of its commands.
///
/// # Errors
///
/// Returns a message that lists the commands if there is no such command.
pub fn man_page(command: Option<&str>) -> Result<String, String> {
    let mut program = Cli::command();
    // Commands inherit arguments only once the program is built.
    program.build();
    let page = match command {
        None => clap_mangen::Man::new(program.disable_help_subcommand(true)),
        Some(name) => {
            let found = program
                .find_subcommand(name)
                .filter(|found| !found.is_hide_set())
                .cloned();
            let found = found.ok_or_else(|| {
                let shown = program.get_subcommands().filter(|command| !command.is_hide_set());
                let names: Vec<&str> = shown.map(clap::Command::get_name).collect();
                format!("there is no command `{name}`; the commands are {}", names.join(", "))
            })?;
            clap_mangen::Man::new(found).title(format!("{NAME}-{name}"))
        }
    };
    let mut roff = Vec::new();
    page.render(&mut roff).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&roff).into_owned())
}

/// Arguments for training some cells of a run.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Exit status: 0 all these cells have ended, 1 some failed, 2 wrong usage, 3 another process has some of them, 130 \
                        stopped with checkpoints"
)]
pub struct TrainArgs {
    /// The run directory, made by `sharptui CONFIG.ron --prepare`
    #[arg(value_name = "RUN_DIR")]
    pub run_dir: PathBuf,
    /// The cells, such as 3-7,12. Cells that have ended are not run again, except failed ones
    #[arg(long, value_name = "CELLS")]
    pub cells: CellList,
    /// Take cells over from processes that may be alive, such as those of a machine that is lost
    #[arg(long)]
    pub take_over: bool,
    /// How cells are trained.
    #[command(flatten)]
    pub running: RunningArgs,
}

/// Arguments for sending cells to Slurm.
#[derive(Args, Clone, Debug)]
pub struct SubmitArgs {
    /// The configuration of a new run, or the run directory of one that has cells left
    #[arg(value_name = "CONFIG.ron|RUN_DIR")]
    pub what: PathBuf,
    /// Cells that a task trains (default: as many as make 100 tasks)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub cells_per_task: Option<u32>,
    /// Print the script, and make and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Folder in which run directories are created
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub out: PathBuf,
    /// How cells are trained.
    #[command(flatten)]
    pub running: RunningArgs,
    /// Arguments of `sbatch`, such as --partition=gpu --time=02:00:00
    #[arg(last = true, value_name = "SBATCH ARGUMENTS")]
    pub sbatch: Vec<String>,
}

impl ValueEnum for Across {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// Arguments for exporting a run.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("format").required(true).args(["tensorboard", "csv", "parquet"])))]
#[allow(clippy::struct_excessive_bools)] // Each is a flag of its own.
pub struct ExportArgs {
    /// The run directory
    #[arg(value_name = "RUN_DIR")]
    pub run_dir: PathBuf,
    /// Write event files for TensorBoard
    #[arg(long)]
    pub tensorboard: bool,
    /// Write one row per measurement
    #[arg(long)]
    pub csv: bool,
    /// Write the same rows as a Parquet file, in a build with `--features parquet`
    #[arg(long)]
    pub parquet: bool,
    /// File or folder to write to (default: standard output, or `tensorboard` or `measurements.parquet` in the run directory)
    #[arg(long, value_name = "PATH")]
    pub to: Option<PathBuf>,
    /// Go on until the run ends
    #[arg(long)]
    pub follow: bool,
}

/// Arguments for measuring λ_max again.
#[derive(Args, Clone, Debug)]
pub struct LambdaArgs {
    /// The cell's folder: RUN_DIR/cells/NNN
    #[arg(value_name = "CELL_DIR")]
    pub cell_dir: PathBuf,
    /// Relative residual ‖Hv − λv‖/|λ| at which the measurement stops
    #[arg(long, value_name = "T", default_value_t = 1e-5, value_parser = tolerance)]
    pub tolerance: f64,
    /// Probe of the cell to measure on, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub probe: usize,
    /// Write parameters, probe inputs and labels to a safetensors file, so that other tools can check the number
    #[arg(long, value_name = "FILE")]
    pub dump: Option<PathBuf>,
    /// The device and the folder of data sets.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Arguments for measuring gauges again.
#[derive(Args, Clone, Debug)]
pub struct MeasureArgs {
    /// The cell's folder: RUN_DIR/cells/NNN
    #[arg(value_name = "CELL_DIR")]
    pub cell_dir: PathBuf,
    /// Gauges in the form of a configuration, such as '[Trace(products: 200), Layers()]' (default: those of the cell)
    #[arg(long, value_name = "LIST")]
    pub gauges: Option<String>,
    /// Number of largest eigenvalues (default: that of the cell)
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=16))]
    pub eigenvalues: Option<u64>,
    /// Measure at the checkpoint that `keep_checkpoints` kept after this step (default: the last parameters)
    #[arg(long, value_name = "N")]
    pub step: Option<u64>,
    /// Relative residual ‖Hv − λv‖/|λ| at which searches for eigenvalues stop
    #[arg(long, value_name = "T", default_value_t = 1e-5, value_parser = tolerance)]
    pub tolerance: f64,
    /// Write parameters, the optimizer's state, and inputs and labels of the first probe to a safetensors file
    #[arg(long, value_name = "FILE")]
    pub dump: Option<PathBuf>,
    /// Print one JSON object a probe, as in metrics.jsonl
    #[arg(long)]
    pub json: bool,
    /// The device and the folder of data sets.
    #[command(flatten)]
    pub place: PlaceArgs,
}

fn tolerance(text: &str) -> Result<f64, String> {
    let range = 1e-12..=0.5;
    text.parse()
        .ok()
        .filter(|value| range.contains(value))
        .ok_or_else(|| format!("expected a number from {:e} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_completes_every_command_and_nothing_that_is_hidden() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let script = completions(shell);
            for word in ["resume", "attach", "checkpoint-every"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
            assert!(
                !script.contains("trainer") && !script.contains("config-on-stdin"),
                "{shell}"
            );
        }
    }

    #[test]
    fn there_is_a_man_page_of_the_program_and_of_every_command() {
        let page = man_page(None).unwrap();
        assert!(page.contains(".TH sharptui 1") && !page.contains("trainer"), "{page}");
        for command in Cli::command()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let of = man_page(Some(command.get_name())).unwrap();
            assert!(of.contains(&format!(".TH sharptui-{} 1", command.get_name())), "{of}");
            assert!(page.contains(command.get_name()));
        }
        assert!(
            man_page(Some("warp"))
                .unwrap_err()
                .contains("the commands are check, resume")
        );
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_and_the_path_work_in_every_order() {
        for line in [
            "sharptui --plain --steps 5 a.ron",
            "sharptui a.ron --steps 5 --plain",
            "sharptui --steps 5 a.ron --plain",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.run.config, Some(PathBuf::from("a.ron")), "{line}");
            assert!(cli.run.how.plain && cli.run.steps == Some(5), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "sharptui --plain",
            "sharptui a.ron --steps 0",
            "sharptui a.ron --device warp",
            "sharptui a.ron b.ron",
            "sharptui lambda d --tolerance 0",
            "sharptui lambda d --tolerance nan",
            "sharptui check",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
