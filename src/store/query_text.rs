//! What a query on a foreign database may say: one statement that only reads, whole, without parameters.
//!
//! SQLite takes the first statement of a text and passes over the rest, ends a text at a NUL, and gives a parameter that
//! nobody binds the value NULL. Each of these would be another query than the one that was written.

use super::foreign_error::ForeignError;

/// Refuses a text that is not one query.
pub(super) fn check_query(query: &str) -> Result<(), ForeignError> {
    if query.contains('\0') {
        return Err(ForeignError::Nul);
    }
    let mut tokens = Tokens { rest: query };
    let first = tokens.next().unwrap_or_default();
    // ATTACH and VACUUM INTO make files although the database is only read.
    if !["select", "with", "values"].contains(&first.to_ascii_lowercase().as_str()) {
        return Err(ForeignError::NotAQuery { word: first.to_owned() });
    }
    let mut is_over = false;
    loop {
        let before = tokens.clone();
        let Some(token) = tokens.next() else { return Ok(()) };
        match token.as_bytes()[0] {
            b'/' if token.starts_with("/*") => return Err(ForeignError::OpenComment { text: beginning(token) }),
            b';' => is_over = true,
            _ if is_over => return Err(ForeignError::SecondStatement { text: beginning(before.rest) }),
            b'?' | b':' | b'@' | b'$' => return Err(ForeignError::Parameter { name: token.to_owned() }),
            _ => {}
        }
    }
}

/// Returns the beginning of what follows a statement, without what stands between them.
fn beginning(rest: &str) -> String {
    const CHARS: usize = 40;
    let rest = Tokens::skip_blanks(rest);
    let line = rest.lines().next().unwrap_or_default();
    line.chars().take(CHARS).collect()
}

/// The tokens of a text in SQLite's language, without blanks and comments.
#[derive(Clone)]
struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn skip_blanks(text: &str) -> &str {
        let mut rest = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0c', '\u{feff}']);
        loop {
            let comment = [("--", "\n"), ("/*", "*/")].into_iter().find(|(start, _)| rest.starts_with(start));
            let Some((start, end)) = comment else { return rest };
            rest = match rest[start.len()..].split_once(end) {
                Some((_, after)) => after,
                // The end of the text ends a line too, and no other comment.
                None if start == "--" => "",
                None => return rest,
            };
            rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = Self::skip_blanks(self.rest);
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii();
        let word = |from: usize| from + rest[from..].find(|c| !is_word(c)).unwrap_or(rest.len() - from);
        let length = match first {
            '\'' | '"' | '`' => quoted(rest, first),
            '/' if rest.starts_with("/*") => rest.len(),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            '?' | ':' | '@' | '$' => word(1),
            c if is_word(c) => word(0),
            c => c.len_utf8(),
        };
        let (token, rest) = rest.split_at(length);
        self.rest = rest;
        Some(token)
    }
}

/// Returns the length of a text in quotes, in which a doubled quote is one; without its end it goes to the end.
fn quoted(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = text[at..].find(quote) {
        at += found + 1;
        if !text[at..].starts_with(quote) {
            return at;
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(query: &str) -> String {
        check_query(query).unwrap_err().to_string()
    }

    #[test]
    fn one_query_may_end_with_semicolons_and_hold_them_in_texts_names_and_comments() {
        for query in [
            "SELECT 1",
            "select 1;",
            "VALUES (1);; ;\n-- end ; of it\n/* ; */ ",
            "/* first */ -- ;\n WITH t AS (SELECT ';' AS a) SELECT a FROM t",
            "SELECT 'it''s; ?1 :a' AS \"a;b\"\"?\", `c;` , [d;?] FROM t -- ; SELECT 2",
            "SELECT a$b, x'00', 1.5e3, a->>'$.b', é FROM t WHERE a <> 2",
            "\u{feff}SELECT 1",
        ] {
            check_query(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
    }

    #[test]
    fn a_comment_without_its_end_is_refused() {
        for query in ["SELECT 1 /* WHERE 0", "SELECT 1; /* x", "SELECT 1 /*/", "SELECT 1 -- */\n /* a"] {
            assert!(error_of(query).starts_with("the query has a comment without its end, \"/*"), "{query}");
        }
    }

    #[test]
    fn a_second_statement_is_refused_wherever_it_hides() {
        for query in [
            "SELECT 1; SELECT 2",
            "SELECT 1;SELECT 2;",
            "SELECT ';' ; /* ; */ -- x\n SELECT 2",
            "SELECT 1;;\n; DELETE FROM t",
            "SELECT 1; 'text'",
            "VALUES (1); )",
        ] {
            assert!(error_of(query).starts_with("the query has a second statement, \""), "{query}");
        }
        assert!(error_of("SELECT 1 ; -- and\n SELECT 2").contains("\"SELECT 2\""));
    }

    #[test]
    fn a_parameter_that_nobody_binds_is_refused() {
        for (query, name) in
            [("SELECT ?", "?"), ("SELECT ?1", "?1"), ("SELECT :id", ":id"), ("SELECT a+@b", "@b"), ("SELECT $c", "$c")]
        {
            assert!(error_of(query).starts_with(&format!("the query has the parameter {name},")), "{query}");
        }
    }

    #[test]
    fn what_does_not_read_and_what_sqlite_would_cut_off_is_refused() {
        for query in ["DELETE FROM t", "", ";", "-- SELECT 1", "(SELECT 1)", "PRAGMA x", "ATTACH 'a' AS b", "selects 1"]
        {
            assert!(error_of(query).starts_with("a query begins with SELECT, WITH or VALUES"), "{query}");
        }
        assert_eq!(error_of("SELECT 1\0 WHERE 0"), "the query has a NUL character");
    }
}
