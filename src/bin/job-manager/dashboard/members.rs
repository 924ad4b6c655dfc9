//! The members of a list or an object in their order, each as it is written.

use serde_json::value::RawValue;

use crate::json_object::members_of_object;

pub(super) enum Members<'a> {
    List(Vec<&'a RawValue>),
    Object(Vec<(String, &'a RawValue)>),
}

/// Returns the members of what is a list or an object.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    match json.as_bytes().first()? {
        b'[' => serde_json::from_str(json).ok().map(Members::List),
        b'{' => members_of_object(json).map(Members::Object),
        _ => None,
    }
}
