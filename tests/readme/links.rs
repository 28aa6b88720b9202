//! Tests that links inside README and book lead to files and headings that exist.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{page, pages, root};

/// Returns the text outside code blocks.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        in_code ^= fence;
        !fence && !in_code
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the anchors of the headings, formed as GitHub and mdBook do.
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

/// Returns the targets of the links and pictures in a text.
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
