//! The cells of the table of sources and faults, one on a line.

use super::table::Outcome::{self, Refused, Same, Units};
use super::table::Reader::{
    self, Commands, Csv, Json, Jsonl, Lines, List, Literal, NoHeader, Nul, Path as JsonPath, Range as Numbers,
    Semicolon, Sql,
};
use super::table::{TABLES, TEXTS, UTF8, utf16};
use crate::source::MAX_ITEM_BYTES;

/// A fault that a text of any format can have: its name, the sources, how it is brought in and what comes of it.
pub(super) type Brought = fn(&str) -> Vec<u8>;
pub(super) type TextFault = (&'static str, &'static [Reader], Brought, Outcome);

#[rustfmt::skip]
pub(super) fn text_faults() -> Vec<TextFault> {
    let of_text = "convert it with iconv -f UTF-16 -t UTF-8";
    vec![
        ("byte order mark", &TEXTS, |text| [b"\xef\xbb\xbf", text.as_bytes()].concat(), Same),
        ("UTF-16, little end first", &TEXTS, |text| [b"\xff\xfe".to_vec(), utf16(text, u16::to_le_bytes)].concat(), Refused(of_text)),
        ("UTF-16, big end first", &TEXTS, |text| [b"\xfe\xff".to_vec(), utf16(text, u16::to_be_bytes)].concat(), Refused(of_text)),
        (
            "UTF-16 without a mark",
            &[Lines, List, Commands, Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath],
            |text| utf16(text, u16::to_le_bytes),
            Refused("f:1: a NUL byte at byte 2"),
        ),
        ("UTF-32", &TEXTS, |text| [b"\xff\xfe\0\0", text.as_bytes()].concat(), Refused("iconv -f UTF-32 -t UTF-8")),
        ("compressed", &TEXTS, |text| [b"\x1f\x8b\x08\0", text.as_bytes()].concat(), Refused("gzip -dc")),
        ("a spreadsheet", &TEXTS, |text| [b"PK\x03\x04", text.as_bytes()].concat(), Refused("save the sheet as CSV")),
        (
            "CRLF",
            &[Lines, List, Commands, Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath],
            |text| text.replace('\n', "\r\n").into_bytes(),
            Same,
        ),
        ("no line break at the end", &TEXTS, |text| text.trim_end_matches(['\n', '\0']).as_bytes().to_owned(), Same),
        (
            "empty lines",
            &[Lines, Commands, Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath],
            |text| text.replace('\n', "\n\n").into_bytes(),
            Same,
        ),
        (
            "a NUL byte in an item",
            &[Lines, List, Commands, Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath],
            |text| text.replace('é', "x\0").into_bytes(),
            Refused(": a NUL byte at byte "),
        ),
        ("bytes that are not UTF-8", &UTF8, |text| latin1(text), Refused(": not valid UTF-8 at byte ")),
        ("a character that is cut at the end", &[Json, JsonPath], |text| [text.as_bytes(), b"\xc3"].concat(), Refused(": text after the document")),
        ("a character that is cut at the end", &[Csv, NoHeader, Literal, Semicolon, Jsonl], |text| [text.as_bytes(), b"\xc3"].concat(), Refused(": not valid UTF-8 at byte ")),
        ("nothing at all", &TEXTS, |_| Vec::new(), Refused("")),
        ("an item beyond 16 MiB", &TEXTS, |text| text.replace('é', &"é".repeat(MAX_ITEM_BYTES / 2 + 1)).into_bytes(), Refused("at most 16777216 bytes")),
        (
            "line ends of old machines",
            &TABLES,
            |text| text.replace('\n', "\r").into_bytes(),
            Refused("f:1: a carriage return without a line break"),
        ),
        (
            "line ends of old machines",
            &[Jsonl],
            |text| text.replace('\n', "\r").into_bytes(),
            Refused("f:1: a carriage return without a line break"),
        ),
        ("line ends of old machines", &[Json, JsonPath], |text| text.replace('\n', "\r").into_bytes(), Same),
    ]
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// A text with a fault that only some formats know.
pub(super) type Cell = (&'static str, Reader, &'static [u8], Outcome);

#[rustfmt::skip]
pub(super) fn cells() -> Vec<Cell> {
    let bytes = r#"{"text":"caf�","base64":"Y2Fm6Q=="}"#;
    let latin = Box::leak(vec![bytes].into_boxed_slice());
    let mut cells: Vec<Cell> = vec![
        ("empty lines", List, b"a\n\nz\n", Units(&["\"a\"", "\"\"", "\"z\""])),
        ("empty lines", Nul, b"a\0\0z\0", Units(&["\"a\"", "\"\"", "\"z\""])),
        ("CRLF", Nul, b"a\r\n\0z\0", Units(&["\"a\\r\\n\"", "\"z\""])),
        ("CRLF", Sql, b"SELECT 1 AS a\r\n;\r\n", Units(&["{\"a\":1}"])),
        ("byte order mark", Sql, b"\xef\xbb\xbfSELECT 1 AS a", Units(&["{\"a\":1}"])),
        ("line ends of old machines", Lines, b"a\rb\rc", Refused("f:1: a carriage return without a line break")),
        ("line ends of old machines", List, b"a\rb", Refused("f:1: a carriage return without a line break")),
        ("line ends of old machines", Nul, b"a\rb\0", Units(&["\"a\\rb\""])),
        ("a NUL byte in an item", Sql, b"SELECT 'x' AS a\0 WHERE 0", Refused("the query has a NUL character")),
        ("a NUL byte in an item", Nul, b"x\0y\0", Units(&["\"x\"", "\"y\""])),
        ("bytes that are not UTF-8", Lines, b"caf\xe9\n", Units(latin)),
        ("bytes that are not UTF-8", List, b"caf\xe9\n", Units(latin)),
        ("bytes that are not UTF-8", Nul, b"caf\xe9\0", Units(latin)),
        ("bytes that are not UTF-8", Commands, b"caf\xe9\n", Units(latin)),
        ("bytes that are not UTF-8", Sql, b"SELECT CAST(x'636166e9' AS TEXT) AS a", Units(&["{\"a\":{\"text\":\"caf\u{fffd}\",\"base64\":\"Y2Fm6Q==\"}}"])),
        ("nothing at all", Sql, b"SELECT 1 AS a WHERE 0", Refused("the query on f returns no rows")),
        ("nothing at all", Numbers, b"", Refused("f: expected FIRST-LAST")),
        ("an item beyond 16 MiB", Sql, b"SELECT hex(zeroblob(8388609)) AS a", Refused("f, row 1: an item may have at most 16777216 bytes")),
        ("items that end with NUL taken for lines", Lines, b"a\0b\0", Refused("f:1: a NUL byte at byte 2")),
        ("items that end with NUL taken for lines", List, b"a\0b\0", Refused("a NUL byte at byte 2")),
        ("items that end with NUL taken for lines", Commands, b"a\0b\0", Refused("a NUL byte at byte 2")),
        ("lines taken for items that end with NUL", Nul, b"a\nb\n", Refused("f has lines and no NUL")),
        ("a command over two lines", Commands, b"true\nrm \\\n-r x\n", Refused("f:2: the command goes on in the next line")),
        ("a quote that is never closed", Csv, b"id,n\n1,\"abc\n2,def\n3,ghi\n", Refused("f:2: the quote that opens a field here is never closed")),
        ("a quote that is never closed", NoHeader, b"1,\"abc\n2,def\n", Refused("f:1: the quote")),
        ("a quote that is never closed", Semicolon, b"id;n\n1;2\n\"x;y\n", Refused("f:3: the quote")),
        ("a quote that is never closed", Literal, b"id\tn\n1\t\"a\n2\tb\n", Units(&["{\"id\":\"1\",\"n\":\"\\\"a\"}", "{\"id\":\"2\",\"n\":\"b\"}"])),
        ("a quote that is never closed", Jsonl, b"\"a\"\n\"b\n\"c\"\n", Refused("f:2: ")),
        ("a quote that is never closed", Json, b"[\"a\",\n\"b,\n\"c\"]", Refused("f:2: not a JSON document")),
        ("a quote that is never closed", JsonPath, b"{\"d\":{\"r\":[\"a]}}", Refused("f:1: not a JSON document")),
        ("a quote that is never closed", Sql, b"SELECT 'a AS b", Refused("the query failed")),
        ("text after a closing quote", Csv, b"id,n\n1,\"a\"b\n", Refused("f:2: text after a closing quote at byte 6")),
        ("text after a closing quote", NoHeader, b"1,\"a\" \n", Refused("f:1: text after")),
        ("text after a closing quote", Semicolon, b"id;n\n\"1\",2;3\n", Refused("f:2: text after")),
        ("text after a closing quote", Literal, b"id\tn\n\"a\"b\t1\n", Units(&["{\"id\":\"\\\"a\\\"b\",\"n\":\"1\"}"])),
        ("text after a closing quote", Jsonl, b"\"a\"b\n", Refused("f:1: not a JSON document")),
        ("text after a closing quote", Json, b"[\"a\"b]", Refused("f:1: not a JSON document")),
        ("text after a closing quote", JsonPath, b"{\"d\"x:{\"r\":[1]}}", Refused("f:1: not a JSON document")),
        ("a quote inside a field", Csv, b"id,n\n1,5\" nail\n", Refused("f:2: a quote inside a field at byte 4")),
        ("a quote inside a field", NoHeader, b"1, \"a\"\n", Refused("f:1: a quote inside a field")),
        ("a quote inside a field", Semicolon, b"id;n\n1;a\"b\"\n", Refused("f:2: a quote inside a field")),
        ("a quote inside a field", Literal, b"id\tn\n1\t5\" nail\n", Units(&["{\"id\":\"1\",\"n\":\"5\\\" nail\"}"])),
        ("a record that is too short", Csv, b"id,n\n1,2\n3\n", Refused("f:3: 1 field instead of 2")),
        ("a record that is too short", NoHeader, b"1,2\n3\n", Refused("f:2: 1 field instead of 2")),
        ("a record that is too short", Literal, b"id\tn\n1\n", Refused("f:2: 1 field instead of 2")),
        ("a record that is too short", Semicolon, b"id;n\n1\n", Refused("f:2: 1 field instead of 2")),
        ("a record that is too long", Csv, b"id,n\n1,2,\n", Refused("f:2: 3 fields instead of 2")),
        ("a record that is too long", NoHeader, b"1,2\n3,4,5\n", Refused("f:2: 3 fields instead of 2")),
        ("a record that is too long", Literal, b"id\tn\n1\t2\t3\n", Refused("f:2: 3 fields instead of 2")),
        ("a record that is too long", Semicolon, b"id;n\n1;2;3\n", Refused("f:2: 3 fields instead of 2")),
        ("another delimiter", Csv, b"id;n\n1;2\n", Refused("f:1: the header is one field with ';' in it")),
        ("another delimiter", Semicolon, b"id,n\n1,2\n", Refused("f:1: the header is one field with ','")),
        ("another delimiter", Literal, b"id,n\n1,2\n", Refused("f:1: the header is one field with ','")),
        ("another delimiter", NoHeader, b"a,1\nb;2\n", Refused("f:2: 1 field instead of 2")),
        ("Excel's line", Csv, b"sep=;\nid;n\n1;2\n", Refused("f:1: this line tells Excel the delimiter")),
        ("Excel's line", Semicolon, b"sep=;\nid;n\n1;2\n", Refused("f:1: this line tells Excel the delimiter")),
        ("Excel's line", Literal, b"sep=\t\nid\tn\n1\t2\n", Refused("f:1: this line tells Excel the delimiter")),
        ("Excel's line", NoHeader, b"sep=,\n1,2\n", Refused("f:1: this line tells Excel the delimiter")),
        ("a name for two columns", Csv, b"a,a\n1,2\n", Units(&["{\"a (column 1)\":\"1\",\"a (column 2)\":\"2\"}"])),
        ("a name for two columns", Semicolon, b"a;a\n1;2\n", Units(&["{\"a (column 1)\":\"1\",\"a (column 2)\":\"2\"}"])),
        ("a name for two columns", Literal, b"a\ta\n1\t2\n", Units(&["{\"a (column 1)\":\"1\",\"a (column 2)\":\"2\"}"])),
        ("a name for two columns", Sql, b"SELECT 1 AS a, 2 AS a", Units(&["{\"a (column 1)\":1,\"a (column 2)\":2}"])),
        ("a name for two columns", Jsonl, b"{\"a\":1,\"a\":2}\n", Refused("field \"a\" stands there twice")),
        ("a name for two columns", Json, b"[1,{\"a\":1,\"a\":2}]", Refused("f, element 2: not a JSON document that everybody reads alike: field \"a\" stands there twice")),
        ("a name for two columns", JsonPath, b"{\"d\":{\"r\":[1]},\"d\":{\"r\":[2]}}", Refused("field \"d\" stands there twice")),
        ("a column without a name", Csv, b",a\n1,2\n", Units(&["{\"(column 1)\":\"1\",\"a\":\"2\"}"])),
        ("a column without a name", Semicolon, b";a\n1;2\n", Units(&["{\"(column 1)\":\"1\",\"a\":\"2\"}"])),
        ("a column without a name", Literal, b"\ta\n1\t2\n", Units(&["{\"(column 1)\":\"1\",\"a\":\"2\"}"])),
        ("a column without a name", Sql, b"SELECT 1 AS \"\"", Units(&["{\"(column 1)\":1}"])),
        ("unpaired surrogate", Jsonl, b"1\n\"\\ud800\"\n", Refused("unpaired surrogate")),
        ("unpaired surrogate", Json, b"[1,\"\\udc00\"]", Refused("f, element 2: not a JSON document that everybody reads alike: unpaired surrogate")),
        ("unpaired surrogate", JsonPath, b"{\"d\":{\"r\":[\"\\ud800\\u0041\"]}}", Refused("f, element 1: ")),
        ("a number that no reader holds", Jsonl, b"1e999\n", Refused("number out of range")),
        ("a number that no reader holds", Json, b"[1e999]", Refused("f, element 1: ")),
        ("a number that no reader holds", JsonPath, b"{\"d\":{\"r\":[-1e999]}}", Refused("f, element 1: ")),
        ("a number that no reader holds", Sql, b"SELECT 9e999 AS a", Refused("f, row 1: cannot take the row: the column \"a\" holds an infinite number")),
        ("a number that no reader holds", Numbers, b"1-18446744073709551616", Refused("f: expected FIRST-LAST")),
        ("NaN", Jsonl, b"NaN\n", Refused("f:1: not a JSON document")),
        ("NaN", Json, b"[Infinity]", Refused("f:1: not a JSON document")),
        ("NaN", JsonPath, b"{\"d\":{\"r\":[NaN]}}", Refused("f:1: not a JSON document")),
        ("a document that is cut off", Jsonl, b"{}\n{\"a\":1", Refused("f:2: not a JSON document")),
        ("a document that is cut off", Json, b"[1,\n2", Refused("f:2: not a JSON document")),
        ("a document that is cut off", JsonPath, b"{\"d\":{\"r\":[1]", Refused("f:1: not a JSON document")),
        ("text after the document", Jsonl, b"1 2\n", Refused("trailing characters")),
        ("text after the document", Json, b"[1]\n[2]\n", Refused("f:2: text after the document, column 1")),
        ("text after the document", JsonPath, b"{\"d\":{\"r\":[1]}} x", Refused("f:1: text after the document")),
        ("the other kind of JSON", Jsonl, b"[1,2]\n", Refused("f:1: one array and not one document per line")),
        ("the other kind of JSON", Json, b"{\"a\":1}\n{\"a\":2}\n", Refused("f:1: cannot find the array at \".\"")),
        ("the other kind of JSON", JsonPath, b"[1]\n", Refused("f:1: cannot find the array at \"d.r\"")),
        ("a document over several lines", Jsonl, b"{\n \"a\": 1\n}\n", Refused("f:1: the document goes on in the next line")),
        ("a document over several lines", Json, b"[\n1\n,\n2\n]\n", Units(&["1", "2"])),
        ("a document over several lines", JsonPath, b"{\n\"d\":\n{\"r\":\n[\n1\n]\n}}", Units(&["1"])),
        ("a scalar where items should be", Jsonl, b"7\n", Units(&["7"])),
        ("a scalar where items should be", Json, b"7\n", Refused("f:1: cannot find the array at \".\"")),
        ("a scalar where items should be", JsonPath, b"{\"d\":{\"r\":7}}", Refused("f:1: cannot find the array at \"d.r\"")),
        ("a path to nothing", JsonPath, b"{\"d\":{\"q\":[1]}}", Refused("f: nothing is at \"d.r\"")),
        ("a path through an array", JsonPath, b"{\"d\":[{\"r\":[1]}]}", Refused("f:1: cannot find the array at \"d.r\"")),
        ("a second statement", Sql, b"SELECT 1 AS a; SELECT 2 AS a", Refused("the query has a second statement, \"SELECT 2 AS a\"")),
        ("a parameter", Sql, b"SELECT ?1 AS a", Refused("the query has the parameter ?1")),
        ("a blob", Sql, b"SELECT x'00' AS a", Refused("f, row 1: cannot take the row: the column \"a\" holds a blob")),
        ("leading zeros", Numbers, b"08-10", Units(&["\"08\"", "\"09\"", "\"10\""])),
        ("a range that goes down", Numbers, b"9-1", Refused("f: a range goes up, write 1-9")),
        ("a step of nothing", Numbers, b"1-9:0", Refused("f: the step of a range is at least 1")),
    ];
    let deep: &'static [u8] = Box::leak(format!("{}{}\n", "[".repeat(101), "]".repeat(101)).into_boxed_str()).as_bytes();
    let deep_element: &'static [u8] = Box::leak([b"[", deep, b"]"].concat().into_boxed_slice());
    let deep_path: &'static [u8] = Box::leak([b"{\"d\":{\"r\":[", deep, b"]}}"].concat().into_boxed_slice());
    for (from, text) in [(Jsonl, deep), (Json, deep_element), (JsonPath, deep_path)] {
        cells.push(("deeper than 100 levels", from, text, Refused("a JSON document may nest at most 100 levels deep")));
    }
    cells
}

/// Cells that cannot be: the faults, the sources, and why.
#[rustfmt::skip]
pub(super) const CANNOT: [(&[&str], &[Reader], &str); 12] = [
    (&["byte order mark", "CRLF", "line ends of old machines", "a NUL byte in an item", "bytes that are not UTF-8", "an item beyond 16 MiB"], &[Numbers], "a range is one argument of digits"),
    (
        &["UTF-16, little end first", "UTF-16, big end first", "UTF-16 without a mark", "UTF-32", "compressed", "a spreadsheet", "no line break at the end", "empty lines", "a character that is cut at the end"],
        &[Sql, Numbers],
        "a query and a range are arguments, not texts",
    ),
    (&["UTF-16 without a mark"], &[Nul], "nothing tells it from items of one byte"),
    (&["a character that is cut at the end"], &[Lines, Nul, List, Commands], "their items are bytes"),
    (&["line ends of old machines"], &[Commands, Sql], "a shell and SQLite take a carriage return for a blank or a character"),
    (&["items that end with NUL taken for lines", "lines taken for items that end with NUL", "a command over two lines"], &[Csv, NoHeader, Literal, Semicolon, Jsonl, Json, JsonPath, Sql, Numbers], "they are no lists of lines"),
    (&["items that end with NUL taken for lines", "a command over two lines"], &[Nul], "it is right there"),
    (&["lines taken for items that end with NUL"], &[Lines, List, Commands], "it is right there"),
    (&["a command over two lines"], &[Lines, List], "a backslash is a character"),
    (
        &["a quote that is never closed", "text after a closing quote"],
        &[Lines, Nul, List, Commands, Numbers],
        "a quote is a character of the item, or of the shell's language",
    ),
    (&["text after a closing quote"], &[Sql], "SQLite reads an alias there"),
    (&["a name for two columns", "a column without a name"], &[NoHeader, Lines, Nul, List, Commands, Numbers], "they have no names"),
];

/// Faults that belong to one format: no other source knows what they are about.
#[rustfmt::skip]
pub(super) const OF_TABLES: [&str; 5] =
    ["a quote inside a field", "a record that is too short", "a record that is too long", "another delimiter", "Excel's line"];
#[rustfmt::skip]
pub(super) const OF_DOCUMENTS: [&str; 8] = [
    "unpaired surrogate",
    "NaN",
    "a document that is cut off",
    "text after the document",
    "the other kind of JSON",
    "a document over several lines",
    "a scalar where items should be",
    "deeper than 100 levels",
];
#[rustfmt::skip]
pub(super) const OF_PATHS: [&str; 2] = ["a path to nothing", "a path through an array"];
#[rustfmt::skip]
pub(super) const OF_QUERIES: [&str; 3] = ["a second statement", "a parameter", "a blob"];
#[rustfmt::skip]
pub(super) const OF_RANGES: [&str; 3] = ["leading zeros", "a range that goes down", "a step of nothing"];
