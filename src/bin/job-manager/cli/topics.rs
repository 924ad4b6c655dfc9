//! Topics of the help that are about no verb: sections of the page about the command line, as plain text and as manual pages.

use super::text::wrapped;

const PAGE: &str = include_str!("../../../../docs/command-line.md");

/// Names of topics, their sections in the page, and what a list of manual pages says of them.
pub(super) const TOPICS: [(&str, &str, &str); 2] = [
    ("placeholders", "Placeholders", "what the command of a unit may say of its item"),
    ("exit-codes", "Exit codes", "what the exit codes of job-manager mean"),
];

const WIDTH: usize = 100;
const LEFT_WIDTH: usize = 24;

/// Returns the text of a topic.
pub(super) fn text(topic: &str) -> Option<String> {
    let (_, section, _) = TOPICS.iter().find(|(name, ..)| *name == topic)?;
    Some(format!("{}\n\n{}", section.to_uppercase(), plain(section_of(section))))
}

/// Returns the manual page of a topic.
pub(super) fn manual_page(topic: &str) -> Option<String> {
    let (name, section, about) = TOPICS.iter().find(|(name, ..)| *name == topic)?;
    let text = plain(section_of(section)).replace('\\', r"\e").replace('-', r"\-");
    // A line that begins with a dot or a quote would be a request.
    let lines: String = text.lines().map(|line| format!("\\&{line}\n")).collect();
    Some(format!(
        ".TH job-manager-{name} 1\n.SH NAME\njob\\-manager\\-{} \\- {about}\n.SH DESCRIPTION\n.nf\n{lines}.fi\n",
        name.replace('-', r"\-")
    ))
}

fn section_of(heading: &str) -> &'static str {
    let heading = format!("\n## {heading}\n");
    let after = PAGE.split_once(&heading).map_or("", |(_, after)| after);
    after.split("\n## ").next().unwrap_or_default()
}

/// Writes Markdown as plain text: tables in two columns, paragraphs filled.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    for block in markdown.trim().split("\n\n") {
        if block.starts_with('|') {
            block.lines().skip(2).for_each(|row| text.push_str(&two_columns(row)));
        } else {
            let words = unmarked(&block.replace('\n', " "));
            text.push_str(&format!("{}\n", wrapped(&words, WIDTH).join("\n")));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

fn two_columns(row: &str) -> String {
    let row = row.trim_matches('|');
    let (left, right) = row.split_once(" | ").unwrap_or((row, ""));
    let (left, right) = (unmarked(left.trim()), unmarked(right.trim()));
    let lines = wrapped(&right, WIDTH - LEFT_WIDTH - 3);
    let mut left = format!("  {left:<LEFT_WIDTH$}");
    let mut text = String::new();
    if left.chars().count() > LEFT_WIDTH + 2 {
        text.push_str(&format!("{left}\n"));
        left = " ".repeat(LEFT_WIDTH + 2);
    }
    for line in lines {
        text.push_str(&format!("{left} {line}\n"));
        left = " ".repeat(LEFT_WIDTH + 2);
    }
    text
}

/// Takes away the marks of code and links.
fn unmarked(markdown: &str) -> String {
    let mut text = markdown.replace('`', "");
    while let Some((before, link)) = text.split_once("](") {
        let Some((_, after)) = link.split_once(')') else { break };
        let Some((start, words)) = before.rsplit_once('[') else { break };
        text = format!("{start}{words}{after}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_text_of_the_page() {
        let codes = text("exit-codes").unwrap();
        assert!(codes.starts_with("EXIT CODES\n\n  0 "), "{codes}");
        assert!(codes.contains("\n  126, 127                 the command cannot be executed"), "{codes}");
        let placeholders = text("placeholders").unwrap();
        assert!(placeholders.contains("\n  {} ") && !placeholders.contains('`'), "{placeholders}");
        assert!(placeholders.lines().all(|line| line.chars().count() <= WIDTH), "{placeholders}");
        assert_eq!(text("weather"), None);
    }

    #[test]
    fn a_manual_page_has_no_request_of_its_text() {
        for (name, ..) in TOPICS {
            let page = manual_page(name).unwrap();
            assert!(page.starts_with(&format!(".TH job-manager-{name} 1\n")));
            assert_eq!(page.lines().filter(|line| line.starts_with(['.', '\''])).count(), 5, "{page}");
        }
    }

    #[test]
    fn links_are_their_words() {
        assert_eq!(unmarked("see [below](#x) and `code`, [twice](y.md)"), "see below and code, twice");
    }
}
