//! Parameters of a batch that a first call does not need.

use std::num::{NonZeroU32, NonZeroUsize};

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::{Labels, SourceForm};

/// What a first call does not need.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars", inline)]
pub(in crate::mcp) struct Options {
    #[serde(flatten)]
    pub form: SourceForm,
    /// Shell that runs shell, such as bash; /bin/sh without it.
    pub shell_path: Option<String>,
    /// Items of each unit, for programs whose start is slow: an argument with {} is repeated for each item. A unit fails
    /// with all its items.
    pub items_per_unit: Option<NonZeroU32>,
    /// A source without any item is a job without units, not an error.
    #[serde(default)]
    pub allow_empty: bool,
    /// Attempts that may start in a span of time, such as 60/min or 5/s.
    pub rate: Option<String>,
    /// Start a unit only while so much memory is available, such as 2G.
    pub memfree: Option<String>,
    /// Start a unit only while less than this share of the processors is in use, such as 80%.
    pub load: Option<String>,
    /// Start a unit only while the file systems of these paths have so much space, such as /data=10G.
    #[serde(default)]
    pub diskfree: Vec<String>,
    /// Times of day at which units start, such as 22:00-06:00, on the wall clock of this server.
    #[serde(default)]
    pub window: Vec<String>,
    /// Start no unit before that time: RFC 3339, the next 22:00, or +2h.
    pub not_before: Option<String>,
    /// Workers that a unit takes while it runs: a number, or {field} to take it from each item.
    pub slots: Option<String>,
    /// Sort the items once, by a template such as {size}; -{size} takes the largest first.
    pub order: Option<String>,
    /// What becomes of a unit that runs when the machine or its manager dies; retry without it.
    pub on_interrupt: Option<Interrupted>,
    /// Units of a host that is lost, on a server database: retry without it, or wait until it is back.
    pub on_host_loss: Option<HostLost>,
    /// No unit runs twice, for work that must not be repeated; in the place of max_attempts and on_interrupt.
    #[serde(default)]
    pub at_most_once: bool,
    /// Variables of the units, besides those of this server: NAME=value, its value with placeholders, or NAME for one that
    /// this server has.
    #[serde(default)]
    pub env: Vec<String>,
    /// Create the job without starting it; resume_job starts it.
    #[serde(default)]
    pub hold: bool,
    /// Failed units, or their share, at which the job pauses, such as 20 or 5%.
    pub max_failures: Option<String>,
    /// Group of each unit, such as {customer} or {url/host}: groups take turns, and each has its own bounds.
    pub group: Option<String>,
    /// Units of a group that run at the same time.
    pub per_group: Option<NonZeroUsize>,
    /// Attempts at units of a group in a span of time, such as 6/min.
    pub group_rate: Option<String>,
    /// Failed units of a group at which no more of it start.
    pub group_failures: Option<NonZeroU32>,
    /// Draw the units of canary at random from all.
    #[serde(default)]
    pub sample: bool,
    /// Flag units for a review whose JSON result makes that true, such as .confidence < 0.8; with result json.
    pub flag_if: Option<String>,
    /// Keep flagged results from get_results and then until change_units has accepted them.
    #[serde(default)]
    pub hold_flagged: bool,
    /// Time after its start at which the job pauses, such as 8h.
    pub deadline: Option<String>,
    /// Script for /bin/sh that runs as the last unit, with the counts in its environment.
    pub then: Option<String>,
    /// When that runs; without it always.
    pub then_when: Option<Condition>,
    /// Path that each unit makes, with placeholders: a unit is skipped when it is there, and has failed when it did not
    /// make it. {out} in command is a temporary name of it.
    pub creates: Option<String>,
    /// Script for /bin/sh with placeholders that looks at what a command which ended well has made.
    pub check: Option<String>,
    /// What becomes the result of a unit: all of its output as a text, or as one JSON document.
    pub result: Option<Outcome>,
    /// JSON Schema, as a text, that results satisfy; with result json.
    pub schema: Option<String>,
    /// Directory for files with the output of each attempt.
    pub output_dir: Option<String>,
    /// Program that is told of failed units and of the job's end, with the event as its argument.
    pub hook: Option<String>,
    /// What each attempt costs, such as usd=.cost.total for a number in the JSON that it prints, or usd where it calls
    /// job-manager unit-spend.
    #[serde(default)]
    pub meter: Vec<String>,
    /// How much of a meter may be spent, such as usd=50 or usd=20/day; then the job pauses, or waits for the next day.
    #[serde(default)]
    pub budget: Vec<String>,
    /// What an attempt is taken to cost until five have ended, such as usd=0.1.
    #[serde(default)]
    pub reserve: Vec<String>,
    /// Words about the job, by which list_jobs finds it, such as team=web.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub label: Labels,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
pub(in crate::mcp) enum Condition {
    Success,
    Always,
    Failure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
pub(in crate::mcp) enum Outcome {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
pub(in crate::mcp) enum Interrupted {
    Retry,
    Fail,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
pub(in crate::mcp) enum HostLost {
    Retry,
    Wait,
}
