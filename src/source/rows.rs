//! Rows of a query, which somebody else runs.

use std::error::Error;
use std::sync::Arc;

use super::pushed::pushed;
use super::{Items, MAX_ITEM_BYTES, Place, SourceError};

/// Returns the payloads that `read` gives, one for each row, until it is answered with false.
pub fn rows<E>(name: &str, read: impl FnOnce(&mut dyn FnMut(String) -> bool) -> Result<(), E> + Send + 'static) -> Items
where
    E: Error + Send + Sync + 'static,
{
    let name: Arc<str> = name.into();
    let place = {
        let name = Arc::clone(&name);
        move |number| Place::Row(Arc::clone(&name), number)
    };
    let here = place.clone();
    pushed(&name, place, move |sink| {
        let mut is_too_long = false;
        let end = read(&mut |payload| {
            is_too_long = payload.len() > MAX_ITEM_BYTES;
            !is_too_long && sink.push(payload)
        });
        let place = here(sink.count() + 1);
        if is_too_long {
            return Err(SourceError::TooLong { place, limit: MAX_ITEM_BYTES });
        }
        end.map_err(|source| SourceError::Row { place, source: source.into() })
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_error_names_its_row() {
        let mut found = rows("a.db", |take| {
            take("1".to_owned());
            Err(io::Error::other("no such thing"))
        });

        assert_eq!(found.next().unwrap().unwrap().place.to_string(), "a.db, row 1");
        assert_eq!(found.next().unwrap().unwrap_err().to_string(), "a.db, row 2: cannot take the row");
        assert!(found.next().is_none());
    }

    #[test]
    fn fault_92_a_row_beyond_the_limit_is_refused() {
        let mut found = rows("a.db", |take| {
            assert!(!take("x".repeat(MAX_ITEM_BYTES + 1)));
            Ok::<(), io::Error>(())
        });

        let error = found.next().unwrap().unwrap_err();

        assert_eq!(error.to_string(), "a.db, row 1: an item may have at most 16777216 bytes");
    }
}
