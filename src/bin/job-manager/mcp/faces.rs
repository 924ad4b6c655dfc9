//! What other faces of the program do for the server, which knows none of them.

use job_manager::client::Client;
use job_manager::model::JobId;

/// What a model can have done by other faces; an error is said in words.
pub struct Faces {
    /// Writes the page of a job, as Markdown.
    pub report: fn(&Client, JobId) -> Result<String, String>,
    /// Returns the address of a dashboard that changes nothing, and starts it the first time; none where it is not built in.
    pub dashboard: Option<Dashboards>,
}

/// Starts a dashboard once.
pub type Dashboards = Box<dyn Fn() -> Result<String, String> + Send + Sync>;
