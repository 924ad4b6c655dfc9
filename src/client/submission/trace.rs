//! The place in a trace that is given for a job, instead of the one that its submitter has.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::SubmissionError;
use super::trace_fault::TraceFault;
use super::variable::{name_of, split};
use crate::model::TraceContext;

/// Returns `true` for the variables that tell a process its place in a trace: each attempt gets its own.
pub(super) fn is_of_trace(name: &OsStr) -> bool {
    name == TraceContext::PARENT_VARIABLE || name == TraceContext::STATE_VARIABLE
}

/// Returns the place in a trace that `given` variables say, as NAME or NAME=VALUE; one that is not given is that of this process,
/// unless it belongs to another trace.
pub(super) fn given_trace<'g>(
    own: &BTreeMap<OsString, OsString>,
    given: impl Iterator<Item = &'g OsString> + Clone,
) -> Result<Option<TraceContext>, SubmissionError> {
    let of_process = |name: &str| own.get(OsStr::new(name)).map(|value| value.to_string_lossy().into_owned());
    let find = |name: &'static str| given.clone().find(|variable| name_of(variable) == name);
    let value = |name: &'static str, variable: &OsString| match split(variable) {
        Some((_, value)) => Some(value.to_string_lossy().into_owned()),
        None => of_process(name),
    };
    let refused = |name, given: &str, reason| SubmissionError::Trace { name, given: given.to_owned(), reason };
    let (parent, state) = (TraceContext::PARENT_VARIABLE, TraceContext::STATE_VARIABLE);
    let (given_parent, given_state) = (find(parent), find(state).and_then(|variable| value(state, variable)));
    if let Some(given) = given_state.as_ref().filter(|given| !TraceContext::is_state(given)) {
        return Err(refused(state, given, TraceFault::State));
    }
    let is_another = given_parent.is_some_and(|variable| split(variable).is_some());
    let found =
        given_parent.map_or_else(|| given_state.as_ref().and_then(|_| of_process(parent)), |it| value(parent, it));
    let Some(found) = found else {
        return match given_state {
            Some(given) => Err(refused(state, &given, TraceFault::Alone)),
            None => Ok(None),
        };
    };
    let vendors = given_state.or_else(|| of_process(state).filter(|_| !is_another));
    match TraceContext::new(&found, vendors) {
        Ok(trace) => Ok(Some(trace)),
        Err(error) => Err(refused(parent, &found, error.into())),
    }
}
