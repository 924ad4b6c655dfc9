//! A queue that claims jobs one by one, in the shape of River 0.43's statements (github.com/riverqueue/river): its row, its index
//! for claims, SKIP LOCKED, and the ends of many jobs in one update. Its own program needs Go and is not run here; what it does beside
//! these two statements, such as notifications, is omitted in its favour.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};

use super::bare::{connect, in_parallel};

/// Jobs that one claim takes: what its client fetches for a thousand workers.
const TOGETHER: i64 = 1_000;

const TABLE: &str = "CREATE TYPE queued AS ENUM ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', \
    'running', 'scheduled'); \
    CREATE TABLE queue_jobs (id bigserial PRIMARY KEY, args jsonb NOT NULL DEFAULT '{}', attempt smallint NOT NULL DEFAULT 0, \
    attempted_at timestamptz, attempted_by text[], created_at timestamptz NOT NULL DEFAULT now(), errors jsonb[], \
    finalized_at timestamptz, kind text NOT NULL, max_attempts smallint NOT NULL DEFAULT 25, metadata jsonb NOT NULL DEFAULT '{}', \
    priority smallint NOT NULL DEFAULT 1, queue text NOT NULL DEFAULT 'default', state queued NOT NULL DEFAULT 'available', \
    scheduled_at timestamptz NOT NULL DEFAULT now(), tags varchar(255)[] NOT NULL DEFAULT '{}', unique_key bytea, \
    CHECK ((finalized_at IS NOT NULL) = (state IN ('cancelled', 'completed', 'discarded')))); \
    CREATE INDEX ON queue_jobs (kind); \
    CREATE INDEX ON queue_jobs (state, finalized_at) WHERE finalized_at IS NOT NULL; \
    CREATE INDEX ON queue_jobs (state, queue, priority, scheduled_at, id); \
    CREATE INDEX ON queue_jobs USING gin (args); \
    CREATE INDEX ON queue_jobs USING gin (metadata)";

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Times the claims and ends of jobs by so many clients.
pub fn record(url: &str, jobs: i64, clients: usize) -> Duration {
    let fill = format!(
        "{TABLE}; INSERT INTO queue_jobs (kind, args) SELECT 'nothing', to_jsonb(n) FROM generate_series(1, {jobs}) AS n; ANALYZE queue_jobs"
    );
    connect(url).batch_execute(&fill).expect("the database is empty but for our tables");
    in_parallel(clients, |client, start| {
        let mut conn = connect(url);
        let claim = format!(
            "WITH next AS (SELECT * FROM queue_jobs WHERE state = 'available' AND queue = 'default' AND scheduled_at <= now() \
             ORDER BY priority, scheduled_at, id LIMIT {TOGETHER} FOR UPDATE SKIP LOCKED) \
             UPDATE queue_jobs SET state = 'running', attempt = queue_jobs.attempt + 1, attempted_at = now(), \
             attempted_by = array_append(queue_jobs.attempted_by, 'client {client}') FROM next WHERE queue_jobs.id = next.id \
             RETURNING queue_jobs.id"
        );
        start.wait();
        loop {
            let claimed: Vec<Claimed> = diesel::sql_query(&claim).load(&mut conn).expect("the table is there");
            if claimed.is_empty() {
                return;
            }
            diesel::sql_query(
                "UPDATE queue_jobs SET state = CASE WHEN state = 'running' THEN 'completed' ELSE state END, \
                 finalized_at = CASE WHEN state = 'running' THEN now() ELSE finalized_at END, metadata = metadata || '{}' \
                 FROM unnest($1) AS v(id) WHERE queue_jobs.id = v.id",
            )
            .bind::<Array<BigInt>, _>(claimed.into_iter().map(|job| job.id).collect::<Vec<_>>())
            .execute(&mut conn)
            .expect("nobody else has these jobs");
        }
    })
}
