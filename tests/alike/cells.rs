//! Compares the cells of two runs of the same sweep bit for bit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sharptui::event::Point;
use sharptui::record::{cell_path, has_checkpoint, read_cells, read_claims, read_metrics, read_tensors};

/// Returns the metrics of a cell without times, as text: equal texts mean values that are equal bit for bit.
pub fn metrics(cell: &Path) -> Vec<String> {
    let found = read_metrics(cell).unwrap();
    assert_eq!(found.torn, None);
    let timeless = |mut point: Point| {
        point.seconds = 0.0;
        if let Some(lambda) = &mut point.lambda {
            lambda.lambda_seconds = 0.0;
        }
        format!("{point:?}")
    };
    found.points.into_iter().map(timeless).collect()
}

/// Checks that every cell has ended in both run directories, with the same settings, ending, parameters and numbers, and
/// with every line once; and that nothing is left of how `got` was made.
pub fn assert_same_cells(got: &Path, expected: &Path) {
    let cells = read_cells(expected).unwrap();
    assert!(!cells.is_empty());
    let ended = read_cells(got).unwrap();
    for found in cells {
        let (index, place) = (found.cell, found.path);
        let cell = cell_path(got, index);
        let (lines, expected_lines) = (metrics(&cell), metrics(&place));
        for (line, (got, expected)) in lines.iter().zip(&expected_lines).enumerate() {
            assert_eq!(got, expected, "line {} of cell {index}", line + 1);
        }
        assert_eq!(lines.len(), expected_lines.len(), "lines of cell {index}");
        assert_eq!(lines.iter().collect::<BTreeSet<_>>().len(), lines.len());
        let model = |cell: &Path| read_tensors(&cell.join("model.safetensors")).unwrap().tensors;
        assert_eq!(model(&cell), model(&place), "cell {index}");
        let same = ended.iter().find(|other| other.cell == index).unwrap();
        let ending = same.ended.as_ref().unwrap().ending.clone();
        assert_eq!(ending, found.ended.unwrap().ending, "cell {index}");
        let settings = |cell: &Path| fs::read(cell.join("cell.json")).unwrap();
        assert_eq!(settings(&cell), settings(&place), "cell {index}");
        assert!(!has_checkpoint(&cell), "a cell that has ended has no checkpoint");
    }
    assert!(
        read_claims(got).unwrap().is_empty(),
        "nobody holds a cell that has ended"
    );
}
