//! Handlers as users write them: a typed payload in, a typed result out.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::runner::Attempt;
use super::{UnitContext, UnitError};
use crate::model::{AttemptEnd, Cause, Metered, UnitOutcome};

/// A Rust function that runs units; shared by all workers of all jobs that name it.
///
/// A panic fails its attempt, with message and place. Closures need no type of their own:
/// [`Handlers::register`](super::Handlers::register) takes them as they are.
///
/// ```
/// use job_manager::handler::Handler;
/// use job_manager::{UnitContext, UnitError};
///
/// struct Resize {
///     width: u32,
/// }
///
/// impl Handler for Resize {
///     type Payload = String;
///     type Output = u64;
///
///     fn run(&self, file: String, _unit: &UnitContext<'_>) -> Result<u64, UnitError> {
///         let bytes = std::fs::metadata(file)?.len();
///         Ok(bytes * u64::from(self.width) / 100)
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// What a unit is about; a payload that does not fit it fails its unit permanently.
    type Payload: DeserializeOwned;
    /// What comes of a unit; kept as JSON in its row.
    type Output: Serialize;

    /// Runs one attempt at one unit.
    fn run(&self, payload: Self::Payload, unit: &UnitContext<'_>) -> Result<Self::Output, UnitError>;
}

/// Reads the payload, runs `body` and writes its result.
pub(super) fn run_typed<P: DeserializeOwned, R: Serialize>(
    attempt: &Attempt<'_>,
    body: impl FnOnce(P, &UnitContext<'_>) -> Result<R, UnitError>,
) -> AttemptEnd {
    let payload = match serde_json::from_str(&attempt.unit.payload) {
        Ok(payload) => payload,
        Err(error) => return failed(format!("the payload does not fit the handler: {error}")),
    };
    let unit = UnitContext::new(attempt);
    let end = body(payload, &unit);
    unit.finish();
    // What it has cost it has said by itself.
    let metered = Metered::unknown(&attempt.limits.meters);
    let end: AttemptEnd = match end.map(|output| serde_json::to_string(&output)) {
        Ok(Ok(json)) => UnitOutcome::Completed { result: Some(json).filter(|json| json != "null") }.into(),
        Ok(Err(error)) => failed(format!("the result has no form in JSON: {error}")),
        Err(error) => error.into_outcome().into(),
    };
    end.metered(metered).flagged(unit.doubts())
}

fn failed(error: String) -> AttemptEnd {
    UnitOutcome::Failed { cause: Cause::Failed, error }.into()
}
