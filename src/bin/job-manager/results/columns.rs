//! The columns of a table of results: those of the input, where items are objects, and those of results that are objects.
//!
//! Values stand as they are: texts without quotes, numbers digit by digit, objects inside of objects with their names joined by a
//! dot, lists as JSON. A name that is one of ours, or comes twice, is told apart, so that no column hides another.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use job_manager::client::Client;
use job_manager::model::{JobId, RawText, UnitFilter, UnitResult};

use super::{ResultsError, item};
use crate::json_object::members_of_object;

/// Columns that are there, or may be, whatever the input is.
const OURS: [&str; 10] =
    ["seq", "key", "status", "item", "result", "error", "exit_code", "seconds", "outdated", "flag"];

/// Columns of one of the two beyond which names have none.
const MOST: usize = 1000;
/// Units that tell whether there are objects at all: the others are read only for their names.
const SAMPLE: i64 = 100;
/// Objects inside of objects that are taken apart.
const DEPTH: usize = 16;

/// Which columns a table has besides ours.
#[derive(Debug, Default)]
pub struct Columns {
    pub input: Names,
    pub result: Names,
    /// Whether an item is no object, and so has the column `item`.
    pub has_items: bool,
    /// Whether a result is no object, and so has the column `result`; or there is none.
    pub has_results: bool,
}

/// Names of columns in the order in which they came.
#[derive(Debug, Default)]
pub struct Names {
    /// By their paths: a field named `b.c` is another one than the field `c` of `b`.
    places: BTreeMap<String, usize>,
    pub shown: Vec<String>,
    /// Whether there were more than columns are made for.
    pub is_cut: bool,
}

impl Names {
    pub fn place(&self, path: &str) -> Option<usize> {
        self.places.get(path).copied()
    }

    fn add(&mut self, path: &str) {
        if self.places.contains_key(path) {
            return;
        }
        if self.shown.len() == MOST {
            self.is_cut = true;
            return;
        }
        self.places.insert(path.to_owned(), self.shown.len());
        self.shown.push(shown(path));
    }
}

impl Columns {
    /// Reads which columns the units of a job need; a job without objects is not read for that but for its first units.
    pub fn of(client: &Client, job: JobId, filter: &UnitFilter) -> Result<Columns, ResultsError> {
        let mut columns = Columns::default();
        let (mut seen, mut after, mut is_of_objects) = (0, None, false);
        let mut has_result = false;
        loop {
            let mut take = |unit: &UnitResult| {
                seen += 1;
                match fields(&unit.payload) {
                    Some(found) => found.iter().for_each(|(name, _)| columns.input.add(name)),
                    None => columns.has_items = true,
                }
                match unit.result.as_deref().map(fields) {
                    Some(Some(found)) => {
                        has_result = true;
                        found.iter().for_each(|(name, _)| columns.result.add(name));
                    }
                    Some(None) => columns.has_results = true,
                    None if unit.text_bytes().is_some() => columns.has_results = true,
                    None => {}
                }
                is_of_objects = !columns.input.shown.is_empty() || !columns.result.shown.is_empty();
                is_of_objects || seen < SAMPLE
            };
            after = client.each_result(job, filter, after, &mut |unit| unit.map_or(true, |unit| take(&unit)))?;
            if after.is_none() || (!is_of_objects && seen >= SAMPLE) {
                break;
            }
        }
        columns.has_results |= !has_result;
        columns.has_items |= seen == 0 || columns.input.shown.is_empty();
        if !is_of_objects {
            (columns.has_items, columns.has_results) = (true, true);
        }
        columns.name();
        Ok(columns)
    }

    /// Gives each column a name of its own.
    fn name(&mut self) {
        let mut taken: BTreeSet<String> = OURS.iter().map(|name| (*name).to_owned()).collect();
        let mut own = |wanted: String| {
            let mut name = wanted.clone();
            for number in 2.. {
                if taken.insert(name.clone()) {
                    break;
                }
                name = format!("{wanted}_{number}");
            }
            name
        };
        for name in &mut self.input.shown {
            *name = own(if OURS.contains(&name.as_str()) { format!("item.{name}") } else { name.clone() });
        }
        for name in &mut self.result.shown {
            *name = own(format!("result.{name}"));
        }
    }
}

/// Returns the values of an object with their paths; none of what is no object, or is bytes that are no text.
pub(super) fn fields(json: &str) -> Option<Vec<(String, Cow<'_, str>)>> {
    if !json.starts_with('{') || RawText::of_json(json).is_some() {
        return None;
    }
    let mut found = Vec::new();
    flatten(json, "", 0, &mut found)?;
    Some(found)
}

fn flatten<'a>(json: &'a str, before: &str, depth: usize, found: &mut Vec<(String, Cow<'a, str>)>) -> Option<()> {
    for (name, value) in members_of_object(json)? {
        let path = format!("{before}{}", step(&name));
        let json = value.get();
        let is_taken_apart = json.starts_with('{') && json != "{}" && depth < DEPTH && RawText::of_json(json).is_none();
        if is_taken_apart && flatten(json, &format!("{path}."), depth + 1, found).is_some() {
            continue;
        }
        found.push((path, cell(json)));
    }
    Some(())
}

/// Writes the name of a field as a step of a path, so that its own dots are told from those between steps.
fn step(name: &str) -> Cow<'_, str> {
    if name.contains(['.', '\\']) { name.replace('\\', "\\\\").replace('.', "\\.").into() } else { name.into() }
}

/// Returns a path as it is shown.
fn shown(path: &str) -> String {
    let (mut name, mut characters) = (String::new(), path.chars());
    while let Some(character) = characters.next() {
        name.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    name
}

/// Returns what stands in a cell for a value.
fn cell(json: &str) -> Cow<'_, str> {
    match json.as_bytes().first() {
        Some(b'"') => item(json).into(),
        Some(b'n') => "".into(),
        Some(b'{') => RawText::of_json(json).map_or(json.into(), |text| text.to_column().into()),
        _ => json.into(),
    }
}

/// Returns the text of a document that is one and says it letter by letter, as most do.
pub(super) fn plain_text(json: &str) -> Option<&str> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    text.bytes().all(is_plain).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_objects_stand_as_they_are_in_their_order() {
        let json =
            r#"{"b":"x\"y","a":{"n":12345678901234567890.10,"deep":{"z":null}},"list":[1, 2],"none":{},"t":true}"#;

        let found = fields(json).unwrap();

        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), &**value)).collect();
        assert_eq!(
            found,
            [
                ("b", "x\"y"),
                ("a.n", "12345678901234567890.10"),
                ("a.deep.z", ""),
                ("list", "[1, 2]"),
                ("none", "{}"),
                ("t", "true")
            ]
        );
        assert_eq!([fields("[1]"), fields("\"a\""), fields("{\"a\"")], [None, None, None]);
    }

    #[test]
    fn no_column_hides_another() {
        let mut columns = Columns::default();
        ["seq", "item.seq", "result.a", "plain"].iter().for_each(|name| columns.input.add(name));
        ["a", "b"].iter().for_each(|name| columns.result.add(name));

        columns.name();

        assert_eq!(columns.input.shown, ["item.seq", "item.seq_2", "result.a", "plain"]);
        assert_eq!(columns.result.shown, ["result.a_2", "result.b"]);
        assert_eq!(columns.input.place("seq"), Some(0));
    }

    #[test]
    fn fault_532_a_field_whose_name_has_a_dot_has_another_column_than_a_field_inside_of_a_field() {
        let json = r#"{"b":{"c":"inner","d\\":{".":1}},"b.c":"dotted","b\\.c":"both"}"#;
        let found = fields(json).unwrap();
        let mut columns = Columns::default();
        found.iter().for_each(|(path, _)| columns.result.add(path));

        columns.name();

        let names = ["result.b.c", "result.b.d\\..", "result.b.c_2", "result.b\\.c"];
        assert_eq!(columns.result.shown, names);
        let cells: Vec<_> = found.iter().map(|(path, value)| (columns.result.place(path), &**value)).collect();
        assert_eq!(cells, [(Some(0), "inner"), (Some(1), "1"), (Some(2), "dotted"), (Some(3), "both")]);
    }
}
