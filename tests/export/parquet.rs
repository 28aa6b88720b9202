//! A Parquet file, read back, against the CSV table of the same run.

use std::fs::File;

use parquet::basic::Type as Physical;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::{Place, rows};

#[test]
fn a_parquet_file_has_the_rows_of_csv_with_types() {
    let place = Place::with_run();
    let table = place.export(&["--csv"]);
    let printed = place.export(&["--parquet"]);
    assert_eq!(printed, "runs/small/measurements.parquet\n");
    let reader = SerializedFileReader::new(File::open(place.path("runs/small/measurements.parquet")).unwrap()).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    assert_eq!(names.join(","), table.lines().next().unwrap());
    let type_of = |name: &str| {
        let column = schema.columns().iter().find(|column| column.name() == name).unwrap();
        column.physical_type()
    };
    assert_eq!(type_of("run"), Physical::BYTE_ARRAY);
    assert_eq!(type_of("step"), Physical::INT64);
    assert_eq!(type_of("set_learning_rate"), Physical::DOUBLE);
    assert_eq!(type_of("lambda_converged"), Physical::BOOLEAN);
    let expected = rows(&table);
    let mut count = 0;
    for (row, expected) in reader.get_row_iter(None).unwrap().zip(&expected) {
        for (name, field) in row.unwrap().get_column_iter() {
            let text = &expected[name];
            match field {
                Field::Null => assert_eq!(text, "", "{name}"),
                Field::Str(found) => assert_eq!(&found.replace(',', ";"), text, "{name}"),
                Field::Bool(found) => assert_eq!(&found.to_string(), text, "{name}"),
                Field::Long(found) => assert_eq!(&found.to_string(), text, "{name}"),
                Field::Double(found) => assert_eq!(Some(*found), text.parse().ok(), "{name}"),
                // 2026-11-24T10:57:03.123Z
                Field::TimestampMillis(found) => {
                    let seconds: f64 = text[17..23].parse().unwrap();
                    assert_eq!(found % 60_000, (seconds * 1e3).round() as i64, "{text}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        count += 1;
    }
    assert!(count >= 8 && count == expected.len());
}
