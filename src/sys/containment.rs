//! What this process lives in, and with what everything that it starts would end: a service, a session, a container.

use std::fs;
use std::io;
use std::path::Path;

use nix::unistd::{Uid, User};

use super::scope::SCOPE_PREFIX;

/// What holds this process, as far as its control group tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Containment {
    /// A scope made for a manager.
    ManagerScope(String),
    /// A service, whose stop ends everything in it.
    Service(String),
    /// A login session.
    Session(String),
    /// A container.
    Container,
    /// Nothing that would take a manager along.
    Free,
}

/// Whether systemd keeps running what a user has started, and starts at boot what the user wants, without a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linger {
    /// systemd does not run here.
    NoSystemd,
    /// It does, for that user.
    On(String),
    /// It does not.
    Off {
        /// The user.
        user: String,
        /// Whether that is root, whose scopes and services belong to the manager of the system.
        is_root: bool,
    },
}

/// Returns what holds this process.
pub fn containment() -> io::Result<Containment> {
    let found = read(&fs::read_to_string("/proc/self/cgroup")?);
    let marked = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
        || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    Ok(if found == Containment::Free && marked { Containment::Container } else { found })
}

/// Reads the text of `/proc/self/cgroup`.
fn read(cgroups: &str) -> Containment {
    // The hierarchy of systemd is the only one, or a named one beside those of the controllers.
    let of_systemd = cgroups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        matches!(controllers, "" | "name=systemd").then_some(path)
    });
    let path = of_systemd.max_by_key(|path| path.len()).unwrap_or_default();
    let groups: Vec<&str> = path.split('/').collect();
    if groups.iter().any(|group| is_container(group)) {
        return Containment::Container;
    }
    let Some(unit) = groups.iter().rev().find(|group| group.ends_with(".service") || group.ends_with(".scope")) else {
        return Containment::Free;
    };
    let name = (*unit).to_owned();
    if unit.ends_with(".scope") {
        return match unit {
            _ if unit.starts_with(SCOPE_PREFIX) => Containment::ManagerScope(name),
            _ if unit.starts_with("session-") => Containment::Session(name),
            _ => Containment::Free,
        };
    }
    // The user manager itself holds the services of a user, and is left by all of them.
    if unit.starts_with("user@") { Containment::Free } else { Containment::Service(name) }
}

fn is_container(group: &str) -> bool {
    matches!(group, "docker" | "lxc" | "lxc.payload" | "libpod_parent")
        || ["docker-", "libpod-", "cri-containerd-", "crio-", "lxc.payload.", "kubepods"]
            .iter()
            .any(|prefix| group.starts_with(prefix) && (!prefix.ends_with('-') || group.ends_with(".scope")))
}

/// Returns whether the user of this process lingers.
pub fn linger() -> Linger {
    let uid = Uid::effective();
    if !Path::new("/run/systemd/system").is_dir() {
        return Linger::NoSystemd;
    }
    let name = User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
    if Path::new("/var/lib/systemd/linger").join(&name).exists() {
        Linger::On(name)
    } else {
        Linger::Off { user: name, is_root: uid.is_root() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_group_tells_what_a_manager_would_end_with() {
        let service = |name: &str| Containment::Service(name.to_owned());
        let session = Containment::Session("session-3.scope".to_owned());
        let user = "/user.slice/user-1000.slice";
        let table = [
            ("0::/\n".to_owned(), Containment::Free),
            (String::new(), Containment::Free),
            ("0::/system.slice/web.service\n".to_owned(), service("web.service")),
            ("0::/system.slice/web.service/workers/3\n".to_owned(), service("web.service")),
            ("0::/system.slice/system-web.slice/web@2.service\n".to_owned(), service("web@2.service")),
            (format!("0::{user}/user@1000.service/app.slice/web.service\n"), service("web.service")),
            (format!("0::{user}/user@1000.service/app.slice/app-terminal-77.scope\n"), Containment::Free),
            (format!("0::{user}/user@1000.service/init.scope\n"), Containment::Free),
            (format!("0::{user}/session-3.scope\n"), session.clone()),
            (format!("4:memory:/user.slice\n1:name=systemd:{user}/session-3.scope\n0::/\n"), session),
            ("12:pids:/docker/abc\n1:name=systemd:/docker/abc\n".to_owned(), Containment::Container),
            ("0::/system.slice/docker-0123abc.scope\n".to_owned(), Containment::Container),
            ("0::/system.slice/docker.service\n".to_owned(), service("docker.service")),
            ("0::/machine.slice/libpod-0123.scope/container\n".to_owned(), Containment::Container),
            ("0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-1.scope\n".to_owned(), Containment::Container),
            (
                "0::/system.slice/job-manager-01-2-3.scope\n".to_owned(),
                Containment::ManagerScope("job-manager-01-2-3.scope".to_owned()),
            ),
            ("no such thing\n::\n".to_owned(), Containment::Free),
        ];

        for (text, expected) in table {
            assert_eq!(read(&text), expected, "{text}");
        }
    }
}
