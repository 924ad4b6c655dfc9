//! Putting the view on a screen, of whatever size.

use std::time::Duration;

use anstyle::AnsiColor;
use job_manager::model::Progress;
use job_manager::text::{counted, one_line};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as TextLine, Text};
use ratatui::widgets::{Block, Clear, Paragraph, Row, Table, Wrap};

use super::columns::{Column, STATE, fit};
use super::gather::{Detail, Host, Line};
use super::view::{Overlay, View};
use crate::cli::text::{shortened, span, style_of};

const DETAIL_HEIGHT: u16 = 11;
/// Rows of jobs that remain beside the detail, with their heading; where there are fewer, the detail takes all.
const MIN_LIST_HEIGHT: u16 = 4;
/// Hosts that the detail names.
const MOST_HOSTS: usize = 8;
/// What is shown of a host's name.
const HOST_WIDTH: usize = 24;
const KEYS: &str = "↑↓ choose  Enter detail  s stop  r resume  c cancel  a approve  ? help  q leave";
const HELP: [(&str, &str); 9] = [
    ("↑ ↓, k j", "choose a job"),
    ("PgUp PgDn, g G", "by pages, first, last"),
    ("Enter", "show or hide more about it"),
    ("s", "stop: running units finish, the job pauses"),
    ("r", "resume, or start"),
    ("c", "cancel permanently, after a question"),
    ("a", "approve the first units of a canary"),
    ("q, Esc, Ctrl-C", "leave; jobs go on"),
    ("?", "this"),
];

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(heading(view, head.width), head);
    let (list, detail) = split(view, body);
    if view.is_empty() {
        frame.render_widget("no jobs yet: `job-manager submit` makes one", list);
    } else {
        draw_list(frame, view, list);
    }
    if detail.height > 0
        && let (Some(line), Some(detail_text)) = (view.selected(), &view.detail)
    {
        draw_detail(frame, line, detail_text, detail);
    }
    frame.render_widget(footer(view), foot);
    if view.overlay == Overlay::Help {
        draw_help(frame, body);
    }
}

fn split(view: &View, body: Rect) -> (Rect, Rect) {
    if !view.is_open() {
        return (body, Rect { height: 0, ..body });
    }
    let hosts = view.detail.as_ref().map_or(0, |detail| detail.hosts.len().min(MOST_HOSTS + 1));
    let wanted = DETAIL_HEIGHT + u16::try_from(hosts).unwrap_or(0);
    let height = if body.height >= wanted + MIN_LIST_HEIGHT { wanted } else { body.height };
    let [list, detail] = Layout::vertical([Constraint::Min(0), Constraint::Length(height)]).areas(body);
    (list, detail)
}

fn heading(view: &View, width: u16) -> TextLine<'static> {
    let running = view.lines.iter().filter(|line| line.is_running).count();
    let interrupted = view.lines.iter().filter(|line| line.is_interrupted).count();
    let mut text = format!("{}, {running} running", counted(view.lines.len(), "job"));
    if interrupted > 0 {
        text.push_str(&format!(", {interrupted} interrupted"));
    }
    let db = one_line(&view.db.to_string_lossy());
    let gap = usize::from(width).saturating_sub(text.chars().count() + db.chars().count()).max(2);
    TextLine::from(format!("{text}{}{db}", " ".repeat(gap))).style(Modifier::BOLD)
}

fn draw_list(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    let columns = fit(&view.lines, usize::from(area.width));
    let cell = |text: String, column: &Column| {
        Text::from(text).alignment(if column.is_number { Alignment::Right } else { Alignment::Left })
    };
    let header = Row::new(columns.iter().map(|&(column, _)| cell(column.title.to_owned(), column)));
    let rows = view.lines.iter().map(|line| {
        Row::new(columns.iter().map(|&(column, width)| {
            let style = if column.title == STATE { state_style(line, view.colors) } else { Style::new() };
            cell((column.cell)(line, width), column).style(style)
        }))
    });
    let widths = columns.iter().map(|&(_, width)| Constraint::Length(u16::try_from(width).unwrap_or(u16::MAX)));
    let table =
        Table::new(rows, widths).header(header.style(Modifier::UNDERLINED)).row_highlight_style(Modifier::REVERSED);
    frame.render_stateful_widget(table, area, &mut view.table);
}

fn state_style(line: &Line, colors: bool) -> Style {
    let color = match style_of(line.status, line.is_interrupted).get_fg_color() {
        Some(anstyle::Color::Ansi(color)) if colors => color,
        _ => return Style::new(),
    };
    match color {
        AnsiColor::Red => Style::new().fg(Color::Red),
        AnsiColor::Green => Style::new().fg(Color::Green),
        AnsiColor::Yellow => Style::new().fg(Color::Yellow),
        AnsiColor::Cyan => Style::new().fg(Color::Cyan),
        _ => Style::new(),
    }
}

fn draw_detail(frame: &mut Frame<'_>, line: &Line, detail: &Detail, area: Rect) {
    let mut text = vec![TextLine::from(counts(&line.progress))];
    if let (Some(rate), Some(eta)) = (line.rate, line.eta) {
        let of = |seconds| span(Duration::from_secs(seconds));
        text.push(format!("{rate:.1} units per second, {} to {} left", of(eta.low), of(eta.high)).into());
    }
    text.push(detail.sentence.clone().into());
    text.push(format!("try: {}", detail.next_step).into());
    text.extend(hosts(&detail.hosts));
    text.extend(detail.failures.iter().map(|(seq, error)| TextLine::from(format!("failed {seq}: {error}"))));
    let title = format!(" job {} ({}), {} ", line.job, line.name, line.state);
    let block = Block::bordered().title(title);
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }).block(block), area);
}

/// Returns a line for each host, and one for those that are not named.
fn hosts(hosts: &[Host]) -> Vec<TextLine<'static>> {
    let shown = &hosts[..hosts.len().min(MOST_HOSTS)];
    let width = shown.iter().map(|host| host.name.chars().count()).max().unwrap_or(0).min(HOST_WIDTH);
    let line =
        |host: &Host| format!("host {:<width$}  {:<7}  {}", shortened(&host.name, width), host.state, host.said).into();
    let more = hosts.len() - shown.len();
    let rest = (more > 0).then(|| format!("and {}", counted(more, "other host")).into());
    shown.iter().map(line).chain(rest).collect()
}

fn counts(progress: &Progress) -> String {
    let Progress { total, pending, running, completed, failed, skipped, cancelled } = *progress;
    let mut text = format!("{} % of {total}: {completed} completed", progress.percentage());
    for (count, what) in
        [(failed, "failed"), (skipped, "skipped"), (cancelled, "cancelled"), (running, "running"), (pending, "pending")]
    {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text
}

fn footer(view: &View) -> TextLine<'static> {
    if let Overlay::AskCancel(job) = view.overlay {
        return TextLine::from(format!("cancel job {job} permanently, what runs and what waits? [y/N]"))
            .style(Modifier::REVERSED);
    }
    match view.trouble.as_ref().or(view.message.as_ref()) {
        Some(message) => one_line(message).into(),
        None => TextLine::from(KEYS).style(Modifier::DIM),
    }
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<TextLine<'_>> = HELP.iter().map(|(key, what)| format!(" {key:<15} {what} ").into()).collect();
    let width = lines.iter().map(TextLine::width).max().unwrap_or(0) + 2;
    let (width, height) = (u16::try_from(width).unwrap_or(u16::MAX), HELP.len() as u16 + 2);
    let place = area.centered(Constraint::Max(width), Constraint::Max(height));
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), place);
}
