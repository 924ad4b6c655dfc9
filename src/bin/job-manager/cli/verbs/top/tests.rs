//! What `top` draws, as plain text, and what its keys do.

mod units;

use job_manager::client::EtaSeconds;
use job_manager::model::{JobId, JobStatus, Progress, Seq};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::Action;
use super::draw::draw;
use super::gather::{Detail, Host, Line};
use super::view::{Overlay, View};

fn line(job: i64, name: &str, status: JobStatus, progress: Progress) -> Line {
    Line {
        job: JobId(job),
        name: name.to_owned(),
        state: status.as_str(),
        status,
        is_interrupted: false,
        progress,
        rate: None,
        eta: None,
        workers: 2,
        is_running: false,
        manager: None,
    }
}

fn jobs() -> Vec<Line> {
    let progress = |total, completed, failed| Progress {
        total,
        pending: total - completed - failed,
        completed,
        failed,
        ..Progress::default()
    };
    let mut running = line(12, "photos", JobStatus::Running, progress(1000, 410, 2));
    (running.rate, running.eta) = (Some(12.5), Some(EtaSeconds { low: 44, high: 52 }));
    (running.workers, running.is_running, running.manager) = (8, true, Some("4711".to_owned()));
    let mut lost = line(11, "nightly import of all the feeds", JobStatus::Running, progress(3, 1, 0));
    (lost.state, lost.is_interrupted) = ("interrupted", true);
    vec![running, lost, line(13, "thumbnails", JobStatus::Completed, progress(5, 5, 0))]
}

fn view() -> View {
    let mut view = View::new("/srv/jobs.db".into(), false);
    view.refresh(jobs());
    view
}

fn screen(view: &mut View, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(usize::from(width)).map(|row| {
        let text: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.trim_end().to_owned()
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn press(view: &mut View, key: char) -> Option<Action> {
    view.press(KeyEvent::from(KeyCode::Char(key)))
}

#[test]
fn all_jobs_are_shown_with_what_they_are_doing() {
    let expected = "\
3 jobs, 1 running, 1 interrupted                                                        /srv/jobs.db
ID NAME                            STATE       PROGRESS       DONE FAIL   RATE LEFT W MANAGER
12 photos                          running     ████░░░░░░ 412/1000    2 12.5/s  48s 8    4711
11 nightly import of all the feeds interrupted ███░░░░░░░      1/3    0             2
13 thumbnails                      completed   ██████████      5/5    0             2

↑↓ choose  Enter detail  Tab units  p pause  r resume  / filter  f failed  ? help  q leave";

    let drawn = screen(&mut view(), 100, 7);

    assert_eq!(drawn, expected);
}

#[test]
fn a_narrow_screen_does_without_columns_and_keeps_the_state() {
    let expected = "\
3 jobs, 1 running, 1 interrupted  /srv/j
ID NAME             STATE           DONE
12 photos           running     412/1000
11 nightly import … interrupted      1/3
13 thumbnails       completed        5/5
↑↓ choose  Enter detail  ? help  q leave";

    let drawn = screen(&mut view(), 40, 6);

    assert_eq!(drawn, expected);
}

#[test]
fn the_columns_stand_beside_their_names_however_wide_the_screen_is() {
    let drawn = screen(&mut view(), 200, 6);

    let row = drawn.lines().nth(3).unwrap();
    assert!(row.starts_with("11 nightly import of all the feeds interrupted "), "{drawn}");
}

#[test]
fn any_size_can_be_drawn() {
    let mut view = view();
    press(&mut view, ' ');
    view.set_detail(Some(Detail::default()));
    for (width, height) in [(1, 1), (2, 3), (10, 5), (200, 2), (500, 200)] {
        for overlay in
            [Overlay::Nothing, Overlay::Help, Overlay::Output, Overlay::Filter, Overlay::AskCancel(JobId(12))]
        {
            view.overlay = overlay;
            screen(&mut view, width, height);
        }
    }
}

#[test]
fn the_detail_names_counts_cause_and_last_failures() {
    let mut view = view();
    press(&mut view, ' ');
    view.set_detail(Some(Detail {
        sentence: "job 12 runs, 12.5 units end per second".to_owned(),
        next_step: "job-manager watch 12".to_owned(),
        hosts: Vec::new(),
        failures: vec![(Seq(17), "exited with code 1: no such file".to_owned())],
        ..Detail::default()
    }));

    let drawn = screen(&mut view, 70, 20);

    let pane: Vec<&str> = drawn.lines().skip(8).take(6).map(|line| line.trim_matches(['│', ' '])).collect();
    assert_eq!(
        pane,
        [
            "┌ job 12 (photos), running ──────────────────────────────────────────┐",
            "41.2 % of 1000: 410 completed, 2 failed, 588 pending",
            "12.5 units per second, 44s to 52s left",
            "job 12 runs, 12.5 units end per second",
            "try: job-manager watch 12",
            "failed 17: exited with code 1: no such file",
        ]
    );
}

#[test]
fn the_detail_names_hosts_by_what_their_managers_do() {
    let mut view = view();
    press(&mut view, ' ');
    let host = |name: &str, state, said: &str| Host { name: name.to_owned(), state, said: said.to_owned() };
    let mut hosts = vec![
        host("alpha", "running", "2 of 4 workers busy, 3.1/s"),
        host("compute-0123456789-0123456789", "silent", "1 of 4 workers busy, last heard of 31 s ago"),
        host("gamma", "refused", "no directory /data"),
    ];
    let detail = |hosts: &[Host]| Some(Detail { hosts: hosts.to_vec(), ..Detail::default() });

    view.set_detail(detail(&hosts));
    let drawn = screen(&mut view, 90, 24);
    hosts.extend((0..7).map(|number| host(&format!("left-{number}"), "left", "1m00s ago")));
    view.set_detail(detail(&hosts));
    let many = screen(&mut view, 80, 30);

    let lines: Vec<&str> =
        drawn.lines().filter(|line| line.starts_with("│host")).map(|line| line.trim_matches(['│', ' '])).collect();
    assert_eq!(
        lines,
        [
            "host alpha                     running  2 of 4 workers busy, 3.1/s",
            "host compute-0123456789-0123…  silent   1 of 4 workers busy, last heard of 31 s ago",
            "host gamma                     refused  no directory /data",
        ]
    );
    assert!(many.contains("and 2 other hosts"), "{many}");
}

#[test]
fn escape_sequences_do_not_reach_the_screen() {
    let mut view = View::new("/srv/\u{1b}[2J.db".into(), false);
    view.refresh(jobs());
    view.say("no job \u{1b}]0;x\u{7}".to_owned());

    let drawn = screen(&mut view, 80, 8);

    assert!(!drawn.chars().any(|letter| letter.is_control() && letter != '\n'), "{drawn:?}");
}

#[test]
fn a_job_stays_selected_when_its_row_moves() {
    let mut view = view();
    press(&mut view, 'j');
    let before = press(&mut view, 'r');

    view.refresh(jobs().into_iter().rev().collect());
    press(&mut view, 'k');
    let above = press(&mut view, 's');

    assert_eq!((before, above), (Some(Action::Resume(JobId(11))), Some(Action::Stop(JobId(13)))));
}

#[test]
fn a_cancellation_is_asked_for_twice() {
    let mut view = view();

    let asked = press(&mut view, 'c');
    let question = screen(&mut view, 80, 8);
    let other = press(&mut view, 'n');
    let answered = [press(&mut view, 'c'), press(&mut view, 'y')];

    assert!(question.ends_with("cancel job 12 permanently, what runs and what waits? [y/N]"), "{question}");
    assert_eq!((asked, other), (None, None));
    assert_eq!(answered, [None, Some(Action::Cancel(JobId(12)))]);
}

#[test]
fn three_keys_leave_and_a_key_on_nothing_asks_for_nothing() {
    let mut view = View::new("/srv/jobs.db".into(), false);
    view.refresh(Vec::new());

    let leave = [
        press(&mut view, 'q'),
        view.press(KeyEvent::from(KeyCode::Esc)),
        view.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
    ];
    let nothing = ['s', 'r', 'c', 'a', 'j', 'y', 'G'].map(|key| press(&mut view, key));

    assert_eq!(leave, [Some(Action::Leave); 3]);
    assert_eq!(nothing, [None; 7]);
    assert!(screen(&mut view, 60, 5).contains("no jobs yet"));
}
