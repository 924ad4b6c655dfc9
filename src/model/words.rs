//! The one way in which an enum of ours becomes a word in SQL, JSON and messages, and back.

/// A word that none of the known ones matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {word:?}, expected one of {expected}")]
pub struct UnknownWordError {
    /// What the word should have named, such as `job status`.
    pub what: &'static str,
    /// The word that was given.
    pub word: String,
    /// The known words, separated by commas.
    pub expected: String,
}

/// Gives a fieldless enum `ALL`, `as_str`, `Display`, `FromStr` and serde by word.
macro_rules! words {
    ($name:ident, $what:literal, { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in the order of life.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// Returns the word used in SQL, JSON and messages.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word),+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::UnknownWordError;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word).ok_or_else(|| {
                    $crate::model::UnknownWordError {
                        what: $what,
                        word: word.to_owned(),
                        expected: Self::ALL.iter().map(|value| value.as_str()).collect::<Vec<_>>().join(", "),
                    }
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = String::deserialize(deserializer)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use words;
