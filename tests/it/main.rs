//! Whole-process tests: real managers, real signals, real files.

mod cli;
mod control;
mod detach;
mod examples;
mod explain;
mod failures;
mod faults_database;
mod faults_disk;
mod faults_identity;
mod faults_liveness;
mod faults_stop;
mod faults_syscalls;
mod faults_units;
mod handlers;
mod inside;
mod layers;
mod library;
mod output;
mod policies;
mod prune;
mod recover;
mod recovery;
mod skip;
mod soak;
mod support;
mod sync;
