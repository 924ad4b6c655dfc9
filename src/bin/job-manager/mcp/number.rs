//! The number of a message that cannot be read.
//!
//! A host waits for the answer to each of its requests, also to one that is cut off, too long to be held, or not UTF-8. So the bytes are looked
//! at one after another for the field `id` of the outermost object; nothing else of them is understood.

use rmcp::model::RequestId;

/// Most bytes of a name or a number; whatever is longer is no number of a request.
const MAX_BYTES: usize = 256;

/// Looks for the number of one message.
#[derive(Debug, Default)]
pub(super) struct NumberSearch {
    /// How many objects and arrays are open; the outermost must be an object.
    depth: usize,
    is_object: bool,
    in_text: bool,
    is_escaped: bool,
    /// Whether a value comes, not a name, and whether it is that of `id`.
    in_value: bool,
    in_number: bool,
    /// What has come of the name or the value.
    word: Vec<u8>,
    found: Vec<RequestId>,
    has_method: bool,
    is_answer: bool,
}

impl NumberSearch {
    /// Returns the number of a whole message.
    pub fn of(line: &[u8]) -> Option<RequestId> {
        let mut search = Self::default();
        search.read(line);
        search.number()
    }

    /// Reads on.
    pub fn read(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.read_byte(*byte));
    }

    /// Returns the number, if there was one, and only one. What answers a request of ours is not answered.
    pub fn number(&self) -> Option<RequestId> {
        match &self.found[..] {
            [number] if self.has_method || !self.is_answer => Some(number.clone()),
            _ => None,
        }
    }

    fn read_byte(&mut self, byte: u8) {
        if self.in_text {
            self.keep(byte);
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.keep(byte);
            }
            b'{' | b'[' => {
                // Its own number is none.
                self.keep(byte);
                self.is_object |= self.depth == 0 && byte == b'{';
                self.depth += 1;
            }
            b'}' | b']' => {
                if self.depth == 1 {
                    self.end_field();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 && !self.in_value => {
                let name = serde_json::from_slice::<String>(&std::mem::take(&mut self.word)).unwrap_or_default();
                self.has_method |= name == "method";
                self.is_answer |= name == "result" || name == "error";
                (self.in_value, self.in_number) = (true, self.is_object && name == "id");
            }
            b',' if self.depth == 1 => self.end_field(),
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth == 1 && self.word.len() <= MAX_BYTES {
            self.word.push(byte);
        }
    }

    fn end_field(&mut self) {
        let value = std::mem::take(&mut self.word);
        self.in_value = false;
        if std::mem::take(&mut self.in_number) {
            self.found.extend(serde_json::from_slice::<RequestId>(&value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_wherever_it_stands_and_nothing_else_is_taken_for_one() {
        let number = |number| Some(RequestId::Number(number));
        for (line, found) in [
            (r#"{"id":7}"#, number(7)),
            (r#" { "id" : 7 , "method":"#, number(7)),
            (r#"{"params":{"id":1,"a":["]}",{"id":2}]},"id":7}"#, number(7)),
            (r#"{"params":"\"id\":1,\\","\u0069d":7}"#, number(7)),
            (r#"{"a":"\ud800","id":"x"}"#, Some(RequestId::String("x".into()))),
            (r#"{"id":7"#, None),
            (r#"{"id":7,"id":7}"#, None),
            (r#"{"id":{"id":7}}"#, None),
            (r#"{"id":[7]}"#, None),
            (r#"{"id":7.5}"#, None),
            (r#"{"id":null}"#, None),
            (r#"{"id"}"#, None),
            (r#"[{"id":7}]"#, None),
            (r#"["id":7]"#, None),
            (r#""id":7,"#, None),
            (r#"{"id":7,"result":{"a":"#, None),
            (r#"}}}{"id":7}"#, number(7)),
            ("", None),
        ] {
            assert_eq!(NumberSearch::of(line.as_bytes()), found, "{line}");
        }
        assert_eq!(NumberSearch::of(b"{\"\xff\":\"\xff\",\"id\":7}"), number(7));
        assert_eq!(NumberSearch::of(b"{\"id\":\"\xff\"}"), None);
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(MAX_BYTES));
        assert_eq!(NumberSearch::of(long.as_bytes()), None);
    }
}
