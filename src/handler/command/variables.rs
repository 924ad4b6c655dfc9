//! Variables of an environment, which are bytes.

use std::collections::BTreeMap;
use std::collections::btree_map::{Entry, Iter};
use std::ffi::{OsStr, OsString};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::RawText;

/// Variables with their values.
///
/// In JSON an object, or an array of pairs when a name is not UTF-8, because names of JSON are text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<OsString, OsString>);

impl Variables {
    /// Returns the value of a variable.
    pub fn get(&self, name: &OsStr) -> Option<&OsString> {
        self.0.get(name)
    }

    /// Sets a variable.
    pub fn insert(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.0.insert(name.into(), value.into());
    }

    /// Forgets a variable.
    pub fn remove(&mut self, name: &OsStr) {
        self.0.remove(name);
    }

    /// Returns the place of a variable.
    pub fn entry(&mut self, name: OsString) -> Entry<'_, OsString, OsString> {
        self.0.entry(name)
    }

    /// Returns `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them all, by name.
    pub fn iter(&self) -> Iter<'_, OsString, OsString> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Variables {
    type Item = (&'a OsString, &'a OsString);
    type IntoIter = Iter<'a, OsString, OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Serialize for Variables {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw =
            self.0.iter().map(|(name, value)| (RawText::from(name.as_os_str()), RawText::from(value.as_os_str())));
        if self.0.keys().all(|name| name.to_str().is_some()) {
            serializer.collect_map(raw)
        } else {
            serializer.collect_seq(raw)
        }
    }
}

impl<'de> Deserialize<'de> for Variables {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Object(BTreeMap<String, RawText>),
            Pairs(Vec<(RawText, RawText)>),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::Object(object) => object.into_iter().collect(),
            Form::Pairs(pairs) => pairs.into_iter().collect(),
        })
    }
}
