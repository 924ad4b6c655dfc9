//! What a message says of placeholders that are unknown: all of them, and the nearest name.

use crate::handler::template::{Template, TemplateError, UnitValues, nearest};

/// Says of all unknown placeholders of some templates what an error says of the first; other errors stay as they are.
pub fn explained<'t>(
    error: TemplateError,
    values: &UnitValues<'_>,
    templates: impl Iterator<Item = &'t Template>,
    corrected: impl FnOnce() -> String,
) -> TemplateError {
    let TemplateError::Unknown { placeholder } = error else { return error };
    if let Some(items) = values.number_without(&placeholder) {
        return TemplateError::TooFewItems { placeholder, items };
    }
    let mut placeholders = vec![placeholder];
    templates.for_each(|template| template.find_unknown(values, &mut placeholders));
    let names = values.names().unwrap_or_default();
    let nearest = placeholders.iter().find_map(|given| nearest(given.trim_matches(['{', '}']), &names));
    TemplateError::UnknownPlaceholders {
        nearest: nearest.map(str::to_owned),
        known: values.known(),
        corrected: corrected(),
        placeholders,
    }
}
