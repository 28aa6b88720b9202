//! Lines of figures: dashed, in pieces, and with few points.

use kuva::plot::line::LinePlot;

use super::super::Span;

/// Splits a curve into dashes, `count` across the panel, each as long as the gap after it. Dashes are drawn as separate
/// lines because kuva's PNG draws every line solid.
pub(in crate::report::figures) fn dashes(curve: &[(f64, f64)], x: Span, count: usize) -> Vec<Vec<(f64, f64)>> {
    let width = (x.high - x.low) / count as f64;
    let at = |x: f64| {
        let [(x0, y0), (x1, y1)] = curve
            .windows(2)
            .map(|pair| [pair[0], pair[1]])
            .find(|[(x0, _), (x1, _)]| (*x0..=*x1).contains(&x))?;
        let share = if x1 > x0 { (x - x0) / (x1 - x0) } else { 0.0 };
        Some((x, y0 + share * (y1 - y0)))
    };
    let dash = |n: usize| -> Vec<(f64, f64)> {
        let from = x.low + n as f64 * width;
        let to = from + width / 2.0;
        let within = curve.iter().copied().filter(|(x, _)| *x > from && *x < to);
        at(from).into_iter().chain(within).chain(at(to)).collect()
    };
    (0..count).map(dash).filter(|dash| dash.len() > 1).collect()
}

/// Returns the pieces of a curve between values that cannot be drawn.
pub(in crate::report::figures) fn lines(curve: &[(f64, f64)], y: Span) -> Vec<LinePlot> {
    curve
        .split(|(_, value)| !y.shows(*value))
        .filter(|piece| !piece.is_empty())
        .map(|piece| LinePlot::new().with_data(piece.iter().map(|&(x, value)| (x, y.place(value)))))
        .collect()
}

/// Reduces a curve to at most `most` points: the first, smallest, largest and last point of each column, so
/// that no spike is lost.
pub(in crate::report::figures) fn reduced(curve: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    if curve.len() <= most {
        return curve.to_vec();
    }
    let column = curve.len().div_ceil(most / 4);
    let mut kept = Vec::with_capacity(most);
    for part in curve.chunks(column) {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut of_part = [
            part.first(),
            part.iter().min_by(by_value),
            part.iter().max_by(by_value),
            part.last(),
        ];
        of_part.sort_by(|a, b| a.map_or(0.0, |a| a.0).total_cmp(&b.map_or(0.0, |b| b.0)));
        kept.extend(of_part.into_iter().flatten());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::super::Scale;
    use super::*;

    #[test]
    fn a_curve_in_dashes_is_half_of_the_curve() {
        let x = Span {
            low: 0.0,
            high: 10.0,
            scale: Scale::Linear,
        };
        let dashes = dashes(&[(0.0, 1.0), (4.5, 1.0), (9.0, 10.0)], x, 5);
        let starts: Vec<(f64, f64)> = dashes.iter().map(|dash| dash[0]).collect();
        assert_eq!(starts, [(0.0, 1.0), (2.0, 1.0), (4.0, 1.0), (6.0, 4.0), (8.0, 8.0)]);
        assert_eq!(dashes[2], [(4.0, 1.0), (4.5, 1.0), (5.0, 2.0)]);
        assert_eq!(dashes[4].last(), Some(&(9.0, 10.0)));
    }

    #[test]
    fn a_long_curve_keeps_its_spikes_and_its_ends() {
        let mut curve: Vec<(f64, f64)> = (0..100_000).map(|step| (f64::from(step), 1.0)).collect();
        (curve[777].1, curve[50_001].1) = (9.0, -3.0);
        let kept = reduced(&curve, 800);
        assert!(kept.len() <= 800);
        assert!(kept.contains(&(777.0, 9.0)) && kept.contains(&(50_001.0, -3.0)));
        assert_eq!((kept.first(), kept.last()), (curve.first(), curve.last()));
        assert!(kept.is_sorted_by(|a, b| a.0 <= b.0));
    }
}
