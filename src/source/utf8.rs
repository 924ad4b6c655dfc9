//! Whether bytes are UTF-8, told piece by piece.

/// Follows a text whose characters may be cut between two pieces.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    /// The beginning of a character whose rest is still to come.
    begun: Vec<u8>,
}

/// Where a text stops being UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Bytes of the piece that are fine.
    pub valid: usize,
    /// Bytes of pieces before it that were the beginning of the broken character.
    pub before: usize,
}

impl Utf8Check {
    /// Takes the next piece, and returns where the text stops being UTF-8; it does where it ends in the middle of a
    /// character.
    pub fn follow(&mut self, piece: &[u8], is_end: bool) -> Option<Broken> {
        let before = self.begun.len();
        if is_end {
            return (before > 0).then_some(Broken { valid: 0, before });
        }
        let mut taken = 0;
        while !self.begun.is_empty() {
            self.begun.push(*piece.get(taken)?);
            taken += 1;
            match std::str::from_utf8(&self.begun) {
                Ok(_) => self.begun.clear(),
                Err(error) if error.error_len().is_some() => return Some(Broken { valid: 0, before }),
                Err(_) => {}
            }
        }
        let rest = &piece[taken..];
        match std::str::from_utf8(rest) {
            Ok(_) => None,
            Err(error) if error.error_len().is_some() => Some(Broken { valid: taken + error.valid_up_to(), before: 0 }),
            Err(error) => {
                self.begun.extend_from_slice(&rest[error.valid_up_to()..]);
                None
            }
        }
    }
}
