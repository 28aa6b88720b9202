//! The page as Markdown; its figures are separate files.

use super::page::{Block, Page, Table};

/// Returns the whole file. It links to the figures in `figures/`.
pub(super) fn markdown(page: &Page) -> String {
    let mut parts = vec![format!("# {}", escaped(&page.title))];
    for block in &page.blocks {
        parts.push(match block {
            Block::EndOfSheet => "---".to_owned(),
            Block::Heading(text) => format!("## {}", escaped(text)),
            Block::Subheading(text) => format!("### {}", escaped(text)),
            Block::Paragraph(text) => escaped(text),
            Block::Points(points) => {
                let points: Vec<String> = points.iter().map(|point| format!("- {}", escaped(point))).collect();
                points.join("\n")
            }
            Block::Table(table) => table_markdown(table),
            Block::Folded(title, table) => format!("{}.\n\n{}", escaped(title), table_markdown(table)),
            Block::Figure(index) => {
                let figure = &page.figures[*index];
                let caption = escaped(&figure.caption);
                format!("![{caption}](figures/{}.svg)\n\n{caption}", figure.name)
            }
        });
    }
    parts.join("\n\n") + "\n"
}

fn table_markdown(table: &Table) -> String {
    let line = |fields: &[String]| {
        let fields: Vec<String> = fields.iter().map(|field| escaped(field)).collect();
        format!("| {} |", fields.join(" | "))
    };
    let rule = format!("|{}", " --- |".repeat(table.header.len()));
    let mut lines = vec![line(&table.header), rule];
    lines.extend(table.rows.iter().map(|row| line(row)));
    lines.join("\n")
}

/// Escapes the characters that have a meaning in Markdown. Brackets and underscores inside words need no escape.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' => safe.push(' '),
            '\\' | '`' | '*' | '|' | '<' | '#' | '~' => safe.extend(['\\', letter]),
            _ => safe.push(letter),
        }
    }
    safe
}
