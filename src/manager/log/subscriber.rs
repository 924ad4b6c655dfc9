//! The subscriber of events and spans in a manager whose program has set none.
//!
//! Known weakness: fields that a span gets after it was made are not written.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::line::{Fields, Spans, line_of};
use crate::model::LogFormat;

thread_local! {
    /// Spans that this thread is in, the innermost last.
    static ENTERED: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

/// Writes each event as a line, with the spans that it is in.
pub(super) struct LogSubscriber {
    level: LevelFilter,
    format: LogFormat,
    write: fn(&[u8]),
    made: AtomicU64,
    /// Open spans with those around them, and how many handles there are to each.
    open: Mutex<HashMap<Id, (Spans, usize)>>,
}

impl LogSubscriber {
    pub fn new(level: LevelFilter, format: LogFormat, write: fn(&[u8])) -> LogSubscriber {
        LogSubscriber { level, format, write, made: AtomicU64::new(1), open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Id, (Spans, usize)>> {
        // No code between lock and unlock can leave it half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the spans around an event or a span: those of its parent, or those that this thread is in.
    fn around(&self, parent: Option<&Id>, is_contextual: bool) -> Spans {
        // A thread that ends has no list any more.
        let innermost = || ENTERED.try_with(|entered| entered.borrow().last().cloned()).ok().flatten();
        let parent = parent.cloned().or_else(|| is_contextual.then(innermost).flatten());
        parent.and_then(|parent| Some(self.open().get(&parent)?.0.clone())).unwrap_or_default()
    }
}

impl Subscriber for LogSubscriber {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut spans = self.around(span.parent(), span.is_contextual());
        spans.push((span.metadata().name(), Fields::of(|fields| span.record(fields))));
        let id = Id::from_u64(self.made.fetch_add(1, Ordering::Relaxed));
        self.open().insert(id.clone(), (spans, 1));
        id
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let fields = Fields::of(|fields| event.record(fields));
        let spans = self.around(event.parent(), event.is_contextual());
        (self.write)(line_of(self.format, event.metadata(), fields, &spans).as_bytes());
    }

    fn enter(&self, span: &Id) {
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(span.clone()));
    }

    fn exit(&self, span: &Id) {
        let _ = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            entered.iter().rposition(|entered| entered == span).map(|at| entered.remove(at));
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.open().entry(span.clone()).and_modify(|(_, handles)| *handles += 1);
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut open = self.open();
        let left = open.get_mut(&span).map(|(_, handles)| {
            *handles -= 1;
            *handles
        });
        left == Some(0) && open.remove(&span).is_some()
    }
}
