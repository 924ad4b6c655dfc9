//! Braces: `{a,b}` and `{1..3}` as bash expands them, before anything else of a pattern is looked at.

use super::pattern_error::{MAX_ALTERNATIVES, PatternError};

/// Returns the texts that a text with braces stands for; braces that are no alternatives stay as they are.
pub(super) fn expand(text: &[u8]) -> Result<Vec<Vec<u8>>, PatternError> {
    let Some((open, close)) = first_pair(text) else { return Ok(vec![text.to_owned()]) };
    let (before, inside, after) = (&text[..open], &text[open + 1..close], &text[close + 1..]);
    let alternatives = if has_comma(inside) {
        expand_list(inside)?
    } else {
        // What is neither a list nor a sequence is itself, with its braces.
        sequence(inside)?.unwrap_or_else(|| vec![text[open..=close].to_owned()])
    };
    let rest = expand(after)?;
    if alternatives.len() * rest.len() > MAX_ALTERNATIVES {
        return Err(PatternError::TooManyAlternatives);
    }
    let whole =
        |alternative: &Vec<u8>| rest.iter().map(|rest| [before, alternative, rest].concat()).collect::<Vec<_>>();
    Ok(alternatives.iter().flat_map(whole).collect())
}

/// Finds the first opening brace with something to expand, and the one that closes it.
fn first_pair(text: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let open = find(text, from, b'{')?;
        if let Some(close) = find(text, open + 1, b'}') {
            return Some((open, close));
        }
        from = open + 1;
    }
}

/// Finds the next byte `wanted` that is in no inner pair of braces; a closing brace counts only after a comma or `..`.
fn find(text: &[u8], from: usize, wanted: u8) -> Option<usize> {
    let mut depth = 0_usize;
    let mut is_list = wanted != b'}';
    let mut at = from;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            _ if byte == wanted && depth == 0 && is_list && !(byte == b'{' && stands_alone(text, at)) => {
                return Some(at);
            }
            b'{' if wanted == b'{' => {}
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => is_list = true,
            b'.' if depth == 0 && text[at..].starts_with(b"..") && text.get(at + 2) != Some(&wanted) => is_list = true,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns `true` for a brace between blanks, and for an empty pair after one.
fn stands_alone(text: &[u8], at: usize) -> bool {
    let is_blank = |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
    is_blank(at.checked_sub(1).and_then(|before| text.get(before)))
        && (is_blank(text.get(at + 1)) || text.get(at + 1) == Some(&b'}'))
}

fn has_comma(text: &[u8]) -> bool {
    let mut escaped = false;
    text.iter().any(|&byte| {
        let is_comma = byte == b',' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_comma
    })
}

fn expand_list(mut text: &[u8]) -> Result<Vec<Vec<u8>>, PatternError> {
    let mut all = Vec::new();
    loop {
        let end = find(text, 0, b',');
        all.extend(expand(&text[..end.unwrap_or(text.len())])?);
        if all.len() > MAX_ALTERNATIVES {
            return Err(PatternError::TooManyAlternatives);
        }
        match end {
            Some(end) => text = &text[end + 1..],
            None => return Ok(all),
        }
    }
}

/// Reads `FIRST..LAST` or `FIRST..LAST..STEP`, of whole numbers or of letters.
fn sequence(text: &[u8]) -> Result<Option<Vec<Vec<u8>>>, PatternError> {
    let Some(text) = std::str::from_utf8(text).ok() else { return Ok(None) };
    let mut parts = text.splitn(3, "..");
    let (Some(first), Some(last)) = (parts.next(), parts.next()) else { return Ok(None) };
    let step = match parts.next().map(str::parse::<i64>) {
        None => 1,
        Some(Ok(step)) => step,
        Some(Err(_)) => return Ok(None),
    };
    if let (Ok(from), Ok(to)) = (first.parse::<i64>(), last.parse::<i64>()) {
        let is_padded = |number: &str| {
            let digits = number.strip_prefix('-').unwrap_or(number);
            digits.len() > 1 && digits.starts_with('0')
        };
        let width = if is_padded(first) || is_padded(last) { first.len().max(last.len()) } else { 0 };
        let numbers = steps(from, to, step)?;
        return Ok(Some(numbers.map(|number| format!("{number:0width$}").into_bytes()).collect()));
    }
    let (&[from], &[to]) = (first.as_bytes(), last.as_bytes()) else { return Ok(None) };
    if !from.is_ascii_alphabetic() || !to.is_ascii_alphabetic() {
        return Ok(None);
    }
    let letters = steps(i64::from(from), i64::from(to), step)?.filter_map(|letter| u8::try_from(letter).ok());
    // Between the capitals and the small letters stand characters that mean something in a pattern.
    let literal = |letter: u8| if letter.is_ascii_alphabetic() { vec![letter] } else { vec![b'\\', letter] };
    Ok(Some(letters.map(literal).collect()))
}

fn steps(from: i64, to: i64, step: i64) -> Result<impl Iterator<Item = i64>, PatternError> {
    let width = step.unsigned_abs().max(1);
    let last = from.abs_diff(to) / width;
    if last >= MAX_ALTERNATIVES as u64 {
        return Err(PatternError::TooManyAlternatives);
    }
    // Neither overflows: each number lies between the two.
    Ok((0..=last).map(move |n| {
        if from <= to { from.wrapping_add_unsigned(n * width) } else { from.wrapping_sub_unsigned(n * width) }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Vec<String> {
        expand(text.as_bytes()).unwrap().into_iter().map(|text| String::from_utf8(text).unwrap()).collect()
    }

    #[test]
    fn braces_are_expanded_as_bash_does() {
        for (text, all) in [
            ("a{b,c}d", "abd acd"),
            ("{a,b{c,d}}{,x}", "a ax bc bcx bd bdx"),
            ("{a}", "{a}"),
            ("{}", "{}"),
            ("a{b,c", "a{b,c"),
            ("{a{b,c}}", "{ab} {ac}"),
            ("{a,b}}", "a} b}"),
            ("{{a,b}", "{a {b"),
            (r"{a\,b,c}", r"a\,b c"),
            (r"\{a,b}", r"\{a,b}"),
            ("{1..3}", "1 2 3"),
            ("{3..1}", "3 2 1"),
            ("{08..10}", "08 09 10"),
            ("{-01..1}", "-01 000 001"),
            ("{1..7..3}", "1 4 7"),
            ("{a..e..2}", "a c e"),
            ("{e..c}", "e d c"),
            ("{1..c}", "{1..c}"),
            ("{1..}{a,b}", "{1..}a {1..}b"),
            ("{a..b,c}", "a..b c"),
        ] {
            assert_eq!(expanded(text).join(" "), all, "{text}");
        }
    }

    #[test]
    fn braces_beyond_all_measure_are_refused() {
        for text in ["{1..1000000000}", "{1..100}{1..100}{1..100}", "{-9223372036854775808..9223372036854775807}"] {
            assert_eq!(expand(text.as_bytes()), Err(PatternError::TooManyAlternatives), "{text}");
        }
    }
}
