//! Lines of logs on their way to standard output.

use job_manager::text::whole_characters;

use crate::cli::{CliError, Output};

/// Bytes read at once of a log.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;

/// Prints whole lines, or counts them; of a line that has not ended it keeps no more than a block.
pub(super) struct Printer<'a> {
    /// Where lines are printed; without it they are counted.
    output: Option<&'a mut Output>,
    /// Lines that are skipped before the first one is printed.
    pub skip: usize,
    /// Ends of lines so far.
    ends: usize,
    unfinished: Vec<u8>,
    /// Whether the latest line has no end yet.
    in_line: bool,
}

impl<'a> Printer<'a> {
    pub fn new(output: Option<&'a mut Output>) -> Self {
        Self { output, skip: 0, ends: 0, unfinished: Vec::new(), in_line: false }
    }

    /// Takes what another unit wrote, which begins on a line of its own.
    pub fn take_next(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        if self.in_line && !bytes.is_empty() {
            self.take(b"\n")?;
        }
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
        output.bytes(bytes)
    }

    /// Returns how many lines there were.
    pub fn lines(&self) -> usize {
        self.ends + usize::from(self.in_line)
    }

    pub fn finish(mut self) -> Result<(), CliError> {
        let rest = std::mem::take(&mut self.unfinished);
        self.print(&rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_not_kept_in_memory() {
        let mut counter = Printer::new(None);
        for _ in 0..100 {
            counter.take("ä".repeat(10_000).as_bytes()).unwrap();
            assert!(counter.unfinished.len() <= BLOCK_BYTES + 20_000);
        }
        counter.take(b"\nlast").unwrap();

        assert_eq!(counter.lines(), 2);
    }
}
