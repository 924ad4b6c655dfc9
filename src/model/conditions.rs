//! What must hold before a unit starts: room on the machine, a time of day, a point in time.
//!
//! Units that run are never touched by any of it; only the next start waits.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{RawText, SpellingError, Timestamp, Windows};

/// What must hold before a unit starts; without any of it units start at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Conditions {
    /// Bytes of memory that must be available.
    #[serde(rename = "memfree_bytes", skip_serializing_if = "Option::is_none")]
    pub memfree: Option<Bytes>,
    /// Load of the processors, in per cent, below which units start.
    #[serde(rename = "load_percent", skip_serializing_if = "Option::is_none")]
    pub load: Option<Percent>,
    /// Free space that file systems must have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diskfree: Vec<DiskFree>,
    /// Times of day at which units start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Windows>,
    /// The time before which no unit starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

impl Conditions {
    /// Returns `true` if there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns `true` if the machine has to be looked at before a unit starts.
    pub fn need_machine(&self) -> bool {
        self.memfree.is_some() || self.load.is_some() || !self.diskfree.is_empty()
    }

    /// Makes paths absolute that are relative to the directory of the units.
    pub fn resolve(&mut self, cwd: &Path) {
        for disk in &mut self.diskfree {
            disk.path = cwd.join(&disk.path);
        }
    }
}

/// Space that the file system of a path has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFree {
    /// A file or directory on the file system.
    #[serde(with = "raw_path")]
    pub path: PathBuf,
    /// Bytes that may still be written.
    pub bytes: Bytes,
}

impl FromStr for DiskFree {
    type Err = SpellingError;

    /// Reads `/data=10G`; the path may hold `=` too.
    fn from_str(text: &str) -> Result<Self, SpellingError> {
        Self::of_os(OsStr::new(text))
    }
}

impl DiskFree {
    /// Reads `/data=10G` for a path of any bytes.
    ///
    /// # Errors
    /// When there is no path, or no size after the last `=`.
    pub fn of_os(text: &OsStr) -> Result<Self, SpellingError> {
        let given = || text.to_string_lossy().into_owned();
        let wrong = || SpellingError { given: given(), what: "free space", like: "/data=10G" };
        let at = text.as_bytes().iter().rposition(|byte| *byte == b'=').filter(|at| *at > 0).ok_or_else(wrong)?;
        let (path, size) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
        let bytes = std::str::from_utf8(size).ok().and_then(|size| size.parse().ok()).ok_or_else(wrong)?;
        Ok(Self { path: OsStr::from_bytes(path).into(), bytes })
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A share of something, such as of the processors, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(pub u32);

impl FromStr for Bytes {
    type Err = SpellingError;

    /// Reads `512M`, `2G` or `1.5GiB`: powers of 1024; `2GB` is a power of 1000. A number without a unit is refused.
    fn from_str(text: &str) -> Result<Self, SpellingError> {
        let wrong = || SpellingError { given: text.to_owned(), what: "size", like: "512M, 2G or 1.5G" };
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let (number, unit) = text.split_at(digits);
        let unit = unit.to_ascii_uppercase();
        let (letter, rest) = unit.split_at_checked(1).ok_or_else(wrong)?;
        let power = ["K", "M", "G", "T", "P"].iter().position(|known| *known == letter).ok_or_else(wrong)? as u32 + 1;
        let base: u64 = match rest {
            "" | "IB" => 1024,
            "B" => 1000,
            _ => return Err(wrong()),
        };
        scaled(number, base.pow(power)).filter(|bytes| *bytes > 0).map(Self).ok_or_else(wrong)
    }
}

/// Multiplies a decimal number, exactly as far as whole bytes go.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let part = fraction.parse::<u128>().ok()? * u128::from(unit) / 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    whole.checked_add(u64::try_from(part).ok()?)
}

impl FromStr for Percent {
    type Err = SpellingError;

    /// Reads `80%`; more than all is possible.
    fn from_str(text: &str) -> Result<Self, SpellingError> {
        let wrong = || SpellingError { given: text.to_owned(), what: "share", like: "80%" };
        let percent = text.strip_suffix('%').and_then(|number| number.parse().ok());
        percent.filter(|percent| (1..=100_000).contains(percent)).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Bytes {
    /// Writes them as people say them: `1.2 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let mut amount = self.0 as f64;
        let mut unit = 0;
        while amount >= 1024.0 && unit + 1 < UNITS.len() {
            amount /= 1024.0;
            unit += 1;
        }
        let rounded = format!("{amount:.1}");
        write!(f, "{} {}", rounded.strip_suffix(".0").unwrap_or(&rounded), UNITS[unit])
    }
}

mod raw_path {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::RawText;

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        RawText::from(path.as_os_str().to_owned()).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(PathBuf::from(OsString::from(RawText::deserialize(deserializer)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_a_unit() {
        for (text, bytes) in [
            ("512M", 512 << 20),
            ("2G", 2 << 30),
            ("2g", 2 << 30),
            ("1.5GiB", 3 << 29),
            ("2GB", 2_000_000_000),
            ("1k", 1024),
            ("100T", 100 << 40),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)), "{text}");
        }
        for wrong in
            ["", "2", "G", "0G", "-1G", "2X", "2GiX", ".5G", "1.G", "1.2.3G", "2 G", "99999999999P", "2G\u{e9}"]
        {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_load_is_a_share_of_the_processors() {
        assert_eq!(("80%".parse(), "150%".parse()), (Ok(Percent(80)), Ok(Percent(150))));
        for wrong in ["80", "0%", "%", "-1%", "1.5%", "x%"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn free_space_belongs_to_a_path() {
        assert_eq!("a=b=1K".parse(), Ok(DiskFree { path: "a=b".into(), bytes: Bytes(1024) }));
        let latin = DiskFree::of_os(OsStr::from_bytes(b"caf\xe9=1K")).unwrap();
        assert_eq!(latin.path.as_os_str().as_bytes(), b"caf\xe9");
        assert!(DiskFree::of_os(OsStr::from_bytes(b"/data=1\xe9")).is_err());
        for wrong in ["10G", "=10G", "/data=", "/data=10", "/data"] {
            assert!(wrong.parse::<DiskFree>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn conditions_survive_the_way_through_json_with_any_path() {
        let path = PathBuf::from(OsStr::from_bytes(b"/data/caf\xe9"));
        let conditions = Conditions {
            memfree: Some(Bytes(2 << 30)),
            load: Some(Percent(80)),
            diskfree: vec![DiskFree { path, bytes: Bytes(5) }],
            window: Some(Windows { spans: vec!["22:00-06:00".parse().unwrap()], zone: "Europe/Berlin".to_owned() }),
            not_before: Some(Timestamp::from_micros(1_780_000_000_123_000)),
        };

        let json = serde_json::to_string(&conditions).unwrap();

        assert_eq!(serde_json::from_str::<Conditions>(&json).unwrap(), conditions);
        assert_eq!(serde_json::to_string(&Conditions::default()).unwrap(), "{}");
    }

    #[test]
    fn bytes_read_as_people_say_them() {
        assert_eq!(Bytes(2 << 30).to_string(), "2 GiB");
        assert_eq!(Bytes(1_288_490_189).to_string(), "1.2 GiB");
        assert_eq!(Bytes(100 << 40).to_string(), "100 TiB");
        assert_eq!(Bytes(17).to_string(), "17 B");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_condition_panic(text in r"([0-9]{1,20}|[-.=%:KMGTPiB/]|\PC){0,8}") {
            let _ = (text.parse::<Bytes>(), text.parse::<Percent>(), text.parse::<DiskFree>(), text.parse::<super::super::Window>());
        }
    }
}
