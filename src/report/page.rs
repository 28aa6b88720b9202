//! What a report says, before it is HTML or Markdown.

use super::figures::Figure;

/// A part of a page.
pub(super) enum Block {
    /// The title of a section.
    Heading(String),
    /// The title of a part of a section.
    Subheading(String),
    /// A paragraph of plain text.
    Paragraph(String),
    /// Points, each of plain text.
    Points(Vec<String>),
    /// A table.
    Table(Table),
    /// A figure, by its place in [`Page::figures`].
    Figure(usize),
}

/// A table of plain text.
pub(super) struct Table {
    /// The titles of the columns.
    pub(super) header: Vec<String>,
    /// Rows of as many fields.
    pub(super) rows: Vec<Vec<String>>,
}

/// A report.
pub(super) struct Page {
    /// Its title.
    pub(super) title: String,
    /// What it says, in order.
    pub(super) blocks: Vec<Block>,
    /// Its figures.
    pub(super) figures: Vec<Figure>,
}

impl Page {
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

    pub(super) fn figure(&mut self, figure: Figure) {
        self.blocks.push(Block::Figure(self.figures.len()));
        self.figures.push(figure);
    }
}
