//! What the manager of a job is isolated from, besides the process that starts it.

/// Variables by which runners of continuous integration find, at the end of a build, what the build has started: those
/// of Jenkins (builds, pipelines, agents), GitHub Actions and Azure Pipelines. They compare values, so that a process
/// without the variable is not theirs.
const CI_VARIABLES: [&str; 7] = [
    "BUILD_ID",
    "HUDSON_COOKIE",
    "HUDSON_SERVER_COOKIE",
    "JENKINS_NODE_COOKIE",
    "JENKINS_SERVER_COOKIE",
    "RUNNER_TRACKING_ID",
    "VSTS_PROCESS_LOOKUP_ID",
];

/// What every manager of a job is isolated from; chosen when the job is created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Isolation {
    /// From the sweep of a CI runner: the manager has none of the variables that such a sweep looks for.
    pub escape_ci: bool,
    /// From the stop of the service that starts it: the manager runs in a systemd scope of its own.
    pub scope: bool,
}

impl Isolation {
    /// Returns the variables that the manager must not inherit.
    pub const fn forgotten_variables(self) -> &'static [&'static str] {
        if self.escape_ci { &CI_VARIABLES } else { &[] }
    }
}
