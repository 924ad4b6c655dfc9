//! What is PostgreSQL's alone.
//!
//! Known weakness: diesel does not hand out most SQLSTATEs, so that refusals are told apart by their fixed texts, as those of
//! SQLite are; see `fault::ENGLISH`.

#[cfg_attr(not(test), expect(dead_code, reason = "the store opens no server yet"))]
mod fault;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod schema_tests;
