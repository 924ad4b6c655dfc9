//! What is remarked on a request that is no error and must not happen in silence.

use std::fmt;

use super::JobId;

/// A remark; a face that has a word for what helps says it in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// A sentence.
    Text(String),
    /// Each record of a CSV text is one field, and each holds what may separate fields.
    OtherDelimiter {
        /// Name of the source.
        name: String,
        /// What may separate fields.
        delimiter: String,
    },
    /// A program reads the value of a placeholder as code.
    PastedCode(PastedCode),
    /// A job that is there already does not take over all that was asked for.
    NotApplied {
        /// The job.
        job: JobId,
        /// Names of what it does not take over.
        names: String,
    },
}

/// A placeholder whose value a shell reads as code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PastedCode {
    /// Name of the program that runs it.
    pub program: String,
    /// The placeholder, with its braces.
    pub placeholder: String,
    /// Which shell reads it.
    pub shell: PastedInto,
}

/// Which shell reads a value as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastedInto {
    /// The program itself.
    Itself,
    /// One that the program starts.
    Started,
    /// One on another machine.
    Remote,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::OtherDelimiter { name, delimiter } => {
                write!(f, "{name}: each record is one field with {delimiter} in it")
            }
            Self::PastedCode(code) => code.fmt(f),
            Self::NotApplied { job, names } => write!(f, "job {job} is there already, not applied: {names}"),
        }
    }
}

impl fmt::Display for PastedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, placeholder, .. } = self;
        write!(f, "{placeholder} becomes code that `{program}` runs, whatever the item holds")
    }
}

impl From<String> for Remark {
    fn from(text: String) -> Remark {
        Self::Text(text)
    }
}

impl From<&str> for Remark {
    fn from(text: &str) -> Remark {
        Self::Text(text.to_owned())
    }
}
