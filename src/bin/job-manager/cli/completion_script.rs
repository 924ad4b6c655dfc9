//! What a shell has to read so that it asks this program at each Tab.

use clap_complete::env::Shells;

/// Set by the scripts: the name of the shell that asks.
pub(super) const VARIABLE: &str = "JOB_MANAGER_COMPLETE";
/// What the scripts call, by the search path: the program that made a script may have moved.
pub(super) const PROGRAM: &str = "job-manager";
/// Ours, because bash splits words at colons.
const BASH: &str = include_str!("complete/job-manager.bash");

/// Returns the script for a shell.
pub(super) fn script(shell: &str) -> Vec<u8> {
    if shell == "bash" {
        return BASH.into();
    }
    let mut script = Vec::new();
    if let Some(completer) = Shells::builtins().completer(shell) {
        completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script).expect("memory takes all");
    }
    script
}
