//! Whole-process tests: real managers, real signals, real files.

mod cli;
mod control;
mod detach;
mod examples;
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
mod recovery;
mod soak;
mod support;
