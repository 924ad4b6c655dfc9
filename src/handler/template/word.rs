//! Whether a placeholder is a whole word, where an empty value is what it says, or a part of one, where it would vanish.

use super::part::Part;
use super::script_reader::ScriptReader;

/// Marks the placeholders that are whole words: as an argument, and in a script for the shell.
pub(super) fn mark_whole_words(parts: &mut [Part]) {
    let is_alone = parts.len() == 1;
    let whole = whole_in_script(parts);
    for (part, whole_in_script) in parts.iter_mut().zip(whole) {
        if let Part::Placeholder(placeholder) = part {
            (placeholder.is_whole_argument, placeholder.is_whole_in_script) = (is_alone, whole_in_script);
        }
    }
}

fn whole_in_script(parts: &[Part]) -> Vec<bool> {
    let texts = parts.iter().filter_map(|part| text(Some(part)));
    let mut reader = ScriptReader::new(texts);
    let mut whole = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &parts[before]);
        whole.push(is_whole(before, parts.get(index + 1), reader.is_in_double_quotes()));
        match part {
            Part::Text(text) => reader.read(text),
            Part::Placeholder(_) => reader.skip_value(),
        }
    }
    whole
}

fn is_whole(before: Option<&Part>, after: Option<&Part>, is_in_quotes: bool) -> bool {
    let (Some(before), Some(after)) = (text(before), text(after)) else { return false };
    if !is_in_quotes {
        return ends_word(before) && begins_word(after);
    }
    match (before.strip_suffix(b"\""), after.strip_prefix(b"\"")) {
        (Some(before), Some(after)) => ends_word(before) && begins_word(after),
        _ => false,
    }
}

/// Returns the text beside a placeholder; `None` for another placeholder.
fn text(part: Option<&Part>) -> Option<&[u8]> {
    match part {
        None => Some(b""),
        Some(Part::Text(text)) => Some(text),
        Some(Part::Placeholder(_)) => None,
    }
}

/// Returns `true` if a word may begin after a text of a script. The value of a variable is a whole one too: where it
/// is used decides.
fn ends_word(text: &[u8]) -> bool {
    match text.split_last() {
        None => true,
        Some((b'=', name)) => {
            let start = name.iter().rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
            let word = start.map_or(name, |start| &name[start + 1..]);
            !word.is_empty() && start.is_none_or(|start| is_separator(name[start]))
        }
        Some((last, _)) => is_separator(*last),
    }
}

fn begins_word(text: &[u8]) -> bool {
    text.first().is_none_or(|first| is_separator(*first))
}

fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b";|&()<>".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::super::Template;

    fn whole_in_script(text: &str) -> bool {
        let template = Template::parse(&text.into()).unwrap();
        template.placeholders().all(|placeholder| placeholder.is_whole_in_script)
    }

    #[test]
    fn a_word_of_a_script_ends_where_the_shell_ends_it() {
        for text in [
            "{}",
            "rm {}",
            "rm \"{}\"",
            "x={}; y",
            "a;x=\"{}\"",
            "cat <{}>{}",
            "$(cat {})",
            "a|{}&&{}",
            "\"$(cat {})\"",
        ] {
            assert!(whole_in_script(text), "{text}");
        }
        for text in [
            "v/{}",
            "{}/v",
            "\"v/{}\"",
            "--x={}",
            "{}{}",
            "\"{}\"x",
            "a\"{}\"",
            "\"{} \"",
            "'a'{}",
            "\"a {} b\"",
            "\"a {}\"",
        ] {
            assert!(!whole_in_script(text), "{text}");
        }
    }
}
