//! The connections of browsers and programs: how many there are at once, how long one may take to say what it wants, and how long to
//! [take](super::timed) what it is answered.
//!
//! Any user of the machine can connect, and whether somebody is known is told only by what he asks. So strangers are not
//! kept out here, but bounded: there are fewer places than files that this process may open, the rest of which is for the
//! owner's work; whoever has not sent the head of a request in time loses his place, and so does whoever was refused.
//! Those who find no place wait in the queue of the system.
//!
//! Known weakness: a stranger who connects again and again makes the owner wait for a place.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::timed::Timed;
use crate::system;

const MAX_PLACES: u32 = 128;
const MIN_PLACES: u32 = 8;
/// Files that are open at once for the database, a manager that is started, or output that is read.
const KEPT_DESCRIPTORS: u64 = 32;
/// Time for the head of a request, the wait for it included; a page that is looked at asks more often.
const HEAD_TIME: Duration = Duration::from_secs(8);
/// Pause after the system could not give a connection.
const NAP: Duration = Duration::from_millis(100);
/// Time that answers under way are given at the end.
const FAREWELL: Duration = Duration::from_millis(400);

/// Returns how many connections there can be at once.
pub(super) fn places() -> io::Result<u32> {
    let left = system::descriptor_limit().saturating_sub(KEPT_DESCRIPTORS);
    Ok(u32::try_from(left).unwrap_or(u32::MAX).clamp(MIN_PLACES, MAX_PLACES))
}

/// Answers whoever connects, until the sender of `alive` is gone, and for a moment longer whoever is being answered.
pub(super) async fn answer(listener: TcpListener, app: Router, places: u32, alive: watch::Receiver<()>) {
    let app = TowerToHyperService::new(app);
    let free = Arc::new(Semaphore::new(places as usize));
    let mut ended = pin!(end(alive.clone()));
    loop {
        let place = Arc::clone(&free).acquire_owned();
        let (place, stream) = tokio::select! {
            next = async { (place.await, accept(&listener).await) } => next,
            () = ended.as_mut() => break,
        };
        let talk = talk(stream, app.clone(), alive.clone());
        tokio::spawn(async move {
            talk.await;
            drop(place);
        });
    }
    drop(listener);
    // Whoever is slower is cut off.
    let _ = tokio::time::timeout(FAREWELL, free.acquire_many(places)).await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The visitor has gone again, or the machine is out of files: both pass, and nobody is there to be told.
            Err(_) => tokio::time::sleep(NAP).await,
        }
    }
}

async fn talk(stream: TcpStream, app: TowerToHyperService<Router>, alive: watch::Receiver<()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let mut talk = pin!(http.serve_connection(TokioIo::new(Timed::new(stream)), app));
    // How a connection fails concerns only whoever is at its other end.
    tokio::select! {
        _ = talk.as_mut() => return,
        () = end(alive) => talk.as_mut().graceful_shutdown(),
    }
    let _ = talk.await;
}

async fn end(mut alive: watch::Receiver<()>) {
    while alive.changed().await.is_ok() {}
}
