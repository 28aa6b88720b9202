//! The book in `docs`, inside the program, for reading where no browser is.

use std::fmt::Write;

use crate::suggest::nearest;

/// A page of the book.
struct Page {
    /// Its file without `.md`.
    name: &'static str,
    /// Its text, in Markdown.
    text: &'static str,
}

/// Lists pages of `docs/src` by their names.
macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        &[$(Page { name: $name, text: include_str!(concat!("../docs/src/", $name, ".md")) }),*]
    };
}

/// All pages, in the order of the summary.
const PAGES: &[Page] = pages![
    "index",
    "start",
    "install",
    "screen",
    "keys",
    "command-line",
    "configuration",
    "settings",
    "quantities",
    "gauges",
    "recipes",
    "report",
    "export",
    "others",
    "clusters",
    "lambda-max",
    "run-directory",
    "never-lost",
    "findings",
    "back-ends",
    "speed",
    "library",
];

impl Page {
    fn title(&self) -> &'static str {
        let heading = self.text.lines().find_map(|line| line.strip_prefix("# "));
        heading.unwrap_or(self.name)
    }

    fn without_marks(&self) -> String {
        let lines = self.text.split_inclusive('\n');
        lines.filter(|line| !line.starts_with("<!-- ")).collect()
    }
}

/// Returns the list of pages, and where the book is.
pub fn contents() -> String {
    let mut list = "`sharptui book PAGE` prints a page. In the source code the book is the folder docs/src; \
                    `mdbook serve docs --open` shows it in a browser.\n\n"
        .to_owned();
    for page in PAGES {
        let _ = writeln!(list, "  {:<15} {}", page.name, page.title());
    }
    list
}

/// Returns a page of the book, in Markdown, without the marks of its generated parts.
///
/// # Errors
///
/// Returns a message that lists the pages if there is no such page.
pub fn page(name: &str) -> Result<String, String> {
    let wanted = name.trim_end_matches(".md");
    let found = PAGES.iter().find(|page| page.name == wanted);
    found.map(Page::without_marks).ok_or_else(|| {
        let names: Vec<&str> = PAGES.iter().map(|page| page.name).collect();
        let guess = nearest(wanted, &names).map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
        format!(
            "the book has no page `{name}`{guess}\nits pages are {}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_the_summary_is_here_in_its_order() {
        let summary = include_str!("../docs/src/SUMMARY.md");
        let linked = summary.split("](").skip(1).filter_map(|rest| rest.split_once(".md)"));
        // The two pages about the code are files at the top of the repository.
        let named = linked
            .map(|(name, _)| name)
            .filter(|name| name.chars().any(char::is_lowercase));
        assert!(named.eq(PAGES.iter().map(|page| page.name)));
    }

    #[test]
    fn the_contents_name_every_page_and_a_slip_is_understood() {
        let contents = contents();
        for each in PAGES {
            assert!(contents.contains(each.title()), "{}", each.name);
            let text = page(each.name).unwrap();
            assert!(text.starts_with("# ") && !text.contains("<!--"), "{}", each.name);
        }
        assert_eq!(page("keys.md").unwrap(), page("keys").unwrap());
        let error = page("setings").unwrap_err();
        assert!(
            error.contains("did you mean `settings`?") && error.contains("never-lost"),
            "{error}"
        );
    }
}
