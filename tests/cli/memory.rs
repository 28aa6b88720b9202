//! Tests cells that do not fit into the memory that limits and control groups leave.

use super::*;

/// The second cell's vectors take gigabytes.
const BIG: &str = "(
    train_examples: 100, test_examples: 100, learning_rate: 0.01, batch_size: 50, steps: 2,
    probes: [(from: Training, examples: 50)],
    sweep: (model: [Mlp(widths: [8]), Mlp(widths: [4000, 4000]), Mlp(widths: [16])]),
)";

/// Its parameters take 10 MB; its activations take gigabytes.
#[cfg(not(feature = "tch"))]
const ACTIVATIONS: &str = "(
    train_examples: 2000, test_examples: 100, model: Vgg11(width: 32), batch_norm: true, learning_rate: 0.01,
    batch_size: Full, steps: 1, lambda_every: Ends, probes: [(from: Training, examples: 2000)],
)";

/// Runs the program in a shell that first runs the command `first`.
fn run_after(place: &Place, first: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let mut shell = Command::new("sh");
    let script = format!("{first} && exec \"$@\"");
    shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_sharptui")]);
    shell.args(arguments);
    let output = shell
        .current_dir(place.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (text(&output.stderr), output.status.code())
}

/// Checks that the second of three cells fails with these words, and that the others run, in a shell that first runs
/// the command `first`.
fn assert_others_run(place: &Place, first: &str, words: &str) {
    // A resume must not crash either.
    for arguments in [&["small.ron"][..], &["resume", "runs/small"]] {
        let (error, status) = run_after(place, first, arguments);
        assert_eq!(status, Some(1), "{error}");
        let expected = [
            "1 of 3 cells failed; the first was cell 1: ",
            "vectors of 19184010 parameters",
            words,
        ];
        assert!(expected.iter().all(|expected| error.contains(expected)), "{error}");
        let table = fs::read_to_string(place.path("runs/small/summary.csv")).unwrap();
        assert_eq!(table.matches(",finished,").count(), 2, "{table}");
    }
}

// LibTorch's libraries take more address space than these limits leave, before our code runs.
#[cfg(all(target_os = "linux", not(feature = "tch")))]
#[test]
fn a_cell_beyond_the_limit_of_address_space_or_data_fails_and_the_others_run() {
    for (limit, words) in [("-v", "(`ulimit -v`) leaves "), ("-d", "(`ulimit -d`) leaves ")] {
        let place = Place::with(BIG);
        assert_others_run(&place, &format!("ulimit {limit} 1000000"), words);
    }
}

// LibTorch's libraries take more address space than these limits leave, before our code runs.
#[cfg(all(target_os = "linux", not(feature = "tch")))]
#[test]
fn a_data_set_beyond_the_limit_is_refused_with_numbers_before_anything_is_made() {
    use std::io::Write;

    let place = Place::with("(data: Mnist, model: Mlp(widths: [8]), learning_rate: 0.01, batch_size: 50, steps: 2)");
    let folder = place.path("mnist");
    fs::create_dir(&folder).unwrap();
    for (half, examples) in [("train", 60_000_u32), ("t10k", 10_000)] {
        let side = 28_u32.to_be_bytes();
        let count = examples.to_be_bytes();
        for (kind, head, size) in [
            (
                "images-idx3",
                [&[0, 0, 8, 3], &count[..], &side, &side].concat(),
                examples as usize * 784,
            ),
            ("labels-idx1", [&[0, 0, 8, 1], &count[..]].concat(), examples as usize),
        ] {
            let file = fs::File::create(folder.join(format!("{half}-{kind}-ubyte.gz"))).unwrap();
            let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            packed.write_all(&head).unwrap();
            packed.write_all(&vec![1; size]).unwrap();
            packed.finish().unwrap();
        }
    }
    let (error, status) = run_after(&place, "ulimit -v 300000", &["small.ron", "--data", "."]);
    assert_eq!(status, Some(1), "{error}");
    let expected =
        "70000 examples of Mnist need at least 418 MiB to be read, but the limit of address space (`ulimit -v`) leaves";
    assert!(error.contains(expected), "{error}");
    assert!(!place.path("runs").exists());
}

// LibTorch's libraries take more address space than these limits leave, before our code runs.
#[cfg(all(target_os = "linux", not(feature = "tch")))]
#[test]
fn a_measurement_again_beyond_the_limit_is_refused_with_numbers() {
    let place = Place::with(
        "(train_examples: 100, test_examples: 100, learning_rate: 0.01, batch_size: 50, steps: 1, lambda_max_products: 3,
        model: Mlp(widths: [1000, 1000]), probes: [(from: Training, examples: 50)])",
    );
    let (error, status) = run_after(&place, "true", &["small.ron"]);
    assert_eq!(status, Some(0), "{error}");
    let (error, status) = run_after(&place, "ulimit -v 400000", &["lambda", "runs/small/cells/000"]);
    assert_eq!(status, Some(1), "{error}");
    assert!(
        error.contains("a measurement of λ_max on probe 1 needs at least"),
        "{error}"
    );
}

// LibTorch's libraries take more address space than these limits leave, before our code runs.
#[cfg(all(target_os = "linux", not(feature = "tch")))]
#[test]
fn activations_count() {
    let place = Place::with(ACTIVATIONS);
    let (error, status) = run_after(&place, "ulimit -v 2000000", &["small.ron"]);
    assert_eq!(status, Some(1), "{error}");
    let expected = "and the activations of 2000 examples), but the limit of address space";
    assert!(error.contains(expected), "{error}");
    assert!(error.contains("make the model or `group` smaller"), "{error}");
}

/// A control group below that of this process, removed when this is dropped.
#[cfg(target_os = "linux")]
struct Cgroup(PathBuf);

#[cfg(target_os = "linux")]
impl Cgroup {
    /// Makes a group, of version 1 or 2, that leaves `bytes` bytes, if this process may make one.
    fn make(bytes: u64) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = |start: &str| {
            own.lines()
                .find_map(|line| line.split_once(start))
                .map(|(_, path)| path.to_owned())
        };
        let places = [
            path(":memory:").map(|path| (format!("/sys/fs/cgroup/memory{path}"), "memory.limit_in_bytes")),
            path("0::").map(|path| (format!("/sys/fs/cgroup{path}"), "memory.max")),
        ];
        places.into_iter().flatten().find_map(|(place, limit)| {
            let group = Self(PathBuf::from(format!("{place}/sharptui-test-{}", std::process::id())));
            fs::create_dir(&group.0).ok()?;
            // If the controller is not delegated, this file does not exist.
            let is_limited = group.0.join(limit).exists() && fs::write(group.0.join(limit), bytes.to_string()).is_ok();
            is_limited.then_some(group)
        })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_cell_beyond_the_control_group_fails_and_the_others_run() {
    let Some(group) = Cgroup::make(1200 << 20) else {
        eprintln!("skipped: cannot make a control group here");
        return;
    };
    let place = Place::with(BIG);
    let name = group.0.file_name().unwrap().to_str().unwrap();
    let enter = format!("echo $$ > {}/cgroup.procs", group.0.display());
    assert_others_run(&place, &enter, &format!("{name} leaves "));
}

/// Runs a sweep to its end and returns its peak memory, in bytes.
#[cfg(all(target_os = "linux", not(feature = "tch")))]
fn peak(config: &str) -> u64 {
    let place = Place::with(config);
    let mut command = place.command(&["small.ron"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = kibibytes.unwrap_or(0).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    peak * 1024
}

// The estimate is calibrated on flex. LibTorch takes more memory (ratios of 0.60 to 0.66 were seen), so there the
// estimate lets cells begin that may not fit.
#[cfg(all(target_os = "linux", not(feature = "tch")))]
#[test]
fn what_a_cell_is_said_to_need_is_most_of_what_it_takes_and_hardly_more() {
    const REST: &str = "learning_rate: 0.01, train_examples: 300, test_examples: 50, steps: 1, lambda_max_products: 6,";
    let tiny = peak(&format!("({REST} model: Mlp(widths: [4]), probes: [(examples: 10)])"));
    for network in [
        "model: Cnn(channels: (8, 16)), batch_norm: true, batch_size: 50, probes: [(from: Training, examples: 300)]",
        "model: Cnn(channels: (8, 16)), activation: Tanh, batch_size: Full, probes: [(examples: 10)]",
        "model: Cnn(channels: (8, 16)), dropout: 0.1, batch_size: 50, probes: [(from: Training, examples: 250)]",
    ] {
        let config = format!("({REST} {network})");
        let experiment = sharptui::config::Experiment::parse(&config, Path::new("small.ron")).unwrap();
        let settings = &experiment.cells[0].settings;
        let network = sharptui::setup::network(settings, [1, 28, 28], 10);
        let needs = sharptui::train::needs(settings, &network, 4);
        let share = needs.bytes as f64 / (peak(&config) - tiny) as f64;
        println!("{share:.2} of the measured memory: {needs:?}");
        assert!(
            (0.6..1.15).contains(&share),
            "{share:.2} of the measured memory: {needs:?}"
        );
    }
}
