//! The content of a report as blocks, independent of HTML and Markdown.

use super::figures::Figure;

/// A part of a page.
pub(super) enum Block {
    /// The end of the first sheet, which is printed on a page of its own.
    EndOfSheet,
    /// The title of a section.
    Heading(String),
    /// The title of a part of a section.
    Subheading(String),
    /// A paragraph of plain text.
    Paragraph(String),
    /// A bulleted list; each item is plain text.
    Points(Vec<String>),
    /// A table.
    Table(Table),
    /// A table that is folded until a reader opens it, under this title.
    Folded(String, Table),
    /// A figure, as its index in [`Page::figures`].
    Figure(usize),
}

/// A table whose fields are plain text.
pub(super) struct Table {
    /// The titles of the columns.
    pub(super) header: Vec<String>,
    /// The rows, each with one field per column.
    pub(super) rows: Vec<Vec<String>>,
}

/// A report.
pub(super) struct Page {
    /// The title.
    pub(super) title: String,
    /// The blocks, in order.
    pub(super) blocks: Vec<Block>,
    /// The figures.
    pub(super) figures: Vec<Figure>,
}

impl Page {
    pub(super) fn end_sheet(&mut self) {
        self.blocks.push(Block::EndOfSheet);
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.blocks.push(Block::Heading(text.to_owned()));
    }

    pub(super) fn subheading(&mut self, text: &str) {
        self.blocks.push(Block::Subheading(text.to_owned()));
    }

    pub(super) fn paragraph(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    pub(super) fn points(&mut self, points: Vec<String>) {
        if !points.is_empty() {
            self.blocks.push(Block::Points(points));
        }
    }

    pub(super) fn table(&mut self, header: Vec<String>, rows: Vec<Vec<String>>) {
        self.blocks.push(Block::Table(Table { header, rows }));
    }

    pub(super) fn folded(&mut self, title: String, header: Vec<String>, rows: Vec<Vec<String>>) {
        self.blocks.push(Block::Folded(title, Table { header, rows }));
    }

    pub(super) fn figure(&mut self, figure: Figure) {
        self.blocks.push(Block::Figure(self.figures.len()));
        self.figures.push(figure);
    }
}
