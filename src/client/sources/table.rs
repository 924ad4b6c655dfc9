//! Every source with everything that can be wrong with it: exactly the units that were meant, or a refusal with its place.
//!
//! A cell that is not in `CELLS` is in `CANNOT`, with the reason why that source cannot have that fault.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::cells::{CANNOT, OF_DOCUMENTS, OF_PATHS, OF_QUERIES, OF_RANGES, OF_TABLES, cells, text_faults};
use super::*;
use crate::client::Client;
use crate::source::RangeError;

/// How a source is read in this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reader {
    Lines,
    Nul,
    List,
    Commands,
    Csv,
    NoHeader,
    Literal,
    Semicolon,
    Jsonl,
    Json,
    Path,
    Sql,
    Range,
}
use Reader::{
    Commands, Csv, Json, Jsonl, Lines, List, Literal, NoHeader, Nul, Path as JsonPath, Range as Numbers, Semicolon, Sql,
};

const ALL: [Reader; 13] =
    [Lines, Nul, List, Commands, Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath, Sql, Numbers];
/// Sources that read a text.
pub(super) const TEXTS: [Reader; 11] =
    [Lines, Nul, List, Commands, Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath];
pub(super) const TABLES: [Reader; 4] = [Csv, NoHeader, Literal, Semicolon];
const DOCUMENTS: [Reader; 3] = [Jsonl, Json, JsonPath];
pub(super) const UTF8: [Reader; 7] = [Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath];

/// What comes of a source.
pub(super) enum Outcome {
    /// The units of the sound text.
    Same,
    /// These units.
    Units(&'static [&'static str]),
    /// A refusal that says this.
    Refused(&'static str),
}
use Outcome::{Refused, Same, Units};

/// The sound text: three items, the second of which is not ASCII.
fn sound(from: Reader) -> &'static str {
    match from {
        Lines | List | Commands => "a\né\nz\n",
        Nul => "a\0é\0z\0",
        Csv => "id,n\na,1\né,2\nz,3\n",
        NoHeader => "a,1\né,2\nz,3\n",
        Literal => "id\tn\na\t1\né\t2\nz\t3\n",
        Semicolon => "id;n\na;1\né;2\nz;3\n",
        Jsonl => "\"a\"\n\"é\"\n\"z\"\n",
        Json => "[\"a\",\n\"é\",\n\"z\"]\n",
        JsonPath => "{\"x\":0,\"d\":{\"r\":[\"a\",\n\"é\",\n\"z\"]}}\n",
        Sql => "VALUES ('a'), ('é'), ('z')",
        Numbers => "7-9",
    }
}

fn spec(from: Reader, dir: &Path, text: &[u8]) -> Result<SourceSpec, String> {
    let path = dir.join("f");
    let file = InputFile { path: path.clone(), name: "f".to_owned(), only_regular: true };
    if from != Sql {
        fs::write(&path, text).unwrap();
    }
    let input = Input::File(file.clone());
    let csv = |delimiter, header, quotes| CsvOptions { delimiter, header, quotes };
    Ok(match from {
        Lines => SourceSpec::Lines { input, separator: Separator::Newline },
        Nul => SourceSpec::Lines { input, separator: Separator::Nul },
        List => SourceSpec::Lines { input, separator: Separator::EachNewline },
        Commands => SourceSpec::Commands { input, separator: Separator::Newline },
        Csv => SourceSpec::Csv { input, options: csv(b',', true, true) },
        NoHeader => SourceSpec::Csv { input, options: csv(b',', false, true) },
        Literal => SourceSpec::Csv { input, options: csv(b'\t', true, false) },
        Semicolon => SourceSpec::Csv { input, options: csv(b';', true, true) },
        Jsonl => SourceSpec::Jsonl { input },
        Json => SourceSpec::Json { input, path: None },
        JsonPath => SourceSpec::Json { input, path: Some("d.r".to_owned()) },
        Sql => {
            Client::create(&path).unwrap();
            SourceSpec::Sql { database: file, query: String::from_utf8(text.to_owned()).unwrap() }
        }
        Numbers => {
            let range = std::str::from_utf8(text).unwrap().parse();
            SourceSpec::Range(range.map_err(|error: RangeError| format!("f: {error}"))?)
        }
    })
}

/// Reads a source as every face does; the units of a refused one count for nothing.
fn read(from: Reader, text: &[u8]) -> Result<Vec<String>, String> {
    let dir = tempfile::tempdir().unwrap();
    let told = |error: SourceError| {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    };
    let opened = OpenSources::open(&[spec(from, dir.path(), text)?], SourceOptions::default()).map_err(told)?;
    opened.items.map(|item| item.map(|item| item.payload)).collect::<Result<_, _>>().map_err(told)
}

pub(super) fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

fn cannot_be(fault: &str, from: Reader) -> bool {
    let of_another_format = |faults: &[&str], sources: &[Reader]| faults.contains(&fault) && !sources.contains(&from);
    CANNOT.iter().any(|(faults, sources, _)| faults.contains(&fault) && sources.contains(&from))
        || of_another_format(&OF_TABLES, &TABLES)
        || of_another_format(&OF_DOCUMENTS, &DOCUMENTS)
        || of_another_format(&OF_PATHS, &[JsonPath])
        || of_another_format(&OF_QUERIES, &[Sql])
        || of_another_format(&OF_RANGES, &[Numbers])
        || (fault == "a number that no reader holds" && ![Jsonl, Json, JsonPath, Sql, Numbers].contains(&from))
        || (fault == "a column without a name" && DOCUMENTS.contains(&from))
}

fn check(fault: &str, from: Reader, text: &[u8], outcome: &Outcome, wrong: &mut Vec<String>) {
    let found = read(from, text);
    let is_right = match (&found, outcome) {
        (Ok(units), Same) => *units == read(from, sound(from).as_bytes()).unwrap(),
        (Ok(units), Units(expected)) => units == expected,
        // Every refusal names the source, and says what is wrong with it.
        (Err(error), Refused(words)) => error.contains(words) && (error.contains('f') || from == Sql),
        _ => false,
    };
    if !is_right {
        let shown = match found {
            Ok(units) => format!("{} units {:.200}", units.len(), units.join(" ")),
            Err(error) => error,
        };
        wrong.push(format!("{from:?} with {fault}: {shown}"));
    }
}

#[test]
fn every_source_gives_exact_units_of_a_malformed_text_or_refuses_it_with_its_place() {
    let (mut wrong, mut seen) = (Vec::new(), BTreeSet::new());
    for (fault, sources, bring, outcome) in text_faults() {
        for &from in sources {
            assert!(seen.insert((fault, from)), "{from:?} with {fault} is there twice");
            check(fault, from, &bring(sound(from)), &outcome, &mut wrong);
        }
    }
    for (fault, from, text, outcome) in cells() {
        assert!(seen.insert((fault, from)), "{from:?} with {fault} is there twice");
        check(fault, from, text, &outcome, &mut wrong);
    }
    let faults: BTreeSet<&str> = seen.iter().map(|(fault, _)| *fault).collect();
    for fault in &faults {
        for from in ALL {
            match (seen.contains(&(*fault, from)), cannot_be(fault, from)) {
                (true, true) => wrong.push(format!("{from:?} with {fault} is said not to be")),
                (false, false) => wrong.push(format!("{from:?} with {fault} is not in the table")),
                _ => {}
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ALL.len() >= 10 && faults.len() >= 25, "{} sources, {} faults", ALL.len(), faults.len());
    println!(
        "{} sources, {} faults, {} cells, {} that cannot be",
        ALL.len(),
        faults.len(),
        seen.len(),
        ALL.len() * faults.len() - seen.len()
    );
}
