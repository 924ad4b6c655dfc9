//! Whole-process tests: real managers, real signals, real files.

mod adapted_groups;
mod agreement;
mod approvals;
mod at_most_once;
mod backpressure;
mod bytes;
#[cfg(feature = "postgres")]
mod callers_on_server;
mod changed_units;
mod cli;
mod coming_from;
mod completion;
mod config;
mod control;
mod copy;
mod creates;
#[cfg(feature = "postgres")]
mod cut_off;
mod cycles;
mod damaged_databases;
#[cfg(feature = "serve")]
mod dashboard;
#[cfg(feature = "serve")]
mod dashboard_access;
#[cfg(feature = "serve")]
mod dashboard_api;
#[cfg(feature = "serve")]
mod dashboard_bounds;
#[cfg(feature = "serve")]
mod dashboard_page;
#[cfg(all(feature = "mcp", feature = "serve"))]
mod database_path;
mod detach;
#[cfg(feature = "postgres")]
mod doctor_on_server;
mod driver;
mod escape;
mod examples;
mod explain;
mod failures;
mod fair_and_small;
mod faults_copies;
mod faults_database;
mod faults_disk;
mod faults_identity;
mod faults_liveness;
mod faults_manager;
#[cfg(feature = "mcp")]
mod faults_mcp;
mod faults_small;
mod faults_stop;
mod faults_syscalls;
mod faults_units;
mod foreign_text;
mod groups;
mod handlers;
mod handlers_that_stay;
mod help;
#[cfg(feature = "postgres")]
mod hosts;
#[cfg(all(feature = "mcp", feature = "postgres", feature = "serve"))]
mod hosts_shown;
mod inherited;
mod inside;
mod items;
mod job_keys;
mod json_answers;
mod judged;
#[cfg(all(feature = "postgres", feature = "crash-points"))]
mod kill_loop;
mod last_attempts;
mod last_units;
mod late_words;
mod later;
mod layers;
mod leftover_processes;
mod library;
mod library_callers;
mod library_handlers;
mod listed;
mod lists;
#[cfg(feature = "postgres")]
mod lost_hosts;
mod manager_log;
mod managers;
mod manual;
#[cfg(feature = "postgres")]
mod many_hosts;
mod many_machines;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "mcp")]
mod mcp_answers;
#[cfg(feature = "mcp")]
mod mcp_bounds;
#[cfg(feature = "mcp")]
mod mcp_bundle;
#[cfg(feature = "mcp")]
mod mcp_clients;
#[cfg(feature = "mcp")]
mod mcp_faces;
#[cfg(feature = "mcp")]
mod mcp_lines;
#[cfg(feature = "mcp")]
mod mcp_long_calls;
#[cfg(feature = "mcp")]
mod mcp_offer;
#[cfg(all(feature = "mcp", feature = "schema"))]
mod mcp_options;
#[cfg(feature = "mcp")]
mod mcp_questions;
#[cfg(feature = "mcp")]
mod mcp_resources;
#[cfg(feature = "mcp")]
mod mcp_schemas;
#[cfg(feature = "mcp")]
mod mcp_sdk;
#[cfg(feature = "mcp")]
mod mcp_tasks;
#[cfg(feature = "mcp")]
mod mcp_transcripts;
mod memory;
mod meters;
#[cfg(feature = "serve")]
mod monitoring;
mod nothing_left;
mod notify;
mod numbers;
mod older_databases;
#[cfg(feature = "postgres")]
mod older_server;
#[cfg(feature = "postgres")]
mod on_server;
mod out;
mod output;
mod own_variables;
mod owners;
mod parallel;
mod pilot;
mod planted;
mod policies;
#[cfg(feature = "postgres")]
mod postgres;
mod programs;
mod prune;
mod reading;
mod recover;
mod recovery;
mod rehearsal;
mod requests_at_death;
mod resources;
mod review;
mod run_output;
mod secrets;
#[cfg(feature = "postgres")]
mod server_away;
#[cfg(feature = "postgres")]
mod server_costs;
#[cfg(feature = "postgres")]
mod server_database;
#[cfg(feature = "postgres")]
mod server_rights;
mod service;
mod several;
mod several_at_once;
#[cfg(feature = "postgres")]
mod shared_limits;
#[cfg(feature = "postgres")]
mod shared_units;
mod shell_path;
mod silence;
mod skip;
mod slots;
mod soak;
mod source_files;
mod sources;
mod spans;
mod support;
mod sync;
mod tables;
mod templates;
mod top;
mod tracing;
mod unreadable;
mod unwatched;
mod waiting;
#[cfg(feature = "postgres")]
mod work;
