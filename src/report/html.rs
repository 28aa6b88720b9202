//! The page as one HTML file that needs no network: it contains its style, its figures and the script that sorts tables.

use std::fmt::Write as _;

use super::figures::Figure;
use super::page::{Block, Page, Table};

/// The style sheet. It is light or dark according to the reader's system, and light on paper. The colours of figures
/// were chosen for white; on a dark screen their lightness is inverted.
const STYLE: &str = include_str!("html/style.css");

/// The script that sorts tables. Without it, every table is in the order of the sweep.
const SCRIPT: &str = include_str!("html/sort.js");

/// What browsers may load for the page: nothing that is not inside it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Returns the whole file.
pub(super) fn html(page: &Page) -> String {
    let title = escaped(&page.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<section class=\"sheet\">\n<h1>{title}</h1>\n"
    );
    let is_end = |block: &Block| matches!(block, Block::EndOfSheet);
    let end_of_sheet = page.blocks.iter().position(is_end).unwrap_or_default();
    for (place, block) in page.blocks.iter().enumerate() {
        match block {
            Block::EndOfSheet => {
                html.push_str("</section>\n");
                html.push_str(&contents(&page.blocks[end_of_sheet..]));
            }
            // The headings of the first sheet are no places to go to.
            Block::Heading(text) if place < end_of_sheet => {
                put(&mut html, format_args!("<h2>{}</h2>\n", escaped(text)));
            }
            Block::Heading(text) => put(
                &mut html,
                format_args!("<h2 id=\"{}\">{}</h2>\n", anchor(text), escaped(text)),
            ),
            Block::Subheading(text) => put(&mut html, format_args!("<h3>{}</h3>\n", escaped(text))),
            Block::Paragraph(text) => put(&mut html, format_args!("<p>{}</p>\n", escaped(text))),
            Block::Points(points) => {
                html.push_str("<ul>\n");
                for point in points {
                    put(&mut html, format_args!("<li>{}</li>\n", escaped(point)));
                }
                html.push_str("</ul>\n");
            }
            Block::Table(table) => html.push_str(&table_html(table)),
            Block::Folded(title, table) => {
                let (title, table) = (escaped(title), table_html(table));
                put(
                    &mut html,
                    format_args!("<details>\n<summary>{title}</summary>\n{table}</details>\n"),
                );
            }
            Block::Figure(index) => html.push_str(&figure_html(*index, &page.figures[*index])),
        }
    }
    format!("{html}<script>\n{SCRIPT}</script>\n</body>\n</html>\n")
}

/// Returns links to the sections.
fn contents(blocks: &[Block]) -> String {
    let mut html = "<nav aria-label=\"Sections\">\n".to_owned();
    for block in blocks {
        if let Block::Heading(text) = block {
            put(
                &mut html,
                format_args!("<a href=\"#{}\">{}</a>\n", anchor(text), escaped(text)),
            );
        }
    }
    html + "</nav>\n"
}

/// Returns the name of a section for links.
fn anchor(heading: &str) -> String {
    let words = heading.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

/// Returns a figure, which links to its files.
fn figure_html(index: usize, figure: &Figure) -> String {
    // An id must be unique in the whole page, so the ids of each figure get a prefix.
    let svg = figure.svg.replace("id=\"", &format!("id=\"f{index}-"));
    let svg = svg.replace("url(#", &format!("url(#f{index}-"));
    let svg = svg.replacen(
        "<svg ",
        &format!("<svg role=\"img\" aria-labelledby=\"caption-{index}\" "),
        1,
    );
    let (name, caption) = (escaped(&figure.name), escaped(&figure.caption));
    format!(
        "<figure>\n<div class=\"scroll\"><a href=\"figures/{name}.svg\">{svg}</a></div>\n\
         <figcaption><span id=\"caption-{index}\">{caption}</span> <span class=\"files\"><a href=\"figures/{name}.svg\">SVG</a>, \
         <a href=\"figures/{name}.png\">PNG</a></span></figcaption>\n</figure>\n"
    )
}

fn table_html(table: &Table) -> String {
    let mut html = "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>".to_owned();
    for title in &table.header {
        // On paper, a name may be broken at an underscore.
        let title = escaped(title).replace('_', "_<wbr>");
        put(&mut html, format_args!("<th scope=\"col\">{title}</th>"));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for field in row {
            let field = escaped(field).replace('_', "_<wbr>");
            put(&mut html, format_args!("<td>{field}</td>"));
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody>\n</table></div>\n"
}

fn put(html: &mut String, text: std::fmt::Arguments) {
    // Writing to a string cannot fail.
    let _ = html.write_fmt(text);
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
