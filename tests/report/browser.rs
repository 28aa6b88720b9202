//! The report in a browser at three widths, light and dark, and printed.
//!
//! `SHARPTUI_PICTURES=FOLDER` keeps the reports of these tests, with pictures of them, for looking at.

use std::fs;
use std::path::Path;

use sharptui::event::{CellEnding, LambdaPoint, Point};

use crate::bench::{Bench, FINISHED, says};
use crate::chromium;

/// Widths of windows: a telephone, half a screen, a screen.
const WIDTHS: [u32; 3] = [400, 800, 1440];

/// Returns points that look like training at the edge of stability: λ_max rises to the threshold and stays there.
fn points(rate: f64, batch: f64, seed: f64, until: u64) -> Vec<Point> {
    let steps = (0..=until).step_by(40);
    steps
        .map(|step| {
            let x = step as f64 / 1000.0;
            let noise = (step as f64 * 0.61 + seed * 2.1 + rate * 31.0).sin();
            let level = 2.0 / rate * (0.5 + 0.5 * batch);
            let rise = 6.0 + (3.0 + 0.8 * seed) * x * 24.0;
            let lambda_max = (rise * level / (rise + level)).min(level) * (1.0 + 0.06 * noise);
            let lambda = LambdaPoint {
                lambda_max,
                lambda_converged: true,
                lambda_on: "100 training examples, cross-entropy".to_owned(),
                ..LambdaPoint::default()
            };
            let mut point = Point {
                step,
                epoch: step as f64 / 40.0,
                seconds: step as f64 / 50.0,
                lambda: Some(lambda),
                ..Point::default()
            };
            let loss = 2.3 * (-x * (2.0 + 6.0 * rate)).exp() * (1.0 + 0.1 * noise) + 0.01;
            let accuracy = 0.92 - 0.8 * (-x * 6.0).exp() - 0.01 * batch + 0.1 * rate + 0.004 * noise;
            for (key, value) in [
                ("threshold", 2.0 / rate),
                ("train_loss", loss),
                ("test_loss", 0.3 + loss),
                ("train_accuracy", (accuracy + 0.05).min(1.0)),
                ("test_accuracy", accuracy),
                ("gradient_norm", 3.0 * loss * (1.2 + noise)),
            ] {
                point.values.set(key, value);
            }
            point
        })
        .collect()
}

/// Writes every cell of a sweep; cell 1 diverges, and the last is unfinished.
fn trained(settings: &str) -> Bench {
    let bench = Bench::new(settings);
    let cells = bench.experiment.cells.len();
    for cell in 0..cells {
        let settings = &bench.experiment.cells[cell].settings;
        let entries = settings.entries();
        let number = |name: &str| {
            let entry = entries.iter().find(|(own, _)| *own == name);
            entry.and_then(|(_, value)| value.parse::<f64>().ok())
        };
        let batch = number("batch_size").map_or(1.0, |size| 1.0 - 3.0 / size);
        let seed = settings.seed as f64 + 3.0 * number("dropout").unwrap_or(0.0);
        let (until, ending) = match cell {
            1 => (300, Some(CellEnding::Diverged)),
            last if last + 1 == cells => (600, None),
            _ => (1000, Some(FINISHED)),
        };
        let points = points(settings.learning_rate, batch, seed, until);
        bench.write(cell, &points, ending.as_ref());
    }
    bench
}

fn bench() -> Bench {
    trained(
        "learning_rate: 0.1, sweep: (batch_size: [64, 8, Full], learning_rate: [0.05, 0.1, 0.2, 0.4], seed: [0, 1])",
    )
}

/// Writes a page that shows a report in frames, and returns what it found: what is wrong, and facts.
fn looked_at(name: &str, folder: &Path, html: &str) -> (Vec<String>, Vec<String>) {
    let text = html.replace('\\', "\\\\").replace('`', "\\`").replace("${", "\\${");
    // A script ends at the first closing tag, even within a text.
    let text = text.replace("</script", "<\\/script");
    let page = folder.join("looked-at.html");
    let script = include_str!("browser.js");
    let shown = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><body><script>const PAGE = `{text}`;\n{script}</script>"
    );
    fs::write(&page, shown).unwrap();
    let dom = chromium::run(name, folder, &["--dump-dom"], &page);
    let result = dom
        .split("<pre id=\"result\">")
        .nth(1)
        .unwrap_or_else(|| panic!("no result: {dom}"));
    let result = result.split("</pre>").next().unwrap();
    let result = result.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let (wrong, facts): (Vec<&str>, Vec<&str>) = result.lines().partition(|line| line.starts_with("wrong: "));
    let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
    (owned(wrong), owned(facts))
}

/// Returns the number of pages of a PDF.
fn sheets(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.match_indices("/Type /Page")
        .filter(|(at, found)| !text[at + found.len()..].starts_with('s'))
        .count()
}

/// A file that is not quite SVG is text for a browser, although the same text in a page is a figure.
#[test]
fn a_browser_draws_every_file_of_a_figure() {
    let Some(name) = chromium::name() else { return };
    let bench = bench();
    bench.report();
    let findings = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/findings");
    let mut figures = Vec::new();
    for folder in [bench.run.path().join("figures"), findings] {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        figures.extend(files.filter(|path| path.extension().is_some_and(|ending| ending == "svg")));
    }
    let images = figures
        .iter()
        .map(|path| format!("<img src=\"file://{}\">", path.display()));
    let script = "onload = () => document.body.innerHTML = [...document.images]
        .map(image => `<i>${image.naturalWidth > 0} ${image.src}</i>`).join('')";
    let page = bench.run.path().join("figures.html");
    fs::write(
        &page,
        format!("{}<script>{script}</script>", images.collect::<String>()),
    )
    .unwrap();
    let dom = chromium::run(name, bench.run.path(), &["--dump-dom"], &page);
    let drawn = dom.matches("<i>true").count();
    assert!(drawn > 8 && drawn == figures.len(), "{dom}");
}

#[test]
fn in_a_browser_nothing_overflows_tables_sort_and_the_first_sheet_is_one() {
    let Some(name) = chromium::name() else { return };
    let bench = bench();
    bench.report();
    let folder = tempfile::tempdir().unwrap();
    let html = fs::read_to_string(bench.run.path().join("report.html")).unwrap();
    let (wrong, facts) = looked_at(name, folder.path(), &html);
    assert_eq!(wrong, Vec::<String>::new());
    let order = |sizes: [&str; 3], from: fn(usize) -> usize| {
        let rows: Vec<String> = (0..24)
            .map(|row| format!("{}/{:03}", sizes[row / 8], 8 * from(row / 8) + row % 8))
            .collect();
        rows.join(" ")
    };
    let up = order(["8", "64", "Full"], |part| [1, 0, 2][part]);
    let down = order(["Full", "64", "8"], |part| [2, 0, 1][part]);
    let first = order(["64", "8", "Full"], |part| part);
    let expected = [
        format!("up: ascending {up}"),
        format!("down: descending {down}"),
        format!("first: ascending null {first}"),
        "keys: [[0,-17.9],[0,2e-7],[0,0.0001],[0,97.3],[2,0],[0,null],[1,\"conv1\"],[0,1.2]]".to_owned(),
    ];
    assert_eq!(facts, expected);
    keep(name, &bench, "24");
    // The first sheet alone is one page of paper, and the report goes on behind it.
    let alone = folder.path().join("sheet.html");
    let (sheet, _) = html.split_once("</section>").unwrap();
    fs::write(&alone, format!("{sheet}</section></body></html>")).unwrap();
    assert_eq!(printed(name, folder.path(), &alone), 1);
}

#[test]
fn many_lines_have_a_ramp_of_colours_and_small_panels_in_place_of_bands() {
    let rates: Vec<String> = (0..12).map(|n| format!("{:.4}", 0.02 * 1.2_f64.powi(n))).collect();
    let rates = rates.join(", ");
    let bench = trained(&format!(
        "learning_rate: 0.1, sweep: (learning_rate: [{rates}], seed: [0, 1])"
    ));
    let report = bench.report();
    says(
        &report,
        &[
            "There are too many lines for bands.",
            "one panel per combination, one line per seed",
        ],
    );
    let figure = |name: &str| fs::read_to_string(bench.run.path().join("figures").join(name)).unwrap();
    let (curves, cells) = (figure("curves-0.svg"), figure("cells-0.svg"));
    assert_eq!(curves.matches(">learning rate ").count(), 9, "the legend");
    assert_eq!(curves.matches("fill-opacity").count(), 0);
    says(
        &curves,
        &[
            ">learning rate 0.02<",
            ">learning rate 0.1486<",
            "stroke=\"#440154\"",
            "stroke=\"#6dcd59\"",
        ],
    );
    assert_eq!(cells.matches(">learning rate ").count(), 12, "the titles");
    // Twelve thresholds and 24 curves, of which one ends early and one is unfinished.
    assert!(cells.matches("stroke=\"#440154\"").count() > 2);
    if std::env::var_os("SHARPTUI_PICTURES").is_some()
        && let Some(name) = chromium::name()
    {
        keep(name, &bench, "24-of-12");
        let sweep =
            "batch_size: [8, 16, 32, 64], dropout: [0.0, 0.1], learning_rate: [0.05, 0.1, 0.2, 0.4], seed: [0, 1]";
        let bench = trained(&format!("learning_rate: 0.1, sweep: ({sweep})"));
        bench.report();
        keep(name, &bench, "64");
    }
}

fn printed(name: &str, folder: &Path, page: &Path) -> usize {
    let pdf = folder.join("printed.pdf");
    let to = format!("--print-to-pdf={}", pdf.display());
    chromium::run(name, folder, &[&to, "--no-pdf-header-footer"], page);
    let pdf = fs::read(pdf).unwrap();
    assert!(pdf.starts_with(b"%PDF"));
    sheets(&pdf)
}

/// Keeps a report with its pictures where somebody wants to look at it.
fn keep(name: &str, bench: &Bench, what: &str) {
    let Some(folder) = std::env::var_os("SHARPTUI_PICTURES") else {
        return;
    };
    let folder = Path::new(&folder).join(what);
    fs::create_dir_all(folder.join("figures")).unwrap();
    for file in ["report.html", "report.md"] {
        fs::copy(bench.run.path().join(file), folder.join(file)).unwrap();
    }
    for figure in fs::read_dir(bench.run.path().join("figures")).unwrap() {
        let figure = figure.unwrap();
        fs::copy(figure.path(), folder.join("figures").join(figure.file_name())).unwrap();
    }
    let page = folder.canonicalize().unwrap().join("report.html");
    for (scheme, preferred) in [("light", 1), ("dark", 0)] {
        for width in WIDTHS {
            let picture = format!(
                "--screenshot={}",
                folder.join(format!("{scheme}-{width}.png")).display()
            );
            let size = format!("--window-size={width},6000");
            let setting = format!("--blink-settings=preferredColorScheme={preferred}");
            chromium::run(name, &folder, &[&picture, &size, &setting], &page);
        }
    }
    let pdf = format!("--print-to-pdf={}", folder.join("report.pdf").display());
    chromium::run(name, &folder, &[&pdf, "--no-pdf-header-footer"], &page);
}
