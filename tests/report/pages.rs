//! The files of a report: pages that need no other files, and figures.

use std::fs;
use std::path::Path;

use sharptui::event::CellEnding;

use crate::bench::{Bench, FINISHED, says};

fn bench() -> Bench {
    Bench::ended(
        "learning_rate: 0.1, sweep: (batch_size: [16, Full], learning_rate: [0.1, 0.2, 0.4], seed: [0, 1, 2])",
        |value| {
            let rate: f64 = value("learning_rate").parse().unwrap();
            let seed: f64 = value("seed").parse().unwrap();
            (FINISHED, 3.0 / rate + seed, 70.0 + 10.0 * rate + 0.3 * seed)
        },
    )
}

/// Returns the elements of a page that are not closed, and those that are closed without having been opened.
fn unbalanced(html: &str) -> Vec<String> {
    let empty = [
        "meta", "br", "wbr", "img", "line", "circle", "rect", "path", "polyline", "polygon",
    ];
    let mut open: Vec<String> = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|letter| letter.is_alphanumeric())
            .collect();
        let closes_itself = tag.ends_with('/') || tag.starts_with('!') || empty.contains(&name.as_str());
        if tag.starts_with('/') {
            if open.last() == Some(&name) {
                open.pop();
            } else if !empty.contains(&name.as_str()) {
                open.push(format!("/{name}"));
            }
        } else if !closes_itself {
            open.push(name);
        }
    }
    open
}

#[test]
fn the_page_has_its_figures_inside_and_needs_no_network() {
    let bench = bench();
    bench.report();
    let html = fs::read_to_string(bench.run.path().join("report.html")).unwrap();
    says(
        &html,
        &[
            "<!DOCTYPE html>",
            "<h2 id=\"findings\">Findings</h2>",
            "<a href=\"figures/curves-1.svg\"><svg",
            "</html>",
        ],
    );
    for outside in ["src=", "@import", "<link", "url(http", "fetch", "XMLHttp"] {
        assert!(!html.contains(outside), "{outside}");
    }
    // It links to sections of its own, and to the files of its figures.
    for link in html
        .split(" href=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        match link.strip_prefix('#') {
            Some(section) => assert!(html.contains(&format!("<h2 id=\"{section}\"")), "{link}"),
            None => assert!(bench.run.path().join(link).is_file(), "{link}"),
        }
    }
    assert!(html.contains("default-src 'none'"));
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    let mut names: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "every name is that of one element");
    for named in html.split("url(#").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(names.contains(&named), "{named}");
    }
}

#[test]
fn words_from_elsewhere_cannot_break_the_page() {
    let bench = Bench::new("learning_rate: 0.1, sweep: (seed: [0, 1])");
    let why = "a<b>&\"c*|\n# d";
    bench.end(0, &(CellEnding::Failed(why.to_owned()), 10.0, 70.0));
    let markdown = bench.report();
    let html = fs::read_to_string(bench.run.path().join("report.html")).unwrap();
    says(
        &html,
        &["<li>Left out, failed: a&lt;b&gt;&amp;&quot;c*|\n# d: cell 000.</li>"],
    );
    says(&markdown, &["- Left out, failed: a\\<b>&\"c\\*\\| \\# d: cell 000."]);
}

#[test]
fn every_figure_is_there_as_svg_and_as_png() {
    let bench = bench();
    let markdown = bench.report();
    let linked: Vec<&str> = markdown
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
        .collect();
    let expected = [
        "figures/levels-learning_rate.svg",
        "figures/levels-batch_size.svg",
        "figures/scatter-batch_size.svg",
        "figures/scatter-learning_rate.svg",
        "figures/correlations.svg",
        "figures/curves-0.svg",
        "figures/curves-1.svg",
        "figures/cells-0.svg",
    ];
    assert_eq!(linked, expected);
    for figure in linked {
        let path = bench.run.path().join(figure);
        let svg = fs::read_to_string(&path).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("λ_max"), "{figure}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{figure}");
        fills_its_view_box(&svg);
        let (width, colours) = decoded(&path.with_extension("png"));
        assert!(width > 1000 && colours > 50, "{figure} {width} {colours}");
    }
}

/// Fails unless a figure can be shown at any size. Without a `viewBox` of its own size it is cut off instead of scaled.
fn fills_its_view_box(svg: &str) {
    let tag = svg.split('>').next().unwrap();
    let attribute = |name: &str| {
        let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
        rest.split('"').next()
    };
    let (width, height) = (attribute("width").unwrap(), attribute("height").unwrap());
    assert_eq!(attribute("viewBox"), Some(&*format!("0 0 {width} {height}")), "{tag}");
}

#[test]
fn the_figures_of_the_findings_can_be_shown_at_any_size() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/findings");
    let mut figures = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "svg") {
            fills_its_view_box(&fs::read_to_string(path).unwrap());
            figures += 1;
        }
    }
    assert!(figures > 5);
}

#[test]
fn long_names_are_numbers_in_drawings_and_short_in_the_names_of_files() {
    let widths = "[4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]";
    let both = |rest: &str| format!("(model: Mlp(widths: {widths}), {rest})");
    let bench = Bench::ended(
        &format!(
            "learning_rate: 0.1, sweep: (together: [{}, {}], dropout: [0.0, 0.1], seed: [0, 1])",
            both(
                "learning_rate: 0.1, weight_decay: 0.0, momentum: 0.0, batch_size: 20, evaluate_every: Steps(5), loss_limit: 1e9, lambda_tolerance: 0.1, lambda_max_products: 50"
            ),
            both(
                "learning_rate: 0.2, weight_decay: 0.1, momentum: 0.5, batch_size: 40, evaluate_every: Steps(6), loss_limit: 1e8, lambda_tolerance: 0.2, lambda_max_products: 60"
            ),
        ),
        |value| (FINISHED, value("momentum").parse::<f64>().unwrap() + 3.0, 70.0),
    );
    let report = bench.report();
    let words = ["model and 8 more \\#1 is ", "figures/levels-model-and-8-more.svg"];
    says(&report, &words);
    let svg = fs::read_to_string(bench.run.path().join("figures/levels-dropout.svg")).unwrap();
    says(&svg, &[">model and 8 more #2<"]);
    fills_its_view_box(&svg);
}

/// Returns the width of a PNG and its number of colours.
fn decoded(path: &Path) -> (u32, usize) {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let bytes = info.color_type.samples();
    let colours: std::collections::BTreeSet<&[u8]> = pixels.chunks(bytes).collect();
    (info.width, colours.len())
}

#[test]
fn a_report_made_again_replaces_the_first_and_leaves_the_run_alone() {
    let bench = bench();
    let table = bench.run.path().join("summary.csv");
    fs::write(&table, "mine").unwrap();
    let first = bench.report();
    assert_eq!(first, bench.report());
    assert_eq!(fs::read_to_string(table).unwrap(), "mine");
    let mut names: Vec<String> = fs::read_dir(bench.run.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        ".lock",
        "cells",
        "claims",
        "config.ron",
        "figures",
        "report.html",
        "report.md",
        "run.json",
        "summary.csv",
    ];
    assert_eq!(names, expected);
    assert_eq!(fs::read_dir(bench.run.path().join("figures")).unwrap().count(), 16);
}
