//! The one way out for text that is not ours: names, items, keys, errors, results and what units wrote.
//!
//! On a terminal, characters that steer it are replaced; into a file or a pipe every byte goes as it is. Nobody else
//! writes to standard output or standard error, but for what is ours from end to end.

use std::fmt::Display;
use std::io::{self, IsTerminal, Stderr, Stdout, Write};

use job_manager::text::{printable, steers_terminal, whole_characters};

/// A stream that is harmless where it is a terminal.
pub(super) struct WayOut<W: Write> {
    to: W,
    is_terminal: bool,
    /// The beginning of a character whose other bytes have not come yet.
    begun: Vec<u8>,
}

/// Returns standard output.
pub(super) fn stdout() -> WayOut<Stdout> {
    let stdout = io::stdout();
    WayOut { is_terminal: stdout.is_terminal(), to: stdout, begun: Vec::new() }
}

/// Returns standard error.
pub(super) fn stderr() -> WayOut<Stderr> {
    let stderr = io::stderr();
    WayOut { is_terminal: stderr.is_terminal(), to: stderr, begun: Vec::new() }
}

impl<W: Write> WayOut<W> {
    /// Writes a line, or several, whose layout is ours: a carriage return would write over it.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.line_behind("", text)
    }

    /// Writes such a line after something that is ours, colours included.
    pub fn line_behind(&mut self, ours: impl Display, text: &str) -> io::Result<()> {
        let text = if self.is_terminal { printable(text) } else { text.into() };
        // In one piece, or the lines of several processes run into each other.
        self.to.write_all(format!("{ours}{text}\n").as_bytes())
    }
}

impl<W: Write> Write for WayOut<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_terminal {
            return self.to.write(bytes);
        }
        self.begun.extend_from_slice(bytes);
        let whole = whole_characters(&self.begun);
        let text: Vec<u8> = self.begun.drain(..whole).collect();
        self.to.write_all(harmless(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl<W: Write> Drop for WayOut<W> {
    fn drop(&mut self) {
        let begun = std::mem::take(&mut self.begun);
        if !begun.is_empty() {
            // Half a character is nothing that anybody waits for.
            let _ = self.to.write_all(harmless(&begun).as_bytes());
        }
    }
}

/// Returns what may be shown on a terminal; carriage returns stay, as whoever wrote the text meant them.
pub(super) fn harmless(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(steers_terminal, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(is_terminal: bool, pieces: &[&[u8]]) -> Vec<u8> {
        let mut to = Vec::new();
        let mut way = WayOut { to: &mut to, is_terminal, begun: Vec::new() };
        pieces.iter().for_each(|piece| way.write_all(piece).unwrap());
        drop(way);
        to
    }

    #[test]
    fn a_file_gets_every_byte_and_a_terminal_what_does_not_steer_it() {
        let pieces: [&[u8]; 4] = [b"a\x1b]0;x\x07b\r\n", b"50%\r\xe2\x82", b"\xac\xff", b"\xc2\x9bm\xc3"];

        assert_eq!(written(false, &pieces), pieces.concat());
        let shown = "a\u{fffd}]0;x\u{fffd}b\r\n50%\r€\u{fffd}\u{fffd}m\u{fffd}";
        assert_eq!(String::from_utf8(written(true, &pieces)).unwrap(), shown);
    }
}
