//! Plain tables: no boxes, two spaces between columns.

use std::io::stdout;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::text::shortened;
use crate::system::columns_of;

/// A column is made no narrower than that.
const NARROWEST: usize = 10;
/// Width of a column that gives way where there is no terminal to fit.
const WIDE: usize = 100;

/// Lays rows out as [`table`] does, with the columns named in `elastic` cut, the last of them first, until the rows fit the terminal.
pub(super) fn fitting(
    headings: &[&str],
    right: &[usize],
    elastic: &[usize],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    painted(headings, right, elastic, rows, |_, _| Style::new())
}

/// Does the same in colours; `style` returns that of a cell, by the place of its row and its column.
pub(super) fn painted(
    headings: &[&str],
    right: &[usize],
    elastic: &[usize],
    rows: impl IntoIterator<Item = Vec<String>>,
    style: impl Fn(usize, usize) -> Style,
) -> String {
    let columns = columns_of(stdout()).map(usize::from);
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    laid_out(headings, right, fitted(headings, elastic, columns, rows), style)
}

fn fitted(
    headings: &[&str],
    elastic: &[usize],
    columns: Option<usize>,
    mut rows: Vec<Vec<String>>,
) -> Vec<Vec<String>> {
    let width = |rows: &[Vec<String>], column: usize| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.max().unwrap_or(0).max(headings[column].width())
    };
    for column in elastic.iter().rev() {
        let used: usize = (0..headings.len()).map(|at| width(&rows, at)).sum::<usize>() + 2 * (headings.len() - 1);
        let most = match columns {
            Some(columns) if used > columns => width(&rows, *column).saturating_sub(used - columns).max(NARROWEST),
            Some(_) => continue,
            None => WIDE,
        };
        rows.iter_mut().for_each(|row| row[*column] = shortened(&row[*column], most));
    }
    rows
}

/// Lays rows out under their headings; columns named in `right` are aligned to the right.
pub(super) fn table(headings: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    laid_out(headings, right, rows, |_, _| Style::new())
}

fn laid_out(
    headings: &[&str],
    right: &[usize],
    rows: impl IntoIterator<Item = Vec<String>>,
    style: impl Fn(usize, usize) -> Style,
) -> String {
    let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
    let mut widths = vec![0; rows[0].len()];
    for row in &rows {
        row.iter().zip(&mut widths).for_each(|(cell, width)| *width = cell.width().max(*width));
    }
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let space = std::iter::repeat_n(' ', widths[column] - cell.width());
            let style = place.checked_sub(1).map_or_else(Style::new, |place| style(place, column));
            let cell = format!("{style}{cell}{style:#}");
            if right.contains(&column) {
                text.extend(space);
                text.push_str(&cell);
            } else {
                text.push_str(&cell);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_give_way_is_cut_until_the_rows_fit_the_terminal() {
        let rows = || vec![vec!["1".to_owned(), "n".repeat(70), "e".repeat(120)]];
        let laid =
            |columns| table(&["ID", "NAME", "ERROR"], &[0], fitted(&["ID", "NAME", "ERROR"], &[1, 2], columns, rows()));

        assert!(laid(Some(200)).contains(&"e".repeat(120)));
        for columns in [60, 80, 120] {
            assert!(laid(Some(columns)).lines().all(|line| line.width() <= columns), "{}", laid(Some(columns)));
        }
        assert!(laid(None).contains(&format!("{}…", "e".repeat(99))));
    }
}
