//! Arguments.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::exit;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::characters::Glyphs;
use crate::device::DeviceChoice;

/// What the program is called.
const NAME: &str = "sharptui";

/// Trains small neural networks through a sweep and shows, live, how sharp the loss is.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true
)]
#[command(override_usage = "sharptui [OPTIONS] <CONFIG.ron>\n       sharptui <COMMAND>")]
pub struct Cli {
    /// What to do other than running a sweep.
    #[command(subcommand)]
    pub command: Option<Action>,
    /// The sweep to run.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Arguments of running a sweep.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The configuration of the sweep to run; `-` is standard input
    #[arg(value_name = "CONFIG.ron", required = true)]
    pub config: Option<PathBuf>,
    /// Take the text of the configuration from standard input, and its name from the path
    #[arg(long, hide = true)]
    pub config_on_stdin: bool,
    /// Parent of run directories
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub out: PathBuf,
    /// Cut every cell at N steps, to try a configuration out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps: Option<u64>,
    /// How and on what.
    #[command(flatten)]
    pub how: HowArgs,
}

/// Arguments of whatever trains.
#[derive(Args, Clone, Debug)]
pub struct HowArgs {
    /// Plain lines with a progress bar, even in a terminal
    #[arg(long)]
    pub plain: bool,
    /// Train without a screen and give the shell back; `sharptui attach` shows the run
    #[arg(long, conflicts_with = "plain")]
    pub detach: bool,
    /// How the screen is drawn.
    #[command(flatten)]
    pub screen: ScreenArgs,
    /// Be the process that trains for a screen
    #[arg(long, hide = true)]
    pub trainer: bool,
    /// Seconds between two checkpoints of the running cell, the most that a crash can take; 0: after every step
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub checkpoint_every: u32,
    /// Where tensors live.
    #[command(flatten)]
    pub place: PlaceArgs,
}

impl HowArgs {
    /// The time between two checkpoints.
    #[must_use]
    pub fn keep_every(&self) -> Duration {
        Duration::from_secs(self.checkpoint_every.into())
    }
}

/// How the screen is drawn.
#[derive(Args, Clone, Copy, Debug)]
pub struct ScreenArgs {
    /// Nothing but ASCII on the screen and in plain lines
    #[arg(long)]
    pub ascii: bool,
}

/// Where tensors and data sets are.
#[derive(Args, Clone, Debug)]
pub struct PlaceArgs {
    /// auto, flex, libtorch or libtorch:cuda:N; auto takes the fastest that is there
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Where data sets lie (default: the usual places)
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What to do other than running a sweep.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Validate a configuration and list its cells with their settings
    Check {
        /// The configuration; `-` is standard input
        #[arg(value_name = "CONFIG.ron")]
        config: PathBuf,
    },
    /// Go on with what is unfinished in a run directory
    Resume {
        /// The run directory
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
        /// How and on what.
        #[command(flatten)]
        how: HowArgs,
    },
    /// Show a run on the screen, wherever it was started: one that goes on, with its keys, or one that has ended
    Attach {
        /// The run directory (default: the run in `runs` that goes on)
        #[arg(value_name = "RUN_DIR")]
        run_dir: Option<PathBuf>,
        /// How the screen is drawn.
        #[command(flatten)]
        screen: ScreenArgs,
    },
    /// Print a file of preferences for the screen (colours, characters, keys) with every default, or check one
    Screen {
        /// Say whether the file in its usual place, or this one, is right
        #[arg(long, value_name = "FILE", num_args = 0..=1)]
        check: Option<Option<PathBuf>>,
    },
    /// Say what the settings of a run, finished or not, did to λ_max and test accuracy: report.html, report.md, figures
    Report {
        /// The run directory
        #[arg(value_name = "RUN_DIR")]
        run_dir: PathBuf,
        /// Where to write (default: the run directory)
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Measure λ_max again, in 64 bits and from a cold start, at the parameters that a cell ended with
    Lambda(LambdaArgs),
    /// Print what a shell needs to complete the arguments of this program
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

/// The arguments of this process. Help, and what is wrong with them, is printed in the characters that the terminal takes,
/// and ends the process.
#[must_use]
pub fn parse() -> Cli {
    Cli::try_parse().unwrap_or_else(|error| {
        if Glyphs::of_output() == Glyphs::Unicode {
            error.exit();
        }
        let words = Glyphs::Ascii.spelled(error.render().to_string()).into_owned();
        let text = words.as_bytes();
        // Whoever closed the pipe has read enough.
        let _ = if error.use_stderr() {
            io::stderr().write_all(text)
        } else {
            io::stdout().write_all(text)
        };
        exit(error.exit_code())
    })
}

/// What `shell` needs to complete the arguments.
#[must_use]
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    // Completions do not ask what is hidden: in bash it is a word of a list, elsewhere it has a line to itself.
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

/// The man page of the program, or of one of its commands.
///
/// # Errors
///
/// A command that there is none of, with those that there are.
pub fn man_page(command: Option<&str>) -> Result<String, String> {
    let mut program = Cli::command();
    // What every command inherits is there only once it is built.
    program.build();
    let page = match command {
        None => clap_mangen::Man::new(program.disable_help_subcommand(true)),
        Some(name) => {
            let found = program
                .find_subcommand(name)
                .filter(|found| !found.is_hide_set())
                .cloned();
            let found = found.ok_or_else(|| {
                let names: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
                format!("there is no command `{name}`; there are {}", names.join(", "))
            })?;
            clap_mangen::Man::new(found).title(format!("{NAME}-{name}"))
        }
    };
    let mut roff = Vec::new();
    page.render(&mut roff).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&roff).into_owned())
}

/// Arguments of measuring again.
#[derive(Args, Clone, Debug)]
pub struct LambdaArgs {
    /// The cell's folder: RUN_DIR/cells/NNN
    #[arg(value_name = "CELL_DIR")]
    pub cell_dir: PathBuf,
    /// Relative residual ‖Hv − λv‖/|λ| at which the measurement stops
    #[arg(long, value_name = "T", default_value_t = 1e-5, value_parser = tolerance)]
    pub tolerance: f64,
    /// Which of the cell's probes, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub probe: usize,
    /// Write parameters, probe inputs and labels to a safetensors file, for other tools to check the number
    #[arg(long, value_name = "FILE")]
    pub dump: Option<PathBuf>,
    /// Where tensors and data sets are.
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
        for command in Cli::command().get_subcommands() {
            let of = man_page(Some(command.get_name())).unwrap();
            assert!(of.contains(&format!(".TH sharptui-{} 1", command.get_name())), "{of}");
            assert!(page.contains(command.get_name()));
        }
        assert!(man_page(Some("warp")).unwrap_err().contains("there are check, resume"));
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
