//! How a desktop or an address is told of the first failed unit, and of the end or the pause of a job.
//!
//! No unit waits for it: the first failure is told by a thread of its own, and the end when nothing else is left to do. What goes
//! wrong is in the status of the job and in the manager's log. An address is told by `curl`, which reads everything but its own options
//! from standard input, so that nothing of it stands among the arguments of a process.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use super::listener::{Listener, NotTold};
use super::notify::{Notify, NotifyTo};
use crate::handler::callbacks::{Callbacks, JobReport, UnitReport};
use crate::model::{NOTIFY_KEY, Progress, Timestamp, UnitStatus, counted};

/// Time that one message may take, and after which the program that sends it is ended.
const SECONDS: u64 = 10;
const TIMEOUT: Duration = Duration::from_secs(SECONDS + 5);
/// Characters of an error that are told.
const ERROR_CHARS: usize = 500;

/// What is told.
struct Message {
    event: &'static str,
    /// In words.
    title: String,
    text: String,
    job: Value,
    unit: Option<Value>,
}

/// Adds the listeners that tell it.
pub(super) fn add(listeners: &mut Callbacks, notify: &Notify, cwd: &Path, db: &Path) {
    let told = Arc::new(Told {
        notify: notify.clone(),
        listener: Listener::new(&notify.program, cwd, db, None, TIMEOUT),
        first_failure: Mutex::default(),
    });
    let of_units = Arc::clone(&told);
    listeners.unit_failed.push(Arc::new(move |report: &UnitReport| {
        of_units.begin_to_tell(report);
        Ok(())
    }));
    let leaving = Arc::clone(&told);
    listeners.leave.push(Arc::new(move |()| leaving.finish_first()));
    listeners.job_end.push(Arc::new(move |report: &JobReport| told.tell_end(report)));
}

impl Message {
    /// Returns the arguments of the program and what it reads.
    fn call(&self, notify: &Notify, key: Option<&[u8]>) -> Result<(Vec<OsString>, Vec<u8>), String> {
        let url = match &notify.to {
            NotifyTo::Desktop => {
                // Some desktops read the text as markup.
                let plain = self.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                let words = ["--app-name=job-manager", "--", &self.title, &plain];
                return Ok((words.map(OsString::from).into(), Vec::new()));
            }
            NotifyTo::Url(url) => url,
        };
        let mut document = json!({
            "schema": 1, "event": self.event, "at": Timestamp::now(), "text": format!("{}: {}", self.title, self.text),
            "job": self.job,
        });
        if let Some(unit) = &self.unit {
            document["unit"] = unit.clone();
        }
        let body = document.to_string();
        let mut settings = vec![
            ("url", url.clone()),
            ("request", "POST".to_owned()),
            ("proto", "=http,https".to_owned()),
            ("max-time", SECONDS.to_string()),
            ("output", "/dev/null".to_owned()),
            ("write-out", "%{http_code}".to_owned()),
            ("header", "Content-Type: application/json".to_owned()),
        ];
        if notify.is_signed {
            let key = key.ok_or_else(|| format!("{NOTIFY_KEY} is not set where the manager was started"))?;
            let signature = signature(key, body.as_bytes())
                .ok_or("this program was built without the feature notify, which is needed to sign messages")?;
            settings.push(("header", format!("X-Job-Manager-Signature: sha256={signature}")));
        }
        settings.push(("data-raw", body));
        let quoted =
            |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
        let mut input = "silent\nshow-error\ngloboff\n".to_owned();
        settings.iter().for_each(|(name, value)| input.push_str(&format!("{name} = \"{}\"\n", quoted(value))));
        // Nothing that a user's own settings say.
        Ok((["-q", "--config", "-"].map(OsString::from).into(), input.into_bytes()))
    }
}

/// What a manager does about it.
struct Told {
    notify: Notify,
    listener: Listener,
    /// Tells the first failure; nothing before there was one.
    first_failure: Mutex<Option<JoinHandle<Result<(), String>>>>,
}

impl Told {
    fn begin_to_tell(self: &Arc<Self>, report: &UnitReport) {
        let mut first = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
        if first.is_none() {
            let error = beginning(report.error.as_deref().unwrap_or_default());
            let message = Message {
                event: "first_failure",
                title: format!("Job {} ({})", report.job, report.job_name),
                text: format!("unit {} has failed: {error}", report.seq),
                job: json!({ "id": report.job, "name": report.job_name }),
                unit: Some(json!({
                    "seq": report.seq, "key": report.key, "attempts": report.attempts, "error": error,
                })),
            };
            let own = Arc::clone(self);
            // Where no thread can be had, the next failure tries again.
            *first = std::thread::Builder::new().name("notify".to_owned()).spawn(move || own.tell(&message)).ok();
        }
    }

    /// Waits for the message of the first failure, if it is under way.
    fn finish_first(&self) -> Result<(), String> {
        let before = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        before.map_or(Ok(()), |told| told.join().unwrap_or_else(|_| Err("it panicked".to_owned())))
    }

    fn tell_end(&self, report: &JobReport) -> Result<(), String> {
        let first = self.finish_first();
        let JobReport { job: id, name, status, progress } = report;
        let end = self.tell(&Message {
            event: if status.is_terminal() { "job_ended" } else { "job_paused" },
            title: format!("Job {id} ({name})"),
            text: format!("{status}: {}", counts(progress)),
            job: json!({ "id": id, "name": name, "status": status, "progress": progress }),
            unit: None,
        });
        match (first, end) {
            (Err(first), Err(end)) => Err(format!("{first}; {end}")),
            (first, end) => first.and(end),
        }
    }

    fn tell(&self, message: &Message) -> Result<(), String> {
        let key = std::env::var_os(NOTIFY_KEY).filter(|key| !key.is_empty());
        let key = key.as_ref().map(|key| key.as_encoded_bytes());
        let told = message.call(&self.notify, key).and_then(|(arguments, input)| {
            self.listener.run(arguments, &input).map_err(|error| match error {
                NotTold::TooSlow => format!("took longer than {TIMEOUT:?}"),
                NotTold::Failed(failed) => failed,
            })
        });
        let told = told.and_then(|said| match (&self.notify.to, &*said.to_string_lossy()) {
            // Whoever sends it elsewhere has not taken it.
            (NotifyTo::Url(_), code) if !code.starts_with('2') => Err(format!("it answered {code}")),
            _ => Ok(()),
        });
        told.map_err(|failed| format!("notification of {} to {}: {failed}", message.event, self.notify.to.shown()))
    }
}

fn counts(progress: &Progress) -> String {
    let mut text = format!("{} of {} completed", progress.completed, counted(progress.total, "unit"));
    for (state, count) in progress.by_state().into_iter().filter(|(_, count)| *count > 0) {
        if state != UnitStatus::Completed {
            text.push_str(&format!(", {count} {state}"));
        }
    }
    text
}

fn beginning(error: &str) -> String {
    match error.char_indices().nth(ERROR_CHARS) {
        Some((end, _)) => format!("{}…", &error[..end]),
        None => error.to_owned(),
    }
}

/// Returns the HMAC of a message by SHA-256, in hexadecimal digits; none where that was not built in.
#[cfg(feature = "notify")]
fn signature(key: &[u8], message: &[u8]) -> Option<String> {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(not(feature = "notify"))]
fn signature(_: &[u8], _: &[u8]) -> Option<String> {
    None
}

#[cfg(all(test, feature = "notify"))]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_rfc_4231() {
        let of = signature(b"Jefe", b"what do ya want for nothing?").unwrap();
        assert_eq!(of, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
