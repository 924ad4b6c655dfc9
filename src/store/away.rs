//! Transactions on a server that is busy, or goes away and comes back.
//!
//! What is in the way and passes is waited for as SQLite waits for a lock, no longer than that: the transaction runs again, in
//! another session when its own is lost. Nothing of it was kept then. Whether a commit was kept whose answer never came, the
//! server is asked.

use std::time::{Duration, Instant};

use super::connection::DbConnection;
use super::failure::Failure;
use super::postgres::{self, Commit, Kept};
use super::{Fault, Store, StoreError};

/// How long it is waited for what became of a commit. A server that is away for longer may have it done twice.
const DOUBT: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Tries within a time, with longer and longer pauses.
pub(super) struct Tries {
    end: Instant,
    pause: Duration,
}

impl Tries {
    /// Begins with the first of them.
    pub fn within(time: Duration) -> Tries {
        Tries { end: Instant::now() + time, pause: Duration::ZERO }
    }

    /// Waits for the next one; `false` when there is no time for it.
    pub fn next(&mut self) -> bool {
        if Instant::now() + self.pause >= self.end {
            return false;
        }
        std::thread::sleep(self.pause);
        self.pause = (self.pause * 2).clamp(Duration::from_millis(5), LONGEST_PAUSE);
        true
    }
}

impl Store {
    /// Runs a transaction until it ends otherwise than by what passes, or that is waited for no longer.
    pub(super) fn persist<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut tries = Tries::within(self.session.as_ref().map_or(Duration::ZERO, |session| session.longest_wait()));
        loop {
            let outcome = self.renew_session().and_then(|()| attempt(self));
            let passes = match outcome.as_ref().err().and_then(StoreError::fault) {
                Some(Fault::Disconnected | Fault::Standby) => {
                    self.lose_session();
                    true
                }
                fault => fault == Some(Fault::Conflict),
            };
            if !passes || !tries.next() {
                return outcome;
            }
        }
    }

    /// Finds out what became of a transaction whose commit failed by the loss of its session.
    pub(super) fn settle(&mut self, commit: &Commit, failure: Failure) -> Result<(), Failure> {
        let Some(then) = self.session.as_ref().map(|session| session.life().clone()) else { return Err(failure) };
        self.lose_session();
        let mut tries = Tries::within(DOUBT);
        loop {
            let asked = self.renew_session().and_then(|()| {
                let now = self.session.as_ref().map_or(&then, |session| session.life());
                let asked = commit.is_kept(&mut self.conn, &then, now);
                asked.map_err(|failure| failure.during("look for a commit", &self.file.path))
            });
            match asked {
                Ok(Kept::Yes) => return Ok(()),
                Ok(Kept::No | Kept::Unknown) => return Err(failure),
                Err(error) if !error.fault().is_some_and(Fault::passes) => return Err(error.into()),
                Err(_) => self.lose_session(),
                Ok(Kept::NotYet) => {}
            }
            if !tries.next() {
                return Err(failure);
            }
        }
    }

    fn lose_session(&mut self) {
        if let Some(session) = &mut self.session {
            session.lose();
        }
    }

    fn renew_session(&mut self) -> Result<(), StoreError> {
        let is_another = match (&mut self.session, &mut self.conn) {
            (Some(session), DbConnection::Postgres(conn)) => session.renew(conn)?,
            _ => false,
        };
        if is_another { self.refuse_set_back() } else { Ok(()) }
    }

    /// Refuses to go on as the manager of a job where the database is one of an earlier time, as after a failover that has lost the
    /// latest commits: what the manager knows of its units is not so there. The next manager does.
    fn refuse_set_back(&mut self) -> Result<(), StoreError> {
        let noted = self.renewals.as_ref().and_then(|(lease, renewals)| Some((*lease, renewals.left()?)));
        let Some((lease, left)) = noted else { return Ok(()) };
        let asked = postgres::was_set_back(&mut self.conn, lease, left);
        match asked.map_err(|failure| failure.during("look at its manager's row in", &self.file.path)) {
            Ok(false) => Ok(()),
            Ok(true) => {
                // Asked again by whatever comes next.
                self.lose_session();
                Err(lease.fenced())
            }
            Err(error) => {
                self.lose_session();
                Err(error)
            }
        }
    }
}
