//! The ends of a stream: its first and its last bytes up to a limit, whatever is written in between.
//!
//! A unit may write gigabytes; what helps a reader is how it began and how it ended. Nothing is allocated before the
//! first byte, and never more than about twice the limit.

use std::collections::VecDeque;

use crate::model::text::whole_characters;
use crate::model::{RawText, counted};

/// Bytes kept of each output stream of a unit.
pub const OUTPUT_LIMIT_BYTES: usize = 64 * 1024;
/// Bytes of a last line in a message, and of the mark where it is cut: the next attempt is told so much of it.
const LINE_BYTES: usize = 4096 - "…".len();
/// Begins the line in the place of what was omitted.
const OMITTED_BEGIN: &str = "\n[... ";

/// A buffer that keeps the first half and the last half of a stream.
#[derive(Debug)]
pub struct Tail {
    head_limit: usize,
    end_limit: usize,
    head: Vec<u8>,
    end: VecDeque<u8>,
    omitted: u64,
}

impl Tail {
    /// Makes a buffer for at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        let head_limit = limit / 2;
        Self { head_limit, end_limit: limit - head_limit, head: Vec::new(), end: VecDeque::new(), omitted: 0 }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(self.head_limit - self.head.len()));
        self.head.extend_from_slice(first);
        let last = &rest[rest.len().saturating_sub(self.end_limit)..];
        let displaced = (self.end.len() + last.len()).saturating_sub(self.end_limit);
        self.end.drain(..displaced);
        self.end.extend(last);
        self.omitted += (rest.len() - last.len() + displaced) as u64;
    }

    /// Returns the last line that says something, as far as it is kept, or none.
    pub fn last_line(&self) -> Option<String> {
        let kept: Vec<u8> = self.head.iter().chain(&self.end).rev().take(LINE_BYTES * 4).copied().collect();
        let kept: Vec<u8> = kept.into_iter().rev().collect();
        let line = without_partial_start(&kept)
            .rsplit(|byte| b"\r\n".contains(byte))
            .find(|line| !line.trim_ascii().is_empty())?;
        let text = String::from_utf8_lossy(line.trim_ascii()).replace('\0', "\u{FFFD}");
        Some(match text.len() > LINE_BYTES {
            true => format!("{}…", &text[..text.floor_char_boundary(LINE_BYTES)]),
            false => text,
        })
    }

    /// Returns the stream byte for byte, or none when there was nothing.
    ///
    /// Where bytes were omitted stands a line that says how many; characters that this cuts in two are omitted
    /// whole, so that what was UTF-8 still is.
    pub fn into_bytes(mut self) -> Option<RawText> {
        let end = Vec::from(self.end);
        if self.omitted == 0 {
            self.head.extend_from_slice(&end);
            return if self.head.is_empty() { None } else { Some(self.head.into()) };
        }
        let (whole_head, whole_end) = (&self.head[..whole_characters(&self.head)], without_partial_start(&end));
        let partial = self.head.len() - whole_head.len() + end.len() - whole_end.len();
        let omitted = self.omitted + partial as u64;
        let mark = format!("{OMITTED_BEGIN}{} omitted ...]\n", counted(omitted, "byte"));
        Some([whole_head, mark.as_bytes(), whole_end].concat().into())
    }
}

/// Returns how many bytes were omitted from what is kept of a stream under the limit.
pub fn omitted_bytes(kept: &RawText) -> u64 {
    // Only with the line that says so is it longer than the limit.
    let Some(kept) = Some(kept.as_bytes()).filter(|kept| kept.len() > OUTPUT_LIMIT_BYTES) else { return 0 };
    let head = OUTPUT_LIMIT_BYTES / 2;
    (head.saturating_sub(3)..=head)
        .find_map(|at| {
            let count = kept.get(at..)?.strip_prefix(OMITTED_BEGIN.as_bytes())?;
            let digits = count.iter().take_while(|byte| byte.is_ascii_digit()).count();
            std::str::from_utf8(&count[..digits]).ok()?.parse().ok()
        })
        .unwrap_or(0)
}

/// Drops the bytes at the start that continue a character whose first byte is missing.
fn without_partial_start(bytes: &[u8]) -> &[u8] {
    let continues = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    let count = bytes.iter().take(3).take_while(continues).count();
    &bytes[count..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(limit: usize, chunks: &[&[u8]]) -> Option<String> {
        let mut tail = Tail::new(limit);
        chunks.iter().for_each(|chunk| tail.push(chunk));
        tail.into_bytes().map(|kept| kept.as_str().expect("it was UTF-8").to_owned())
    }

    fn kept(limit: usize, stream: &[u8]) -> Vec<u8> {
        let mut tail = Tail::new(limit);
        tail.push(stream);
        tail.into_bytes().unwrap_or_default().into_bytes()
    }

    #[test]
    fn an_empty_stream_is_no_text_and_allocates_nothing() {
        let mut tail = Tail::new(OUTPUT_LIMIT_BYTES);
        tail.push(b"");

        assert_eq!((tail.head.capacity(), tail.end.capacity()), (0, 0));
        assert_eq!(tail.into_bytes(), None);
    }

    #[test]
    fn a_stream_up_to_the_limit_is_kept_whole() {
        assert_eq!(text(6, &[b"abc", b"def"]).unwrap(), "abcdef");
    }

    #[test]
    fn the_last_line_is_the_last_that_says_something() {
        for (stream, line) in [
            ("", None),
            (" \n\r\n", None),
            ("a\n b \n\n", Some("b")),
            ("10 %\r20 %\r", Some("20 %")),
            ("one", Some("one")),
        ] {
            let mut tail = Tail::new(64);
            tail.push(stream.as_bytes());
            assert_eq!(tail.last_line().as_deref(), line, "{stream:?}");
        }
        let mut tail = Tail::new(OUTPUT_LIMIT_BYTES);
        tail.push("€".repeat(40_000).as_bytes());
        assert_eq!(tail.last_line().unwrap().chars().filter(|c| *c == '€').count(), LINE_BYTES / 3);
    }

    #[test]
    fn the_middle_of_a_longer_stream_is_omitted() {
        assert_eq!(text(6, &[b"abc", b"d", b"efgh", b"i"]).unwrap(), "abc\n[... 3 bytes omitted ...]\nghi");
        assert_eq!(text(5, &[b"abcdefghi"]).unwrap(), "ab\n[... 4 bytes omitted ...]\nghi");
        assert_eq!(text(0, &[b"abc"]).unwrap(), "\n[... 3 bytes omitted ...]\n");
    }

    #[test]
    fn a_character_across_the_halves_stays_whole() {
        assert_eq!(text(8, &["abc€d".as_bytes()]).unwrap(), "abc€d");
    }

    #[test]
    fn a_character_at_the_cut_is_omitted_whole() {
        assert_eq!(text(6, &["a€xx€z".as_bytes()]).unwrap(), "a\n[... 8 bytes omitted ...]\nz");
    }

    #[test]
    fn what_a_copy_omits_is_read_off_it_whatever_the_stream_says() {
        let mark = b"\n[... 7 bytes omitted ...]\n";
        let limit = OUTPUT_LIMIT_BYTES;
        for length in [0, limit / 2, limit - mark.len(), limit, limit + 1, 200_000] {
            for unit in ["x".as_bytes(), "€".as_bytes()] {
                let stream = [&unit.repeat(length / unit.len()), &mark[..]].concat();
                let kept = RawText::from(kept(limit, &stream));

                let is_cut = stream.len() > limit;
                let told = omitted_bytes(&kept) as usize;

                assert_eq!(told > 0, is_cut, "{length}");
                let shown = kept.as_bytes().len()
                    - if is_cut { format!("\n[... {told} bytes omitted ...]\n").len() } else { 0 };
                assert_eq!(shown + told, stream.len());
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_on_both_sides_of_a_cut() {
        assert_eq!(kept(64, b"\x1b[1m\0b\xffc\r\n"), b"\x1b[1m\0b\xffc\r\n");
        assert_eq!(kept(6, b"\xffa\0bcd\0e\xff"), b"\xffa\0\n[... 3 bytes omitted ...]\n\0e\xff");
    }

    /// The stream as it should be kept: first half, bytes omitted, last half.
    fn model(limit: usize, stream: &[u8]) -> (Vec<u8>, usize, Vec<u8>) {
        if stream.len() <= limit {
            return (stream.to_vec(), 0, Vec::new());
        }
        let end = stream.len() - (limit - limit / 2);
        (stream[..limit / 2].to_vec(), end - limit / 2, stream[end..].to_vec())
    }

    proptest! {
        #[test]
        fn the_bytes_kept_are_those_of_the_model(
            limit in 0_usize..40,
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..12),
        ) {
            let mut tail = Tail::new(limit);
            chunks.iter().for_each(|chunk| tail.push(chunk));

            let (head, omitted, end) = model(limit, &chunks.concat());
            let kept: Vec<u8> = tail.head.iter().chain(&tail.end).copied().collect();
            prop_assert_eq!(kept, [head, end].concat());
            prop_assert_eq!(tail.omitted, omitted as u64);
        }

        #[test]
        fn text_is_cut_between_characters(limit in 0_usize..40, stream in "[a€é🦀\n]{0,40}", chunk in 1_usize..9) {
            let chunks: Vec<&[u8]> = stream.as_bytes().chunks(chunk).collect();

            let kept = text(limit, &chunks).unwrap_or_default();

            if stream.len() <= limit {
                prop_assert_eq!(kept, stream);
            } else {
                let (head, rest) = kept.split_once("\n[... ").unwrap();
                let (count, end) = rest.split_once(" omitted ...]\n").unwrap();
                let (count, _) = count.split_once(' ').unwrap();
                prop_assert!(stream.starts_with(head) && stream.ends_with(end));
                prop_assert_eq!(head.len() + end.len() + count.parse::<usize>().unwrap(), stream.len());
                // At most three bytes of a character are lost at each side of the cut.
                prop_assert!(head.len() + 3 >= limit / 2 && end.len() + 3 >= limit - limit / 2);
            }
        }

        #[test]
        fn any_bytes_are_kept_within_bounds(stream in prop::collection::vec(any::<u8>(), 1..200)) {
            let kept = kept(64, &stream);

            prop_assert!(kept.len() <= 64 + 40 && (stream.len() > 64 || kept == stream));
        }
    }
}
