//! Parquet: the columns of the CSV table, with their types.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::aside::Aside;
use super::columns::{Columns, Value};
use super::run::{Cell, Run, Sink};
use super::{Ended, ExportError, Host, Request, at, say_what_is_missing};
use crate::event::Point;

/// Rows of a row group: a reader that wants one column reads it in parts of this size.
const ROWS: usize = 16_384;

/// Writes the rows of a run to a file.
pub(super) fn write(run: &mut Run, request: &Request, file: &Path, host: &mut dyn Host) -> Result<Ended, ExportError> {
    loop {
        let columns = Columns::survey(run)?;
        say_what_is_missing(run, request.run_dir, host)?;
        run.rewind();
        let mut table = Table::begin(columns, run, file)?;
        run.read(&mut table)?;
        // If a cell began anew meanwhile, the rows are void.
        if !table.columns.is_void {
            table.finish()?;
            host.written(file);
            return Ok(Ended::Complete);
        }
        run.rewind();
    }
}

/// A table that is being written.
struct Table {
    columns: Columns,
    types: Vec<Value>,
    writer: SerializedFileWriter<Aside>,
    file: PathBuf,
    /// The rows of the next row group.
    rows: Vec<Vec<Value>>,
}

impl Table {
    fn begin(columns: Columns, run: &Run, file: &Path) -> Result<Self, ExportError> {
        let types = columns.types(run);
        let names = columns.names();
        let fields = names.iter().zip(&types).map(|(name, value)| field(name, value));
        let schema = fields
            .collect::<Result<Vec<TypePtr>, ParquetError>>()
            .and_then(|fields| Type::group_type_builder("measurements").with_fields(fields).build());
        let schema = written(schema, file)?;
        let properties = WriterProperties::builder().build();
        let writer = SerializedFileWriter::new(Aside::create(file)?, Arc::new(schema), Arc::new(properties));
        Ok(Self {
            columns,
            types,
            writer: written(writer, file)?,
            file: file.to_owned(),
            rows: Vec::new(),
        })
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let rows = std::mem::take(&mut self.rows);
        let result = row_group(&mut self.writer, &self.types, &rows);
        written(result, &self.file)
    }

    fn finish(mut self) -> Result<(), ExportError> {
        self.flush()?;
        written(self.writer.into_inner(), &self.file)?.settle()
    }
}

impl Sink for Table {
    fn begin(&mut self, _: &Run, _: &Cell, is_anew: bool) -> Result<(), ExportError> {
        self.columns.begin(is_anew);
        Ok(())
    }

    fn point(&mut self, run: &Run, cell: &Cell, point: &Point) -> Result<(), ExportError> {
        self.rows.extend(self.columns.next_row(run, cell, point));
        if self.rows.len() >= ROWS {
            self.flush()?;
        }
        Ok(())
    }
}

/// Returns the type of a column. Every column may lack values.
fn field(name: &str, value: &Value) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match value {
        Value::Text(_) | Value::Missing => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Value::Whole(_) => (Physical::INT64, None),
        Value::Number(_) => (Physical::DOUBLE, None),
        Value::Truth(_) => (Physical::BOOLEAN, None),
        Value::Time(_) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
    };
    let field = Type::primitive_type_builder(name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    field.build().map(Arc::new)
}

fn row_group(
    writer: &mut SerializedFileWriter<Aside>,
    types: &[Value],
    rows: &[Vec<Value>],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for (place, column_type) in types.iter().enumerate() {
        let Some(column) = group.next_column()? else { break };
        let values = rows.iter().map(|row| &row[place]);
        match column_type {
            Value::Text(_) | Value::Missing => put::<ByteArrayType>(column, values.map(text))?,
            Value::Whole(_) => put::<Int64Type>(column, values.map(whole))?,
            Value::Number(_) => put::<DoubleType>(column, values.map(number))?,
            Value::Truth(_) => put::<BoolType>(column, values.map(truth))?,
            Value::Time(_) => put::<Int64Type>(column, values.map(millis))?,
        }
    }
    group.close().map(|_| ())
}

fn put<T: DataType>(
    mut column: SerializedColumnWriter,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let values: Vec<Option<T::T>> = values.collect();
    // The definition level of a value that is there is 1.
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let present: Vec<T::T> = values.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&present, Some(&levels), None)?;
    column.close()
}

fn text(value: &Value) -> Option<ByteArray> {
    match value {
        Value::Text(text) => Some(ByteArray::from(text.as_str())),
        _ => None,
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Whole(number) => i64::try_from(*number).ok(),
        Value::Text(setting) => setting.parse().ok(),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(setting) => setting.parse().ok(),
        _ => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Truth(truth) => Some(*truth),
        Value::Text(setting) => setting.parse().ok(),
        _ => None,
    }
}

fn millis(value: &Value) -> Option<i64> {
    match value {
        #[allow(clippy::cast_possible_truncation)] // Milliseconds since 1970 are far below the limit.
        Value::Time(seconds) => Some((seconds * 1e3).round() as i64),
        _ => None,
    }
}

fn written<T>(result: Result<T, ParquetError>, file: &Path) -> Result<T, ExportError> {
    at(result.map_err(io::Error::other), "write", file)
}
