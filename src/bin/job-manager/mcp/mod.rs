//! The MCP server: jobs for a model, over standard input and output.
//!
//! One line of JSON-RPC is one message, and nothing else is ever written to standard output. A tool is one file in
//! `tools/`: what it is given, what it says about itself, what it does with the client. Every call opens the database
//! again, in a thread that may block, so that a call that waits holds up no other one, and gives up on a locked database
//! after half a second. All calls but `wait_job` answer at once, and those that wait take no thread; answers are bounded,
//! whatever the size of the job.
//!
//! The server keeps nothing between two calls and owns no job: it may be killed at any moment. It ends by itself when
//! its host closes standard input, or no longer reads standard output.
//!
//! Known weakness: a host that closes only its reading end is noticed with the next answer.

mod allowed;
mod answer;
mod batch;
mod cancels;
mod changed_units;
mod error;
mod exact;
mod faces;
mod jobs;
mod lenient;
mod messages;
mod number;
mod offer;
mod pages;
mod pipes;
mod progress;
mod questions;
mod requests;
mod resources;
mod schema;
mod sentence;
mod server;
mod shape;
mod starts;
mod status_answer;
mod status_shape;
mod subscriptions;
mod tasks;
mod tool;
mod tools;
mod waits;
mod wording;

use std::io;
use std::time::Duration;

use rmcp::service::ServerInitializeError;
use rmcp::transport::stdio_pipes;
use tokio_util::sync::CancellationToken;

use answer::Answer;
use error::ToolError;
use jobs::{JobGiven, Jobs, OneJob, OneJobWithReason};
use messages::Messages;
use pipes::Watched;
use server::Server;
use tool::{Effect, Tool};

pub use allowed::{AllowError, AllowFlags, Allowed};
pub use faces::{Dashboards, Faces};
pub use jobs::Database;
pub use offer::Offer;

/// Most threads that work on calls at a time: those that watch jobs, and as many others.
const THREADS: usize = 2 * waits::WATCHERS;

/// Time that calls under way are given after the host has gone.
const GRACE: Duration = Duration::from_millis(1000);

/// A server that could not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// There is no runtime to serve on.
    #[error("cannot set up the server")]
    SetUp(#[source] io::Error),
    /// The host did not open the conversation as the protocol says.
    #[error("the host does not speak MCP on standard input")]
    Handshake(#[source] Box<ServerInitializeError>),
}

/// Serves the jobs of a database until the host closes standard input or does not read any more.
///
/// # Errors
/// When the host does not speak MCP.
pub fn serve(database: Database, allowed: Allowed, faces: Faces) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(THREADS).build();
    let runtime = runtime.map_err(ServeError::SetUp)?;
    let served = runtime.block_on(converse(database, allowed, faces));
    // A read of a standard input that is no pipe cannot be cancelled; it ends with the process.
    runtime.shutdown_background();
    served
}

async fn converse(database: Database, allowed: Allowed, faces: Faces) -> Result<(), ServeError> {
    let gone = CancellationToken::new();
    let (reader, writer) = stdio_pipes();
    let messages = Messages::new(Watched::new(reader, &gone), Watched::new(writer, &gone));
    let conversation = async {
        match rmcp::serve_server(Server::new(database, allowed, faces, gone.clone()), messages).await {
            // However it ended, there is nobody left to be told.
            Ok(service) => drop(service.waiting().await),
            Err(_) if gone.is_cancelled() => {}
            Err(error) => return Err(ServeError::Handshake(Box::new(error))),
        }
        Ok(())
    };
    let long_gone = async {
        gone.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = conversation => ended,
        () = long_gone => Ok(()),
    }
}
