//! What libpq makes of a text that names a PostgreSQL database: the one door to its parser, and to nothing else of it.
//!
//! Rules, defaults, `PG*` variables and service files are libpq's own, whichever version is linked; nothing is connected
//! to. Known weakness: libpq has no call that resolves a service and does not connect. A connection that is begun with a
//! value which libpq refuses before it looks for any host is one.

use std::ffi::{CStr, c_char};
use std::ptr::null;

use pq_sys::{
    PQconnectStartParams, PQconninfo, PQconninfoFree, PQconninfoOption, PQconninfoParse, PQerrorMessage, PQfinish,
    PQfreemem,
};

/// One setting of a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as in a connection string.
    pub keyword: String,
    /// Its value.
    pub value: Vec<u8>,
    /// Whether it is what libpq takes when nobody says anything.
    pub is_default: bool,
}

/// Refused before any host is looked for; what it stands for is asked for by [`given`].
const UNRESOLVED: &CStr = c"target_session_attrs";
/// No value of it, and in libpq's answer then.
const REFUSED: &CStr = c"nothing is connected to";

/// Returns the settings that a URL or connection string names itself.
///
/// # Errors
/// What libpq says about it, which may repeat any part of the text: a password too.
pub fn given(text: &CStr) -> Result<Vec<Setting>, String> {
    let mut refusal: *mut c_char = std::ptr::null_mut();
    // SAFETY: both pointers are valid for the call; what it returns is freed below.
    let options = unsafe { PQconninfoParse(text.as_ptr(), &raw mut refusal) };
    if options.is_null() {
        let said = text_of(refusal);
        // SAFETY: libpq has allocated it, or it is null, which is allowed.
        unsafe { PQfreemem(refusal.cast()) };
        return Err(said);
    }
    Ok(take(options))
}

/// Returns the settings with which libpq would connect to what the text names: with defaults, `PG*` variables and the
/// entries of a service, but for `target_session_attrs`.
///
/// # Errors
/// What libpq says about it, which may repeat any part of the text.
pub fn resolved(text: &CStr) -> Result<Vec<Setting>, String> {
    let keywords = [c"dbname".as_ptr(), UNRESOLVED.as_ptr(), null()];
    let values = [text.as_ptr(), REFUSED.as_ptr(), null()];
    // SAFETY: both arrays end with a null pointer and are valid for the call; the connection is freed below.
    let connection = unsafe { PQconnectStartParams(keywords.as_ptr(), values.as_ptr(), 1) };
    // SAFETY: a connection that could not be made is null, which both calls take.
    let (said, options) = unsafe { (text_of(PQerrorMessage(connection)), PQconninfo(connection)) };
    // SAFETY: it is not used any more; null is allowed.
    unsafe { PQfinish(connection) };
    let settings = if options.is_null() { Vec::new() } else { take(options) };
    if said.contains(&*REFUSED.to_string_lossy()) { Ok(settings) } else { Err(said) }
}

/// Copies the settings that have values, and frees libpq's.
fn take(options: *mut PQconninfoOption) -> Vec<Setting> {
    let mut settings = Vec::new();
    let mut next = options;
    // SAFETY: the array ends with an entry without a keyword; each text in it is null or ends with a zero byte.
    while let Some(option) = unsafe { next.as_ref() }.filter(|option| !option.keyword.is_null()) {
        if let Some(value) = bytes_of(option.val).filter(|value| !value.is_empty()) {
            let is_default = bytes_of(option.compiled).as_ref() == Some(&value);
            settings.push(Setting { keyword: text_of(option.keyword), value, is_default });
        }
        // SAFETY: this entry is not the last one.
        next = unsafe { next.add(1) };
    }
    // SAFETY: libpq has allocated it, and nothing of it is kept.
    unsafe { PQconninfoFree(options) };
    settings
}

fn text_of(text: *const c_char) -> String {
    bytes_of(text).map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).unwrap_or_default()
}

fn bytes_of(text: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: libpq's texts end with a zero byte.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LIBPQ_VARIABLES;

    /// Returns the variables that libpq reads settings from.
    fn variables() -> Vec<String> {
        let mut names = Vec::new();
        // SAFETY: what it returns is read up to its last entry, and freed.
        unsafe {
            let options = pq_sys::PQconndefaults();
            let mut option = options;
            while !(*option).keyword.is_null() {
                if !(*option).envvar.is_null() {
                    names.push(text_of((*option).envvar));
                }
                option = option.add(1);
            }
            PQconninfoFree(options);
        }
        names
    }

    fn value(settings: &[Setting], word: &str) -> Option<String> {
        let found = settings.iter().find(|setting| setting.keyword == word)?;
        Some(String::from_utf8(found.value.clone()).unwrap())
    }

    #[test]
    fn every_variable_that_libpq_reads_is_kept_from_units() {
        for name in variables() {
            assert!(LIBPQ_VARIABLES.contains(&&*name), "{name}");
        }
    }

    #[test]
    fn a_text_is_resolved_without_a_connection() {
        let settings =
            resolved(c"postgres://joe@host.invalid/a%2Fb?connect_timeout=3&target_session_attrs=any").unwrap();

        for (word, expected) in [("host", "host.invalid"), ("user", "joe"), ("dbname", "a/b"), ("connect_timeout", "3")]
        {
            assert_eq!(value(&settings, word).as_deref(), Some(expected));
        }
        assert!(settings.iter().any(|setting| setting.keyword == "port" && setting.is_default));
        assert!(
            resolved(c"postgres:///?service=no-such-service")
                .err()
                .is_some_and(|said| said.contains("no-such-service"))
        );
        assert!(given(c"postgres://host/x?sslmod=require").is_err());
    }
}
