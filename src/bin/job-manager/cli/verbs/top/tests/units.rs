//! Units beside the jobs, filters, and the keys that steer both.

use job_manager::model::{JobId, Seq, UnitStatus};
use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::super::units::UnitLine;
use super::{Action, Detail, Overlay, press, screen, view};

fn units() -> Vec<UnitLine> {
    let unit =
        |seq, status, what: &str| UnitLine { seq: Seq(seq), status, time: "3s".to_owned(), what: what.to_owned() };
    vec![
        unit(40, UnitStatus::Running, "c.jpg"),
        unit(7, UnitStatus::Failed, "a.jpg: exited with code 1: no such file, and a long text behind it that is cut"),
    ]
}

#[test]
fn units_stand_beside_the_jobs_and_what_the_chosen_one_writes_below() {
    let mut view = view();
    press(&mut view, ' ');
    let output = vec!["line 1".to_owned(), "line 2".to_owned()];
    view.set_detail(Some(Detail { units: units(), output, ..Detail::default() }));

    let wide = screen(&mut view, 120, 20);
    view.press(KeyEvent::from(KeyCode::Tab));
    press(&mut view, 'j');
    let narrow = screen(&mut view, 60, 20);

    let row = |text: &str, of: &str| text.lines().find(|line| line.contains(of)).unwrap_or_default().to_owned();
    assert!(row(&wide, "c.jpg").contains("photos") || row(&wide, "c.jpg").contains("nightly"), "{wide}");
    assert!(row(&wide, "a.jpg").ends_with('…'), "{wide}");
    assert!(
        wide.contains(" output of 12:40 ") && wide.contains("line 2") && wide.contains(" job 12 (photos)"),
        "{wide}"
    );
    assert!(narrow.contains(" output of 12:7 ") && !narrow.contains("nightly"), "{narrow}");
}

#[test]
fn a_filter_is_typed_and_kept_or_ended() {
    let mut view = view();

    "/NIGHT".chars().for_each(|key| assert_eq!(press(&mut view, key), None));
    let typed = screen(&mut view, 80, 8);
    view.press(KeyEvent::from(KeyCode::Enter));
    let kept = (view.lines.len(), press(&mut view, 'r'));
    let shown = screen(&mut view, 80, 8);
    view.press(KeyEvent::from(KeyCode::Esc));
    let ended = view.lines.len();
    press(&mut view, 'f');

    assert!(typed.contains("name contains: NIGHT"), "{typed}");
    assert_eq!((kept, ended), ((1, Some(Action::Resume(JobId(11)))), 3));
    assert!(
        shown.starts_with("3 jobs, 1 running, 1 interrupted; with \"NIGHT\"") && !shown.contains("photos"),
        "{shown}"
    );
    assert_eq!(view.lines.iter().map(|line| line.job.0).collect::<Vec<_>>(), [12]);
    assert!(screen(&mut view, 80, 8).contains("; failed only"));
}

#[test]
fn keys_steer_the_job_and_the_chosen_unit() {
    let mut view = view();

    let of_job = ['p', '+', '+', '-', 'R', 'x', 'l'].map(|key| press(&mut view, key));
    let told = view.message.clone();
    view.press(KeyEvent::from(KeyCode::Tab));
    view.set_detail(Some(Detail { units: units(), ..Detail::default() }));
    let kill = [press(&mut view, 'x'), press(&mut view, 'y')];
    press(&mut view, 'l');
    let followed = view.overlay.clone();
    press(&mut view, 'z');
    press(&mut view, 'j');
    let like = press(&mut view, 'R');
    view.press(KeyEvent::from(KeyCode::Esc));
    let of_jobs = press(&mut view, 'j').is_none() && view.selected().is_some_and(|line| line.job == JobId(11));

    let job = JobId(12);
    let scaled = [9, 10, 9].map(|workers| Some(Action::Workers(job, workers)));
    assert_eq!(of_job[0], Some(Action::Stop(job)));
    assert_eq!(of_job[1..4], scaled);
    assert_eq!(of_job[4..], [Some(Action::Retry(job, None)), None, None]);
    assert!(told.is_some_and(|told| told.starts_with("choose a unit first")));
    assert_eq!(kill, [None, Some(Action::Kill(job, Seq(40)))]);
    assert_eq!((followed, like), (Overlay::Output, Some(Action::Retry(job, Some(Seq(7))))));
    assert!(of_jobs);
}
