//! What managers started from here would end with, and whether the user's things run without a login.

use super::finding::{Finding, Remedy, Severity};
use crate::sys::{self, Containment, Linger};

/// Says what holds this process, if that would take managers along.
pub(super) fn cgroup_finding() -> Finding {
    let containment = sys::containment();
    let (severity, message) = match &containment {
        Ok(containment) => around(containment),
        Err(error) => (Severity::Warning, format!("cannot read the control group of this process: {error}")),
    };
    let remedy = match containment {
        Ok(Containment::Service(_)) => Some(Remedy::OwnScope),
        Ok(Containment::Container) => Some(Remedy::RecoverInContainer),
        _ => None,
    };
    Finding { severity, about: "cgroup", message, remedy }
}

fn around(containment: &Containment) -> (Severity, String) {
    match containment {
        Containment::Free => {
            (Severity::Ok, "no service or container ends managers that are started from here".to_owned())
        }
        Containment::ManagerScope(scope) => (Severity::Ok, format!("{scope} is left by no stop of a service")),
        Containment::Session(session) => (
            Severity::Ok,
            format!("{session} ends managers at the logout only where logind.conf has KillUserProcesses=yes"),
        ),
        Containment::Service(service) => (
            Severity::Warning,
            format!("managers that are started from here end when {service} is stopped or restarted"),
        ),
        Containment::Container => {
            (Severity::Warning, "managers that are started from here end with this container".to_owned())
        }
    }
}

/// Returns `true` if the user's things run without a login; nothing where that is no question.
pub(super) fn linger_finding() -> Option<Finding> {
    let (severity, message) = match sys::linger() {
        Linger::NoSystemd => (Severity::Ok, "systemd does not run here".to_owned()),
        Linger::On(user) => (Severity::Ok, format!("lingering is on for {user}")),
        Linger::Off { is_root: true, .. } => return None,
        Linger::Off { user, .. } => (
            Severity::Warning,
            format!(
                "lingering is off for {user}: nothing of yours starts at boot, and scopes end with the last logout; \
                 `loginctl enable-linger` turns it on"
            ),
        ),
    };
    Some(Finding { severity, about: "linger", message, remedy: None })
}
