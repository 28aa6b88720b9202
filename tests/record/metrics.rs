//! `metrics.jsonl`: appended points read back, and torn or damaged lines are reported.

use std::fs;

use sharptui::record::{self, RecordError, TornLine};

use sharptui::event::PreconditionedPoint;

use super::{lambda_point, point, run};

#[test]
fn a_point_is_on_disk_before_the_next_step() {
    let (_parent, run) = run();
    let mut cell = run.begin_cell(0, &[]).unwrap();
    let mut written = Vec::new();
    for step in 0..3 {
        let points = [point(step), lambda_point(step)];
        for point in &points {
            cell.append(point).unwrap();
        }
        written.extend(points);
        let metrics = record::read_metrics(cell.path()).unwrap();
        assert_eq!((metrics.points, metrics.torn), (written.clone(), None));
    }
}

#[test]
fn lines_have_the_fields_that_the_manual_names() {
    let (_parent, run) = run();
    let mut cell = run.begin_cell(0, &[]).unwrap();
    cell.append(&lambda_point(3)).unwrap();
    assert_eq!(
        fs::read_to_string(cell.path().join("metrics.jsonl")).unwrap(),
        "{\"step\":3,\"epoch\":0.5,\"seconds\":0.25,\"lambda_max\":39.5,\"lambda_residual\":0.125,\
         \"lambda_converged\":true,\"lambda_hvps\":12,\"lambda_seconds\":0.5,\"lambda_probe\":1,\
         \"lambda_on\":\"held-out, 1000 examples\",\"lambda_audited\":true,\"lambda_corrected_from\":30.0,\
         \"train_loss\":2.5,\"threshold\":40.0}\n"
    );
}

#[test]
fn a_preconditioned_sharpness_is_read_back_as_it_was_written_and_a_damaged_one_is_reported() {
    let (_parent, run) = run();
    let mut cell = run.begin_cell(0, &[]).unwrap();
    let found = PreconditionedPoint {
        preconditioned_sharpness: 36_000.0,
        preconditioned_residual: 90.5,
        preconditioned_converged: true,
        preconditioned_hvps: 5,
        preconditioned_rounded_hvps: 2,
        preconditioned_audited: true,
        preconditioned_corrected_from: Some(35_000.0),
    };
    let mut written = vec![lambda_point(1).with("preconditioned_threshold", 38_000.0)];
    written[0].preconditioned = Some(found);
    let mut missing = lambda_point(2);
    missing.preconditioned = Some(PreconditionedPoint {
        preconditioned_hvps: 7,
        ..PreconditionedPoint::default()
    });
    written.extend([missing, lambda_point(3)]);
    for point in &written {
        cell.append(point).unwrap();
    }
    let path = cell.path().join("metrics.jsonl");
    assert_eq!(record::read_metrics(cell.path()).unwrap().points, written);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("\"preconditioned_sharpness\":36000.0,\"preconditioned_residual\":90.5"),
        "{text}"
    );
    fs::write(&path, text.replace("preconditioned_hvps", "preconditioned_products")).unwrap();
    let message = record::read_metrics(cell.path()).unwrap_err().to_string();
    assert!(
        message.contains("preconditioned_sharpness is present, but"),
        "{message}"
    );
}

#[test]
fn numbers_that_are_not_finite_are_null_and_read_back_as_nan() {
    let (_parent, run) = run();
    let mut cell = run.begin_cell(0, &[]).unwrap();
    let mut written = lambda_point(9);
    written.values.set("train_loss", f64::NAN);
    written.values.set("gradient_norm", f64::INFINITY);
    let lambda = written.lambda.as_mut().unwrap();
    lambda.lambda_max = f64::NEG_INFINITY;
    lambda.lambda_residual = f64::NAN;
    cell.append(&written).unwrap();

    let line = fs::read_to_string(cell.path().join("metrics.jsonl")).unwrap();
    for field in ["train_loss", "gradient_norm", "lambda_max", "lambda_residual"] {
        assert!(line.contains(&format!("\"{field}\":null")), "{field} in {line}");
    }
    let read = record::read_metrics(cell.path()).unwrap().points.remove(0);
    for key in ["train_loss", "gradient_norm"] {
        assert!(read.values.get(key).unwrap().is_nan(), "{key}");
    }
    assert_eq!(read.values.get("test_loss"), None);
    let lambda = read.lambda.unwrap();
    assert!(lambda.lambda_max.is_nan() && lambda.lambda_residual.is_nan());
    assert_eq!((lambda.lambda_hvps, lambda.lambda_corrected_from), (12, Some(30.0)));
}

#[test]
fn a_file_cut_at_any_byte_gives_its_whole_lines_and_reports_the_torn_one() {
    let (_parent, run) = run();
    let mut cell = run.begin_cell(0, &[]).unwrap();
    for step in 0..3 {
        cell.append(&lambda_point(step)).unwrap();
    }
    let path = cell.path().join("metrics.jsonl");
    let whole = fs::read(&path).unwrap();
    for length in 0..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let metrics = record::read_metrics(cell.path()).unwrap();
        let lines = whole[..length].split(|&byte| byte == b'\n').count() - 1;
        let rest = whole[..length].rsplit(|&byte| byte == b'\n').next().unwrap().len();
        let torn = (rest > 0).then_some(TornLine {
            line: lines as u64 + 1,
            bytes: rest,
        });
        assert_eq!((metrics.points.len(), metrics.torn), (lines, torn), "cut at {length}");
    }
}

#[test]
fn a_file_that_grows_is_read_on_in_parts_and_anew_where_it_became_shorter() {
    let (_parent, run) = run();
    let mut cell = run.begin_cell(0, &[]).unwrap();
    let path = cell.path().join("metrics.jsonl");
    let line = serde_json::to_string(&lambda_point(7)).unwrap() + "\n";
    // More than twice the size limit of one read, plus the start of a line.
    let most = 1 << 18;
    let lines = 2 * most / line.len() + 10;
    fs::write(&path, line.repeat(lines) + &line[..9]).unwrap();
    let (mut read, mut counts) = (0, Vec::new());
    loop {
        let part = record::read_points(cell.path(), read).unwrap();
        assert!(!part.begins_anew);
        assert!(part.read >= read && part.read - read <= most as u64);
        counts.push(part.points.len());
        read = part.read;
        if !part.more {
            break;
        }
    }
    let whole = most / line.len();
    assert_eq!(counts[..2], [whole, whole]);
    assert_eq!(
        (counts.iter().sum::<usize>(), read),
        (lines, (lines * line.len()) as u64)
    );
    assert_eq!(record::read_progress(cell.path()).steps, 7);

    let part = record::read_points(cell.path(), read).unwrap();
    assert_eq!((part.begins_anew, part.points.len(), part.read), (false, 0, read));
    fs::write(&path, "").unwrap();
    cell.append(&point(3)).unwrap();
    let part = record::read_points(cell.path(), read).unwrap();
    assert_eq!((part.begins_anew, part.points.as_slice()), (true, &[point(3)][..]));
    // A file as long as the part read before is not shorter.
    let part = record::read_points(cell.path(), part.read).unwrap();
    assert_eq!((part.begins_anew, part.points.len()), (false, 0));
    // A line without an end is skipped, part by part.
    fs::write(&path, "x".repeat(most)).unwrap();
    let part = record::read_points(cell.path(), 0).unwrap();
    assert_eq!((part.points.len(), part.read, part.more), (0, most as u64, true));
}

#[test]
fn a_damaged_line_in_the_middle_is_an_error_with_file_and_line() {
    let (_parent, run) = run();
    let mut cell = run.begin_cell(0, &[]).unwrap();
    let path = cell.path().join("metrics.jsonl");
    let good = serde_json::to_string(&lambda_point(1)).unwrap();
    cell.append(&point(0)).unwrap();
    for bad in [
        r#"{"step":1,"epo"#.to_owned(),
        r#"{"step":null,"epoch":0.0,"seconds":0.0}"#.to_owned(),
        "[1]".to_owned(),
        "\0\0\0".to_owned(),
        String::new(),
        good.replace("true", "\"yes\""),
        good.replace("\"lambda_residual\":0.125,", ""),
    ] {
        fs::write(&path, format!("{good}\n{bad}\n{good}\n")).unwrap();
        let error = record::read_metrics(cell.path()).unwrap_err();
        assert!(
            matches!(error, RecordError::MetricsLine { line: 2, .. }),
            "{bad}: {error}"
        );
        assert!(
            error.to_string().starts_with(&format!("{}, line 2: ", path.display())),
            "{error}"
        );
    }
}
