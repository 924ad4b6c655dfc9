//! Who is told of the first failed unit and of the end or the pause of a job, besides its hook.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{host_and_port, raw_path};

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum NotifyTo {
    /// The desktop of whoever starts the manager.
    Desktop,
    /// An address that takes a POST.
    Url(String),
}

/// A text that is neither `desktop` nor an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyToError {
    /// Something else.
    #[error("expected desktop or a URL that begins with https:// or http://")]
    NoAddress,
    /// It would stand in the database and in what is shown of the job.
    #[error(
        "the URL contains a user name or password, which anyone who can read the job could see: sign messages with JOB_MANAGER_NOTIFY_KEY instead"
    )]
    Credentials,
    /// No host, or a port that is none.
    #[error("the URL has no host, or a port that is not a number from 1 to 65535")]
    Host,
    /// A blank or another character that no address has.
    #[error("the URL contains a character that URLs cannot have: percent-encode it")]
    Character,
}

impl FromStr for NotifyTo {
    type Err = NotifyToError;

    fn from_str(text: &str) -> Result<NotifyTo, NotifyToError> {
        if text == "desktop" {
            return Ok(NotifyTo::Desktop);
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        match authority {
            None | Some("") => Err(NotifyToError::NoAddress),
            Some(authority) if authority.contains('@') => Err(NotifyToError::Credentials),
            Some(authority) if host_and_port(authority).is_none() => Err(NotifyToError::Host),
            _ if text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\{}<>^`|".contains(&byte)) => {
                Ok(NotifyTo::Url(text.to_owned()))
            }
            _ => Err(NotifyToError::Character),
        }
    }
}

impl NotifyTo {
    /// Returns it as everybody may see it: the path of an address may be the secret of whoever gave it out.
    pub fn shown(&self) -> String {
        match self {
            Self::Desktop => self.to_string(),
            Self::Url(url) => url.splitn(4, ['/', '?', '#']).take(3).collect::<Vec<_>>().join("/"),
        }
    }
}

impl TryFrom<String> for NotifyTo {
    type Error = NotifyToError;

    fn try_from(text: String) -> Result<NotifyTo, NotifyToError> {
        text.parse()
    }
}

impl From<NotifyTo> for String {
    fn from(to: NotifyTo) -> String {
        to.to_string()
    }
}

impl fmt::Display for NotifyTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Desktop => f.write_str("desktop"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// Who is told of the first failed unit and of the end or the pause of a job, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// Who.
    pub to: NotifyTo,
    /// The program that does it: `notify-send`, or `curl`.
    #[serde(with = "raw_path")]
    pub program: PathBuf,
    /// Whether messages are signed, with the key that the manager has in its environment: none is sent without one then.
    pub is_signed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_password_and_nothing_that_curl_would_read_as_more() {
        for url in ["http://127.0.0.1:8080/x?y=%20&z#a", "https://hooks.example/T0/B0/x", "http://[::1]:80/"] {
            assert_eq!(url.parse::<NotifyTo>().map(|to| to.to_string()).as_deref(), Ok(url));
        }
        assert_eq!("desktop".parse(), Ok(NotifyTo::Desktop));
        for (url, shown) in [
            ("https://hooks.example/T0/secret", "https://hooks.example"),
            ("http://x?token=secret", "http://x"),
            ("http://x:80#secret", "http://x:80"),
            ("http://[::1]:80/a/b", "http://[::1]:80"),
        ] {
            assert_eq!(url.parse::<NotifyTo>().map(|to| to.shown()).as_deref(), Ok(shown));
        }
        for (text, why) in [
            ("", NotifyToError::NoAddress),
            ("Desktop", NotifyToError::NoAddress),
            ("ftp://x", NotifyToError::NoAddress),
            ("file:///etc/passwd", NotifyToError::NoAddress),
            ("http://", NotifyToError::NoAddress),
            ("https:///x", NotifyToError::NoAddress),
            ("https://user:word@x/", NotifyToError::Credentials),
            ("http://:80/", NotifyToError::Host),
            ("http://x:/", NotifyToError::Host),
            ("http://x:0/", NotifyToError::Host),
            ("http://x:65536", NotifyToError::Host),
            ("http://x:1:2", NotifyToError::Host),
            ("http://[::1/", NotifyToError::Host),
            ("http://[]:80/", NotifyToError::Host),
            ("http://x/ y", NotifyToError::Character),
            ("http://x/\"\nurl=y", NotifyToError::Character),
            ("http://x/{a,b}", NotifyToError::Character),
            ("http://ü.example", NotifyToError::Character),
        ] {
            assert_eq!(text.parse::<NotifyTo>(), Err(why), "{text:?}");
        }
    }
}
