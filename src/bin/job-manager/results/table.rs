//! Results as a table: one row for each unit, with the columns of the input and of results that are objects.

use std::borrow::Cow;
use std::io;
use std::str;

use job_manager::model::{RawText, UnitResult};

use super::columns::{Columns, Names, fields, plain_text};
use super::item;

/// How the rows of a job are written.
#[derive(Debug)]
pub struct Table {
    pub columns: Columns,
    /// Whether results are texts, without it being said in them.
    pub are_texts: bool,
    pub with_outdated: bool,
}

impl Table {
    /// Writes the names of the columns.
    pub fn write_header(&self, out: &mut csv::Writer<Vec<u8>>) -> io::Result<()> {
        let Columns { input, result, has_items, has_results } = &self.columns;
        for name in ["seq", "key", "status"] {
            out.write_field(name)?;
        }
        has_items.then(|| out.write_field("item")).transpose()?;
        input.shown.iter().try_for_each(|name| out.write_field(name))?;
        has_results.then(|| out.write_field("result")).transpose()?;
        result.shown.iter().try_for_each(|name| out.write_field(name))?;
        let last = ["exit_code", "seconds"];
        let outdated = self.with_outdated.then_some(["outdated", "flag"]).into_iter().flatten();
        Ok(out.write_record(std::iter::once("error").chain(outdated).chain(last))?)
    }

    /// Writes the row of a unit, and returns how many of its values have no column.
    pub fn write(&self, out: &mut csv::Writer<Vec<u8>>, unit: &UnitResult) -> io::Result<u64> {
        let columns = &self.columns;
        let mut left = 0;
        out.write_field(unit.seq.to_string())?;
        out.write_field(unit.key.as_deref().unwrap_or_default())?;
        out.write_field(unit.status.as_str())?;
        let input = if columns.input.shown.is_empty() { None } else { fields(&unit.payload) };
        if columns.has_items {
            // What stands in columns of its own does not stand here once more.
            let whole = || plain_text(&unit.payload).map_or_else(|| item(&unit.payload).into(), Cow::Borrowed);
            out.write_field(if input.is_some() { "".into() } else { whole() }.as_bytes())?;
        } else if input.is_none() {
            left += 1;
        }
        left += write_fields(out, &columns.input, input)?;
        let of_result = if self.are_texts || columns.result.shown.is_empty() { None } else { unit.result.as_deref() };
        let of_result = of_result.and_then(fields);
        if columns.has_results {
            out.write_field(if of_result.is_some() { "".into() } else { self.result(unit) }.as_bytes())?;
        } else if of_result.is_none() && (unit.result.is_some() || unit.text_bytes().is_some()) {
            left += 1;
        }
        left += write_fields(out, &columns.result, of_result)?;
        out.write_field(unit.error.as_deref().unwrap_or_default())?;
        if self.with_outdated {
            out.write_field(unit.outdated.map(|why| why.to_string()).unwrap_or_default())?;
            out.write_field(unit.flag.as_deref().unwrap_or_default())?;
        }
        out.write_field(unit.exit_code.map(|code| code.to_string()).unwrap_or_default())?;
        out.write_field(unit.seconds().map(|seconds| seconds.to_string()).unwrap_or_default())?;
        out.write_record(None::<&[u8]>)?;
        Ok(left)
    }

    fn result<'a>(&self, unit: &'a UnitResult) -> Cow<'a, str> {
        match (&unit.result, unit.text_bytes()) {
            (Some(json), _) if self.are_texts => text_of(json),
            (Some(json), _) => json.into(),
            (None, Some(bytes)) => str::from_utf8(bytes).map_or_else(|_| RawText::json_of(bytes).into(), Cow::Borrowed),
            (None, None) => "".into(),
        }
    }
}

/// Writes values into their columns; of a name that comes twice the last value counts, as for every reader of JSON.
fn write_fields(
    out: &mut csv::Writer<Vec<u8>>,
    names: &Names,
    found: Option<Vec<(String, Cow<'_, str>)>>,
) -> io::Result<u64> {
    let mut left = 0;
    let mut cells: Vec<Cow<'_, str>> = vec!["".into(); names.shown.len()];
    for (name, value) in found.into_iter().flatten() {
        match names.place(&name) {
            Some(place) => cells[place] = value,
            None => left += 1,
        }
    }
    cells.iter().try_for_each(|cell| out.write_field(cell.as_bytes()))?;
    Ok(left)
}

fn text_of(json: &str) -> Cow<'_, str> {
    match plain_text(json) {
        Some(text) => text.into(),
        None => RawText::of_json(json).map_or_else(|| item(json), |text| text.to_column()).into(),
    }
}
