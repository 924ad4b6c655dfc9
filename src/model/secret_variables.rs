//! Variables whose values nobody but the units of a job should read: they are kept by name only.
//!
//! What a variable is for can only be told by its name and the look of its value. The lists follow what programs and
//! services document, and what scanners of leaked secrets look for. Addresses and facts whose names resemble them
//! (`SSH_AUTH_SOCK`, `SSH_ASKPASS`, `XDG_SESSION_ID`, `PWD`) are none.
//!
//! Known weakness: a secret under a name of its own, whose value looks like any word, is not found out; `--env-only`
//! keeps what is not named out of the database.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Within a name, wherever they stand.
const WITHIN: [&str; 18] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASSCODE",
    "SECRET",
    "CREDENTIAL",
    "AUTHTOKEN",
    "AUTHORIZATION",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "ACCESSKEY",
    "ACCOUNT_KEY",
    "PRIVATE_KEY",
    "PRIVATEKEY",
    "CONNECTION_STRING",
    "COOKIE",
    "WEBHOOK",
];
/// Words of a name, between underscores.
const WORDS: [&str; 9] = ["PASS", "PASSWORDS", "TOKEN", "TOKENS", "PAT", "CREDS", "DSN", "JWT", "BEARER"];
/// The last words of a name that has others before them.
const LAST_WORDS: [&str; 8] = ["KEY", "KEYS", "PWD", "AUTH", "SESSION", "SESSIONID", "HEADER", "HEADERS"];
/// Ends of a name that is written as one word.
const ENDS: [&str; 2] = ["PASS", "TOKEN"];
/// Begins of names that end in a word of their own.
const BEGINS: [&str; 1] = ["OP_SESSION_"];
/// Names that resemble those of secrets and are facts about a desktop, or programs and words.
const FACTS: [&str; 4] = ["DESKTOP_SESSION", "KDE_FULL_SESSION", "KONSOLE_DBUS_SESSION", "INIT_PWD"];
/// The same as ends.
const ENDS_OF_FACTS: [&str; 3] = ["ASKPASS", "BYPASS", "COMPASS"];

/// Begins of values that services give out as secrets.
const FORMS: [&str; 14] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "npm_",
    "pypi-",
    "dckr_pat_",
];
/// Length below which such a beginning is that of a word.
const SHORTEST_SECRET_BYTES: usize = 20;

/// Returns `true` if the value of a variable is not to be kept.
pub fn is_secret(name: &OsStr, value: &OsStr) -> bool {
    is_secret_name(name) || is_secret_value(value)
}

/// Returns `true` if a name says that its variable holds a secret.
pub fn is_secret_name(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase().replace(['-', '.'], "_");
    if FACTS.contains(&name.as_str()) || ENDS_OF_FACTS.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    let last = name.rsplit_once('_').map(|(_, last)| last);
    WITHIN.iter().any(|part| name.contains(part))
        || name.split('_').any(|word| WORDS.contains(&word))
        || last.is_some_and(|last| LAST_WORDS.contains(&last))
        || ENDS.iter().any(|end| name.ends_with(end))
        || BEGINS.iter().any(|begin| name.starts_with(begin))
}

/// Returns `true` if a value is a secret by its form: a private key, a token of a known service, an address with a
/// password in it.
pub fn is_secret_value(value: &OsStr) -> bool {
    let bytes = value.as_bytes();
    let is_token = bytes.len() >= SHORTEST_SECRET_BYTES && FORMS.iter().any(|form| bytes.starts_with(form.as_bytes()));
    is_token || value.to_string_lossy().contains("PRIVATE KEY-----") || has_password(bytes)
}

/// Returns `true` if there is an address with a password, `scheme://user:password@host`, anywhere in a text.
fn has_password(text: &[u8]) -> bool {
    let mut rest = text;
    while let Some(at) = rest.windows(3).position(|three| three == b"://") {
        rest = &rest[at + 3..];
        let is_end = |byte: &u8| b"/?# \t\n\"'<>".contains(byte);
        let authority = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
        let Some(host) = authority.iter().rposition(|&byte| byte == b'@') else { continue };
        let user = &authority[..host];
        if user.iter().position(|&byte| byte == b':').is_some_and(|colon| colon + 1 < user.len()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_200_names_that_programs_use_for_secrets_are_known_and_those_of_facts_are_not() {
        for name in [
            "API_KEY",
            "my_token",
            "DB_PASSWORD_FILE",
            "SMTP_PASS",
            "SSHPASS",
            "DBPASS",
            "PGPASSWORD",
            "MYSQL_PWD",
            "GITHUB_PAT",
            "AZURE_DEVOPS_EXT_PAT",
            "TOKEN",
            "GH_TOKEN",
            "NPM_TOKEN",
            "npm_config__authToken",
            "HF_TOKEN",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "SENTRY_DSN",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "GOOGLE_CREDENTIALS",
            "AWS_CREDS",
            "SESSION_COOKIE",
            "BW_SESSION",
            "OP_SESSION_my",
            "PROXY_AUTH",
            "RESTIC_PASSWORD",
            "GPG_PASSPHRASE",
            "SLACK_WEBHOOK_URL",
            "AZURE_STORAGE_CONNECTION_STRING",
            "client-secret",
            "clientSecret",
            "SSH_PRIVATE_KEY",
            "apiKey",
            "REDISCLI_AUTH",
            "VAULT_TOKEN",
            "CI_JOB_TOKEN",
            "CI_JOB_JWT_V2",
            "STRIPE_KEY",
        ] {
            assert!(is_secret_name(OsStr::new(name)), "{name}");
        }
        for name in [
            "PWD",
            "OLDPWD",
            "PATH",
            "SSH_AUTH_SOCK",
            "SSH_ASKPASS",
            "GIT_ASKPASS",
            "XDG_SESSION_ID",
            "DESKTOP_SESSION",
            "DBUS_SESSION_BUS_ADDRESS",
            "TERM_SESSION_ID",
            "XAUTHORITY",
            "KEYBOARD",
            "TOKENIZERS_PARALLELISM",
            "HOME",
            "USER",
            "COMPASS",
            "PATTERN",
            "PASSAGE",
            "SESSION_MANAGER",
            "AUTHOR",
            "GIT_AUTHOR_NAME",
            "MONKEY",
            "KEYMAP",
        ] {
            assert!(!is_secret_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn fault_200_an_address_with_a_password_a_key_and_a_token_are_secrets_whatever_their_name() {
        for value in [
            "postgres://app:hunter2@db/app",
            "redis://:pw@cache:6379/0",
            "http://u:p%40@proxy:3128",
            "-i https://user:pw@pypi.example/simple https://x",
            "amqp://a:b@c@host",
            "ghp_0123456789abcdefghij",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
        ] {
            assert!(is_secret_value(OsStr::new(value)), "{value}");
        }
        for value in [
            "",
            "https://example.org/a:b@c",
            "ssh://git@github.com/x",
            "postgres://app@db/app",
            "http://proxy:3128",
            "a://b:@c",
            "user:pw@host",
            "npm_run",
            "unix:path=/run/user/0/bus",
            "https://host/?q=a:b@c",
            "://",
        ] {
            assert!(!is_secret_value(OsStr::new(value)), "{value}");
        }
    }

    #[test]
    fn the_documentation_names_every_word_by_which_a_secret_is_known() {
        let page = include_str!("../../docs/command-line.md");

        for word in WITHIN.iter().chain(&WORDS).chain(&LAST_WORDS).chain(&FORMS) {
            assert!(page.contains(&format!("`{word}`")), "{word}");
        }
    }
}
