//! Who is told of what happens in a job of commands, besides the service that runs its manager.

use std::path::Path;

use super::CommandSpec;
use super::{hook, told};
use crate::handler::callbacks::Callbacks;
use crate::model::TraceContext;

/// Returns those whom the settings of a job name; none where they name nobody.
pub(super) fn of(spec: &CommandSpec, db: &Path, trace: Option<&TraceContext>) -> Option<Callbacks> {
    let mut listeners = Callbacks::default();
    if let Some(program) = &spec.hook {
        hook::add(&mut listeners, program, &spec.cwd, db, trace);
    }
    if let Some(notify) = &spec.notify {
        told::add(&mut listeners, notify, &spec.cwd, db);
    }
    (spec.hook.is_some() || spec.notify.is_some()).then_some(listeners)
}
