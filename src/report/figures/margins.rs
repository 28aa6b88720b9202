//! Margins for text that extends beyond the edge of a figure. kuva computes the size from the panels, but the text of a
//! legend or an axis may be longer.

use kuva::render::render::{Primitive, Scene, TextAnchor};

/// Width of a character of DejaVu Sans relative to the font size: that of digits and most lower-case letters.
const LETTER: f64 = 0.64;

/// Width of a bold character relative to the font size.
const BOLD_LETTER: f64 = 0.72;

/// Minimum distance between text and the edge, in pixels.
const EDGE: f64 = 4.0;

/// The extent of text and rectangles.
#[derive(Clone, Copy)]
struct Reach {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

/// Enlarges the scene on each side where text extends beyond the edge.
pub(super) fn with_margins(mut scene: Scene) -> Scene {
    let reach = reach(&scene);
    let (left, top) = ((-reach.left).ceil().max(0.0), (-reach.top).ceil().max(0.0));
    scene.width = scene.width.max(reach.right.ceil()) + left;
    scene.height = scene.height.max(reach.bottom.ceil()) + top;
    if left > 0.0 || top > 0.0 {
        let moved = Primitive::GroupStart {
            transform: Some(format!("translate({left},{top})")),
            title: None,
            extra_attrs: None,
        };
        scene.elements.insert(0, moved);
        scene.elements.push(Primitive::GroupEnd);
    }
    scene
}

fn reach(scene: &Scene) -> Reach {
    let mut reach = Reach {
        left: 0.0,
        top: 0.0,
        right: scene.width,
        bottom: scene.height,
    };
    let mut origins = vec![(0.0, 0.0)];
    for element in &scene.elements {
        let (dx, dy) = origins.last().copied().unwrap_or_default();
        match element {
            Primitive::GroupStart { transform, .. } => {
                let (x, y) = transform.as_deref().and_then(translation).unwrap_or_default();
                origins.push((dx + x, dy + y));
            }
            Primitive::GroupEnd => drop(origins.pop()),
            Primitive::Text {
                x,
                y,
                content,
                size,
                anchor,
                rotate,
                bold,
                ..
            } => {
                let size = f64::from(*size);
                let letter = if *bold { BOLD_LETTER } else { LETTER };
                let length = content.chars().count() as f64 * letter * size;
                let (start, end) = match anchor {
                    TextAnchor::Start => (0.0, length),
                    TextAnchor::Middle => (-length / 2.0, length / 2.0),
                    TextAnchor::End => (-length, 0.0),
                };
                let (sine, cosine) = rotate.unwrap_or(0.0).to_radians().sin_cos();
                for along in [start, end] {
                    reach.takes_in(x + dx + along * cosine, y + dy + along * sine, EDGE);
                }
            }
            // The frame of a legend.
            Primitive::Rect {
                x, y, width, height, ..
            } => {
                reach.takes_in(x + dx, y + dy, 1.0);
                reach.takes_in(x + dx + width, y + dy + height, 1.0);
            }
            _ => {}
        }
    }
    reach
}

impl Reach {
    fn takes_in(&mut self, x: f64, y: f64, edge: f64) {
        self.left = self.left.min(x - edge);
        self.top = self.top.min(y - edge);
        self.right = self.right.max(x + edge);
        self.bottom = self.bottom.max(y + edge);
    }
}

/// Parses the two numbers of "translate(10,20)".
fn translation(transform: &str) -> Option<(f64, f64)> {
    let inner = transform.strip_prefix("translate(")?.strip_suffix(')')?;
    let (x, y) = inner.split_once(',')?;
    Some((x.trim().parse().ok()?, y.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(x: f64, content: &str, anchor: TextAnchor, rotate: Option<f64>) -> Primitive {
        Primitive::Text {
            x,
            y: 50.0,
            content: content.to_owned(),
            size: 10,
            anchor,
            rotate,
            bold: false,
            color: None,
        }
    }

    fn sized(elements: Vec<Primitive>) -> (f64, f64, usize) {
        let mut scene = Scene::new(100.0, 100.0);
        scene.elements = elements;
        let scene = with_margins(scene);
        (scene.width, scene.height, scene.elements.len())
    }

    #[test]
    fn words_that_fit_leave_a_drawing_as_it_was() {
        let words = text(50.0, "ten digits", TextAnchor::Middle, None);
        assert_eq!(sized(vec![words]), (100.0, 100.0, 1));
    }

    #[test]
    fn words_that_reach_over_an_edge_make_it_larger_on_that_side() {
        let long = "0123456789".repeat(2);
        // Twenty characters are 128 wide.
        assert_eq!(
            sized(vec![text(10.0, &long, TextAnchor::Start, None)]),
            (142.0, 100.0, 1)
        );
        assert_eq!(sized(vec![text(90.0, &long, TextAnchor::End, None)]), (142.0, 100.0, 3));
        let upright = text(50.0, &long, TextAnchor::Middle, Some(-90.0));
        assert_eq!(sized(vec![upright]), (100.0, 136.0, 3));
        let within = Primitive::GroupStart {
            transform: Some("translate(30,0)".to_owned()),
            title: None,
            extra_attrs: None,
        };
        let moved = vec![within, text(10.0, &long, TextAnchor::Start, None), Primitive::GroupEnd];
        assert_eq!(sized(moved), (172.0, 100.0, 3));
    }
}
