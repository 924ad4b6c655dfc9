//! Async functions as handlers: each worker drives one at a time, on a runtime that all of them share.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Builder;

use super::runner::{Attempt, Runner};
use super::typed::run_typed;
use super::{UnitContext, UnitError};

/// Time between two looks at whether running units are to be ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Makes a runner of an async function, and its runtime; timers and sockets work in it.
pub(super) fn runner_of<P, R, F>(function: Arc<F>) -> io::Result<impl Runner>
where
    P: DeserializeOwned + 'static,
    R: Serialize + 'static,
    F: AsyncFn(P, &UnitContext<'_>) -> Result<R, UnitError> + Send + Sync + 'static,
{
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("async").enable_all().build()?;
    Ok(move |attempt: &Attempt<'_>| {
        run_typed(attempt, |payload, unit| {
            runtime.block_on(async {
                tokio::select! {
                    end = function(payload, unit) => end,
                    cut = cut_off(attempt, unit) => Err(cut),
                }
            })
        })
    })
}

/// Waits until the attempt is to be ended from outside; unlike a thread, a future can simply be dropped.
async fn cut_off(attempt: &Attempt<'_>, unit: &UnitContext<'_>) -> UnitError {
    let ending = async {
        loop {
            match attempt.limits.idle_timeout {
                _ if unit.is_ending() => return UnitError::stopped(),
                Some(idle) if unit.is_silent() => return UnitError::idle(idle),
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    };
    match attempt.limits.timeout {
        Some(timeout) => tokio::time::timeout(timeout, ending).await.unwrap_or_else(|_| UnitError::timed_out(timeout)),
        None => ending.await,
    }
}
