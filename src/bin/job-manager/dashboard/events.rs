//! Telling pages that something has changed.
//!
//! One thread looks at the database for all of them, several times a second, and only while somebody listens. What it
//! hands on is a single number that is overwritten: a page that is slow misses changes that a later one makes up for,
//! and nothing is kept for it. When that thread ends, all streams do.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use job_manager::client::Client;
use tokio::sync::{Semaphore, watch};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::WatchStream;

use super::answer::Refused;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How soon a request to end is seen.
const NAP: Duration = Duration::from_millis(50);
/// A page shows that the connection is lost when it hears nothing for some multiple of this.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Where pages are told of changes.
#[derive(Clone)]
pub(super) struct Changes {
    number: watch::Receiver<u64>,
    places: Arc<Semaphore>,
}

impl Changes {
    /// Lets streams hold half of the connections: the pages ask on others.
    pub fn new(number: watch::Receiver<u64>, connections: u32) -> Changes {
        Changes { number, places: Arc::new(Semaphore::new(connections as usize / 2)) }
    }

    /// Answers with a stream of changes, which begins with one.
    pub fn stream(&self) -> Response {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Refused::TooManyStreams.into_response();
        };
        let changes = WatchStream::new(self.number.clone()).map(move |number| {
            let _held = &place;
            Ok::<_, Infallible>(Event::default().event("change").id(number.to_string()).data(number.to_string()))
        });
        let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).event(Event::default().event("alive").data(""));
        Sse::new(changes).keep_alive(keep_alive).into_response()
    }
}

/// Looks for changes until `stop` is set.
///
/// A database that cannot be read counts as changed once: whoever asks then is told why.
pub(super) fn look_for_changes(client: &Client, number: &watch::Sender<u64>, stop: &AtomicBool) {
    let mut seen = None;
    let mut looked_at = None::<Instant>;
    while !stop.load(Ordering::Relaxed) {
        let is_due = looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        // One receiver is kept for those to come.
        if is_due && number.receiver_count() > 1 {
            looked_at = Some(Instant::now());
            let now = client.data_version().ok();
            if now != seen {
                seen = now;
                number.send_modify(|number| *number += 1);
            }
        }
        std::thread::sleep(NAP);
    }
}
