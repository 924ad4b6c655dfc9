//! The units of the open job, and what the chosen one writes.

use job_manager::model::UnitStatus;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as TextLine, Text};
use ratatui::widgets::{Block, Paragraph, Row, Table};

use super::units::UnitLine;
use super::view::{Focus, View};
use crate::cli::text::shortened;

const SPACING: usize = 1;

/// Returns how the chosen row looks, among the rows that keys choose from and elsewhere.
pub(super) fn highlight(is_focused: bool) -> Modifier {
    if is_focused { Modifier::REVERSED } else { Modifier::BOLD }
}

/// Draws the units; the last column, what each is about, takes what is left of the width.
pub(super) fn draw_units(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    let Some(detail) = view.detail.as_ref().filter(|_| area.height > 0) else { return };
    let cells = |unit: &UnitLine| [unit.seq.to_string(), unit.status.to_string(), unit.time.clone()];
    let titles = ["UNIT", "STATE", "TIME"];
    let widths: [usize; 3] = std::array::from_fn(|at| {
        let cells = detail.units.iter().map(|unit| cells(unit)[at].chars().count());
        cells.max().unwrap_or(0).max(titles[at].len())
    });
    let fixed: usize = widths.iter().map(|width| width + SPACING).sum();
    let left = usize::from(area.width).saturating_sub(fixed);
    let number = |text: String| Text::from(text).alignment(Alignment::Right);
    let row = |unit: &UnitLine| {
        let [seq, state, time] = cells(unit);
        let style = if view.colors { color(unit.status) } else { Style::new() };
        Row::new([number(seq), Text::from(state).style(style), number(time), shortened(&unit.what, left).into()])
    };
    let header = Row::new([number(titles[0].into()), titles[1].into(), number(titles[2].into()), "ITEM".into()]);
    let constraints = [widths[0], widths[1], widths[2], left]
        .map(|width| Constraint::Length(u16::try_from(width).unwrap_or(u16::MAX)));
    let table = Table::new(detail.units.iter().map(row), constraints)
        .header(header.style(Modifier::UNDERLINED))
        .row_highlight_style(highlight(view.focus == Focus::Units));
    frame.render_stateful_widget(table, area, &mut view.units);
}

fn color(status: UnitStatus) -> Style {
    match status {
        UnitStatus::Failed => Style::new().fg(Color::Red),
        UnitStatus::Completed => Style::new().fg(Color::Green),
        UnitStatus::Running => Style::new().fg(Color::Cyan),
        UnitStatus::Pending | UnitStatus::Skipped | UnitStatus::Cancelled => Style::new(),
    }
}

/// Draws the end of what the chosen unit has written.
pub(super) fn draw_output(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let (true, Some(line), Some(detail)) = (area.height > 0, view.selected(), &view.detail) else { return };
    let chosen = view.units.selected().and_then(|index| detail.units.get(index));
    let title = match chosen {
        Some(unit) => format!(" output of {}:{} ", line.job, unit.seq),
        None => " output ".to_owned(),
    };
    let rows = usize::from(area.height.saturating_sub(2));
    let first = detail.output.len().saturating_sub(rows);
    let width = usize::from(area.width.saturating_sub(2));
    let text: Vec<TextLine<'_>> = match detail.output.is_empty() {
        true => vec!["nothing so far".into()],
        false => detail.output[first..].iter().map(|line| shortened(line, width).into()).collect(),
    };
    frame.render_widget(Paragraph::new(text).block(Block::bordered().title(title)), area);
}
