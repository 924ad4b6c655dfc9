//! Variables that are about the process that has them, and are false in any other.
//!
//! A unit is no descendant of its submitter in any sense that these variables mean: it has no terminal, none of the
//! submitter's descriptors, and outlives shell, build and service. Addresses (`SSH_AUTH_SOCK`, `DISPLAY`, `TMUX`,
//! `XDG_RUNTIME_DIR`), facts (`USER`, `TERM`, `SSH_CONNECTION`) and settings stay true, and are handed on.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Names, and what each of them is about.
const ABOUT_A_PROCESS: [(&str, &[&str]); 9] = [
    ("a shell and where it is", &["_", "SHLVL", "PWD", "OLDPWD"]),
    ("a terminal, which units do not have", &["LINES", "COLUMNS", "GPG_TTY", "SSH_TTY", "WINDOWID"]),
    ("a pane or window of a multiplexer or editor", &["TMUX_PANE", "WINDOW", "INSIDE_EMACS"]),
    ("a recursion of make, and make's terminal", &["MAKELEVEL", "MAKE_TERMOUT", "MAKE_TERMERR"]),
    (
        "a service of systemd: its descriptors, its watchdog, its start",
        &[
            "LISTEN_FDS",
            "LISTEN_FDNAMES",
            "LISTEN_PID",
            "LISTEN_PIDFDID",
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
            "INVOCATION_ID",
            "JOURNAL_STREAM",
            "SYSTEMD_EXEC_PID",
            "MANAGERPID",
            "MANAGERPIDFDID",
            "MEMORY_PRESSURE_WATCH",
            "MEMORY_PRESSURE_WRITE",
        ],
    ),
    ("a job of GNU parallel", &["PARALLEL_SEQ", "PARALLEL_JOBSLOT", "PARALLEL_PID"]),
    (
        "a descriptor that is not handed on",
        &["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "PMI_FD", "WAYLAND_SOCKET"],
    ),
    ("a span of a trace, of which each attempt gets its own", &["TRACEPARENT", "TRACESTATE"]),
    ("a start by a desktop", &["DESKTOP_STARTUP_ID", "GIO_LAUNCHED_DESKTOP_FILE", "GIO_LAUNCHED_DESKTOP_FILE_PID"]),
];

/// Flags of make, with words about its jobserver among settings that stay true.
const FLAGS_OF_MAKE: [&str; 3] = ["MAKEFLAGS", "MFLAGS", "CARGO_MAKEFLAGS"];
/// Begins the words about a jobserver; with one of them, the number of jobs is the jobserver's too.
const JOBSERVER: [&[u8]; 4] = [b"--jobserver-auth", b"--jobserver-fds", b"--jobserver-style", b"--sync-mutex"];

/// Returns the value with which another process gets a variable of this one; `None` when it does not get it.
pub fn handed_on(name: &OsStr, value: OsString) -> Option<OsString> {
    if ABOUT_A_PROCESS.iter().any(|(_, names)| names.iter().any(|other| name == *other)) {
        return None;
    }
    if !FLAGS_OF_MAKE.iter().any(|other| name == *other) {
        return Some(value);
    }
    let words = || value.as_bytes().split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let is_jobserver = |word: &&[u8]| JOBSERVER.iter().any(|begin| word.starts_with(begin));
    if !words().any(|word| is_jobserver(&word)) {
        return Some(value);
    }
    let kept: Vec<&[u8]> = words().filter(|word| !is_jobserver(word) && !is_number_of_jobs(word)).collect();
    let is_empty = kept.iter().all(|word| *word == b"--");
    // Make takes a first word without a dash for letters of flags; an empty one says that there are none.
    let lead: &[u8] = if value.as_bytes().starts_with(b" ") { b" " } else { b"" };
    (!is_empty).then(|| OsString::from_vec([lead, &kept.join(&b' ')].concat()))
}

fn is_number_of_jobs(word: &[u8]) -> bool {
    word.strip_prefix(b"-j").is_some_and(|number| number.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, value: &str) -> Option<String> {
        handed_on(OsStr::new(name), value.into()).map(|value| value.into_string().unwrap())
    }

    #[test]
    fn variables_about_a_process_are_not_handed_on_and_addresses_are() {
        for name in ["SHLVL", "PWD", "_", "COLUMNS", "NOTIFY_SOCKET", "PARALLEL_SEQ", "NODE_CHANNEL_FD", "MAKELEVEL"] {
            assert_eq!(seen(name, "1"), None, "{name}");
        }
        for name in ["PATH", "TERM", "SSH_AUTH_SOCK", "DISPLAY", "TMUX", "SSH_CONNECTION", "PARALLEL_HOME", "HOME"] {
            assert_eq!(seen(name, "1").as_deref(), Some("1"), "{name}");
        }
    }

    #[test]
    fn the_documentation_names_every_variable_that_is_not_handed_on() {
        let page = include_str!("../../docs/command-line.md");

        for name in ABOUT_A_PROCESS.iter().flat_map(|(_, names)| *names).chain(&FLAGS_OF_MAKE) {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }

    #[test]
    fn flags_of_make_lose_the_words_about_its_jobserver_only() {
        for (given, kept) in [
            (" -j4 --jobserver-auth=fifo:/tmp/GMfifo7", None),
            (" -j4 --jobserver-auth=3,4 -- V=1", Some(" -- V=1")),
            ("ks -j --jobserver-fds=3,4 --sync-mutex=fnm:/tmp/x", Some("ks")),
            ("-j8", Some("-j8")),
            ("k V=1", Some("k V=1")),
        ] {
            assert_eq!(seen("MAKEFLAGS", given).as_deref(), kept, "{given:?}");
        }
        assert_eq!(seen("CARGO_MAKEFLAGS", "-j --jobserver-fds=8,9 --jobserver-auth=8,9"), None);
        assert_eq!(seen("CFLAGS", "-j --jobserver-auth=8,9").as_deref(), Some("-j --jobserver-auth=8,9"));
    }
}
