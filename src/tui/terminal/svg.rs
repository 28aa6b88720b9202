//! An SVG picture of the screen, drawn cell by cell.

use std::fmt::Write;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use ratatui::text::Span;

/// Width and height of a character cell. Text is scaled to it, so that columns line up in every viewer.
const CELL: (f64, f64) = (8.4, 18.0);
const FONT_SIZE: f64 = 14.0;
const MARGIN: f64 = 14.0;
const BACKGROUND: &str = "#14161b";
const FOREGROUND: &str = "#d7dae0";

/// Maximum number of pictures in a folder: the highest number in a file name.
const MOST: u32 = 9_999;

/// Writes the picture into `folder`, under a name that is not used there yet, and returns its path.
///
/// # Errors
///
/// If the folder or the file cannot be created or written, or if all names are used.
pub(in crate::tui) fn save(buffer: &Buffer, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for number in 1..=MOST {
        let path = folder.join(format!("screen-{number:03}.svg"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(picture(buffer).as_bytes())?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(
        "there are too many pictures in this folder; delete some",
    ))
}

/// Draws `buffer`. Dots and rules are drawn as shapes: few fonts have these characters, and they often leave gaps.
#[must_use]
pub fn picture(buffer: &Buffer) -> String {
    let (width, height) = (
        f64::from(buffer.area.width) * CELL.0,
        f64::from(buffer.area.height) * CELL.1,
    );
    let (width, height) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"{FONT_SIZE}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            x += run(buffer, x, y, &mut svg);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Draws the cells from `x` on that have the same style, and returns their number.
fn run(buffer: &Buffer, x: u16, y: u16, svg: &mut String) -> u16 {
    let first = &buffer[(x, y)];
    let is_shape = |cell: &Cell| shape(symbol(cell)).is_some();
    if is_shape(first) {
        if let Some(shape) = shape(symbol(first)) {
            let (left, top) = corner(x, y);
            shape.draw(left, top, &colour(first.fg), svg);
        }
        return 1;
    }
    let mut text = String::new();
    let mut length = 0;
    while x + length < buffer.area.width {
        let cell = &buffer[(x + length, y)];
        if is_shape(cell) || (cell.fg, cell.modifier) != (first.fg, first.modifier) {
            break;
        }
        // A wide character covers the blank cells after it; they are skipped.
        let width = u16::try_from(Span::raw(cell.symbol()).width()).unwrap_or(1).max(1);
        text.push_str(cell.symbol());
        length += width;
    }
    let lead = text.chars().take_while(|character| *character == ' ').count();
    let words = text.trim();
    if !words.is_empty() {
        let (left, top) = corner(x + u16::try_from(lead).unwrap_or(0), y);
        let weight = if first.modifier.contains(Modifier::BOLD) {
            " font-weight=\"bold\""
        } else {
            ""
        };
        let escaped = words.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            svg,
            "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
             xml:space=\"preserve\" fill=\"{}\"{weight}>{escaped}</text>",
            top + 13.5,
            Span::raw(words).width() as f64 * CELL.0,
            colour(first.fg),
        );
    }
    length
}

fn symbol(cell: &Cell) -> char {
    cell.symbol().chars().next().unwrap_or(' ')
}

fn corner(x: u16, y: u16) -> (f64, f64) {
    (MARGIN + f64::from(x) * CELL.0, MARGIN + f64::from(y) * CELL.1)
}

enum Shape {
    Braille(u32),
    /// Strokes from the middle of the cell: left, right, up, down.
    Strokes([bool; 4]),
}

fn shape(symbol: char) -> Option<Shape> {
    match symbol {
        '\u{2800}'..='\u{28ff}' => Some(Shape::Braille(u32::from(symbol) - 0x2800)),
        '─' => Some(Shape::Strokes([true, true, false, false])),
        '│' => Some(Shape::Strokes([false, false, true, true])),
        '┤' => Some(Shape::Strokes([true, false, true, true])),
        '└' | '╰' => Some(Shape::Strokes([false, true, true, false])),
        '╭' => Some(Shape::Strokes([false, true, false, true])),
        '╮' => Some(Shape::Strokes([true, false, false, true])),
        '╯' => Some(Shape::Strokes([true, false, true, false])),
        _ => None,
    }
}

impl Shape {
    fn draw(&self, left: f64, top: f64, colour: &str, svg: &mut String) {
        match self {
            Self::Braille(dots) => {
                // Bits 0 to 2 and 6 are the left column from the top, 3 to 5 and 7 the right one.
                const PLACES: [(f64, f64); 8] = [
                    (0.25, 0.125),
                    (0.25, 0.375),
                    (0.25, 0.625),
                    (0.75, 0.125),
                    (0.75, 0.375),
                    (0.75, 0.625),
                    (0.25, 0.875),
                    (0.75, 0.875),
                ];
                let on = PLACES.iter().enumerate().filter(|(bit, _)| dots >> bit & 1 == 1);
                let path = on.fold(String::new(), |mut path, (_, (x, y))| {
                    let _ = write!(path, "M{:.1} {:.1}h0", left + x * CELL.0, top + y * CELL.1);
                    path
                });
                let _ = writeln!(
                    svg,
                    "<path d=\"{path}\" stroke=\"{colour}\" stroke-width=\"2.9\" stroke-linecap=\"round\"/>"
                );
            }
            Self::Strokes(directions) => {
                let (x, y) = (left + CELL.0 / 2.0, top + CELL.1 / 2.0);
                let ends = [(left, y), (left + CELL.0, y), (x, top), (x, top + CELL.1)];
                let on = ends.iter().zip(directions).filter(|(_, on)| **on);
                let path = on.fold(String::new(), |mut path, ((to_x, to_y), _)| {
                    let _ = write!(path, "M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}");
                    path
                });
                let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{colour}\" opacity=\"0.55\"/>");
            }
        }
    }
}

/// Returns the SVG colour, from the usual 256-colour palette.
fn colour(colour: Color) -> String {
    match colour {
        Color::Indexed(index @ 16..=231) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + 40 * part };
            let index = index - 16;
            format!(
                "#{:02x}{:02x}{:02x}",
                level(index / 36),
                level(index / 6 % 6),
                level(index % 6)
            )
        }
        Color::Indexed(index @ 232..) => {
            let level = 8 + 10 * (index - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
        // Terminals differ in their 16 basic colours. These are xterm's, with the dark ones made lighter.
        Color::Red => "#d75f5f".to_owned(),
        Color::Green => "#5faf5f".to_owned(),
        Color::Yellow => "#d7af5f".to_owned(),
        Color::Blue => "#5f87ff".to_owned(),
        Color::Magenta => "#d787d7".to_owned(),
        Color::Cyan => "#5fafaf".to_owned(),
        Color::DarkGray => "#808080".to_owned(),
        _ => FOREGROUND.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn buffer() -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "⣿ 日 a<b&", Style::new().fg(Color::Blue));
        buffer
    }

    #[test]
    fn a_picture_has_every_dot_and_the_text_as_it_stands() {
        let picture = picture(&buffer());
        assert_eq!(picture.matches("h0").count(), 8, "{picture}");
        assert!(picture.contains(">日 a&lt;b&amp;</text>"), "{picture}");
        // Seven columns: the wide character takes two.
        assert!(
            picture.contains(&format!("textLength=\"{:.1}\"", 7.0 * CELL.0)),
            "{picture}"
        );
    }

    #[test]
    fn no_picture_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("pictures");
        let first = save(&buffer(), &place).unwrap();
        let second = save(&buffer(), &place).unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read_to_string(first).unwrap(), fs::read_to_string(second).unwrap());
    }
}
