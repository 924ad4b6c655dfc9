//! Numbers with their nouns.

use std::fmt::Display;

/// Writes a number and its noun, `1 line` or `2 lines`.
pub fn counted(number: impl Display, noun: impl Display) -> String {
    let number = number.to_string();
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_everything_else_plural() {
        assert_eq!([0, 1, 2].map(|number| counted(number, "unit")), ["0 units", "1 unit", "2 units"]);
    }
}
