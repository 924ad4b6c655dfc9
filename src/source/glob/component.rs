//! One component of a path as a pattern.

use super::bracket::Bracket;
use super::pattern_error::PatternError;

/// What stands between two slashes of a pattern.
#[derive(Debug, Clone)]
pub(super) enum Component {
    /// A name.
    Literal(Vec<u8>),
    /// Names that match.
    Matching(Matcher),
    /// `**`: any number of directories. Links are no directories here; the next component looks into those that are
    /// found, unless they are `unfollowed`. At least one directory is meant where it is `not_here`.
    Below { unfollowed: bool, not_here: bool },
}

/// A pattern of names. Those that are UTF-8 are matched by characters, others by bytes.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    by_characters: Option<Vec<Token>>,
    by_bytes: Vec<Token>,
}

#[derive(Debug, Clone)]
enum Token {
    Unit(u32),
    Any,
    Star,
    OneOf(Bracket),
}

/// A name that is to be matched.
pub(super) struct Name {
    by_characters: Option<Vec<u32>>,
    by_bytes: Vec<u32>,
}

impl Component {
    /// Reads what stands between two slashes.
    pub fn parse(text: &[u8]) -> Result<Component, PatternError> {
        if text == b"**" {
            return Ok(Self::Below { unfollowed: false, not_here: false });
        }
        if !is_pattern(text) {
            return Ok(Self::Literal(without_backslashes(text)));
        }
        Matcher::parse(text).map(Self::Matching)
    }
}

impl Matcher {
    /// Reads a pattern of names.
    pub fn parse(text: &[u8]) -> Result<Matcher, PatternError> {
        let name = Name::new(text);
        let by_characters = name.by_characters.as_deref().map(|text| tokens(text, false)).transpose()?;
        Ok(Matcher { by_characters, by_bytes: tokens(&name.by_bytes, true)? })
    }

    /// Returns `true` if names that begin with a dot are meant.
    pub fn begins_with_dot(&self) -> bool {
        matches!(self.by_bytes.first(), Some(Token::Unit(unit)) if *unit == u32::from('.'))
    }

    /// Returns `true` if a name matches.
    pub fn matches(&self, name: &Name) -> bool {
        match (&self.by_characters, &name.by_characters) {
            (Some(tokens), Some(name)) => match_units(tokens, name),
            _ => match_units(&self.by_bytes, &name.by_bytes),
        }
    }
}

impl Name {
    /// Prepares a name.
    pub fn new(bytes: &[u8]) -> Name {
        let text = std::str::from_utf8(bytes).ok();
        Name {
            by_characters: text.map(|text| text.chars().map(u32::from).collect()),
            by_bytes: bytes.iter().copied().map(u32::from).collect(),
        }
    }
}

/// Returns `true` if anything in a component has a meaning beyond itself; a bracket has one if there is any after it
/// that could close it.
fn is_pattern(text: &[u8]) -> bool {
    let (mut escaped, mut open) = (false, false);
    text.iter().any(|&byte| {
        let plain = !escaped;
        escaped = plain && byte == b'\\';
        let has_meaning = plain && (matches!(byte, b'*' | b'?') || (byte == b']' && open));
        open |= plain && byte == b'[';
        has_meaning
    })
}

fn without_backslashes(text: &[u8]) -> Vec<u8> {
    let mut escaped = false;
    let is_kept = |byte: &&u8| {
        escaped = **byte == b'\\' && !escaped;
        !escaped
    };
    text.iter().filter(is_kept).copied().collect()
}

fn tokens(text: &[u32], of_bytes: bool) -> Result<Vec<Token>, PatternError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&unit) = text.get(at) {
        at += 1;
        tokens.push(match char::from_u32(unit) {
            Some('*') if matches!(tokens.last(), Some(Token::Star)) => continue,
            Some('*') => Token::Star,
            Some('?') => Token::Any,
            Some('\\') => {
                let quoted = text.get(at).copied().ok_or(PatternError::TrailingBackslash)?;
                at += 1;
                Token::Unit(quoted)
            }
            Some('[') => match Bracket::parse(&text[at..], of_bytes)? {
                Some((bracket, length)) => {
                    at += length;
                    Token::OneOf(bracket)
                }
                None => Token::Unit(unit),
            },
            _ => Token::Unit(unit),
        });
    }
    Ok(tokens)
}

fn match_units(tokens: &[Token], name: &[u32]) -> bool {
    let (mut token, mut unit) = (0, 0);
    // Where to go on when what follows the latest star does not fit: the star has taken one unit more then.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let fits = match (tokens.get(token), name.get(unit)) {
            (None, None) => return true,
            (Some(Token::Star), _) => {
                retry = Some((token, unit));
                token += 1;
                continue;
            }
            (Some(Token::Unit(wanted)), Some(given)) => wanted == given,
            (Some(Token::Any), Some(_)) => true,
            (Some(Token::OneOf(bracket)), Some(&given)) => bracket.contains(given),
            _ => false,
        };
        if fits {
            (token, unit) = (token + 1, unit + 1);
        } else {
            match retry {
                Some((star, taken)) if taken < name.len() => {
                    retry = Some((star, taken + 1));
                    (token, unit) = (star + 1, taken + 1);
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &[u8], name: &[u8]) -> bool {
        Matcher::parse(pattern).unwrap().matches(&Name::new(name))
    }

    #[test]
    fn names_match_by_character_and_by_byte_where_they_are_no_text() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "acb", false),
            ("?", "é", true),
            ("??", "é", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^é]", "é", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            (r"[\]]", "]", true),
            (r"[a\-c]", "b", false),
            ("[z-a]", "b", false),
            ("[[:digit:][:upper:]]", "Ä", true),
            ("[[=a=]]", "a", true),
            ("[[.-.]]", "-", true),
            ("a[b", "a[b", true),
            (r"\*", "*", true),
            (r"\*", "x", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), fits, "{pattern} {name}");
        }
        assert!(matches(b"caf?", b"caf\xe9") && matches(b"caf[\xe9]", b"caf\xe9") && matches(b"*", b"\xff"));
        assert!(matches(b"???", b"\xc3\xa9\xff") && !matches(b"??", b"\xc3\xa9\xff"));
    }

    #[test]
    fn what_is_meant_as_a_class_and_is_none_is_refused() {
        let refused = |text: &[u8]| Matcher::parse(text).unwrap_err();

        assert_eq!(refused(b"[[:numbers:]]"), PatternError::UnknownClass("numbers".to_owned()));
        assert_eq!(refused(b"[[.hyphen.]]"), PatternError::CollatingSymbol("hyphen".to_owned()));
        assert_eq!(refused(b"a*\\"), PatternError::TrailingBackslash);
    }

    #[test]
    fn a_name_is_told_from_a_pattern() {
        assert!(matches!(Component::parse(br"a\*b[c"), Ok(Component::Literal(name)) if name == b"a*b[c"));
        assert!(matches!(Component::parse(b"a[b]"), Ok(Component::Matching(_))));
        assert!(matches!(Component::parse(b"a**"), Ok(Component::Matching(_))));
    }
}
