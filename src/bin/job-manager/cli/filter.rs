//! Which units a verb is about, as flags.

use clap::Args;
use job_manager::failures::ClusterId;
use job_manager::model::{ItemPattern, Seq, UnitFilter, UnitStatus};

use super::values;

/// A filter of units; a unit must satisfy every flag that is given.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Units that failed
    #[arg(long, conflicts_with = "status", help_heading = "Filter")]
    pub failed: bool,
    /// Units in that state; may be repeated
    #[arg(long, value_name = "STATUS", help_heading = "Filter")]
    pub status: Vec<UnitStatus>,
    /// The unit of that key
    #[arg(long, value_name = "KEY", value_parser = values::unit_key(), help_heading = "Filter")]
    pub key: Option<String>,
    /// Units of those numbers
    #[arg(long, value_name = "A-B", value_parser = values::seq_range, help_heading = "Filter")]
    pub seq: Option<(Option<Seq>, Option<Seq>)>,
    /// Units whose item contains that regular expression
    #[arg(long = "match", value_name = "RE", help_heading = "Filter")]
    pub pattern: Option<ItemPattern>,
    /// Failed units of that kind, as listed by `failures`
    #[arg(long, value_name = "ID", value_parser = values::cluster, help_heading = "Filter")]
    pub cluster: Option<ClusterId>,
    /// Units of that group
    #[arg(long, value_name = "GROUP", help_heading = "Filter")]
    pub group: Option<String>,
}

impl FilterArgs {
    pub fn is_empty(&self) -> bool {
        !self.failed
            && self.status.is_empty()
            && self.key.is_none()
            && self.seq.is_none()
            && self.pattern.is_none()
            && self.cluster.is_none()
            && self.group.is_none()
    }

    pub fn filter(&self) -> UnitFilter {
        let (first, last) = self.seq.unwrap_or_default();
        let statuses = if self.failed { vec![UnitStatus::Failed] } else { self.status.clone() };
        let key = self.key.clone();
        let pattern = self.pattern.clone();
        let (cluster, group) = (self.cluster, self.group.clone());
        UnitFilter { statuses, key, first, last, pattern, cluster, group, current: None }
    }
}
