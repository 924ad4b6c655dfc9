//! Charts as SVG: bars with their numbers as titles; a table beside them says the same.

use super::escape::escaped;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 160.0;
const GAP: f64 = 2.0;
/// Widest bar.
const MOST: f64 = 48.0;

/// Draws bars, each with a name, a number and a part of others on top of it.
pub(super) fn bars(title: &str, bars: &[(String, u64, u64)]) -> String {
    let highest = bars.iter().map(|(_, one, two)| one + two).max().unwrap_or(0).max(1) as f64;
    let width = (WIDTH / bars.len().max(1) as f64).min(MOST);
    let mut svg = format!(
        "<svg role=\"img\" viewBox=\"0 0 {WIDTH} {}\" width=\"100%\"><title>{}</title>\n",
        HEIGHT + 20.0,
        escaped(title)
    );
    for (index, (name, one, two)) in bars.iter().enumerate() {
        let x = index as f64 * width;
        let [below, above] = [one, two].map(|count| *count as f64 / highest * HEIGHT);
        let title = match two {
            0 => format!("{name}: {one}"),
            two => format!("{name}: {one} completed, {two} failed"),
        };
        svg.push_str(&format!("<g><title>{}</title>", escaped(&title)));
        for (class, y, height) in [("ok", HEIGHT - below, below), ("bad", HEIGHT - below - above, above)] {
            if height > 0.0 {
                svg.push_str(&format!(
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                    (width - GAP).max(1.0),
                    height.max(1.0)
                ));
            }
        }
        svg.push_str("</g>\n");
    }
    let end = bars.len() as f64 * width;
    svg.push_str(&format!("<line class=\"axis\" x1=\"0\" y1=\"{HEIGHT}\" x2=\"{end:.1}\" y2=\"{HEIGHT}\"/>\n"));
    if let (Some((first, ..)), Some((last, ..))) = (bars.first(), bars.last()) {
        let y = HEIGHT + 15.0;
        svg.push_str(&format!("<text x=\"0\" y=\"{y}\">{}</text>", escaped(first)));
        if bars.len() > 3 {
            svg.push_str(&format!("<text x=\"{end:.1}\" y=\"{y}\" text-anchor=\"end\">{}</text>", escaped(last)));
        }
    }
    svg.push_str("\n</svg>\n");
    svg
}
