//! The jobs that the driver works on, and the program of their units, which keeps a ledger.

use crate::support::{Random, World};

/// A kind of job; its name in the database says which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// Rows of a CSV file with a key; synchronised with other versions of the file.
    Keyed,
    /// Lines, found again by what they contain.
    Lines,
    /// Units that may run once.
    Once,
    /// Waits for approval after its first units.
    Canary,
}

impl Batch {
    pub const ALL: [Batch; 4] = [Batch::Keyed, Batch::Lines, Batch::Once, Batch::Canary];

    pub fn name(self) -> &'static str {
        match self {
            Batch::Keyed => "keyed",
            Batch::Lines => "lines",
            Batch::Once => "once",
            Batch::Canary => "canary",
        }
    }

    pub fn of(name: &str) -> Option<Batch> {
        Batch::ALL.into_iter().find(|batch| batch.name() == name)
    }

    /// Says whether its units are brought in line with a source.
    pub fn has_source(self) -> bool {
        matches!(self, Batch::Keyed | Batch::Lines)
    }

    /// Says whether a person may send its units back, which is another start.
    pub fn may_run_again(self) -> bool {
        self != Batch::Once
    }

    /// Writes a version of the job's source and returns the options that name it.
    pub fn source(self, world: &World, random: &mut Random) -> Vec<String> {
        let version = random.below(1_000_000);
        match self {
            Batch::Keyed => {
                let name = format!("keyed.{version}.csv");
                world.write(&name, &rows(random));
                ["--csv", &name, "--unit-key", "{id}"].map(str::to_owned).to_vec()
            }
            Batch::Lines => {
                let name = format!("lines.{version}");
                let first = random.below(20);
                world.write(&name, &(first..first + 40).map(|line| format!("{line}\n")).collect::<String>());
                ["--lines", &name].map(str::to_owned).to_vec()
            }
            Batch::Once | Batch::Canary => ["--range", "1-40"].map(str::to_owned).to_vec(),
        }
    }

    /// Writes the version of the source that is the last one, with lines that no other has, and returns the options.
    pub fn last_source(self, world: &World) -> Vec<String> {
        match self {
            Batch::Lines => {
                world.write(
                    "lines.last",
                    &(30..60).chain(1000..1010).map(|line| format!("{line}\n")).collect::<String>(),
                );
                ["--lines", "lines.last"].map(str::to_owned).to_vec()
            }
            _ => self.source(world, &mut Random::of(7)),
        }
    }

    /// Returns the options with which it is submitted, and its command.
    pub fn submission(self, world: &World, random: &mut Random) -> Vec<String> {
        let mut options = vec!["--name".to_owned(), self.name().to_owned()];
        options.extend(["-j", "3", "--kill-after", "200ms"].map(str::to_owned));
        options.extend(match self {
            Batch::Once => ["--at-most-once".to_owned()].to_vec(),
            Batch::Canary => ["--canary", "3", "--backoff", "1ms..20ms"].map(str::to_owned).to_vec(),
            _ => ["--backoff", "1ms..20ms", "--max-attempts", "3"].map(str::to_owned).to_vec(),
        });
        if !self.has_source() {
            // A unit that is renewed may be interrupted with what its earlier attempt has left; these are never renewed.
            options.extend(["--env", "DAEMON=yes"].map(str::to_owned));
        }
        if random.below(3) == 0 {
            options.extend(["--timeout", "250ms"].map(str::to_owned));
        }
        if random.below(3) == 0 {
            options.extend(["--output", "full"].map(str::to_owned));
        }
        options.extend(self.source(world, random));
        let item = if self == Batch::Keyed { "{id}:{v}" } else { "{}" };
        options.extend(["--", "./unit", item].map(str::to_owned));
        options
    }
}

fn rows(random: &mut Random) -> String {
    let mut text = String::from("id,v\n");
    for id in 0..50 {
        if random.below(8) > 0 {
            text.push_str(&format!("k{id},{}\n", random.below(3) * 10 + id % 10));
        }
    }
    text
}

/// A unit writes down that it started and that it ended, and says so when another attempt of it lives. Its job is named by
/// the uid, as in what is compared with it.
///
/// Payloads ending in 7 fail once, those in 8 always, and those in 9 take long beside a process that leaves their group
/// and closes its streams: what ends them by force has to find it. The others leave a process behind, which in some jobs says
/// when it has come to its end.
const UNIT: &str = r#"#!/bin/sh
job=${JOB_MANAGER_COOKIE%%:*}
unit="$job $JOB_MANAGER_UNIT"
exec 9>>"lock.$job.$JOB_MANAGER_UNIT"
flock -n 9 || echo "$unit $JOB_MANAGER_ATTEMPT" >>overlaps
echo "$unit $1" >>started
case $1 in
    *7) [ "$JOB_MANAGER_ATTEMPT" -gt 1 ] || exit 1 ;;
    *8) echo "cannot read $1" >&2; exit 3 ;;
    *9) setsid sleep 0.6 >/dev/null 2>&1 </dev/null & sleep 0.4; wait ;;
    *)
        if [ -n "$DAEMON" ]; then
            setsid sh -c 'sleep 1; echo $$ >>daemons' daemon >/dev/null 2>&1 </dev/null 9>&- &
        else
            setsid sleep 0.2 >/dev/null 2>&1 </dev/null 9>&- &
        fi
        sleep 0.02 ;;
esac
echo "$unit $1" >>finished
"#;

/// Another name of the database.
pub const ALIAS: &str = "alias.db";

pub fn prepare(world: &World) {
    let path = world.write("unit", UNIT);
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("jobs.db", world.path(ALIAS)).unwrap();
}
