//! The page as Markdown: the same in tables.

use super::escape::{code_in_markdown, in_markdown};
use super::facts::Facts;

/// Writes the page.
pub(super) fn page(facts: &Facts) -> String {
    let mut page = format!("# {}\n\n| | |\n| --- | --- |\n", in_markdown(&facts.title));
    for (name, value) in &facts.rows {
        page.push_str(&format!("| {name} | {} |\n", in_markdown(value)));
    }
    if let Some(command) = &facts.command {
        page.push_str(&format!("\n## Command of the first unit\n\n{}", code_in_markdown(command)));
    }
    let durations = facts.durations();
    if !durations.is_empty() {
        let title = facts.drawn_from();
        page.push_str(&format!("\n## How long {title} took\n\n| Duration | Units |\n| --- | ---: |\n"));
        for (name, count) in &durations {
            page.push_str(&format!("| {} | {count} |\n", in_markdown(name)));
        }
    }
    if !facts.kinds.is_empty() {
        page.push_str("\n## Why units failed\n\n| Units | Error | Again |\n| ---: | --- | --- |\n");
        for kind in &facts.kinds {
            let again = kind.again.as_deref().map(|again| format!("`{again}`")).unwrap_or_default();
            page.push_str(&format!("| {} | {} | {again} |\n", kind.count, in_markdown(&kind.text)));
        }
        if facts.more_kinds > 0 {
            page.push_str(&format!("\n{} more kinds are not shown.\n", facts.more_kinds));
        }
    }
    if !facts.slowest.is_empty() {
        page.push_str("\n## Units that took longest\n\n| Unit | Item | Time | State |\n| ---: | --- | ---: | --- |\n");
        for unit in &facts.slowest {
            let [seq, item, time, state] = unit.each_ref().map(|cell| in_markdown(cell));
            page.push_str(&format!("| {seq} | {item} | {time} | {state} |\n"));
        }
    }
    page
}
