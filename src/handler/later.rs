//! What an attempt under way has said of the time of the next one, in a file of its unit until the attempt has ended.
//!
//! The file is written whole, under another name first, and is durable with its name before whoever said it is told so. It
//! names its attempt: one that is left there says nothing of any other. The manager removes it once the end of that attempt is
//! committed; after the death of a manager the next one takes the attempt at its word.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::files::{How, PrivateDir, if_there, open_private};
use crate::model::{AttemptId, JobFiles, Postponement, Seq};

/// The word of one attempt.
#[derive(Debug, Serialize, Deserialize)]
struct Word {
    attempt: AttemptId,
    later: Postponement,
}

/// Keeps what an attempt says; durable when it returns. A later word replaces the one before.
pub fn keep_word(files: &JobFiles, attempt: AttemptId, later: &Postponement) -> io::Result<()> {
    let dir = PrivateDir::create(&files.later())?;
    let (name, own_name) = (attempt.seq.to_string(), format!("{}.{}", attempt.seq, std::process::id()));
    let text = serde_json::to_vec(&Word { attempt, later: later.clone() }).expect("a word is made of numbers and text");
    let mut file = dir.file(&own_name, How::Replace)?;
    file.write_all(&text)?;
    file.sync_all()?;
    dir.rename(&own_name, &name)?;
    File::open(files.later())?.sync_all()
}

/// Returns what was said last by an attempt at a unit, and by which; most say nothing, which costs one look for a file.
///
/// # Errors
/// When there is a word that cannot be read.
pub fn last_word(files: &JobFiles, unit: Seq) -> io::Result<Option<(AttemptId, Postponement)>> {
    let path = files.later().join(unit.to_string());
    if if_there(fs::symlink_metadata(&path))?.is_none() {
        return Ok(None);
    }
    let Some(mut file) = if_there(open_private(&path, How::Read))? else { return Ok(None) };
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let word: Word = serde_json::from_slice(&text).map_err(io::Error::other)?;
    Ok(Some((word.attempt, word.later)))
}

/// Returns what an attempt said.
pub fn word_of(files: &JobFiles, attempt: AttemptId) -> io::Result<Option<Postponement>> {
    let said = last_word(files, attempt.seq)?;
    Ok(said.filter(|(of, _)| *of == attempt).map(|(_, later)| later))
}

/// Removes the word of a unit whose attempt has its end; a failure leaves it behind, where it says nothing any more.
pub fn forget_word(files: &JobFiles, unit: Seq) {
    let _ = fs::remove_file(files.later().join(unit.to_string()));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{JobId, StateDir, When};

    #[test]
    fn a_word_is_that_of_one_attempt_and_the_last_one_holds() {
        let dir = tempfile::tempdir().unwrap();
        let files = StateDir::beside(&dir.path().join("jobs.db")).job(JobId(1));
        let attempt = AttemptId { seq: Seq(7), revision: 1, attempt: 1, started_us: 5 };
        let later = |s| Postponement::new(When::After(Duration::from_secs(s)), "not yet".to_owned());

        assert_eq!(word_of(&files, attempt).unwrap(), None);
        keep_word(&files, attempt, &later(1)).unwrap();
        keep_word(&files, attempt, &later(2)).unwrap();
        assert_eq!(word_of(&files, attempt).unwrap(), Some(later(2)));
        assert_eq!(word_of(&files, AttemptId { started_us: 6, ..attempt }).unwrap(), None);
        forget_word(&files, Seq(7));
        assert_eq!(word_of(&files, attempt).unwrap(), None);
        assert_eq!(fs::read_dir(files.later()).unwrap().count(), 0);
    }
}
