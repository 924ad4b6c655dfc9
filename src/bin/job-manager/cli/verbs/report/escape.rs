//! Text of others in pages of ours.

/// Characters that mean something in the middle of a line of Markdown.
const MARKS: &str = "\\`*_{}[]()#!|~>$";

/// Returns text as HTML shows it, in an element or a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            letter => html.push(letter),
        }
    }
    html
}

/// Returns text as Markdown shows it, on one line.
pub(super) fn in_markdown(text: &str) -> String {
    let mut markdown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => markdown.push(' '),
            '<' => markdown.push_str("&lt;"),
            '&' => markdown.push_str("&amp;"),
            letter => {
                if MARKS.contains(letter) {
                    markdown.push('\\');
                }
                markdown.push(letter);
            }
        }
    }
    markdown
}

/// Returns text as a block of code in Markdown, whatever marks are in it.
pub(super) fn code_in_markdown(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat((longest + 1).max(3));
    format!("{fence}\n{text}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        assert_eq!(escaped("<b a=\"1\" b='2'>&"), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;");
        assert_eq!(in_markdown("a|[b](c)\n<i>"), "a\\|\\[b\\]\\(c\\) &lt;i\\>");
        assert_eq!(code_in_markdown("a ```` b"), "`````\na ```` b\n`````\n");
    }
}
