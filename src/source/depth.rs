//! How deep a JSON text nests, told from its bytes alone.

/// Deepest nesting of a payload: what every reader of JSON can follow, with room for the documents it is shown in.
pub const MAX_JSON_DEPTH: usize = 100;

/// Follows the brackets of a JSON text.
#[derive(Debug, Default)]
pub(super) struct Depth {
    open: usize,
    in_text: bool,
    escaped: bool,
}

impl Depth {
    /// Takes the next byte and returns how many brackets are open after it.
    pub fn follow(&mut self, byte: u8) -> usize {
        if self.escaped {
            self.escaped = false;
        } else if self.in_text {
            match byte {
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_text = true,
                b'[' | b'{' => self.open += 1,
                b']' | b'}' => self.open = self.open.saturating_sub(1),
                _ => {}
            }
        }
        self.open
    }
}

/// Returns `true` if a text nests deeper than a payload may.
pub(super) fn is_too_deep(json: &str) -> bool {
    // Most texts have too few brackets for that, which is told much faster.
    if json.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() <= MAX_JSON_DEPTH {
        return false;
    }
    let mut depth = Depth::default();
    json.bytes().any(|byte| depth.follow(byte) > MAX_JSON_DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_and_those_inside_of_text_do_not() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));

        assert!(!is_too_deep(&nested(MAX_JSON_DEPTH)));
        assert!(is_too_deep(&nested(MAX_JSON_DEPTH + 1)));
        assert!(!is_too_deep(&format!(r#"["\"{}\\", {{}}]"#, "[".repeat(1000))));
        assert!(!is_too_deep(&format!("[{}]", "{},[],".repeat(1000))));
    }
}
