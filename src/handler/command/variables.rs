//! Variables of an environment, which are bytes.
//!
//! In JSON an object, or an array of pairs when a name is not UTF-8, because names of JSON are text.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::{Deserialize, Deserializer, Serializer};

use crate::model::RawText;

/// Variables with their values.
pub type Variables = BTreeMap<OsString, OsString>;

pub(super) fn serialize<S: Serializer>(variables: &Variables, serializer: S) -> Result<S::Ok, S::Error> {
    let raw = variables.iter().map(|(name, value)| (RawText::from(name.as_os_str()), RawText::from(value.as_os_str())));
    if variables.keys().all(|name| name.to_str().is_some()) {
        serializer.collect_map(raw)
    } else {
        serializer.collect_seq(raw)
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Variables, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Object(BTreeMap<String, RawText>),
        Pairs(Vec<(RawText, RawText)>),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::Object(object) => object.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        Form::Pairs(pairs) => pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
    })
}
