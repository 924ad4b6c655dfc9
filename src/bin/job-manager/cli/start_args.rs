//! What must hold before a unit starts, and what each unit has of its own, as flags.

use clap::Args;
use job_manager::client::{ClockError, windows};
use job_manager::model::{Bytes, Conditions, DiskFree, Percent, Slots, Timestamp, Window};
use job_manager::submission::Order;

use super::values;
use super::wording;

/// Options of the verbs that create a job.
#[derive(Debug, Args)]
pub(super) struct StartArgs {
    /// Hold the next start while less memory is available, such as 2G
    #[arg(long, value_name = "SIZE", value_parser = values::spelled::<Bytes>, help_heading = "When units start")]
    pub memfree: Option<Bytes>,
    /// Hold the next start while as many processes want to run, per cent of the processors
    #[arg(long, value_name = "P%", value_parser = values::spelled::<Percent>, help_heading = "When units start")]
    pub load: Option<Percent>,
    /// Hold the next start while the file system of PATH has less space; may be repeated
    #[arg(long, value_name = "PATH=SIZE", value_parser = values::disk_free(), help_heading = "When units start")]
    pub diskfree: Vec<DiskFree>,
    /// Start units at these times of day only, such as 22:00-06:00; may be repeated
    #[arg(long, value_name = "FROM-TO", value_delimiter = ',', value_parser = values::spelled::<Window>, help_heading = "When units start")]
    pub window: Vec<Window>,
    /// Start no unit before that time: 22:00, +2h, 2026-11-26T22:00 or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = values::start_time, help_heading = "When units start")]
    pub not_before: Option<Timestamp>,
    /// Workers that a unit takes while it runs: a number, or a template such as {workers}
    #[arg(long, value_name = "N|TEMPLATE", default_value = "1", value_parser = values::spelled::<Slots>, help_heading = "When units start")]
    pub slots: Slots,
    /// Sort the units once, by a template such as {size}, or -{size} for the largest first
    #[arg(long, value_name = "TEMPLATE", allow_hyphen_values = true, value_parser = order, help_heading = "Sources")]
    pub order: Option<Order>,
}

impl StartArgs {
    pub fn conditions(&self) -> Result<Conditions, ClockError> {
        let mut conditions = Conditions::default();
        conditions.memfree = self.memfree;
        conditions.load = self.load;
        conditions.diskfree = self.diskfree.clone();
        conditions.window = (!self.window.is_empty()).then(|| windows(self.window.clone())).transpose()?;
        conditions.not_before = self.not_before;
        Ok(conditions)
    }
}

fn order(text: &str) -> Result<Order, String> {
    Order::parse(text).map_err(|error| wording::said(&error))
}
