//! The shipped configs and the collections of valid and invalid ones.

use std::fs;
use std::path::{Path, PathBuf};

use sharptui::config::{ConfigError, Experiment};

use super::configs_in;

fn assert_round_trip(path: &Path) {
    let loaded = Experiment::load(path).unwrap_or_else(|error| panic!("{error}"));
    let written = loaded.to_ron().unwrap();
    let again =
        Experiment::parse(&written, Path::new("written.ron")).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(again.cells, loaded.cells, "{}", path.display());
    assert_eq!(again, loaded, "{}", path.display());
    assert_eq!(again.to_ron().unwrap(), written, "{}", path.display());
}

/// The folders of shipped configurations, and how the names in them begin.
const SHIPPED: [(&str, &str); 3] = [
    ("configs", ""),
    ("configs/fashion_mnist", "fashion_mnist_"),
    ("configs/cifar10", "cifar10_"),
];

fn shipped() -> impl Iterator<Item = PathBuf> {
    SHIPPED.into_iter().flat_map(|(folder, _)| configs_in(folder))
}

#[test]
fn every_shipped_config_loads_and_is_written_back_with_the_same_cells() {
    for (folder, prefix) in SHIPPED {
        for path in configs_in(folder) {
            assert_round_trip(&path);
            let experiment = Experiment::load(&path).unwrap();
            assert!(experiment.cells.len() > 1, "{} sweeps nothing", path.display());
            let stem = path.file_stem().unwrap().to_string_lossy();
            assert_eq!(experiment.name, format!("{prefix}{stem}"));
            let seeds: std::collections::BTreeSet<u64> =
                experiment.cells.iter().map(|cell| cell.settings.seed).collect();
            assert!(
                seeds.len() >= 3,
                "{}: {seeds:?} are too few seeds to show the spread",
                path.display()
            );
        }
    }
}

#[test]
fn every_shipped_config_opens_by_telling_what_it_shows_and_how_long_it_takes() {
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        let opening: String = text.lines().take_while(|line| line.starts_with("//")).collect();
        assert!(opening.contains("What should be seen"), "{}", path.display());
        assert!(opening.contains("Takes "), "{}", path.display());
    }
}

#[test]
fn every_valid_config_loads_and_is_written_back_with_the_same_cells() {
    for path in configs_in("tests/configs/valid") {
        assert_round_trip(&path);
    }
}

#[test]
fn every_invalid_config_is_refused_with_the_phrase_it_names() {
    let mut wrong = Vec::new();
    for path in configs_in("tests/configs/invalid") {
        let text = fs::read_to_string(&path).unwrap();
        let phrase = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("// expect: "))
            .unwrap_or_default()
            .trim();
        assert!(
            phrase.len() > 10,
            "{} does not open with `// expect: ` and a phrase",
            path.display()
        );
        match Experiment::load(&path) {
            Ok(_) => wrong.push(format!("{} was accepted", path.display())),
            Err(error) if !error.to_string().contains(phrase) => wrong.push(format!("not “{phrase}” but:\n  {error}")),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_message_opens_with_the_file_is_one_line_and_names_no_type_of_the_program() {
    for path in configs_in("tests/configs/invalid") {
        let message = Experiment::load(&path).unwrap_err().to_string();
        assert!(message.starts_with(&format!("{}:", path.display())), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        for internal in ["Document", "Overrides", "Extent", "Axis", "struct", "RON", "usize"] {
            assert!(!message.contains(internal), "{message}");
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_cause() {
    let error = Experiment::load(Path::new("nowhere/none.ron")).unwrap_err();
    assert!(matches!(error, ConfigError::Unreadable { .. }));
    assert!(
        error.to_string().starts_with("nowhere/none.ron: cannot be read: "),
        "{error}"
    );
    assert!(error.to_string().len() > "nowhere/none.ron: cannot be read: ".len());
}

#[test]
fn a_directory_an_empty_file_and_a_huge_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Experiment::load(folder.path()),
        Err(ConfigError::Unreadable { .. })
    ));

    let path = folder.path().join("a.ron");
    fs::write(&path, "").unwrap();
    let message = Experiment::load(&path).unwrap_err().to_string();
    assert!(
        message.contains("a.ron:1:1: expected a config in parentheses"),
        "{message}"
    );
    assert!(message.ends_with("found the end of the file"), "{message}");

    fs::write(&path, " ".repeat(2 << 20)).unwrap();
    assert!(matches!(Experiment::load(&path), Err(ConfigError::TooLarge { .. })));
}

#[test]
fn a_file_that_is_not_utf8_is_refused_at_the_first_byte_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin.ron");
    fs::write(&path, b"// \xc3\xa4\n// \xc3\xa4\xe4\n()").unwrap();
    let error = Experiment::load(&path).unwrap_err();
    assert!(
        matches!(error, ConfigError::NotUtf8 { line: 2, column: 5, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("latin.ron:2:5: "), "{error}");
}

#[test]
fn what_is_no_text_is_shown_without_its_control_characters() {
    let message = Experiment::parse("( seed: \u{1b}[31m )", Path::new("a.ron"))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("a.ron:1:9: seed: expected a whole number"),
        "{message}"
    );
    assert!(!message.chars().any(char::is_control), "{message:?}");
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_change_nothing() {
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        let plain = Experiment::parse(&text, &path).unwrap();
        assert_eq!(Experiment::parse(&format!("\u{feff}{text}"), &path).unwrap(), plain);
        assert_eq!(Experiment::parse(&text.replace('\n', "\r\n"), &path).unwrap(), plain);
    }
}

/// People edit configs, so any character may be missing, and a truncated file may end anywhere.
#[test]
fn no_cut_and_no_wrong_letter_makes_the_reader_panic() {
    let path = configs_in("tests/configs/valid")
        .into_iter()
        .find(|path| path.ends_with("everything.ron"))
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let mut refused = 0;
    for (at, letter) in text.char_indices() {
        let rest = &text[at + letter.len_utf8()..];
        let mut spoilt = vec![text[..at].to_owned(), format!("{}{rest}", &text[..at])];
        spoilt.extend(["é", "\"", "(", "]", "\n", "-", "/*", "λ_max"].map(|put| format!("{}{put}{rest}", &text[..at])));
        for text in spoilt {
            if let Err(error) = Experiment::parse(&text, &path) {
                refused += 1;
                assert!(
                    error.to_string().starts_with(&format!("{}:", path.display())),
                    "{error}"
                );
            }
        }
    }
    assert!(refused > 1000, "only {refused} of the spoilt configs were refused");
}

#[test]
fn a_list_of_a_million_values_is_refused_for_its_length_and_ten_million_cells_for_their_number() {
    let refusal = |sweep: &str| {
        super::with(&format!("epochs: 1, sweep: ( {sweep} )"))
            .unwrap_err()
            .to_string()
    };
    let message = refusal(&format!("seed: [{}]", "0,".repeat(1_000_000)));
    assert!(
        message.starts_with("test.ron:1:") && message.contains("sweep.seed: lists more than 20000 values"),
        "{message}"
    );
    let message = refusal(&format!("together: [{}]", "(),".repeat(1_000_000)));
    assert!(
        message.contains("sweep.together: lists more than 20000 values"),
        "{message}"
    );

    let fifteen_thousand = "0,".repeat(15_000);
    let message = refusal(&format!("seed: [{fifteen_thousand}], steps: [{fifteen_thousand}]"));
    assert!(message.contains("lists more than 20000 values"), "{message}");

    let ten = |name: &str, from: u32| {
        let values: Vec<String> = (from..from + 10).map(|value| value.to_string()).collect();
        format!("{name}: [{}]", values.join(", "))
    };
    let axes = [
        ten("seed", 0),
        ten("audit_every", 0),
        ten("lambda_max_products", 2),
        ten("chunk_size", 1),
        ten("steps", 1),
        ten("loss_limit", 1),
        ten("rho", 0),
    ];
    let message = refusal(&axes.join(", "));
    assert_eq!(
        message,
        "test.ron: sweep: makes 10 × 10 × 10 × 10 × 10 × 10 × 10 = 10000000 cells, and at most 10000 are allowed"
    );
}

#[test]
fn a_name_that_is_no_plain_file_name_is_refused_with_the_form_that_is_allowed() {
    let long = "x".repeat(300);
    for name in [
        "",
        ".",
        "..",
        ".hidden",
        "../x",
        "a/b",
        "/tmp/x",
        "a\\\\b",
        "a b",
        "größe",
        "a\\nb",
        "a\\u{1b}[31mb",
        "a\\0b",
        &long,
    ] {
        let error = super::with(&format!("epochs: 1, name: \"{name}\"")).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("test.ron: name: "), "{message}");
        assert!(
            message.contains(
                "it must be 1 to 64 of the letters a-z and A-Z, digits, `-`, `_` and `.`, not beginning with `.`"
            ),
            "{message}"
        );
        assert!(
            message.len() < 400 && !message.contains(char::is_control),
            "{message:?}"
        );
    }
}

#[test]
fn a_word_as_long_as_the_file_is_quoted_by_its_beginning() {
    let long = "z".repeat(1_000_000);
    for text in [
        format!("( {long}: 1 )"),
        format!("( model: {long} )"),
        format!("( seed: {long} )"),
        format!("( name: \"{long}\", model: Mlp(widths: []), learning_rate: 1, epochs: 1 )"),
        format!("( sweep: ( {long}: [1] ) )"),
        format!("( batch_size: {long} )"),
        format!("( data: \"{long}\" )"),
    ] {
        let message = Experiment::parse(&text, Path::new("a.ron")).unwrap_err().to_string();
        assert!(
            message.starts_with("a.ron:") && message.len() < 2_500,
            "{} bytes",
            message.len()
        );
        assert!(message.contains("zzzz"), "{message}");
    }
}
