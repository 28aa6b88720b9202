//! The page as one HTML file that needs no network: it contains its style and its figures.

use std::fmt::Write as _;

use super::page::{Block, Page, Table};

/// The style sheet. It is light or dark according to the reader's system. Figures always have a white background,
/// because their colours were chosen for white.
const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, p, li, figcaption { overflow-wrap: anywhere; } h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #8888; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.25rem 0.75rem; border-bottom: 1px solid #8884; white-space: nowrap; }
figure { margin: 1.5rem 0; padding: 0.75rem; background: #fff; color: #222; border-radius: 0.5rem; border: 1px solid #8884; }
figure svg { display: block; margin: auto; max-width: 100%; height: auto; }
figcaption { font-size: 0.875rem; margin-top: 0.5rem; }
li { margin: 0.5rem 0; }
details { margin: 1rem 0; } summary { cursor: pointer; }
";

/// Returns the whole file.
pub(super) fn html(page: &Page) -> String {
    let title = escaped(&page.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    for block in &page.blocks {
        match block {
            Block::Heading(text) => put(&mut html, format_args!("<h2>{}</h2>\n", escaped(text))),
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
            Block::Figure(index) => {
                let figure = &page.figures[*index];
                // An id must be unique in the whole page, so the ids of each figure get a prefix.
                let svg = figure.svg.replace("id=\"", &format!("id=\"f{index}-"));
                let svg = svg.replace("url(#", &format!("url(#f{index}-"));
                let caption = escaped(&figure.caption);
                put(
                    &mut html,
                    format_args!("<figure>\n{svg}\n<figcaption>{caption}</figcaption>\n</figure>\n"),
                );
            }
        }
    }
    html + "</body>\n</html>\n"
}

fn table_html(table: &Table) -> String {
    let mut html = "<div class=\"scroll\"><table>\n<thead><tr>".to_owned();
    for title in &table.header {
        put(&mut html, format_args!("<th scope=\"col\">{}</th>", escaped(title)));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str("<tr>");
        for field in row {
            put(&mut html, format_args!("<td>{}</td>", escaped(field)));
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
