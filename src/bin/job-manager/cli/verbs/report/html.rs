//! The page as HTML: all in one file, nothing fetched, no script.

use super::charts::bars;
use super::escape::escaped;
use super::facts::Facts;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --text: #1b1f24; --faint: #57606a; --back: #fff; --line: #d0d7de; --ok: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --faint: #9198a1; --back: #0d1117; --line: #3d444d; --ok: #3fb950; --bad: #f85149; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 760px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--faint); } .n { text-align: right; white-space: nowrap; }
pre { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; padding: .5rem; } code { overflow-wrap: anywhere; }
.ok { fill: var(--ok); } .bad { fill: var(--bad); } .axis { stroke: var(--line); } svg text { fill: var(--faint); font-size: 12px; }
summary { color: var(--faint); cursor: pointer; }
</style>
"#;

/// Writes the page.
pub(super) fn page(facts: &Facts) -> String {
    let title = escaped(&facts.title);
    let mut page = format!("{HEAD}<title>{title}</title>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<table>\n");
    for (name, value) in &facts.rows {
        page.push_str(&format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(name), escaped(value)));
    }
    page.push_str("</table>\n");
    if let Some(command) = &facts.command {
        page.push_str(&format!("<h2>Command of the first unit</h2>\n<pre>{}</pre>\n", escaped(command)));
    }
    let title = format!("Units that ended, by the time since the start ({})", facts.drawn_from());
    page.push_str(&chart(&title, &["Time", "Completed", "Failed"], &facts.ends()));
    let durations: Vec<_> = facts.durations().into_iter().map(|(name, count)| (name, count, 0)).collect();
    page.push_str(&chart("How long they took", &["Duration", "Units"], &durations));
    if !facts.kinds.is_empty() {
        page.push_str("<h2>Why units failed</h2>\n<table>\n<tr><th class=\"n\">Units</th><th>Error</th></tr>\n");
        for kind in &facts.kinds {
            let again = kind.again.as_deref().map(|again| format!("<br><code>{}</code>", escaped(again)));
            let (text, again) = (escaped(&kind.text), again.unwrap_or_default());
            page.push_str(&format!("<tr><td class=\"n\">{}</td><td>{text}{again}</td></tr>\n", kind.count));
        }
        page.push_str("</table>\n");
        if facts.more_kinds > 0 {
            page.push_str(&format!("<p>{} more kinds are not shown.</p>\n", facts.more_kinds));
        }
    }
    if !facts.slowest.is_empty() {
        page.push_str("<h2>Units that took longest</h2>\n<table>\n");
        page.push_str("<tr><th class=\"n\">Unit</th><th>Item</th><th class=\"n\">Time</th><th>State</th></tr>\n");
        for unit in &facts.slowest {
            let [seq, item, time, state] = unit.each_ref().map(|cell| escaped(cell));
            page.push_str(&format!(
                "<tr><td class=\"n\">{seq}</td><td>{item}</td><td class=\"n\">{time}</td><td>{state}</td></tr>\n"
            ));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// Draws a chart with its numbers as a table; none of a job in which nothing has ended.
fn chart(title: &str, columns: &[&str], found: &[(String, u64, u64)]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let mut html = format!("<h2>{}</h2>\n{}", escaped(title), bars(title, found));
    html.push_str("<details><summary>The same in numbers</summary>\n<table>\n<tr>");
    columns.iter().for_each(|name| html.push_str(&format!("<th>{name}</th>")));
    html.push_str("</tr>\n");
    for (name, one, two) in found {
        let two = if columns.len() > 2 { format!("<td>{two}</td>") } else { String::new() };
        html.push_str(&format!("<tr><td>{}</td><td>{one}</td>{two}</tr>\n", escaped(name)));
    }
    html.push_str("</table>\n</details>\n");
    html
}
