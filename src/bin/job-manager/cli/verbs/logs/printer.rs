//! Lines of logs on their way to standard output.

use job_manager::model::{JobId, RawText, Seq};
use job_manager::text::whole_characters;
use serde::Serialize;

use crate::cli::{CliError, Output};

/// Bytes read at once of a log.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;

/// Prints whole lines, or counts them; of a line that has not ended it keeps no more than a block.
pub(super) struct Printer<'a> {
    /// Where lines are printed; without it they are counted.
    output: Option<&'a mut Output>,
    /// Whose lines they are.
    pub of: LinesOf,
    /// Lines that are skipped before the first one is printed.
    pub skip: usize,
    /// Ends of lines so far.
    ends: usize,
    unfinished: Vec<u8>,
    /// Whether the latest line has no end yet.
    in_line: bool,
    /// Whether nothing follows.
    is_over: bool,
}

/// A job by its number.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Named {
    pub id: JobId,
}

/// Whose lines are printed; said of each where the answer is JSON.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct LinesOf {
    pub job: Named,
    /// The unit; none for the manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    pub stream: &'static str,
}

/// A line as JSON.
#[derive(Serialize)]
struct LineDocument {
    schema: u32,
    #[serde(flatten)]
    of: LinesOf,
    line: RawText,
    /// Whether the line had not ended yet, so that the next document may have more of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    goes_on: bool,
}

impl<'a> Printer<'a> {
    pub fn new(output: Option<&'a mut Output>, of: LinesOf) -> Self {
        Self { output, of, skip: 0, ends: 0, unfinished: Vec::new(), in_line: false, is_over: false }
    }

    /// Takes what another unit wrote, which begins on a line of its own.
    pub fn take_next(&mut self, seq: Seq, bytes: &[u8]) -> Result<(), CliError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.in_line {
            self.take(b"\n")?;
        }
        self.of.seq = Some(seq);
        self.take(bytes)
    }

    pub fn take(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        let Some(last) = bytes.last() else { return Ok(()) };
        self.in_line = *last != b'\n';
        self.unfinished.extend_from_slice(bytes);
        let end = match self.unfinished.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if self.unfinished.len() > BLOCK_BYTES => whole_characters(&self.unfinished),
            None => 0,
        };
        let rest = self.unfinished.split_off(end);
        let lines = std::mem::replace(&mut self.unfinished, rest);
        self.print(&lines)
    }

    fn print(&mut self, mut bytes: &[u8]) -> Result<(), CliError> {
        let Some(output) = &mut self.output else {
            self.ends += bytes.iter().filter(|byte| **byte == b'\n').count();
            return Ok(());
        };
        while self.skip > 0 {
            let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else { return Ok(()) };
            bytes = &bytes[at + 1..];
            self.skip -= 1;
        }
        if !output.json {
            return output.bytes(bytes);
        }
        documents(output, self.of, bytes, self.is_over)
    }

    /// Returns how many lines there were.
    pub fn lines(&self) -> usize {
        self.ends + usize::from(self.in_line)
    }

    pub fn finish(mut self) -> Result<(), CliError> {
        self.is_over = true;
        let rest = std::mem::take(&mut self.unfinished);
        self.print(&rest)
    }
}

/// Prints lines as a document each; one without an end goes on, unless nothing follows.
pub(super) fn documents(output: &mut Output, of: LinesOf, bytes: &[u8], is_over: bool) -> Result<(), CliError> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (line, goes_on) = line.strip_suffix(b"\n").map_or((line, true), |line| (line, false));
        output.document(&LineDocument { schema: 1, of, line: line.into(), goes_on: goes_on && !is_over })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_not_kept_in_memory() {
        let of = LinesOf { job: Named { id: JobId(1) }, seq: None, stream: "stdout" };
        let mut counter = Printer::new(None, of);
        for _ in 0..100 {
            counter.take("ä".repeat(10_000).as_bytes()).unwrap();
            assert!(counter.unfinished.len() <= BLOCK_BYTES + 20_000);
        }
        counter.take(b"\nlast").unwrap();

        assert_eq!(counter.lines(), 2);
    }
}
