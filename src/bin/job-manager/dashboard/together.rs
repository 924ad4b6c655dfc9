//! Answers for several who ask for the same at the same time.
//!
//! Pages are told of a change at the same moment, and then all ask. Whoever asks while the same is being read waits until that is over,
//! and so does whoever comes before the next reading begins: that one answers all of them. So each is told what was true
//! after he had asked, never what was read before, and however many ask, two readings of one address are under way or wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::OnceCell;

use super::bound::MAX_BYTES;

/// Addresses that are remembered although nobody asks for them at present.
const MOST_IDLE: usize = 256;

/// Who waits for what.
#[derive(Default)]
pub(super) struct Together(Mutex<HashMap<String, Line>>);

/// Those who ask for one address.
#[derive(Default)]
struct Line {
    /// Held while somebody reads.
    reading: Arc<tokio::sync::Mutex<()>>,
    /// The reading that has not begun.
    next: Option<Arc<Turn>>,
}

/// One reading; whoever does it may go before its end, and then another one does.
type Turn = OnceCell<Answer>;

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Answers a GET together with others of the same address; everything else by itself.
pub(super) async fn together(State(all): State<Arc<Together>>, request: Request, next: Next) -> Response {
    let Some(address) = request.uri().path_and_query().filter(|_| request.method() == Method::GET) else {
        return next.run(request).await;
    };
    let address = address.to_string();
    let (reading, turn) = all.join(&address);
    let read = || async {
        let _alone = reading.lock().await;
        all.begin(&address, &turn);
        Answer::of(next.run(request).await).await
    };
    turn.get_or_init(read).await.clone().into_response()
}

impl Together {
    fn join(&self, address: &str) -> (Arc<tokio::sync::Mutex<()>>, Arc<Turn>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() > MOST_IDLE {
            lines.retain(|_, line| Arc::strong_count(&line.reading) > 1);
        }
        let line = lines.entry(address.to_owned()).or_default();
        (Arc::clone(&line.reading), Arc::clone(line.next.get_or_insert_default()))
    }

    /// Lets nobody join a reading any more that begins.
    fn begin(&self, address: &str, turn: &Arc<Turn>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(address)
            && line.next.as_ref().is_some_and(|next| Arc::ptr_eq(next, turn))
        {
            line.next = None;
        }
    }
}

impl Answer {
    async fn of(response: Response) -> Answer {
        let (head, body) = response.into_parts();
        // Documents are whole and bounded.
        match to_bytes(body, 2 * MAX_BYTES).await {
            Ok(body) => Answer { status: head.status, headers: head.headers, body },
            Err(_) => {
                Answer { status: StatusCode::INTERNAL_SERVER_ERROR, headers: HeaderMap::new(), body: Bytes::new() }
            }
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn fault_513_who_asks_at_the_same_time_is_answered_by_one_reading_that_began_after_he_asked() {
        let (all, begun, (open, gate)) = (Together::default(), AtomicUsize::new(0), tokio::sync::watch::channel(false));
        let ask = || async {
            let (reading, turn) = all.join("/jobs");
            let read = || async {
                let _alone = reading.lock().await;
                all.begin("/jobs", &turn);
                let number = begun.fetch_add(1, Ordering::Relaxed) + 1;
                let _ = gate.clone().wait_for(|is_open| *is_open).await;
                Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: number.to_string().into() }
            };
            turn.get_or_init(read).await.body.clone()
        };

        let (first, others, _) = tokio::join!(
            ask(),
            async {
                while begun.load(Ordering::Relaxed) == 0 {
                    tokio::task::yield_now().await;
                }
                tokio::join!(ask(), ask(), ask())
            },
            async {
                while all.0.lock().unwrap()["/jobs"].next.as_ref().is_none_or(|turn| Arc::strong_count(turn) < 4) {
                    tokio::task::yield_now().await;
                }
                open.send(true).unwrap();
            }
        );

        assert_eq!(
            (&first[..], &others.0[..], &others.1[..], &others.2[..]),
            (&b"1"[..], &b"2"[..], &b"2"[..], &b"2"[..])
        );
    }

    #[tokio::test]
    async fn who_goes_while_he_reads_leaves_the_reading_to_the_others() {
        let all = Together::default();
        let (reading, turn) = all.join("/jobs");
        let (_, same) = all.join("/jobs");
        let gone = turn.get_or_init(|| async {
            let _alone = reading.lock().await;
            std::future::pending().await
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), gone).await.is_err());

        let read = || async {
            let _alone = reading.lock().await;
            Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: "read".into() }
        };

        assert_eq!(same.get_or_init(read).await.body, "read");
    }
}
