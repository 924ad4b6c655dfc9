//! The text that names a database on a server: a URL, taken apart by libpq.
//!
//! What is kept is what libpq makes of it here and now, with `PG*` variables and services, because it is read again by
//! processes that do not have them. Written again it is a URL whose parts are all behind the `?`, which takes any byte.

use std::ffi::{CString, OsString};
use std::fmt::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::error::PostgresError;
use super::options::{OPTIONS, options};
use super::percent::percent;
use crate::libpq::{Setting, given, resolved};
use crate::store::access::Access;

const SCHEMES: [&[u8]; 2] = [b"postgres://", b"postgresql://"];
const PASSWORD: &str = "password";
const TARGET: &str = "target_session_attrs";
const APPLICATION: &str = "application_name";
/// Not kept, and not connected with: the password goes another way, and diesel speaks UTF-8.
const OURS: [&str; 4] = [PASSWORD, "client_encoding", "fallback_application_name", "service"];
/// What a connection has unless its address says something else. A server that is cut off is given up in 8 s, keepalive or not.
const UNLESS_GIVEN: [(&str, &str); 7] = [
    (APPLICATION, "job-manager"),
    ("connect_timeout", "10"),
    ("keepalives", "1"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "8000"),
];

/// Where a database is, and how one gets in.
pub(super) struct Address {
    settings: Vec<Setting>,
    password: Option<Vec<u8>>,
}

/// Returns `true` for a text that is the URL of a PostgreSQL database. As to libpq, its scheme is in small letters.
pub fn is_address(text: &Path) -> bool {
    SCHEMES.iter().any(|scheme| text.as_os_str().as_bytes().starts_with(scheme))
}

/// Returns `true` if a URL has a password in it, or what may be one; such a text is not for arguments of a process.
pub fn has_password(text: &Path) -> bool {
    if !is_address(text) {
        return false;
    }
    match CString::new(text.as_os_str().as_bytes()).map(|text| given(&text)) {
        Ok(Ok(settings)) => {
            let is_secret = |setting: &Setting| [PASSWORD, "sslpassword"].contains(&setting.keyword.as_str());
            settings.iter().any(is_secret) || misplaced(text).is_some()
        }
        // What cannot be read is refused before it is used.
        _ => false,
    }
}

/// Returns a URL for people, without the password in it and what libpq takes anyway; none for what is no URL, or cannot be read.
pub fn without_password(text: &Path) -> Option<String> {
    if !is_address(text) {
        return None;
    }
    Some(Address::parse(text).ok()?.line())
}

impl Address {
    /// Reads a URL; nothing is connected to.
    pub fn parse(text: &Path) -> Result<Address, PostgresError> {
        let not_read = |said: &str| PostgresError::Address { reason: without_quotes(said, text) };
        let wrong = |reason: &str| PostgresError::Address { reason: reason.to_owned() };
        if let Some(reason) = misplaced(text) {
            return Err(wrong(reason));
        }
        let c_text = CString::new(text.as_os_str().as_bytes()).map_err(|_| wrong("it has a zero byte"))?;
        let named = given(&c_text).map_err(|said| not_read(&said))?;
        let mut settings = resolved(&c_text).map_err(|said| not_read(&said))?;
        settings.retain(|setting| setting.keyword != TARGET);
        settings.extend(named.into_iter().filter(|setting| setting.keyword == TARGET));
        // What libpq looks for anyway; it names it only where there is no password.
        let passfile = std::env::home_dir().map(|home| home.join(".pgpass"));
        for setting in settings.iter_mut().filter(|setting| setting.keyword == "passfile") {
            setting.is_default = passfile.as_ref().is_some_and(|file| file.as_os_str().as_bytes() == setting.value);
        }
        let value = |word: &str| settings.iter().find(|setting| setting.keyword == word).map(|found| &*found.value);
        let is_number =
            |port: &[u8]| port.is_empty() || str::from_utf8(port).is_ok_and(|port| port.parse::<u16>().is_ok());
        if !value("port").unwrap_or_default().split(|&byte| byte == b',').all(is_number) {
            return Err(wrong("its port is no number: a name and a password are followed by @ and a host"));
        }
        if value("host").is_some_and(|host| host.contains(&b'@')) {
            return Err(wrong(PERCENT));
        }
        if value("replication").is_some_and(|value| !is_off(value)) {
            return Err(wrong("a connection for replication runs no statements"));
        }
        if value("sslpassword").is_some() {
            return Err(wrong("sslpassword is not handed on: name a key without one by sslkey"));
        }
        let password = value(PASSWORD).map(<[u8]>::to_vec);
        settings.retain(|setting| !OURS.contains(&setting.keyword.as_str()));
        Ok(Address { settings, password })
    }

    /// Returns the database for messages: hosts, port and name.
    pub fn name(&self) -> String {
        let text = |word| self.value(word).map(String::from_utf8_lossy).unwrap_or_default();
        let host = self.value("host").or(self.value("hostaddr")).map(String::from_utf8_lossy);
        let port = if text("port") == "5432" { String::new() } else { format!(" port {}", text("port")) };
        let place = host.map_or_else(|| "the local server".to_owned(), |host| format!("host {host}"));
        format!("PostgreSQL database {} on {place}{port}", text("dbname"))
    }

    /// Returns the address as one line, without the password and what libpq takes anyway.
    pub fn line(&self) -> String {
        let kept = self.settings.iter().filter(|setting| !setting.is_default || setting.keyword == "port");
        url(kept.map(|setting| (setting.keyword.as_str(), &*setting.value)))
    }

    /// Returns what is connected with; `mark` is in the session's settings afterwards.
    pub fn conninfo(&self, access: Access, mark: &str) -> String {
        let options = options(mark, self.value(OPTIONS));
        let mut all: Vec<(&str, &[u8])> = Vec::new();
        for setting in &self.settings {
            let is_ours = setting.keyword == OPTIONS || (setting.keyword == TARGET && access != Access::Read);
            let is_replaced = setting.is_default && UNLESS_GIVEN.iter().any(|(word, _)| *word == setting.keyword);
            if !is_ours && !is_replaced {
                all.push((&setting.keyword, &setting.value));
            }
        }
        for (word, value) in UNLESS_GIVEN {
            if !all.iter().any(|(other, _)| *other == word) {
                all.push((word, value.as_bytes()));
            }
        }
        if access != Access::Read {
            all.push((TARGET, b"read-write"));
        }
        all.push((OPTIONS, &options));
        all.extend(self.password.as_deref().map(|password| (PASSWORD, password)));
        url(all.into_iter())
    }

    /// Returns the password, as the value of a variable.
    pub fn password(&self) -> Option<OsString> {
        self.password.clone().map(OsString::from_vec)
    }

    /// Returns a text with the password taken out of it.
    pub fn without_password(&self, text: &str) -> String {
        match self.password.as_deref().map(String::from_utf8_lossy) {
            Some(password) if !password.is_empty() => text.replace(&*password, "…"),
            _ => text.to_owned(),
        }
    }

    fn value(&self, word: &str) -> Option<&[u8]> {
        self.settings.iter().find(|setting| setting.keyword == word).map(|found| &*found.value)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.line()).finish()
    }
}

/// Returns `true` for the words by which libpq's users say no.
fn is_off(value: &[u8]) -> bool {
    ["0", "off", "no", "false"].iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

fn url<'a>(settings: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut text = "postgresql:///".to_owned();
    for (number, (word, value)) in settings.enumerate() {
        let between = if number == 0 { '?' } else { '&' };
        write!(text, "{between}{word}={}", percent(value, b"/,:@-._~")).expect("a String takes any text");
    }
    text
}

const PERCENT: &str = "it has an @ too many: write %40 for one in a name or a password, and %2F for a / there";

/// Says what is wrong with a URL that libpq would take apart elsewhere than meant, so that the end of a password became
/// the name of a host or a database.
fn misplaced(text: &Path) -> Option<&'static str> {
    let bytes = text.as_os_str().as_bytes();
    let rest = SCHEMES.iter().find_map(|scheme| bytes.strip_prefix(*scheme))?;
    // Libpq looks for the end of name and password up to there.
    let end = rest.iter().position(|byte| b"@/".contains(byte)).unwrap_or(rest.len());
    let after = rest.get(end + 1..).unwrap_or_default();
    let place = after.split(|&byte| byte == b'?').next().unwrap_or_default();
    place.contains(&b'@').then_some(PERCENT)
}

/// Returns libpq's words about a text without what they repeat of it; the name of a parameter is kept where no
/// password can be.
fn without_quotes(said: &str, text: &Path) -> String {
    let said = said.lines().next().unwrap_or_default();
    let (Some(first), Some(last)) = (said.find('"'), said.rfind('"')) else { return said.to_owned() };
    let quoted = said.get(first + 1..last).unwrap_or_default();
    let is_word = !quoted.is_empty() && quoted.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let bytes = text.as_os_str().as_bytes();
    let is_parameter = |before: &u8| {
        let parameter = [&[*before], quoted.as_bytes(), b"="].concat();
        bytes.windows(parameter.len()).any(|part| part == parameter)
    };
    let is_service = said.starts_with("definition of service");
    if is_service || (is_word && !bytes.contains(&b'@') && b"?&".iter().any(is_parameter)) {
        return said.to_owned();
    }
    format!("{}\"…\"{}", &said[..first], &said[last + 1..])
}

#[cfg(test)]
mod tests;
