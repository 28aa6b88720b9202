//! A Slurm cluster of one node, with its own configuration, key and folders, for the time of a test.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The longest time to wait for anything.
const PATIENCE: Duration = Duration::from_mins(4);

/// A running cluster. Its daemons end when this is dropped.
pub struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts a cluster, or says why it cannot be had: it is wanted only where `CI` or `SHARPTUI_SLURM` is set.
    pub fn start() -> Option<Self> {
        let skipped = |why: &str| {
            eprintln!("skipped: {why}");
            None
        };
        if ["CI", "SHARPTUI_SLURM"]
            .iter()
            .all(|name| std::env::var_os(name).is_none())
        {
            return skipped("a cluster is started only where CI or SHARPTUI_SLURM is set");
        }
        if cfg!(feature = "tch") {
            return skipped("the build without LibTorch has this test");
        }
        if !rustix::process::geteuid().is_root() {
            return skipped("only root can start Slurm's daemons");
        }
        for program in ["munged", "slurmctld", "slurmd", "sbatch"] {
            if !Path::new("/usr/sbin").join(program).exists() && !Path::new("/usr/bin").join(program).exists() {
                return skipped(&format!("{program} is not installed (slurm-wlm, munge)"));
            }
        }
        let folder = tempfile::tempdir().unwrap();
        // munged wants to be sure that nobody else can change its files.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let mut cluster = Self {
            folder,
            daemons: Vec::new(),
        };
        cluster.write_files();
        cluster.launch_daemons();
        let since = Instant::now();
        while !cluster.says("sinfo", &["-h", "-o", "%T"]).contains("idle") {
            if since.elapsed() > Duration::from_mins(1) {
                return skipped(&format!("Slurm's daemons do not start here: {}", cluster.log()));
            }
            thread::sleep(Duration::from_millis(200));
        }
        if !cluster.runs_a_job() {
            return skipped(&format!("Slurm does not run jobs here: {}", cluster.log()));
        }
        Some(cluster)
    }

    /// Runs a job that does nothing, for at most a minute. In some containers the daemons start, and jobs do not.
    fn runs_a_job(&self) -> bool {
        let mut trial = self.command("timeout");
        trial.args(["60", "sbatch", "--wait", "-o", "/dev/null", "--wrap", "true"]);
        trial.output().is_ok_and(|output| output.status.success())
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write_files(&self) {
        let path = self.path();
        for name in ["state", "spool", "munge"] {
            fs::create_dir(path.join(name)).unwrap();
            fs::set_permissions(path.join(name), Permissions::from_mode(0o755)).unwrap();
        }
        let mut key = [0; 1024];
        File::open("/dev/urandom").unwrap().read_exact(&mut key).unwrap();
        let key_file = path.join("munge/key");
        File::create(&key_file).unwrap().write_all(&key).unwrap();
        fs::set_permissions(&key_file, Permissions::from_mode(0o400)).unwrap();
        let host = short_host_name();
        let [controller, node] = free_ports();
        let place = path.display();
        let text = format!(
            "ClusterName=trial\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\nSlurmdPort={node}\n\
             SlurmUser=root\nSlurmdUser=root\nAuthType=auth/munge\nAuthInfo=socket={place}/munge/socket\n\
             StateSaveLocation={place}/state\nSlurmdSpoolDir={place}/spool\n\
             SlurmctldPidFile={place}/slurmctld.pid\nSlurmdPidFile={place}/slurmd.pid\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nJobRequeue=1\nKillWait=30\n\
             PreemptMode=REQUEUE\nPreemptType=preempt/partition_prio\nReturnToService=2\n\
             MaxArraySize=3\nSchedulerParameters=bf_interval=1,sched_interval=1\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN\n\
             PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP PriorityTier=1\n\
             PartitionName=high Nodes={host} MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=off\n"
        );
        fs::write(path.join("slurm.conf"), text).unwrap();
    }

    fn launch_daemons(&mut self) {
        let munge = self.path().join("munge");
        let option = |name: &str| format!("--{name}={}", munge.join(name.trim_end_matches("-file")).display());
        let options = ["key-file", "socket", "pid-file", "log-file", "seed-file"].map(option);
        let mut munged = self.command("munged");
        munged.args(["--foreground", "--force"]).args(options);
        self.launch(munged, "munged");
        thread::sleep(Duration::from_millis(500));
        for name in ["slurmctld", "slurmd"] {
            let mut daemon = self.command(name);
            daemon.arg("-D");
            self.launch(daemon, name);
        }
    }

    fn launch(&mut self, mut command: Command, name: &str) {
        let log = File::create(self.path().join(format!("{name}.log"))).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.daemons.extend(command.spawn());
    }

    /// Returns the last lines of the daemons' logs.
    fn log(&self) -> String {
        let names = ["munged.log", "slurmctld.log", "slurmd.log"];
        let texts = names.map(|name| fs::read_to_string(self.path().join(name)).unwrap_or_default());
        texts.concat().lines().rev().take(12).collect::<Vec<_>>().join(" | ")
    }

    /// Returns a command that speaks to this cluster.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("SLURM_CONF", self.path().join("slurm.conf"))
            .env("LC_ALL", "C.UTF-8");
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("/usr/sbin:{path}"));
        command
    }

    /// Returns what a program of Slurm prints.
    pub fn says(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Returns the states of a job's tasks that Slurm still has in its queue.
    pub fn states(&self, job: u64) -> Vec<String> {
        let job = job.to_string();
        let states = self.says("squeue", &["-h", "-r", "-j", &job, "-o", "%T"]);
        states.lines().map(str::to_owned).collect()
    }

    /// Lets requeued tasks start now and not after two minutes.
    pub fn hurry(&self, job: u64) {
        let job = job.to_string();
        for task in self
            .says("squeue", &["-h", "-r", "-t", "PENDING", "-j", &job, "-o", "%i"])
            .lines()
        {
            self.says("scontrol", &["update", &format!("JobId={task}"), "StartTime=now"]);
        }
    }

    /// Waits until something is so.
    pub fn wait_for(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let since = Instant::now();
        while !is_so() {
            assert!(since.elapsed() < PATIENCE, "no {what}: {}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.says("scancel", &["-u", "root"]);
        self.says("scontrol", &["shutdown"]);
        for daemon in self.daemons.iter_mut().rev() {
            thread::sleep(Duration::from_millis(300));
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// Returns the name of this machine without its domain.
fn short_host_name() -> String {
    let output = Command::new("hostname").arg("-s").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Returns two ports that are free now.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
