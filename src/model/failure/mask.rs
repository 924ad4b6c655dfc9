//! Making the texts of failures of one kind equal: what differs from unit to unit is masked.
//!
//! A mask that hides too much joins kinds, one that hides too little splits them; both only make a list less useful.
//! The result must stay the same between releases, because ids are made of it that people write down. Known weakness:
//! a name of a file without a directory, without quotes and without digits is not told from a word.

/// Text beyond this is not looked at; what distinguishes failures stands at their beginning.
const MAX_INPUT_CHARS: usize = 2048;
/// Length at which a masked text ends.
const MAX_MASKED_BYTES: usize = 400;
const NUMBER: &str = "<n>";
const TIME: &str = "<time>";
const UUID_BYTES: usize = 36;
/// Bytes that a name has which programs give.
const MAX_LABEL_BYTES: usize = 40;
/// Digits and letters from `a` to `f` that make an id.
const HEX_CHARS: usize = 8;

/// Replaces numbers, ids, paths, addresses, times and quoted text by their kind, and each run of blanks by one.
pub(super) fn mask(text: &str) -> String {
    let end = text.char_indices().nth(MAX_INPUT_CHARS).map_or(text.len(), |(index, _)| index);
    let mut rest = text[..end].trim();
    let mut masked = String::new();
    let mut before = "";
    while let Some(first) = rest.chars().next()
        && masked.len() < MAX_MASKED_BYTES
    {
        let length = if let Some(length) = quoted(rest) {
            match label(rest, length) {
                // As JSON has it: what stands behind the name may tell kinds of failures apart.
                Some(name)
                    if masked.trim_end().ends_with(['{', ',']) && rest[length..].trim_start().starts_with(':') =>
                {
                    masked.push_str(&rest[..length]);
                    masked.push(':');
                    before = name;
                    rest.len() - rest[length..].trim_start().len() + 1
                }
                Some(_) if masked.trim_end().ends_with("\":") && names_a_label(before) => {
                    masked.push_str(&rest[..length]);
                    length
                }
                _ => {
                    masked.push_str("<text>");
                    length
                }
            }
        } else if first.is_whitespace() {
            masked.push(' ');
            rest.len() - rest.trim_start().len()
        } else if is_separator(first) {
            masked.push(first);
            first.len_utf8()
        } else {
            let length = word_length(rest);
            push_word(&mut masked, &rest[..length], before, &rest[length..]);
            before = &rest[..length];
            length
        };
        rest = &rest[length..];
    }
    masked
}

/// Returns the length of the word that `rest` begins with; an address goes on where other words end.
fn word_length(rest: &str) -> usize {
    let length = |ends: fn(char) -> bool| rest.find(|c: char| c.is_whitespace() || ends(c)).unwrap_or(rest.len());
    let word = length(is_separator);
    if rest[..word].contains("://") { length(|c| matches!(c, '"' | '<' | '>' | ')' | ',')) } else { word }
}

/// Returns the length of the quoted text that `rest` begins with. Words are read as a whole, so that an apostrophe
/// inside one never comes here.
fn quoted(rest: &str) -> Option<usize> {
    let open = rest.chars().next()?;
    let close = match open {
        '"' => "\"",
        '\'' | '‘' => "'’",
        '`' => "`'",
        '“' => "”",
        '«' => "»",
        _ => return None,
    };
    let mut escaped = false;
    let mut inside = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = inside.next() {
        let ends = !escaped && close.contains(c);
        if ends && inside.peek().is_none_or(|(_, next)| !next.is_alphanumeric()) {
            return Some(index + c.len_utf8());
        }
        escaped = !escaped && c == '\\';
    }
    None
}

/// Returns what stands in those quotes if it may be a name that programs give, such as `rate_limited`.
fn label(rest: &str, length: usize) -> Option<&str> {
    let inside = rest.get(1..length - 1).filter(|_| rest.starts_with(['"', '\'']))?;
    let is_name = inside.starts_with(|c: char| c.is_ascii_alphabetic())
        && inside.len() <= MAX_LABEL_BYTES
        && inside.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    is_name.then_some(inside)
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | '|' | '=' | '"' | '`' | '“' | '”' | '‘' | '«'
    )
}

/// Appends one word; `before` is the word in front of it, `after` is all that follows.
fn push_word(masked: &mut String, word: &str, before: &str, after: &str) {
    let core = word.trim_end_matches([':', '.', '!', '?', '\'', '’']);
    if core.contains("://") {
        masked.push_str("<url>");
    } else if is_time(core) {
        // A date and a time of day are one time.
        if masked.ends_with("<time> ") {
            masked.pop();
        } else {
            masked.push_str(TIME);
        }
    } else if is_path(core) {
        masked.push_str("<path>");
    } else if is_code(core) && (names_a_kind(before) || is_named(core, after) || is_of_program(masked, after)) {
        masked.push_str(core);
    } else {
        push_numbers(masked, core);
    }
    masked.push_str(&word[core.len()..]);
}

fn is_time(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let is_rest = |c| matches!(c, '0' | 'T' | 't' | 'Z' | 'z' | ':' | '.' | '+' | '-' | '_');
    ["0000-00-00", "0000/00/00", "00:00:00"]
        .iter()
        .any(|start| shape.strip_prefix(start).is_some_and(|rest| rest.chars().all(is_rest)))
}

/// Returns `true` if a word is a path; `I/O` and `2/3` are none.
fn is_path(word: &str) -> bool {
    let rooted = ["/", "./", "../", "~/"].iter().any(|root| word.len() > root.len() && word.starts_with(root));
    let on_drive = word.get(1..3) == Some(":\\");
    let (first, last) = word.rsplit_once('/').unwrap_or_default();
    let is_count = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
    let has_name = first.contains('/') || last.contains(|c: char| c == '.' || c.is_ascii_digit());
    rooted || on_drive || (!first.is_empty() && !is_count && has_name)
}

/// Returns `true` if a word is a number that may be a code.
fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns `true` if a code after this word tells one kind of failure from another.
fn names_a_kind(word: &str) -> bool {
    let word = word.trim_end_matches(':').to_ascii_lowercase().replace(['_', '-'], "");
    matches!(word.as_str(), "status" | "code" | "errno" | "error")
        || matches!(word.as_str(), "statuscode" | "errorcode" | "errcode" | "exitcode" | "exitstatus" | "returncode")
        || matches!(word.as_str(), "responsecode" | "resultcode")
        || (word.starts_with("http") && !word.contains("://"))
}

/// Returns `true` if a name in quotes after this name tells one kind of failure from another.
fn names_a_label(name: &str) -> bool {
    names_a_kind(name) || matches!(name, "type" | "reason" | "kind")
}

/// Returns `true` if a code is a status of HTTP with its name after it, as in `404 Not Found`.
fn is_named(code: &str, after: &str) -> bool {
    const NAMES: [&str; 13] = [
        "Bad Gateway",
        "Bad Request",
        "Client Error",
        "Conflict",
        "Forbidden",
        "Gateway Time",
        "Gone",
        "Internal Server Error",
        "Not Found",
        "Server Error",
        "Service Unavailable",
        "Too Many Requests",
        "Unauthorized",
    ];
    let name = after.trim_start();
    code.len() == 3 && code.starts_with(['4', '5']) && NAMES.iter().any(|known| name.starts_with(known))
}

/// Returns `true` if a program gives its own code in front of what it says, as in `curl: (22) …`.
fn is_of_program(masked: &str, after: &str) -> bool {
    masked.ends_with(": (") && after.starts_with(')')
}

/// Appends a word with its numbers and ids masked.
fn push_numbers(masked: &mut String, word: &str) {
    let signed = word.strip_prefix(['-', '+']).filter(|number| number.starts_with(|c: char| c.is_ascii_digit()));
    let mut rest = signed.unwrap_or(word);
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        if rest.get(..UUID_BYTES).is_some_and(is_uuid) {
            masked.push_str("<uuid>");
            rest = &rest[UUID_BYTES..];
        } else if length == 0 {
            // The dot of a decimal number belongs to it.
            let inside =
                first == '.' && masked.ends_with(NUMBER) && rest[1..].starts_with(|c: char| c.is_ascii_digit());
            if inside {
                masked.truncate(masked.len() - NUMBER.len());
            } else {
                masked.push(first);
            }
            rest = &rest[first.len_utf8()..];
        } else {
            push_segment(masked, &rest[..length]);
            rest = &rest[length..];
        }
    }
}

/// Appends letters and digits: an id as a whole, else each number in them.
fn push_segment(masked: &mut String, segment: &str) {
    let digits = segment.strip_prefix("0x").or_else(|| segment.strip_prefix("0X"));
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = segment.len() >= HEX_CHARS && is_hex(segment) && segment.bytes().any(|byte| byte.is_ascii_digit());
    // The same mask as for a number: one id in fifty has no letter in it.
    if is_id || digits.is_some_and(|digits| !digits.is_empty() && is_hex(digits)) {
        masked.push_str(NUMBER);
        return;
    }
    let mut in_number = false;
    for c in segment.chars() {
        if !c.is_ascii_digit() {
            masked.push(c);
        } else if !in_number {
            masked.push_str(NUMBER);
        }
        in_number = c.is_ascii_digit();
    }
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests;
