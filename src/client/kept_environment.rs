//! What the jobs of a database keep of the environments that they were submitted from, by name.

use std::collections::{BTreeMap, BTreeSet};

use super::Client;
use super::finding::{Finding, Severity};
use crate::model::{Job, JobId, is_secret};

/// Most names that are shown at once.
const SHOWN_NAMES: usize = 60;

/// Names the variables whose values are kept, those that are kept by name only, and secrets whose values are kept all the
/// same, by jobs of older versions.
pub(super) fn findings(client: &Client, jobs: &[Job]) -> Vec<Finding> {
    let (mut kept, mut by_name) = (BTreeSet::new(), BTreeSet::new());
    let mut leaking: BTreeMap<JobId, BTreeSet<String>> = BTreeMap::new();
    for job in jobs {
        // What cannot be read is named by whoever works on that job.
        let Ok(Some(spec)) = client.command_settings(job) else { continue };
        by_name.extend(spec.secrets.iter().map(|name| name.to_string_lossy().into_owned()));
        for (name, value) in spec.env.iter() {
            let shown = name.to_string_lossy().into_owned();
            if is_secret(name, value) {
                leaking.entry(job.id).or_default().insert(shown.clone());
            }
            kept.insert(shown);
        }
    }
    let finding = |severity, message| Finding { severity, about: "variables", message, remedy: None };
    let mut findings = Vec::new();
    if !kept.is_empty() || !by_name.is_empty() {
        let message = format!("jobs keep the values of {}, and by name only {}", listed(&kept), listed(&by_name));
        findings.push(finding(Severity::Ok, message));
    }
    findings.extend(leaking.into_iter().map(|(job, names)| {
        let message =
            format!("job {job} keeps the values of {} in plain text: submit it again, and delete it", listed(&names));
        finding(Severity::Warning, message)
    }));
    findings
}

fn listed(names: &BTreeSet<String>) -> String {
    let shown: Vec<&str> = names.iter().map(String::as_str).take(SHOWN_NAMES).collect();
    match (shown.len(), names.len() - shown.len()) {
        (0, _) => "nothing".to_owned(),
        (_, 0) => shown.join(", "),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
