//! A reader who looks at one snapshot after the other: what it sees must be right at any instant.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::servers::Place;

const LOOK_EVERY: Duration = Duration::from_millis(100);
const COUNTERS: &str = "SELECT concat_ws(' ', total, pending, running, completed, failed, skipped, cancelled) \
    FROM job_counters ORDER BY job_id DESC LIMIT 1";
const ROWS: &str = "SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE status = 'pending'), \
    count(*) FILTER (WHERE status = 'running'), count(*) FILTER (WHERE status = 'completed'), \
    count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'skipped'), \
    count(*) FILTER (WHERE status = 'cancelled')) FROM units WHERE job_id = (SELECT max(id) FROM jobs)";
const RANGES: &str = "SELECT coalesce(string_agg(concat_ws('-', a.first, a.last) || ' ' || concat_ws('-', b.first, b.last), ', '), '') \
    FROM ranges a JOIN ranges b ON a.job_id = b.job_id AND a.first < b.first AND b.first <= a.last";
const TWICE: &str = "SELECT coalesce(string_agg(twice, ', '), '') FROM \
    (SELECT what || ' ' || (id & 4294967295) AS twice FROM watch.ends GROUP BY what, id HAVING count(*) > 1 LIMIT 5) AS found";

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub snapshots: u64,
    pub wrong: Vec<String>,
}

pub struct Reader {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Reader {
    pub fn start(place: Arc<Mutex<Place>>) -> Reader {
        let ends = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !flag.load(Ordering::Relaxed) {
                let here = place.lock().unwrap().clone();
                if let Ok(mut conn) = PgConnection::establish(&here.url) {
                    // Until the session is lost, or the server another one.
                    while !flag.load(Ordering::Relaxed)
                        && here.failovers == place.lock().unwrap().failovers
                        && look(&mut conn, &mut seen).is_ok()
                    {
                        std::thread::sleep(LOOK_EVERY);
                    }
                }
                std::thread::sleep(LOOK_EVERY / 4);
            }
            seen
        });
        Reader { ends, thread }
    }

    pub fn end(self) -> Seen {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn look(conn: &mut PgConnection, seen: &mut Seen) -> QueryResult<()> {
    conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let [counters, rows, ranges, twice] = [COUNTERS, ROWS, RANGES, TWICE].map(|query| word(conn, query));
    let (counters, rows, ranges, twice) = (counters?, rows?, ranges?, twice?);
    conn.batch_execute("COMMIT")?;
    seen.snapshots += 1;
    let mut check = |is_right: bool, what: String| {
        if !is_right && seen.wrong.len() < 20 {
            seen.wrong.push(what);
        }
    };
    check(counters == rows, format!("counters {counters}, rows {rows}"));
    check(ranges.is_empty(), format!("a unit is in two ranges: {ranges}"));
    check(twice.is_empty(), format!("ends were recorded twice: {twice}"));
    Ok(())
}

/// Returns the one word that a query has for an answer.
pub fn word(conn: &mut PgConnection, query: &str) -> QueryResult<String> {
    diesel::dsl::sql::<Text>(query).get_result(conn)
}
