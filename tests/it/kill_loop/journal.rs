//! What units said of their runs, and whether that may be.

use std::collections::BTreeMap;

use super::troubles::{Excuse, Spell};
use super::{CUT_OFF_UNITS_END, LEASE};
use crate::support::World;

/// A run of a unit: where it began, and when.
#[derive(Debug, Clone)]
pub struct Run {
    pub machine: String,
    pub at: f64,
}

/// A run that began while another one of its unit was alive.
#[derive(Debug)]
pub struct Overlap {
    pub unit: String,
    pub later: Run,
    pub earlier: Run,
}

#[derive(Debug, Default)]
pub struct Journal {
    pub starts: BTreeMap<String, Vec<Run>>,
    pub ends: BTreeMap<String, Vec<Run>>,
    pub overlaps: Vec<Overlap>,
}

impl Journal {
    pub fn read(world: &World) -> Journal {
        let mut journal = Journal::default();
        for line in world.lines("journal") {
            let words: Vec<&str> = line.split(' ').collect();
            let [kind, unit, machine, at, rest @ ..] = &words[..] else { panic!("a line is torn: {line:?}") };
            let run = |machine: &str, at: &str| Run { machine: machine.to_owned(), at: at.parse().unwrap() };
            let (unit, later) = ((*unit).to_owned(), run(machine, at));
            match (*kind, rest) {
                ("start", _) => journal.starts.entry(unit).or_default().push(later),
                ("end", _) => journal.ends.entry(unit).or_default().push(later),
                ("overlap", [machine, since]) => {
                    journal.overlaps.push(Overlap { unit, later, earlier: run(machine, since) });
                }
                _ => panic!("a line is torn: {line:?}"),
            }
        }
        journal
    }
}

/// Says what excuses a run that is alive at a time although its unit is another manager's by then, or has ended.
pub fn excuse(run: &Run, at: f64, spells: &[Spell], kills: &[(String, f64)]) -> Option<Excuse> {
    let lease = LEASE.as_secs_f64();
    let excuses = |spell: &&Spell| {
        let is_here = spell.machine.as_ref().is_none_or(|machine| *machine == run.machine);
        let lasted = spell.to - spell.from;
        // What has begun before goes on working for a while: nobody is told at once that it is over.
        let after = match spell.excuse {
            // The next try comes after as long again.
            Excuse::Cut => lasted + 1.0,
            Excuse::Suspended => 1.0,
            Excuse::Unwatched => 2.0,
            Excuse::Away => lease,
            Excuse::Failover => f64::INFINITY,
        };
        let is_enough = match spell.excuse {
            Excuse::Away => lasted > lease / 2.0,
            Excuse::Unwatched => {
                kills.iter().any(|(machine, time)| *machine == run.machine && *time >= run.at - 0.5 && *time <= at)
            }
            Excuse::Cut => !CUT_OFF_UNITS_END,
            Excuse::Suspended | Excuse::Failover => true,
        };
        is_here && is_enough && spell.from <= at && spell.to + after >= run.at - lease
    };
    spells.iter().filter(excuses).map(|spell| spell.excuse).min()
}
