//! `[…]`: one character out of a set.

use super::pattern_error::PatternError;

/// A set of characters.
#[derive(Debug, Clone)]
pub(super) struct Bracket {
    negated: bool,
    /// Whether what is asked about is single bytes: those beyond ASCII are in no class then.
    of_bytes: bool,
    members: Vec<Member>,
}

#[derive(Debug, Clone)]
enum Member {
    Range(u32, u32),
    Class(fn(char) -> bool),
}

impl Bracket {
    /// Reads a set from what stands after its opening bracket, and returns it with its length; none when it is never
    /// closed, and the bracket stands for itself.
    pub fn parse(text: &[u32], of_bytes: bool) -> Result<Option<(Bracket, usize)>, PatternError> {
        let is = |at: usize, wanted: char| text.get(at) == Some(&u32::from(wanted));
        let negated = is(0, '!') || is(0, '^');
        let start = usize::from(negated);
        let mut members = Vec::new();
        let mut at = start;
        loop {
            let Some(&first) = text.get(at) else { return Ok(None) };
            if is(at, ']') && at > start {
                return Ok(Some((Bracket { negated, of_bytes, members }, at + 1)));
            }
            if is(at, '[') && is(at + 1, ':') {
                // Without an end it is a bracket that nobody asks for, as in bash.
                at += match named(text, at, ':') {
                    Some((name, length)) => {
                        members.push(Member::Class(class(&name).ok_or(PatternError::UnknownClass(name))?));
                        length
                    }
                    None => 1,
                };
                continue;
            }
            if is(at, '[') && is(at + 1, '=') && is(at + 3, '=') && is(at + 4, ']') {
                members.push(Member::Range(text[at + 2], text[at + 2]));
                at += 5;
                continue;
            }
            let Some((from, length)) = end_of_range(text, at, first)? else { return Ok(None) };
            at += length;
            let mut to = from;
            if is(at, '-') && !is(at + 1, ']') {
                let Some(&last) = text.get(at + 1) else { return Ok(None) };
                let Some((last, length)) = end_of_range(text, at + 1, last)? else { return Ok(None) };
                (to, at) = (last, at + 1 + length);
            }
            members.push(Member::Range(from, to));
        }
    }

    /// Returns `true` if a character is in the set.
    pub fn contains(&self, unit: u32) -> bool {
        let is_in = |member: &Member| match member {
            Member::Range(from, to) => (*from..=*to).contains(&unit),
            Member::Class(class) => char::from_u32(unit).is_some_and(|c| (c.is_ascii() || !self.of_bytes) && class(c)),
        };
        self.members.iter().any(is_in) != self.negated
    }
}

/// Reads one character, which a backslash or the form `[.c.]` may quote, and how long it is written.
fn end_of_range(text: &[u32], at: usize, unit: u32) -> Result<Option<(u32, usize)>, PatternError> {
    if unit == u32::from('\\') {
        return Ok(text.get(at + 1).map(|&quoted| (quoted, 2)));
    }
    if unit == u32::from('[') && text.get(at + 1) == Some(&u32::from('.')) {
        let Some((name, length)) = named(text, at, '.') else { return Ok(None) };
        let mut characters = name.chars();
        return match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(Some((character.into(), length))),
            _ => Err(PatternError::CollatingSymbol(name)),
        };
    }
    Ok(Some((unit, 1)))
}

/// Reads the name in `[:name:]` or `[.name.]`, and how long the whole is.
fn named(text: &[u32], at: usize, mark: char) -> Option<(String, usize)> {
    let rest = &text[at + 2..];
    let length = rest.windows(2).position(|pair| pair == [u32::from(mark), u32::from(']')])?;
    Some((rest[..length].iter().filter_map(|&unit| char::from_u32(unit)).collect(), length + 4))
}

fn class(name: &str) -> Option<fn(char) -> bool> {
    Some(match name {
        "alnum" => char::is_alphanumeric,
        "alpha" => char::is_alphabetic,
        "ascii" => |c| c.is_ascii(),
        "blank" => |c| c == ' ' || c == '\t',
        "cntrl" => char::is_control,
        "digit" => |c| c.is_ascii_digit(),
        "graph" => |c| !c.is_whitespace() && !c.is_control(),
        "lower" => char::is_lowercase,
        "print" => |c| !c.is_control(),
        "punct" => |c| {
            if c.is_ascii() {
                c.is_ascii_punctuation()
            } else {
                !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control()
            }
        },
        "space" => char::is_whitespace,
        "upper" => char::is_uppercase,
        "word" => |c| c.is_alphanumeric() || c == '_',
        "xdigit" => |c| c.is_ascii_hexdigit(),
        _ => return None,
    })
}
