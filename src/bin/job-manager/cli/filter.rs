//! Which units a verb is about, as flags.

use clap::Args;
use job_manager::failures::ClusterId;
use job_manager::model::{ItemPattern, Seq, UnitFilter, UnitStatus};

use super::values;

/// A filter of units; a unit must satisfy every flag that is given.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// The unit of that key
    #[arg(long, value_name = "KEY", value_parser = values::unit_key(), help_heading = "Filter")]
    pub key: Option<String>,
    #[command(flatten)]
    pub more: KeylessFilterArgs,
}

/// The same of a verb whose `--key` is more than a filter.
#[derive(Debug, Args)]
pub(super) struct KeylessFilterArgs {
    /// Units that failed
    #[arg(long, conflicts_with = "status", help_heading = "Filter")]
    pub failed: bool,
    /// Units in that state; may be repeated
    #[arg(long, value_name = "STATUS", help_heading = "Filter")]
    pub status: Vec<UnitStatus>,
    /// Failed units of that kind, as listed by `failures`
    #[arg(long, value_name = "ID", value_parser = values::cluster, help_heading = "Filter")]
    pub cluster: Option<ClusterId>,
    #[command(flatten)]
    pub items: ItemArgs,
}

/// A filter of units by what they are, whatever became of them.
#[derive(Debug, Args)]
pub(super) struct ItemArgs {
    /// Units of those numbers
    #[arg(long, value_name = "A-B", value_parser = values::seq_range, help_heading = "Filter")]
    pub seq: Option<(Option<Seq>, Option<Seq>)>,
    /// Units whose item contains that regular expression
    #[arg(long = "match", value_name = "RE", help_heading = "Filter")]
    pub pattern: Option<ItemPattern>,
    /// Units of that group
    #[arg(long, value_name = "GROUP", value_parser = values::unit_key(), help_heading = "Filter")]
    pub group: Option<String>,
}

impl FilterArgs {
    pub fn is_empty(&self) -> bool {
        self.key.is_none() && self.more.is_empty()
    }

    pub fn filter(&self) -> UnitFilter {
        UnitFilter { key: self.key.clone(), ..self.more.filter() }
    }
}

impl KeylessFilterArgs {
    pub fn is_empty(&self) -> bool {
        !self.failed && self.status.is_empty() && self.cluster.is_none() && self.items.is_empty()
    }

    pub fn filter(&self) -> UnitFilter {
        let statuses = if self.failed { vec![UnitStatus::Failed] } else { self.status.clone() };
        UnitFilter { statuses, cluster: self.cluster, ..self.items.filter() }
    }
}

impl ItemArgs {
    pub fn is_empty(&self) -> bool {
        self.seq.is_none() && self.pattern.is_none() && self.group.is_none()
    }

    pub fn filter(&self) -> UnitFilter {
        let (first, last) = self.seq.unwrap_or_default();
        UnitFilter { first, last, pattern: self.pattern.clone(), group: self.group.clone(), ..UnitFilter::all() }
    }

    /// Returns the only unit that it can select, if its number was given.
    pub fn only(&self) -> Option<Seq> {
        let (first, last) = self.seq?;
        first.filter(|_| first == last)
    }
}
