//! The script of an array job.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use os_display::Quotable;

use super::{FOLDER, Slices};

/// Seconds before the time limit at which a task is told to stop, so that it can write checkpoints and go on later.
const WARNED_SECONDS: u32 = 120;

/// What a task of the array runs, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The name of the job.
    pub name: String,
    /// This program.
    pub program: PathBuf,
    /// The folder in which paths of the command are meant.
    pub folder: PathBuf,
    /// Options of `sharptui train`, such as `--device`.
    pub options: Vec<String>,
    /// Variables of the environment that the task needs.
    pub environment: Vec<(String, String)>,
}

impl Script {
    /// Returns the script. `$1` is the number of slices that belong to earlier arrays.
    pub(super) fn text(&self, run_dir: &Path, slices: &Slices) -> String {
        let quoted = |text: &str| text.maybe_quote().to_string();
        let mut text = format!(
            "#!/bin/bash\n\
             #SBATCH --job-name={}\n\
             #SBATCH --requeue\n\
             #SBATCH --open-mode=append\n\
             #SBATCH --output={}/%A_%a.txt\n\
             # A warning before the time limit: the task writes checkpoints and puts itself into the queue again.\n\
             #SBATCH --signal=B:USR1@{WARNED_SECONDS}\n\n\
             # The cells of each task.\n\
             slices=(\n",
            quoted(&self.name),
            quoted(&run_dir.join(FOLDER).display().to_string()),
        );
        for slice in slices.texts() {
            let _ = writeln!(text, "    {slice}");
        }
        text.push_str(")\n\n");
        let _ = writeln!(text, "cd {} || exit 1", self.folder.maybe_quote());
        for (name, value) in &self.environment {
            let _ = writeln!(text, "export {name}={}", quoted(value));
        }
        text.push_str(
            "# Without a control group, the task sees all processors of the node.\n\
             processors=${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}\n\
             if [ -n \"$processors\" ]; then export RAYON_NUM_THREADS=$processors OMP_NUM_THREADS=$processors; fi\n\n\
             at_limit=\n\
             trap 'at_limit=yes; kill -USR1 $task' USR1\n\
             # Slurm may have sent SIGTERM to the task, too, and a second one would end it without a checkpoint.\n\
             trap 'kill -USR1 $task' TERM\n",
        );
        let options: Vec<String> = self.options.iter().map(|option| quoted(option)).collect();
        let _ = writeln!(
            text,
            "{} train {} --cells \"${{slices[${{1:-0}} + SLURM_ARRAY_TASK_ID]}}\" {} &\n\
             task=$!\n\
             wait $task\n\
             status=$?\n\
             # A trapped signal interrupts `wait`.\n\
             while kill -0 $task 2> /dev/null; do wait $task; status=$?; done\n\
             # 130: stopped with checkpoints.\n\
             if [ -n \"$at_limit\" ] && [ $status = 130 ]; then scontrol requeue \"$SLURM_JOB_ID\"; fi\n\
             exit $status",
            self.program.maybe_quote(),
            run_dir.maybe_quote(),
            options.join(" "),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_script_is_sound_bash_and_gives_each_task_its_slice() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("a program");
        std::fs::write(&program, "#!/bin/bash\nprintf '%s|' \"$@\"; echo \"$PLACE\"; exit 7\n").unwrap();
        Command::new("chmod").arg("+x").arg(&program).status().unwrap();
        let script = Script {
            name: "dropout".to_owned(),
            program,
            folder: folder.path().to_owned(),
            options: vec!["--device".to_owned(), "flex".to_owned()],
            environment: vec![("PLACE".to_owned(), "a b".to_owned())],
        };
        let run_dir = Path::new("runs/it's");
        let text = script.text(run_dir, &Slices::of(&[0, 1, 2, 4, 9], 2));
        let path = folder.path().join("job.sh");
        std::fs::write(&path, &text).unwrap();
        let run = |task: &str, offset: &[&str]| {
            let mut command = Command::new("bash");
            command.arg(&path).args(offset).env("SLURM_ARRAY_TASK_ID", task);
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(7), "{text}");
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(run("0", &[]), "train|runs/it's|--cells|0-1|--device|flex|a b\n");
        assert_eq!(run("1", &["1"]), "train|runs/it's|--cells|9|--device|flex|a b\n");
    }
}
