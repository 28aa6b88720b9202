//! Links inside README and book lead somewhere: the file is there, and so is the heading.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{pages, root};

/// A page with what it includes.
fn page(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut whole = String::new();
    for line in text.lines() {
        let included = line
            .strip_prefix("{{#include ")
            .and_then(|rest| rest.strip_suffix("}}"));
        match included {
            Some(name) => whole += &fs::read_to_string(path.with_file_name(name)).unwrap(),
            None => whole += line,
        }
        whole.push('\n');
    }
    whole
}

/// The text outside code blocks.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors of the headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let name = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = name
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// What a text links to, or shows.
fn targets(text: &str) -> Vec<&str> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let pictures = text.split(" src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.chain(pictures).collect()
}

fn check(file: &Path, must_stay_in: &Path) {
    let whole = page(file);
    let text = prose(&whole);
    for target in targets(&text) {
        if target.starts_with("https://") || target.starts_with("http://") {
            continue;
        }
        let (path, anchor) = target
            .split_once('#')
            .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
        let there: PathBuf = if path.is_empty() {
            file.to_owned()
        } else {
            file.parent().unwrap().join(path)
        };
        assert!(there.exists(), "{}: {target} is not there", file.display());
        let resolved = there.canonicalize().unwrap();
        assert!(
            resolved.starts_with(must_stay_in),
            "{}: {target} is not in the book",
            file.display()
        );
        if let Some(anchor) = anchor {
            let headings = anchors(&prose(&page(&there)));
            assert!(
                headings.iter().any(|heading| heading == anchor),
                "{}: {target} has no such heading; there are {headings:?}",
                file.display()
            );
        }
    }
}

#[test]
fn every_link_of_the_book_leads_to_a_page_of_it() {
    let book = root().join("docs/src").canonicalize().unwrap();
    for page in pages() {
        check(&page, &book);
    }
}

#[test]
fn every_link_of_the_pages_at_the_top_leads_somewhere() {
    let root = root().canonicalize().unwrap();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        check(&root.join(name), &root);
    }
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = fs::read_to_string(root().join("docs/src/SUMMARY.md")).unwrap();
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(name == "SUMMARY.md" || summary.contains(&format!("({name})")), "{name}");
    }
}
