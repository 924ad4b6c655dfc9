//! Follows the text of a script as far as quoting goes, to know what each placeholder stands in.
//!
//! It errs on the side of refusal. Known weaknesses: all that follows a here-document counts as part of it, quotes in
//! `"${name#…}"` are not understood, and neither is `case` in a substitution in double quotes.

/// What is open at one point of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Commands,
    DoubleQuotes,
    SingleQuotes,
    Backquotes,
    Arithmetic,
    /// Between the two parentheses that end it.
    ArithmeticEnd,
    VariableBraces,
    Comment,
    HereDocument,
    Unclear,
}

impl Inside {
    /// Names a place where no value can be quoted.
    fn unquotable(self) -> Option<&'static str> {
        match self {
            Self::Commands | Self::DoubleQuotes => None,
            Self::SingleQuotes => Some("inside single quotes"),
            Self::Backquotes => Some("inside backquotes"),
            Self::Arithmetic | Self::ArithmeticEnd => Some("inside arithmetic"),
            Self::VariableBraces => Some("inside the braces of a variable"),
            Self::Comment => Some("inside a comment"),
            Self::HereDocument => Some("inside or after a here-document"),
            Self::Unclear => Some("after a construct too intricate to follow"),
        }
    }

    fn is_verbatim(self) -> bool {
        matches!(self, Self::SingleQuotes | Self::Comment)
    }
}

#[derive(Default)]
pub(super) struct ScriptReader {
    /// Innermost last; empty among the commands of the script itself.
    open: Vec<Inside>,
    /// The character before, unless it was escaped or a value.
    previous: Option<char>,
    at_word_start: bool,
    /// Whether a backslash was just read; it changes nothing else before it is known what it escapes.
    escaped: bool,
    /// Whether `$(` was just read, of which one more `(` makes arithmetic.
    at_substitution: bool,
    here_documents_ahead: u32,
    /// Whether `<<` was just read, which one more `<` makes a here-string of shells that have them.
    at_here_document: bool,
    /// Whether `)` may end a pattern rather than a substitution.
    has_case: bool,
}

impl ScriptReader {
    /// Starts at the beginning of a script with these texts between its placeholders.
    pub(super) fn new<'a>(mut texts: impl Iterator<Item = &'a [u8]>) -> Self {
        let has_case = texts.any(|text| text.windows(4).any(|word| word == b"case"));
        Self { at_word_start: true, has_case, ..Self::default() }
    }

    /// Reads on; bytes that are not UTF-8 are a letter like any other to the shell.
    pub(super) fn read(&mut self, text: &[u8]) {
        String::from_utf8_lossy(text).chars().for_each(|next| self.read_one(next));
    }

    /// Goes on after a value, which opens and closes nothing.
    pub(super) fn skip_value(&mut self) {
        if self.inside() == Inside::ArithmeticEnd {
            self.open.push(Inside::Unclear);
        }
        self.previous = None;
        self.at_word_start = false;
        self.escaped = false;
        self.at_substitution = false;
    }

    pub(super) fn is_after_dollar(&self) -> bool {
        self.previous == Some('$') && !self.inside().is_verbatim()
    }

    pub(super) fn is_in_double_quotes(&self) -> bool {
        self.inside() == Inside::DoubleQuotes
    }

    /// Names the place when a value cannot be quoted here. A substitution starts afresh, whatever it stands in.
    pub(super) fn unquotable_place(&self) -> Option<&'static str> {
        let since_commands = self.open.iter().rev().take_while(|inside| **inside != Inside::Commands);
        match since_commands.filter_map(|inside| inside.unquotable()).next() {
            None if self.escaped => Some("after a backslash"),
            place => place,
        }
    }

    fn inside(&self) -> Inside {
        self.open.last().copied().unwrap_or(Inside::Commands)
    }

    fn read_one(&mut self, next: char) {
        if std::mem::take(&mut self.escaped) {
            // With a line feed it is as if neither were there.
            if next != '\n' {
                self.skip_value();
            }
            return;
        }
        if next == '\\' && !self.inside().is_verbatim() {
            self.escaped = true;
            return;
        }
        let after_substitution = std::mem::take(&mut self.at_substitution);
        let after_here_document = std::mem::take(&mut self.at_here_document);
        match self.inside() {
            Inside::SingleQuotes => self.close_if(next == '\''),
            Inside::Backquotes => self.close_if(next == '`'),
            Inside::Comment => self.close_if(next == '\n'),
            Inside::ArithmeticEnd if next != ')' => self.open.push(Inside::Unclear),
            Inside::ArithmeticEnd => self.close_if(true),
            Inside::DoubleQuotes if next == '"' => self.close_if(true),
            Inside::DoubleQuotes => self.open_expansion(next),
            Inside::HereDocument | Inside::Unclear => {}
            Inside::Commands | Inside::Arithmetic if after_substitution && next == '(' => {
                self.open.pop();
                self.open.extend([Inside::ArithmeticEnd, Inside::Arithmetic]);
            }
            Inside::Commands if after_here_document && next == '<' => self.here_documents_ahead -= 1,
            inside => self.read_unquoted(inside, next),
        }
        if next == '\n' && self.here_documents_ahead > 0 && self.inside() == Inside::Commands {
            self.open.push(Inside::HereDocument);
        }
        // `$$` is a whole variable, and a brace or parenthesis after it only itself.
        let is_whole = next == '$' && self.previous == Some('$');
        self.previous = (!is_whole).then_some(next);
        self.at_word_start = next.is_whitespace() || ";|&()".contains(next);
    }

    fn read_unquoted(&mut self, inside: Inside, next: char) {
        let in_braces = inside == Inside::VariableBraces;
        match next {
            ')' => self.close_if(!in_braces),
            '}' => self.close_if(in_braces),
            '"' => self.open.push(Inside::DoubleQuotes),
            // Some shells know escapes in `$'…'`, so that its end is not clear; `((…))` is arithmetic for some.
            '\'' if self.previous == Some('$') => self.open.push(Inside::Unclear),
            '(' if self.previous == Some('(') && inside == Inside::Commands => self.open.push(Inside::Unclear),
            // In braces within double quotes most shells take it as it is.
            '\'' if !in_braces || !self.open.contains(&Inside::DoubleQuotes) => self.open.push(Inside::SingleQuotes),
            '#' if self.at_word_start && inside == Inside::Commands => self.open.push(Inside::Comment),
            '<' if self.previous == Some('<') && inside == Inside::Commands => {
                self.here_documents_ahead += 1;
                self.at_here_document = true;
            }
            '(' if self.previous != Some('$') && !in_braces => self.open.push(inside),
            _ => self.open_expansion(next),
        }
    }

    /// Opens what is expanded in double quotes too.
    fn open_expansion(&mut self, next: char) {
        let after_dollar = self.previous == Some('$');
        match next {
            '`' => self.open.push(Inside::Backquotes),
            '{' if after_dollar => self.open.push(Inside::VariableBraces),
            '(' if after_dollar && self.has_case && self.open.contains(&Inside::DoubleQuotes) => {
                self.open.push(Inside::Unclear);
            }
            '(' if after_dollar => {
                self.open.push(Inside::Commands);
                self.at_substitution = true;
            }
            _ => {}
        }
    }

    fn close_if(&mut self, is_end: bool) {
        if is_end {
            self.open.pop();
        }
    }
}
