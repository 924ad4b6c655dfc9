//! `-k` and `--tag`: what units write, on our own standard output and standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use indicatif::ProgressBar;
use job_manager::client::{OutputOrder, Stream, TakeOutput};
use job_manager::handler::{NOT_ALL_KEPT, OutputMode};
use job_manager::model::{RawText, Unit, UnitDetail};
use serde_json::value::RawValue;

use super::error::CliError;
use super::job_args::JobArgs;
use super::text::one_line;
use super::way_out::harmless;

/// Longest line that is held back on a terminal until it is whole.
const LINE_BYTES: usize = 64 * 1024;

/// What `run` prints of its units.
#[derive(Debug, Args)]
pub(super) struct PrintArgs {
    /// Print what the units write, in the order of their numbers
    #[arg(short = 'k', long)]
    pub keep_order: bool,
    /// Print what the units write as they end, each line after the unit's item and a tab
    #[arg(long)]
    pub tag: bool,
}

impl PrintArgs {
    /// Returns the order in which outputs are printed; none when they are not.
    pub fn order(&self) -> Option<OutputOrder> {
        match self {
            Self { keep_order: true, .. } => Some(OutputOrder::OfNumbers),
            Self { tag: true, .. } => Some(OutputOrder::OfEnds),
            _ => None,
        }
    }

    /// Refuses what would cut the output or mix it with something else.
    pub fn refuse_mixtures(&self, job: &JobArgs, json: bool) -> Result<(), CliError> {
        let Some(_) = self.order() else { return Ok(()) };
        let other = match job.output {
            _ if json => Some("--json answers with one document"),
            _ if job.output_dir.is_some() => Some("--output-dir writes it into files"),
            Some(OutputMode::None) => Some("--output none keeps nothing of it"),
            Some(OutputMode::Tail) => Some("--output tail keeps the ends of it only"),
            Some(OutputMode::Full) | None => None,
        };
        other.map_or(Ok(()), |other| Err(CliError::NothingToPrint(other)))
    }
}

/// Prints what units wrote: byte for byte into a file or a pipe, harmless on a terminal.
pub(super) struct OutputPrinter<'a> {
    tag: bool,
    interrupted: &'a AtomicBool,
    /// What is drawn on the terminal meanwhile.
    bar: Option<ProgressBar>,
    stdout: Printed,
    stderr: Printed,
}

/// What is known of one of our streams.
struct Printed {
    is_terminal: bool,
    /// A line that is not whole yet; on a terminal it is held back until it is.
    begun: Vec<u8>,
    at_line_start: bool,
}

impl<'a> OutputPrinter<'a> {
    pub fn new(tag: bool, interrupted: &'a AtomicBool) -> Self {
        let stream = |is_terminal| Printed { is_terminal, begun: Vec::new(), at_line_start: true };
        let (stdout, stderr) = (stream(io::stdout().is_terminal()), stream(io::stderr().is_terminal()));
        Self { tag, interrupted, bar: None, stdout, stderr }
    }

    /// Keeps clear of a bar that is drawn meanwhile.
    pub fn keep_clear_of(&mut self, bar: &ProgressBar) {
        self.bar = (self.stdout.is_terminal || self.stderr.is_terminal).then(|| bar.clone());
    }

    fn tag_of(&self, unit: &UnitDetail) -> Option<Vec<u8>> {
        self.tag.then(|| tag_of(unit))
    }
}

impl TakeOutput for OutputPrinter<'_> {
    type Error = CliError;

    fn take(&mut self, unit: &UnitDetail, stream: Stream, bytes: &[u8]) -> Result<(), CliError> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(CliError::Detached);
        }
        let tag = self.tag_of(unit);
        match stream {
            Stream::Out => aside(&self.bar, || self.stdout.print(&mut io::stdout().lock(), tag.as_deref(), bytes))?,
            Stream::Err => aside(&self.bar, || self.stderr.print(&mut io::stderr().lock(), tag.as_deref(), bytes))?,
        }
        Ok(())
    }

    fn end(&mut self, unit: &UnitDetail) -> Result<(), CliError> {
        let tag = self.tag_of(unit);
        aside(&self.bar, || self.stdout.end(&mut io::stdout().lock(), tag.as_deref()))?;
        aside(&self.bar, || self.stderr.end(&mut io::stderr().lock(), tag.as_deref()))?;
        if let Some(why) = why_not_whole(unit.output.stderr.as_ref()) {
            aside(&self.bar, || {
                writeln!(io::stderr(), "unit {}: not all of its output could be kept: {why}", unit.seq)
            })?;
        }
        Ok(())
    }
}

fn aside<T>(bar: &Option<ProgressBar>, write: impl FnOnce() -> T) -> T {
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

impl Printed {
    fn print(&mut self, to: &mut impl Write, tag: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
        if self.is_terminal {
            self.begun.extend_from_slice(bytes);
            let whole = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let ready = if self.begun.len() - whole > LINE_BYTES { self.begun.len() } else { whole };
            let lines: Vec<u8> = self.begun.drain(..ready).collect();
            self.write(to, tag, harmless(&lines).as_bytes())
        } else {
            self.write(to, tag, bytes)
        }
    }

    /// Writes lines, each after the tag when there is one.
    fn write(&mut self, to: &mut impl Write, tag: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
        let Some(tag) = tag else { return to.write_all(bytes) };
        let tag = if self.is_terminal { harmless(tag).replace('\r', " ").into_bytes() } else { tag.to_owned() };
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.at_line_start {
                to.write_all(&tag)?;
                to.write_all(b"\t")?;
            }
            to.write_all(line)?;
            self.at_line_start = line.ends_with(b"\n");
        }
        Ok(())
    }

    /// Ends the output of a unit; with tags, the next one begins on a line of its own.
    fn end(&mut self, to: &mut impl Write, tag: Option<&[u8]>) -> io::Result<()> {
        let begun = std::mem::take(&mut self.begun);
        self.write(to, tag, harmless(&begun).as_bytes())?;
        if !std::mem::replace(&mut self.at_line_start, true) {
            to.write_all(b"\n")?;
        }
        to.flush()
    }
}

/// Returns why an output is not whole, as the end of standard error in the database says.
fn why_not_whole(stderr: Option<&RawText>) -> Option<String> {
    let stderr = stderr?.to_string_lossy();
    let (_, why) = stderr.rsplit_once(NOT_ALL_KEPT)?;
    Some(one_line(why.strip_suffix(" ...]\n")?))
}

/// Returns what stands for a unit before its lines: the item, the parts of several, the key of a record that has one, or
/// the number of a unit without an item.
fn tag_of(unit: &UnitDetail) -> Vec<u8> {
    match &unit.key {
        Some(key) if Unit::is_last_key(key) => return b"then".to_vec(),
        Some(key) if unit.payload.starts_with('{') && RawText::of_json(&unit.payload).is_none() => {
            return one_line(key).into_bytes();
        }
        _ => {}
    }
    if unit.payload == "null" {
        return unit.seq.to_string().into_bytes();
    }
    match serde_json::from_str::<Vec<&RawValue>>(&unit.payload) {
        Ok(parts) => parts.iter().map(|part| words(part.get())).collect::<Vec<_>>().join(&b' '),
        Err(_) => words(&unit.payload),
    }
}

/// Returns a text, or another value as JSON, on one line.
fn words(json: &str) -> Vec<u8> {
    if let Some(raw) = RawText::of_json(json) {
        return raw.as_bytes().iter().map(|byte| if byte.is_ascii_control() { b' ' } else { *byte }).collect();
    }
    one_line(&serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(is_terminal: bool, tag: Option<&str>, pieces: &[&[u8]]) -> String {
        let mut stream = Printed { is_terminal, begun: Vec::new(), at_line_start: true };
        let mut to = Vec::new();
        for piece in pieces {
            stream.print(&mut to, tag.map(str::as_bytes), piece).unwrap();
        }
        stream.end(&mut to, tag.map(str::as_bytes)).unwrap();
        to.escape_ascii().to_string()
    }

    #[test]
    fn a_file_gets_every_byte_and_a_terminal_none_that_steers_it() {
        let pieces: [&[u8]; 3] = [b"a\x1b[2", b"J\xc3", b"\xa9\xff\n"];

        assert_eq!(printed(false, None, &pieces), r"a\x1b[2J\xc3\xa9\xff\n");
        assert_eq!(printed(true, None, &pieces), r"a\xef\xbf\xbd[2J\xc3\xa9\xef\xbf\xbd\n");
        assert_eq!(printed(false, None, &[b"no line end"]), "no line end");
    }

    #[test]
    fn each_line_bears_its_tag_once_wherever_it_was_cut() {
        for is_terminal in [false, true] {
            let lines = printed(is_terminal, Some("x"), &[b"a", b"b\n\nc", b"\nd"]);
            assert_eq!(lines, r"x\tab\nx\t\nx\tc\nx\td\n");
        }
        assert_eq!(printed(false, Some("x"), &[]), "");
    }

    #[test]
    fn an_output_that_was_not_kept_whole_is_told() {
        let end = format!("oops\n\n{NOT_ALL_KEPT}No space left on device (os error 28) ...]\n");

        assert_eq!(why_not_whole(Some(&end.into())).as_deref(), Some("No space left on device (os error 28)"));
        assert_eq!(why_not_whole(Some(&"oops\n".into())), None);
    }

    #[test]
    fn a_tag_is_the_item_on_one_line() {
        for (json, tag) in [(r#""a b""#, "a b"), (r#""a\nb\tc""#, "a b c"), ("7", "7"), (r#"{"a":1}"#, r#"{"a":1}"#)] {
            assert_eq!(String::from_utf8(words(json)).unwrap(), tag);
        }
        assert_eq!(words(&RawText::json_of(b"caf\xe9")), b"caf\xe9");
    }
}
