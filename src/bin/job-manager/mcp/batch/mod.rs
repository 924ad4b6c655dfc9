//! What `start_batch` and `preview_batch` are given, and how it becomes a job.

mod check;
mod labels;
mod limits;
mod options;
mod sources;
mod spec;

use std::num::{NonZeroU32, NonZeroUsize};

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

pub(super) use check::Checked;
pub(super) use labels::{Labels, label};
pub(super) use limits::{budget_of, max_failures, wrong};
pub(super) use options::Options;
pub(super) use sources::{SourceForm, Sources};

/// A batch as a model describes it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Batch {
    /// Program and arguments, run once for each item without a shell. Placeholders: {} the item, {field} a field of an
    /// item that is an object, {1} an element of one that is an array, {/} file name, {//} directory, {.} path without
    /// extension, {/.} file name without extension, {ext} extension, the same of a field as in {field/.}, {field:-text}
    /// with a default, {#} number of the unit; literal braces are doubled. Give this or shell.
    pub command: Option<Vec<String>>,
    /// One script for /bin/sh instead of command; the same placeholders, their values quoted.
    pub shell: Option<String>,
    #[serde(flatten)]
    pub sources: Sources,
    /// Directory in which the units run, absolute; relative files and patterns are meant there too. Without it that of
    /// this server, which the answer names. With placeholders each unit has its own.
    pub cwd: Option<String>,
    /// Name of the job, for people; without it that of the program.
    pub name: Option<String>,
    /// Any text that names this request: the same key again does not create a second job.
    pub key: Option<String>,
    /// Units that run at the same time; without it one per processor.
    pub workers: Option<NonZeroUsize>,
    /// Attempts before a unit is failed permanently; without it 4, with growing delays between them.
    pub max_attempts: Option<NonZeroU32>,
    /// Time that one attempt may take, such as 30s or 1h30m, or {field} to take it from each item; 0 is no limit.
    pub timeout: Option<String>,
    /// Run only the first so many units, then wait for approve_job or reject_job.
    pub canary: Option<NonZeroU32>,
    /// Commands that preview_batch shows; without it 5, at most 20.
    pub count: Option<NonZeroUsize>,
    /// What a first call does not need.
    #[serde(default)]
    pub options: Options,
}
