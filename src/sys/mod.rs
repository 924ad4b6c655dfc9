//! The operating system: detaching, locks, process identity, signals, unit processes and their orphans.
//!
//! All `unsafe`, sysinfo, most of nix and rustix, and every assumption about Linux stand here, so that they can be
//! reviewed whole. Nothing here knows a job or the database.
//!
//! Known weakness: only Linux is supported; pidfd and `/proc` have no stand-in yet.

mod adopted;
mod boot_clock;
mod containment;
mod detach;
mod disk;
mod event_fd;
mod frame_walk;
mod frames;
mod group;
mod inherited;
mod lack;
mod life_sign;
mod lock;
mod machine;
mod memory;
mod memory_scope;
mod notes;
mod orphans;
mod own_program;
mod process;
mod process_end;
mod scope;
mod segments;
mod signals;
mod slot;
mod spawn_error;
mod stderr;
mod unit_command;
mod unit_process;
mod walk;
mod writer;
mod zone;

pub use adopted::Adopted;
pub use boot_clock::{BootPause, since_boot};
pub use containment::{Containment, Linger, containment, linger};
pub use detach::{LaunchPlan, Launched, become_manager, close_ready_pipe, detach_and_respawn, launch, write_ready};
#[cfg(feature = "sources")]
pub use disk::expect_writable;
pub use disk::{disk_of, is_another, is_in_place, most_open_files};
pub use event_fd::EventFd;
pub use frame_walk::FrameWalk;
pub use frames::{FrameOf, Stream};
pub use group::any_is_adopted;
pub use inherited::{
    OPEN_FILES_BESIDE_UNITS, OPEN_FILES_PER_UNIT, allow_open_files, inherit, opening, own_inheritance,
};
pub use lack::{expect_room, lack_of, spare_threads};
pub use life_sign::{LifeSign, show_life};
pub use lock::{JobLock, LockProbe, SharedLock};
pub use machine::{Load, Machine};
pub use memory_scope::{MemoryHome, MemoryHomeError, MemoryScope, join_if_asked};
pub use notes::SlotNotes;
pub use orphans::{COOKIE_VARIABLE, Cookie, Orphans, Stray, end_lock_holders, end_orphans, strays};
pub use own_program::{own_executable, own_program};
pub use process::{ProcessVerdict, own_identity, signal_process, verify_process};
pub use process_end::ProcessEnd;
pub use scope::reach_user_manager;
pub use scope::{SCOPE_PREFIX, Scope, ScopeError, try_scope};
pub use segments::{SegmentReader, SegmentSync, SegmentWriter, sync_segments};
pub use signals::{StopFlags, install_stop_flags, signal_name};
pub use slot::{SlotError, SlotFile};
pub use spawn_error::{SpawnError, is_busy_program, is_no_program};
pub use stderr::replace_stderr;
pub use unit_command::{Environment, UnitCommand};
pub use unit_process::{Ending, Streams, Times, UnitProcess};
pub use walk::{AttemptPlace, AttemptWalk, attempt_output};
pub use writer::Writer;
pub use zone::{ZoneError, own_zone, zone_of};
