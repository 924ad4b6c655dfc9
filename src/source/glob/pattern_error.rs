//! What can be wrong with a pattern.

/// Most patterns that braces may stand for.
pub(super) const MAX_ALTERNATIVES: usize = 10_000;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The last backslash has nothing to stand before.
    #[error("it ends in a backslash, write \\\\ for one that is meant")]
    TrailingBackslash,
    /// No path has NUL.
    #[error("it holds NUL")]
    Nul,
    /// A class of characters that does not exist.
    #[error("[:{0}:] is not a class of characters, expected e.g. [:digit:]")]
    UnknownClass(String),
    /// The name of a character.
    #[error("[.{0}.] is not supported, write the character itself")]
    CollatingSymbol(String),
    /// Too many alternatives.
    #[error("its braces stand for more than {MAX_ALTERNATIVES} patterns")]
    TooManyAlternatives,
}
