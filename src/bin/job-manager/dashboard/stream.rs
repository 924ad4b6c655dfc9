//! Answers that are as long as they are: sent piece by piece, each taken before the next but one is made.
//!
//! What makes the pieces waits for whoever reads them, on a thread of its own; a reader who takes nothing is cut off by
//! [`super::listen`], and the pieces end with him. An error in the middle breaks the connection, so that no part passes for the whole.

use std::error::Error;
use std::io;

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

/// Most bytes of a piece.
pub(super) const PIECE_BYTES: usize = 1 << 16;

/// What keeps pieces from being made.
pub(super) type Broken = Box<dyn Error + Send + Sync>;

/// Where pieces go.
pub(super) struct Pieces(Sender<Result<Vec<u8>, Broken>>);

impl Pieces {
    /// Hands bytes on, where it may wait.
    ///
    /// # Errors
    /// When nobody reads them any more.
    pub fn give(&self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.0.blocking_send(Ok(piece.to_vec())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        }
        Ok(())
    }
}

/// Answers with a file of that name, whose content `make` hands on.
pub(super) fn file(
    kind: &'static str,
    name: &str,
    make: impl FnOnce(&Pieces) -> Result<(), Broken> + Send + 'static,
) -> Response {
    let (sender, pieces) = channel(1);
    tokio::task::spawn_blocking(move || {
        let pieces = Pieces(sender);
        if let Err(error) = make(&pieces) {
            // Whoever has gone needs no reason.
            let _ = pieces.0.blocking_send(Err(error));
        }
    });
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    (headers, Body::from_stream(ReceiverStream::new(pieces))).into_response()
}
