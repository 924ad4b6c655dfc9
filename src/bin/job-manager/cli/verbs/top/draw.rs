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
use super::draw_units::{draw_output, draw_units, highlight};
use super::gather::{Host, Line};
use super::view::{Focus, Overlay, View};
use crate::cli::text::{shortened, span, style_of};

const DETAIL_HEIGHT: u16 = 11;
/// Rows of jobs that remain beside the detail, with their heading; where there are fewer, the detail takes all.
const MIN_LIST_HEIGHT: u16 = 4;
/// Hosts that the detail names.
const MOST_HOSTS: usize = 8;
/// What is shown of a host's name.
const HOST_WIDTH: usize = 24;
/// Width from which units stand beside the jobs.
const WIDE: u16 = 100;
/// What is left of the jobs beside units.
const JOBS_SHARE: u16 = 55;
/// Keys in the order in which a narrow screen keeps them; the last ones stay.
const KEYS: [&str; 11] = [
    "↑↓ choose",
    "Enter detail",
    "Tab units",
    "p pause",
    "r resume",
    "/ filter",
    "f failed",
    "+ - workers",
    "c cancel",
    "x kill unit",
    "R retry kind",
];
const LAST_KEYS: &str = "? help  q leave";
const HELP: [(&str, &str); 17] = [
    ("↑ ↓, k j", "choose a job, or a unit"),
    ("PgUp PgDn, g G", "by pages, first, last"),
    ("Enter", "show or hide more about the job"),
    ("Tab, → ←", "choose among its units, or among the jobs again"),
    ("/", "filter jobs by name"),
    ("f", "show only what failed"),
    ("p, s", "pause: running units finish"),
    ("r", "resume, or start"),
    ("+ -", "one worker more or less"),
    ("c", "cancel the job permanently (asks first)"),
    ("a", "approve the first units of a canary"),
    ("x", "end the chosen unit (asks first); it fails"),
    ("R", "retry what failed like the chosen unit, or all that failed"),
    ("l", "follow what the chosen unit writes"),
    ("Esc", "one step back"),
    ("q, Ctrl-C", "leave; jobs go on"),
    ("?", "this"),
];

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, view: &mut View) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(heading(view, head.width), head);
    if view.overlay == Overlay::Output {
        draw_output(frame, view, body);
    } else {
        draw_body(frame, view, body);
    }
    frame.render_widget(footer(view, foot.width), foot);
    if view.overlay == Overlay::Help {
        draw_help(frame, body);
    }
}

fn draw_body(frame: &mut Frame<'_>, view: &mut View, body: Rect) {
    let (upper, lower) = split(view, body);
    let is_wide = body.width >= WIDE;
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(JOBS_SHARE), Constraint::Min(0)]).spacing(1).areas::<2>(upper);
    let [left_below, right_below] =
        Layout::horizontal([Constraint::Percentage(JOBS_SHARE), Constraint::Min(0)]).spacing(1).areas::<2>(lower);
    let shows_units = view.detail.is_some() && lower.height > 0;
    match (shows_units && is_wide, shows_units && view.focus == Focus::Units) {
        (true, _) => {
            draw_jobs(frame, view, left);
            draw_units(frame, view, right);
            draw_detail(frame, view, left_below);
            draw_output(frame, view, right_below);
        }
        (false, true) => {
            draw_units(frame, view, upper);
            draw_output(frame, view, lower);
        }
        (false, false) => {
            draw_jobs(frame, view, upper);
            draw_detail(frame, view, lower);
        }
    }
}

fn draw_jobs(frame: &mut Frame<'_>, view: &mut View, area: Rect) {
    if view.is_empty() {
        frame.render_widget("no jobs yet: `job-manager submit` makes one", area);
    } else if view.lines.is_empty() && (view.failed_only || !view.filter.is_empty()) {
        frame.render_widget("no job matches: / and f change the filter", area);
    } else {
        draw_list(frame, view, area);
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
    let running = view.all().iter().filter(|line| line.is_running).count();
    let interrupted = view.all().iter().filter(|line| line.is_interrupted).count();
    let mut text = format!("{}, {running} running", counted(view.all().len(), "job"));
    if interrupted > 0 {
        text.push_str(&format!(", {interrupted} interrupted"));
    }
    if view.failed_only {
        text.push_str("; failed only");
    }
    if !view.filter.is_empty() {
        text.push_str(&format!("; with {:?}", view.filter));
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
    let chosen = highlight(view.focus == Focus::Jobs);
    let table = Table::new(rows, widths).header(header.style(Modifier::UNDERLINED)).row_highlight_style(chosen);
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

fn draw_detail(frame: &mut Frame<'_>, view: &View, area: Rect) {
    let (true, Some(line), Some(detail)) = (area.height > 0, view.selected(), &view.detail) else { return };
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

fn footer(view: &View, width: u16) -> TextLine<'static> {
    let asked = match &view.overlay {
        Overlay::AskCancel(job) => Some(format!("cancel job {job} permanently, what runs and what waits? [y/N]")),
        Overlay::AskKill(job, seq) => Some(format!("end unit {job}:{seq}? It will fail. [y/N]")),
        Overlay::Filter => Some(format!("name contains: {}▏  (Enter: keep, Esc: clear)", one_line(&view.filter))),
        Overlay::Output => Some("any key goes back".to_owned()),
        Overlay::Nothing | Overlay::Help => None,
    };
    if let Some(asked) = asked {
        return TextLine::from(asked).style(Modifier::REVERSED);
    }
    match view.trouble.as_ref().or(view.message.as_ref()) {
        Some(message) => one_line(message).into(),
        None => TextLine::from(keys(width)).style(Modifier::DIM),
    }
}

/// Names as many keys as there is room for.
fn keys(width: u16) -> String {
    let mut text = String::new();
    for key in KEYS {
        let longer = format!("{text}{key}  ");
        if longer.chars().count() + LAST_KEYS.len() > usize::from(width) {
            break;
        }
        text = longer;
    }
    text + LAST_KEYS
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<TextLine<'_>> = HELP.iter().map(|(key, what)| format!(" {key:<15} {what} ").into()).collect();
    let width = lines.iter().map(TextLine::width).max().unwrap_or(0) + 2;
    let (width, height) = (u16::try_from(width).unwrap_or(u16::MAX), HELP.len() as u16 + 2);
    let place = area.centered(Constraint::Max(width), Constraint::Max(height));
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), place);
}
