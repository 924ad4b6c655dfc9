//! What a service with a subscriber sees of the jobs that it runs.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext, testing};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    static ENTERED: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Notes spans and events as texts such as `job id=1: unit seq=2: attempt number=1: message`.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    spans: HashMap<u64, String>,
    lines: Vec<String>,
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.0.push_str(&format!(" {value:?}")),
            // Different each time.
            "uid" => self.0.push_str(" uid"),
            name => self.0.push_str(&format!(" {name}={value:?}")),
        }
    }
}

impl Subscriber for Seen {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("job_manager")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(span.metadata().name().to_owned());
        span.record(&mut text);
        let mut seen = self.0.lock().unwrap();
        let parent = ENTERED.with_borrow(|entered| entered.last().map(|id| format!("{}: ", seen.spans[id])));
        let id = seen.spans.len() as u64 + 1;
        seen.spans.insert(id, parent.unwrap_or_default() + &text.0);
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let mut seen = self.0.lock().unwrap();
        let inside = ENTERED.with_borrow(|entered| entered.last().map(|id| seen.spans[id].clone()));
        let line = format!("{} {}:{}", event.metadata().level(), inside.unwrap_or_default(), text.0);
        seen.lines.push(line);
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        ENTERED.with_borrow_mut(Vec::pop);
    }
}

#[test]
fn a_service_with_a_subscriber_sees_the_spans_of_its_job_its_units_and_their_attempts() {
    let seen = Seen::default();
    tracing::subscriber::set_global_default(seen.clone()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let client = Client::create(&dir.path().join("jobs.db")).unwrap();
    let units = ["good", "bad"].map(|word| NewUnit::new(word).unwrap());
    let mut new = NewJob::new("words", "say");
    (new.limits.max_attempts, new.limits.workers) = (1, 1);
    let job = client.create_job(&new, units).unwrap().job;
    let mut handlers = Handlers::new();
    handlers.register("say", |word: String, _: &UnitContext<'_>| {
        tracing::info!(target: "job_manager_service", "{word}");
        if word == "bad" { Err(std::io::Error::other("no such word").into()) } else { Ok(()) }
    });
    handlers.on_unit_failed(|unit| tracing::info!(target: "job_manager_service", "told of unit {}", unit.seq));
    handlers.on_job_end(|job| tracing::info!(target: "job_manager_service", "told that it is {}", job.status));

    testing::run_job(&client, job, &handlers).unwrap();

    let seen = seen.0.lock().unwrap();
    let of_job = "job id=1 uid name=\"words\" epoch=1";
    let own = seen.lines.iter().filter(|line| line.contains(of_job)).map(|line| line.replace(of_job, "J"));
    assert_eq!(
        own.collect::<Vec<_>>(),
        [
            "INFO J: unit seq=1: attempt number=1 slot=1: good",
            "DEBUG J: unit seq=1: attempt number=1 slot=1: the attempt has ended status=\"completed\"",
            "INFO J: unit seq=2: attempt number=1 slot=1: bad",
            "DEBUG J: unit seq=2: attempt number=1 slot=1: the attempt has ended status=\"failed\" error=\"no such word\"",
            "INFO J: told of unit 2",
            "INFO J: the job is failed",
            "INFO J: told that it is failed",
        ]
    );
    let names: Vec<_> = seen.spans.values().map(|span| span.replace(of_job, "J")).collect();
    assert_eq!(names.len(), 5, "{names:?}");
}
