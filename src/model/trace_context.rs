//! The place of a job in a distributed trace, as W3C Trace Context writes it.
//!
//! The process that creates a job has it in `TRACEPARENT` and `TRACESTATE`. Each attempt is a span of that trace: what it
//! gets has the same trace and a parent of its own, which anybody can work out from the attempt's row.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::fnv::fnv;
use super::{Epoch, Seq, Timestamp};

/// Longest list of vendors that is handed on; no shorter one may be cut by anybody.
const MAX_STATE_BYTES: usize = 512;
/// Parts of a parent.
const PARENT_BYTES: usize = 55;
const TRACE: Range<usize> = 3..35;
const SPAN: Range<usize> = 36..52;
const FLAGS: Range<usize> = 53..PARENT_BYTES;

/// A trace, and the span in it that created a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    /// Of the form `00-TRACE-SPAN-FLAGS`.
    parent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

/// A text that names no span of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not of the form VERSION-TRACE-PARENT-FLAGS with 2, 32, 16 and 2 lower-case hexadecimal digits")]
pub struct TraceParentError;

impl TraceContext {
    /// The variable that names a span and its trace.
    pub const PARENT_VARIABLE: &str = "TRACEPARENT";
    /// The variable that holds what vendors add.
    pub const STATE_VARIABLE: &str = "TRACESTATE";

    /// Reads both variables; what vendors add is dropped where it cannot be handed on.
    ///
    /// # Errors
    /// When the first names no span.
    pub fn new(parent: &str, state: Option<String>) -> Result<TraceContext, TraceParentError> {
        if !is_parent(parent) {
            return Err(TraceParentError);
        }
        // A later version means the same by its first parts.
        let parent = format!("00{}", &parent[2..PARENT_BYTES]);
        let state = state.filter(|state| Self::is_state(state));
        Ok(TraceContext { parent, state })
    }

    /// Returns `true` for what vendors may have added, and everybody hands on.
    pub fn is_state(state: &str) -> bool {
        let is_text = state.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        (1..=MAX_STATE_BYTES).contains(&state.len()) && is_text
    }

    /// Returns what vendors have added.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Returns the trace as its 32 digits.
    pub fn trace(&self) -> &str {
        &self.parent[TRACE]
    }

    /// Returns the span as its 16 digits.
    pub fn span(&self) -> &str {
        &self.parent[SPAN]
    }

    /// Returns `true` if whoever began the trace has it recorded.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(&self.parent[FLAGS], 16).is_ok_and(|flags| flags & 1 == 1)
    }

    /// Returns the span of a manager's run: below the one that created the job, or in a trace that is named after the job.
    pub fn of_manager(of: Option<&TraceContext>, uid: &str, epoch: Epoch) -> Option<TraceContext> {
        let own: String = uid.chars().filter(char::is_ascii_hexdigit).collect();
        let trace = of.map_or(own.as_str(), TraceContext::trace);
        let span = fnv(format!("{uid}:manager:{}", epoch.0).bytes()).max(1);
        TraceContext::new(&format!("00-{trace}-{span:016x}-01"), None).ok()
    }

    /// Returns both variables for a process that is to be below `parent`.
    pub fn variables(&self, parent: String) -> impl Iterator<Item = (&'static str, String)> {
        let state = self.state.clone().map(|state| (Self::STATE_VARIABLE, state));
        [(Self::PARENT_VARIABLE, parent)].into_iter().chain(state)
    }

    /// Returns what an attempt has as its parent: the trace of the job, and a span that no other attempt has.
    pub fn of_attempt(&self, uid: &str, seq: Seq, attempt: u32, started_at: Timestamp) -> Option<String> {
        // After a retry numbers begin again.
        let name = format!("{uid}:{seq}:{attempt}:{}", started_at.as_micros());
        let (trace, flags) = (self.parent.get(TRACE)?, self.parent.get(FLAGS)?);
        Some(format!("00-{trace}-{:016x}-{flags}", fnv(name.bytes()).max(1)))
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parent)
    }
}

/// Returns `true` for what names a span; a later version than ours may go on after that.
fn is_parent(text: &str) -> bool {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let has_form = |(at, byte): (usize, &u8)| if matches!(at, 2 | 35 | 52) { *byte == b'-' } else { is_hex(byte) };
    let has_digit = |part: &str| part.bytes().any(|digit| digit != b'0');
    let Some((parent, more)) = text.split_at_checked(PARENT_BYTES) else { return false };
    parent.as_bytes().iter().enumerate().all(has_form)
        && has_digit(&parent[TRACE])
        && has_digit(&parent[SPAN])
        && !parent.starts_with("ff")
        && (more.is_empty() || more.starts_with('-') && !parent.starts_with("00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn of(text: &str) -> Option<String> {
        TraceContext::new(text, None).ok().map(|context| context.to_string())
    }

    #[test]
    fn a_traceparent_has_a_version_two_ids_and_flags() {
        let valid = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let later = format!("cc-{TRACE}-00f067aa0ba902b7-01-what-may-come");

        assert_eq!((of(&valid), of(&later)), (Some(valid.clone()), Some(valid.clone())));
        for wrong in [
            "",
            "00",
            &format!("{valid}-more"),
            &valid.replace("00-4", "ff-4"),
            &valid.replace("00-4", "0g-4"),
            &valid.replace("4b", "4B"),
            &valid.replace(TRACE, &"0".repeat(32)),
            &valid.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &valid.replace("-01", "-1"),
            &valid.replace("00f067aa0ba902b7", "00f067aa0ba902b"),
        ] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn each_attempt_has_a_span_of_its_own_in_the_trace_of_the_job() {
        let context = TraceContext::new(&format!("00-{TRACE}-00f067aa0ba902b7-00"), None).unwrap();
        let at = Timestamp::from_micros;

        let spans = [(1, 1, 5), (1, 2, 5), (2, 1, 5), (1, 1, 6)];
        let spans = spans.map(|(seq, attempt, us)| context.of_attempt("0199-a", Seq(seq), attempt, at(us)).unwrap());

        assert_eq!(context.of_attempt("0199-a", Seq(1), 1, at(5)).unwrap(), spans[0]);
        let distinct: std::collections::BTreeSet<_> = spans.iter().collect();
        assert_eq!(distinct.len(), spans.len());
        for span in &spans {
            assert!(span.starts_with(&format!("00-{TRACE}-")) && span.ends_with("-00"), "{span}");
            assert!(of(span).is_some_and(|read| read == *span), "{span}");
        }
    }

    #[test]
    fn what_vendors_add_is_handed_on_unless_it_is_no_text_or_too_long() {
        let state = |text: &str| {
            let parent = format!("00-{TRACE}-00f067aa0ba902b7-00");
            TraceContext::new(&parent, Some(text.to_owned())).unwrap().state
        };

        assert_eq!(state("vendor=a,other=b").as_deref(), Some("vendor=a,other=b"));
        assert_eq!([state(""), state("a=\n"), state("a=é"), state(&"x".repeat(513))], [None, None, None, None]);
    }
}
