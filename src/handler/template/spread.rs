//! Words that become several: `{}` of a unit with several items, or with an item of several parts.
//!
//! A word of which `{}`, or a part of it as a path, is all there is becomes one argument for each text. A larger word is
//! repeated for each item, as by GNU parallel under `-X`; the parts of a combination are not items, so that a larger word
//! has to name the part. A field is one argument for each item, and never within a larger word, because nobody could
//! tell which other words its values belong to.

use super::placeholder::{At, Placeholder};
use super::{Template, TemplateError, UnitValues};

/// What a word is rendered with.
pub(super) enum Turns<'v, 'a> {
    Once(&'v UnitValues<'a>),
    Each(&'v [UnitValues<'a>]),
}

impl Template {
    /// Returns the arguments that this word becomes for one unit.
    pub(super) fn spread(&self, values: &UnitValues<'_>, at: At) -> Result<Vec<Vec<u8>>, TemplateError> {
        let is_alone = self.parts.len() == 1;
        match turns(self.placeholders(), is_alone, values)? {
            Turns::Once(values) => Ok(vec![self.joined(values, at)?]),
            Turns::Each(several) => several.iter().map(|values| self.joined(values, at)).collect(),
        }
    }
}

/// Decides how often a word with these placeholders is made, `is_alone` telling that there is one of them and no text.
pub(super) fn turns<'v, 'a, 'p>(
    placeholders: impl Iterator<Item = &'p Placeholder>,
    is_alone: bool,
    values: &'v UnitValues<'a>,
) -> Result<Turns<'v, 'a>, TemplateError> {
    let Some(members) = values.members() else { return Ok(Turns::Once(values)) };
    let mut item: Option<&Placeholder> = None;
    let mut field: Option<&Placeholder> = None;
    for placeholder in placeholders.filter(|placeholder| placeholder.depends_on_payload()) {
        let place = if placeholder.is_of_item() { &mut item } else { &mut field };
        place.get_or_insert(placeholder);
    }
    let has_items = !members.items.is_empty();
    match (item, field) {
        (None, None) => Ok(Turns::Once(values)),
        (Some(_), None) if is_alone || !members.is_combination => Ok(Turns::Each(members.texts())),
        (Some(item), _) if !has_items || members.is_combination => {
            Err(TemplateError::SeveralInWord { placeholder: item.written().to_owned() })
        }
        (None, Some(_)) if !has_items => Ok(Turns::Once(values)),
        // Plain items have no fields: `{1}` is the first of the unit.
        (None, Some(field)) if members.items.iter().all(UnitValues::is_plain) => {
            if members.is_counted || !field.is_known(values) {
                Ok(Turns::Once(values))
            } else {
                Err(TemplateError::Uncounted { placeholder: field.written().to_owned() })
            }
        }
        (None, Some(_)) if is_alone => Ok(Turns::Each(&members.items)),
        (_, Some(field)) => Err(TemplateError::FieldInWord { placeholder: field.written().to_owned() }),
        (Some(_), None) => Ok(Turns::Each(members.texts())),
    }
}
