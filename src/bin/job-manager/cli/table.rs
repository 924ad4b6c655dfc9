//! Plain tables: no boxes, two spaces between columns.

use unicode_width::UnicodeWidthStr;

/// Lays rows out under their headings; columns named in `right` are aligned to the right.
pub(super) fn table(headings: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
    let mut widths = vec![0; rows[0].len()];
    for row in &rows {
        row.iter().zip(&mut widths).for_each(|(cell, width)| *width = cell.width().max(*width));
    }
    let mut text = String::new();
    for row in &rows {
        for (column, cell) in row.iter().enumerate() {
            let space = std::iter::repeat_n(' ', widths[column] - cell.width());
            if right.contains(&column) {
                text.extend(space);
                text.push_str(cell);
            } else {
                text.push_str(cell);
                text.extend(space);
            }
            text.push_str("  ");
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    text.truncate(text.len() - 1);
    text
}
