//! What a template is made of.

use super::placeholder::Placeholder;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(Vec<u8>),
    Placeholder(Placeholder),
}
