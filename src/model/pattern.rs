//! A regular expression over the items of units.

use std::str::FromStr;

use super::RawText;

/// A regular expression that the item of a unit must contain: its payload where that is a text, else its JSON.
#[derive(Debug, Clone)]
pub struct ItemPattern(regex_lite::Regex);

/// A text that is not a regular expression.
#[derive(Debug, Clone, thiserror::Error)]
#[error("invalid regular expression {text:?}: {reason}")]
pub struct ItemPatternError {
    /// The text that was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ItemPattern {
    /// Returns `true` if the item of a payload contains what is looked for.
    pub fn matches(&self, payload: &str) -> bool {
        // Only a text differs from how it looks in JSON.
        match serde_json::from_str::<RawText>(payload) {
            Ok(item) => self.0.is_match(&item.to_string_lossy()),
            Err(_) => self.0.is_match(payload),
        }
    }
}

impl FromStr for ItemPattern {
    type Err = ItemPatternError;

    fn from_str(text: &str) -> Result<Self, ItemPatternError> {
        let wrong = |error: regex_lite::Error| ItemPatternError { text: text.to_owned(), reason: error.to_string() };
        regex_lite::Regex::new(text).map(Self).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_matched_as_it_looks() {
        let pattern: ItemPattern = "^a\"b/.*\\.jpg$".parse().unwrap();

        assert!(pattern.matches("\"a\\\"b/c.jpg\""));
        assert!(!pattern.matches("\"b.jpg\""));
        assert!("^\\{\"id\":7".parse::<ItemPattern>().unwrap().matches("{\"id\":7}"));
        assert!("^caf.$".parse::<ItemPattern>().unwrap().matches(&RawText::json_of(b"caf\xe9")));
        assert!("(".parse::<ItemPattern>().is_err());
    }
}
