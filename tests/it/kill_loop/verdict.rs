//! What must be true at the end.

use std::collections::BTreeMap;

use diesel::{Connection, PgConnection};

use super::journal::{Journal, excuse};
use super::reader::{Seen, word};
use super::servers::Servers;
use super::troubles::{Excuse, Troubles};
use crate::support::{World, text};

/// Units that somebody ran when their end had been recorded for longer than that, in seconds.
const LATE: f64 = 1.0;
/// A unit whose managers died under it so often is failed by design.
const GIVEN_UP: &str = "the manager died 3 times";

pub fn judge(world: &World, servers: &Servers, troubles: &Troubles<'_>, seen: Seen, units: usize) {
    let journal = Journal::read(world);
    let mut wrong = [troubles.wrong.clone(), seen.wrong].concat();
    let mut excused: BTreeMap<Excuse, u32> = BTreeMap::new();
    let mut allow = |found: Option<Excuse>, what: String| match found {
        Some(excuse) => *excused.entry(excuse).or_default() += 1,
        None => wrong.push(what),
    };
    for overlap in &journal.overlaps {
        let found = excuse(&overlap.earlier, overlap.later.at, &troubles.spells, &troubles.kills);
        allow(found, format!("unit {} runs twice: {:?}, then {:?}", overlap.unit, overlap.earlier, overlap.later));
    }

    let recorded_at = recorded_at(servers);
    for (unit, runs) in &journal.starts {
        let Some(recorded) = recorded_at.get(unit) else { continue };
        for run in runs.iter().filter(|run| run.at > recorded + LATE) {
            let found = excuse(run, run.at, &troubles.spells, &troubles.kills);
            allow(found, format!("unit {unit} ran again when its end had been recorded at {recorded}: {run:?}"));
        }
    }
    let never = (1..=units).filter(|unit| !journal.ends.contains_key(&unit.to_string())).count();
    let of = |query: &str| ask(servers, query);
    let given_up =
        of(&format!("SELECT count(*)::text FROM units WHERE status = 'failed' AND error LIKE '%{GIVEN_UP}%'"));
    let given_up_count: usize = given_up.parse().unwrap();
    let hooks = world.lines("hooks").iter().filter(|event| *event == "job_ended").count();
    let was_killed = hook_was_killed(&of("SELECT (finished_at / 1e6)::text FROM jobs"), troubles);
    let least_hooks = usize::from(!was_killed);
    let job = if given_up_count == 0 { "completed" } else { "failed" };
    let mut check = |is_right: bool, what: String| {
        if !is_right {
            wrong.push(what);
        }
    };
    let completed = of("SELECT count(*)::text FROM units WHERE status = 'completed'");
    check(completed == (units + 1 - given_up_count).to_string(), format!("{completed} units have completed"));
    check(never <= given_up_count, format!("{never} units never ran to their end"));
    let status = of("SELECT status::text FROM jobs");
    check(status == job, format!("the job is {status}, {given_up} units were given up"));
    let finished = of("SELECT count(*)::text FROM watch.ends WHERE what = 'jobs'");
    check(finished == "1", format!("the job was finished {finished} times"));
    let left = troubles.machines().map(|machine| machine.running("job-manager: job ").len()).sum::<usize>();
    check(left == 0, format!("{left} managers live"));
    check(hooks <= 1 && hooks >= least_hooks, format!("the hook ran {hooks} times"));
    check(seen.snapshots > 0, "no snapshot was looked at".to_owned());

    let starts: usize = journal.starts.values().map(Vec::len).sum();
    println!(
        "{:?}, {}synchronous standby: {} snapshots, {} units ran {starts} times, {given_up} were given up, excused {excused:?}, \
         {hooks} hooks",
        troubles.tally,
        if servers.is_synchronous { "" } else { "a" },
        seen.snapshots,
        journal.starts.len(),
    );
    if !wrong.is_empty() {
        give_up(world, servers, troubles, &wrong.join("\n"));
    }
}

/// Returns when the ends of units were recorded, by what they are called in the journal.
fn recorded_at(servers: &Servers) -> BTreeMap<String, f64> {
    let query = "SELECT coalesce(string_agg(seq || ' ' || extract(epoch FROM at), ','), '') FROM units JOIN watch.ends \
        ON ends.id = units.id AND what = 'units' WHERE status = 'completed' AND kind IS NULL";
    let of_line = |line: &str| {
        let (unit, at) = line.split_once(' ')?;
        Some((unit.to_owned(), at.parse().ok()?))
    };
    ask(servers, query).split(',').filter_map(of_line).collect()
}

/// Says whether somebody may have killed the manager that was about to tell of the job's end.
fn hook_was_killed(finished_at: &str, troubles: &Troubles<'_>) -> bool {
    let Ok(finished_at) = finished_at.parse::<f64>() else { return true };
    troubles.kills.iter().any(|(_, at)| *at > finished_at - 0.5)
}

fn ask(servers: &Servers, query: &str) -> String {
    let url = servers.place.lock().unwrap().url.clone();
    word(&mut PgConnection::establish(&url).unwrap(), query).unwrap()
}

pub fn give_up(world: &World, servers: &Servers, troubles: &Troubles<'_>, why: &str) -> ! {
    let logs = world.sh("tail -n 40 state-*/job-manager/*.d/*/manager.log work-*.log");
    let rows = "SELECT coalesce(string_agg(concat_ws(' ', number, host, state, reason), E'\\n' ORDER BY number), '') FROM \
        (SELECT * FROM managers ORDER BY number DESC LIMIT 30) AS latest";
    let url = servers.place.lock().unwrap().url.clone();
    let rows = PgConnection::establish(&url).ok().and_then(|mut conn| word(&mut conn, rows).ok());
    let (log, tally) = (servers.log(), &troubles.tally);
    panic!("{why}\n{tally:?}\n{}\n{}\n{log}", rows.unwrap_or_default(), text(&logs.stdout));
}
