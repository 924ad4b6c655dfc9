//! What a creator says about a job, and how long it may be.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{Isolation, Limits, Submitter};

/// What a creator says about a job.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewJob {
    /// Name for people.
    pub name: String,
    /// Idempotency key: the same key twice is the same job.
    pub key: Option<String>,
    /// Name of the code that runs a unit.
    pub handler: String,
    /// Settings of the handler, as JSON.
    pub spec: String,
    /// Bounds of the run.
    pub limits: Limits,
    /// Words of the creator about it, by which it can be listed.
    pub labels: BTreeMap<String, String>,
    /// What its managers are isolated from.
    pub isolation: Isolation,
    /// What its units inherit from the process that creates it, which fills this in.
    pub(crate) submitter: Option<Submitter>,
}

impl NewJob {
    /// Most bytes of a name.
    pub const MAX_NAME_BYTES: usize = 255;
    /// Most bytes of an idempotency key.
    pub const MAX_KEY_BYTES: usize = 4096;
    /// Most labels.
    pub const MAX_LABELS: usize = 16;
    /// Most bytes of a label's name.
    pub const MAX_LABEL_NAME_BYTES: usize = 64;
    /// Most bytes of a label's value.
    pub const MAX_LABEL_VALUE_BYTES: usize = 255;

    /// Describes a job whose units are run by the handler of that name, without settings and with default limits.
    pub fn new(name: impl Into<String>, handler: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            key: None,
            handler: handler.into(),
            spec: "null".to_owned(),
            limits: Limits::default(),
            labels: BTreeMap::new(),
            isolation: Isolation::default(),
            submitter: None,
        }
    }

    /// Refuses words about the job that are missing or too long; everybody who looks at the job is shown them.
    ///
    /// # Errors
    /// When the name, the key or a label has fewer or more bytes than it may, or there are too many labels.
    pub(crate) fn check_words(&self) -> Result<(), NewJobError> {
        within("name", &self.name, 1..=Self::MAX_NAME_BYTES)?;
        if let Some(key) = &self.key {
            within("key", key, 1..=Self::MAX_KEY_BYTES)?;
        }
        if self.labels.len() > Self::MAX_LABELS {
            return Err(NewJobError::TooManyLabels { given: self.labels.len(), max: Self::MAX_LABELS });
        }
        self.labels.iter().try_for_each(|(name, value)| {
            within("name of a label", name, 1..=Self::MAX_LABEL_NAME_BYTES)?;
            within("value of a label", value, 0..=Self::MAX_LABEL_VALUE_BYTES)
        })
    }
}

/// Words about a job that it cannot have; nothing was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NewJobError {
    /// There are no words where there must be some.
    #[error("the {what} of the job is empty: omit it, or give 1 to {max} bytes")]
    Empty {
        /// What is empty.
        what: &'static str,
        /// The most bytes it may have.
        max: usize,
    },
    /// Words are too long.
    #[error("the {what} of the job has {bytes} bytes, it may have at most {max}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// The bytes it has.
        bytes: usize,
        /// The most bytes it may have.
        max: usize,
    },
    /// Words have a NUL, which no database of a server can hold.
    #[error("the {what} of the job has a NUL character")]
    Nul {
        /// What has it.
        what: &'static str,
    },
    /// There are too many labels.
    #[error("the job has {given} labels, it may have at most {max}")]
    TooManyLabels {
        /// How many there are.
        given: usize,
        /// The most there may be.
        max: usize,
    },
}

fn within(what: &'static str, text: &str, bytes: RangeInclusive<usize>) -> Result<(), NewJobError> {
    let max = *bytes.end();
    match text.len() {
        _ if text.contains('\0') => Err(NewJobError::Nul { what }),
        given if bytes.contains(&given) => Ok(()),
        0 => Err(NewJobError::Empty { what, max }),
        bytes => Err(NewJobError::TooLong { what, bytes, max }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(change: impl FnOnce(&mut NewJob)) -> Option<String> {
        let mut job = NewJob::new("x".repeat(NewJob::MAX_NAME_BYTES), "h");
        change(&mut job);
        job.check_words().err().map(|error| error.to_string())
    }

    #[test]
    fn words_about_a_job_are_neither_missing_nor_too_long() {
        assert_eq!(said(|_| ()), None);
        assert_eq!(said(|job| job.labels = (1..=16).map(|n| (n.to_string(), String::new())).collect()), None);
        for (refusal, found) in [
            ("the name of the job is empty", said(|job| job.name.clear())),
            ("the name of the job has 256 bytes, it may have at most 255", said(|job| job.name.push('x'))),
            ("the name of the job has a NUL character", said(|job| job.name = "a\0".to_owned())),
            ("the key of the job is empty", said(|job| job.key = Some(String::new()))),
            ("the key of the job has 4097 bytes", said(|job| job.key = Some("x".repeat(4097)))),
            (
                "the job has 17 labels",
                said(|job| job.labels = (1..=17).map(|n| (n.to_string(), String::new())).collect()),
            ),
            (
                "the name of a label of the job is empty",
                said(|job| job.labels = [(String::new(), String::new())].into()),
            ),
            (
                "the value of a label of the job has 256",
                said(|job| job.labels = [("a".to_owned(), "x".repeat(256))].into()),
            ),
        ] {
            assert!(found.as_ref().is_some_and(|found| found.starts_with(refusal)), "{refusal}: {found:?}");
        }
    }
}
