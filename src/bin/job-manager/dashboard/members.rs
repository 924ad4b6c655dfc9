//! The members of a list or an object in their order, each as it is written.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(super) enum Members<'a> {
    List(Vec<&'a RawValue>),
    Object(Vec<(String, &'a RawValue)>),
}

/// Returns the members of what is a list or an object.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    match json.as_bytes().first()? {
        b'[' => serde_json::from_str(json).ok().map(Members::List),
        b'{' => serde_json::Deserializer::from_str(json).deserialize_map(Named).ok().map(Members::Object),
        _ => None,
    }
}

struct Named;

impl<'de> Visitor<'de> for Named {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
