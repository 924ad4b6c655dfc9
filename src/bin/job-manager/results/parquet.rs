//! Rows of a table as a Parquet file: the columns of the table, those whose type is certain as numbers, all others as texts.
//!
//! An empty cell is null. The file ends with what says where everything is: one that was broken off is read by nobody.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

/// Rows that are kept before they are written together, and the bytes after which fewer are.
const GROUP_ROWS: usize = 100_000;
const GROUP_BYTES: usize = 32 << 20;

/// A file that is being written.
pub struct ParquetFile<W: Write + Send> {
    /// None before the names of the columns are known.
    writer: Option<SerializedFileWriter<W>>,
    to: Option<W>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

/// The cells of a column that are not written yet.
enum Column {
    Whole(Cells<i64>),
    Seconds(Cells<f64>),
    Text(Cells<ByteArray>),
}

struct Cells<T> {
    /// Those that are there.
    values: Vec<T>,
    /// 1 for each that is there, 0 for one that is not.
    levels: Vec<i16>,
}

impl<T> Default for Cells<T> {
    fn default() -> Self {
        Cells { values: Vec::new(), levels: Vec::new() }
    }
}

impl<T> Cells<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(value.is_some().into());
        self.values.extend(value);
    }
}

impl<W: Write + Send> ParquetFile<W> {
    pub fn new(to: W) -> ParquetFile<W> {
        ParquetFile { writer: None, to: Some(to), columns: Vec::new(), rows: 0, bytes: 0 }
    }

    /// Takes whole lines of a table with commas; the first one has the names of the columns.
    pub fn take(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(lines);
        let mut row = csv::ByteRecord::new();
        while rows.read_byte_record(&mut row)? {
            if self.writer.is_none() {
                self.begin(&row)?;
                continue;
            }
            for (column, cell) in self.columns.iter_mut().zip(&row) {
                column.push(cell)?;
            }
            self.rows += 1;
            self.bytes += row.as_slice().len();
            if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
                self.write_group()?;
            }
        }
        Ok(())
    }

    /// Writes what is left and the end of the file.
    pub fn finish(mut self) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group()?;
        }
        let Some(writer) = self.writer else { return Ok(()) };
        writer.into_inner().map_err(of_parquet)?.flush()
    }

    fn begin(&mut self, names: &csv::ByteRecord) -> io::Result<()> {
        let names: Vec<&str> = names.iter().map(|name| std::str::from_utf8(name).unwrap_or("?")).collect();
        let own = |place: usize| match (place, names[place]) {
            (0, _) => Column::Whole(Cells::default()),
            // Those of ours are the last ones; a field of an item may have the same name.
            (_, "exit_code") if place + 2 == names.len() => Column::Whole(Cells::default()),
            (_, "seconds") if place + 1 == names.len() => Column::Seconds(Cells::default()),
            _ => Column::Text(Cells::default()),
        };
        self.columns = (0..names.len()).map(own).collect();
        let fields = names.iter().zip(&self.columns).map(|(name, column)| column.field(name)).collect::<Result<_, _>>();
        let schema = Type::group_type_builder("results").with_fields(fields.map_err(of_parquet)?).build();
        let (schema, to) = (schema.map_err(of_parquet)?, self.to.take().expect("it is taken once"));
        self.writer = Some(SerializedFileWriter::new(to, Arc::new(schema), Arc::default()).map_err(of_parquet)?);
        Ok(())
    }

    fn write_group(&mut self) -> io::Result<()> {
        let writer = self.writer.as_mut().expect("rows follow the names");
        let mut group = writer.next_row_group().map_err(of_parquet)?;
        for column in &mut self.columns {
            column.write(&mut group).map_err(of_parquet)?;
        }
        group.close().map_err(of_parquet)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

impl Column {
    fn field(&self, name: &str) -> Result<Arc<Type>, ParquetError> {
        let (physical, logical) = match self {
            Self::Whole(_) => (Physical::INT64, None),
            Self::Seconds(_) => (Physical::DOUBLE, None),
            Self::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(logical).build().map(Arc::new)
    }

    fn push(&mut self, cell: &[u8]) -> io::Result<()> {
        let text = || std::str::from_utf8(cell).map_err(io::Error::other);
        let is_there = !cell.is_empty();
        match self {
            Self::Whole(cells) => cells.push(is_there.then(|| number(text()?)).transpose()?),
            Self::Seconds(cells) => cells.push(is_there.then(|| number(text()?)).transpose()?),
            Self::Text(cells) => cells.push(is_there.then(|| ByteArray::from(cell.to_vec()))),
        }
        Ok(())
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, impl Write + Send>) -> Result<(), ParquetError> {
        match self {
            Self::Whole(cells) => write::<Int64Type>(group, std::mem::take(cells)),
            Self::Seconds(cells) => write::<DoubleType>(group, std::mem::take(cells)),
            Self::Text(cells) => write::<ByteArrayType>(group, std::mem::take(cells)),
        }
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    cells: Cells<T::T>,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
    column.typed::<T>().write_batch(&cells.values, Some(&cells.levels), None)?;
    column.close()
}

fn number<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(text: &str) -> io::Result<T> {
    text.parse().map_err(io::Error::other)
}

fn of_parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}
