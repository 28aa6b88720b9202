//! Dots in character cells: eight per cell in Braille, one per cell in ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::theme::Glyphs;

/// Which columns of dots a line is drawn in. Lines with different patterns differ even without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Every column.
    Solid,
    /// Four columns, then two left out.
    Dashed,
    /// Every fourth column.
    Dotted,
    /// Every second column.
    Faint,
}

impl Pattern {
    fn draws(self, column: usize, dots_per_cell: usize) -> bool {
        // In ASCII a cell is one column of dots wide instead of two.
        let column = if dots_per_cell == 1 { column * 2 } else { column };
        match self {
            Self::Solid => true,
            Self::Dashed => column % 6 < 4,
            Self::Dotted => column.is_multiple_of(4),
            Self::Faint => column.is_multiple_of(2),
        }
    }
}

/// Colour, pattern and character of a line.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    /// The colour.
    pub style: Style,
    /// The pattern.
    pub pattern: Pattern,
    /// The character in ASCII.
    pub ascii: char,
}

impl Pen {
    /// Returns the same pen with the faint pattern, for a curve behind another one.
    #[must_use]
    pub fn faint(self) -> Self {
        Self {
            pattern: Pattern::Faint,
            ascii: '.',
            ..self
        }
    }

    /// Returns a short piece of the line, for a legend.
    #[must_use]
    pub fn sample(&self, glyphs: Glyphs) -> String {
        match (glyphs, self.pattern) {
            (Glyphs::Ascii, _) => self.ascii.to_string().repeat(2),
            (Glyphs::Unicode, Pattern::Solid) => "⠤⠤".to_owned(),
            (Glyphs::Unicode, Pattern::Dashed) => "⠤⠄".to_owned(),
            (Glyphs::Unicode, Pattern::Dotted) => "⠄ ⠄".to_owned(),
            (Glyphs::Unicode, Pattern::Faint) => "⠄⠄".to_owned(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Ink {
    dots: u8,
    style: Style,
    ascii: char,
    /// Drawn instead of the dots.
    glyph: Option<char>,
}

/// An area of dots, row 0 at the top.
#[derive(Clone, Debug)]
pub struct Canvas {
    area: Rect,
    glyphs: Glyphs,
    cells: Vec<Ink>,
}

/// Bits of the Braille patterns block, by row and column of the dot.
const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    /// Creates an empty canvas for `area`.
    #[must_use]
    pub fn new(area: Rect, glyphs: Glyphs) -> Self {
        Self {
            area,
            glyphs,
            cells: vec![Ink::default(); usize::from(area.width) * usize::from(area.height)],
        }
    }

    /// Returns the number of columns and the number of rows of dots in a cell.
    fn density(&self) -> (usize, usize) {
        match self.glyphs {
            Glyphs::Unicode => (2, 4),
            Glyphs::Ascii => (1, 1),
        }
    }

    /// Returns the number of columns of dots.
    #[must_use]
    pub fn columns(&self) -> usize {
        usize::from(self.area.width) * self.density().0
    }

    /// Returns the number of rows of dots.
    #[must_use]
    pub fn rows(&self) -> usize {
        usize::from(self.area.height) * self.density().1
    }

    /// Draws the dots of one column from one row to another, if the pen's pattern includes this column.
    pub fn column(&mut self, column: usize, from: usize, to: usize, pen: &Pen) {
        let (across, down) = self.density();
        if column >= self.columns() || !pen.pattern.draws(column, across) {
            return;
        }
        for row in from.min(to)..=from.max(to).min(self.rows().saturating_sub(1)) {
            let index = row / down * usize::from(self.area.width) + column / across;
            let cell = &mut self.cells[index];
            // A cell has one colour, so dots of a line behind this one would seem to belong to it. They are removed.
            if cell.dots != 0 && (cell.style, cell.ascii) != (pen.style, pen.ascii) {
                cell.dots = 0;
            }
            if cell.style != pen.style {
                cell.glyph = None;
            }
            cell.dots |= BRAILLE[row % down][column % across];
            cell.style = pen.style;
            cell.ascii = pen.ascii;
        }
    }

    /// Puts a glyph into the cell that holds this dot.
    pub fn glyph(&mut self, column: usize, row: usize, glyph: char, style: Style) {
        let (across, down) = self.density();
        if column < self.columns() && row < self.rows() {
            let cell = &mut self.cells[row / down * usize::from(self.area.width) + column / across];
            cell.glyph = Some(glyph);
            cell.style = style;
        }
    }

    /// Copies the drawing into `buffer`. Cells without a dot or glyph are not changed.
    pub fn render(&self, buffer: &mut Buffer) {
        for (position, ink) in self.area.positions().zip(&self.cells) {
            let symbol = match (ink.glyph, ink.dots) {
                (Some(glyph), _) => glyph,
                (None, 0) => continue,
                (None, dots) if self.glyphs == Glyphs::Unicode => {
                    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
                }
                (None, _) => ink.ascii,
            };
            buffer[position].set_char(symbol).set_style(ink.style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOLID: Pen = Pen {
        style: Style::new(),
        pattern: Pattern::Solid,
        ascii: '*',
    };

    fn drawn(glyphs: Glyphs, draw: impl Fn(&mut Canvas)) -> String {
        let area = Rect::new(0, 0, 4, 1);
        let mut buffer = Buffer::empty(area);
        let mut canvas = Canvas::new(area, glyphs);
        draw(&mut canvas);
        canvas.render(&mut buffer);
        area.positions()
            .map(|position| buffer[position].symbol().to_owned())
            .collect()
    }

    #[test]
    fn dots_of_one_cell_add_up() {
        let drawn = drawn(Glyphs::Unicode, |canvas| {
            canvas.column(0, 0, 3, &SOLID);
            canvas.column(1, 3, 3, &SOLID);
        });
        assert_eq!(drawn, "⣇   ");
    }

    #[test]
    fn a_line_in_front_takes_the_whole_cell() {
        let behind = Pen { ascii: '.', ..SOLID };
        let drawn = drawn(Glyphs::Unicode, |canvas| {
            (0..4).for_each(|column| canvas.column(column, 3, 3, &behind));
            canvas.column(0, 0, 0, &SOLID);
        });
        assert_eq!(drawn, "⠁⣀  ");
    }

    #[test]
    fn a_line_in_front_covers_a_glyph_and_a_line_of_the_same_kind_does_not() {
        let dim = Style::new().dim();
        let behind = Pen { style: dim, ..SOLID };
        let drawn = drawn(Glyphs::Unicode, |canvas| {
            canvas.glyph(0, 0, 'o', dim);
            canvas.glyph(2, 0, 'o', dim);
            canvas.column(0, 0, 0, &behind);
            canvas.column(2, 0, 0, &SOLID);
        });
        assert_eq!(drawn, "o⠁  ");
    }

    #[test]
    fn patterns_differ_without_colour() {
        let patterns = [Pattern::Solid, Pattern::Dashed, Pattern::Dotted, Pattern::Faint];
        let lines = patterns.map(|pattern| {
            drawn(Glyphs::Unicode, |canvas| {
                (0..8).for_each(|column| canvas.column(column, 0, 0, &Pen { pattern, ..SOLID }));
            })
        });
        assert_eq!(lines, ["⠉⠉⠉⠉", "⠉⠉ ⠉", "⠁ ⠁ ", "⠁⠁⠁⠁"]);
    }

    #[test]
    fn without_braille_a_cell_is_one_character() {
        assert_eq!(drawn(Glyphs::Ascii, |canvas| canvas.column(2, 0, 0, &SOLID)), "  * ");
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let drawn = drawn(Glyphs::Unicode, |canvas| {
            canvas.column(80, 0, 0, &SOLID);
            canvas.column(0, 2, 900, &SOLID);
            canvas.glyph(99, 99, 'o', Style::new());
        });
        assert_eq!(drawn, "⡄   ");
    }
}
