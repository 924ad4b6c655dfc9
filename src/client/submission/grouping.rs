//! Several items for one unit.

use super::SubmissionError;
use crate::handler::{CommandSpec, UnitTemplates};
use crate::source::{Item, Items, MAX_ITEM_BYTES, SourceError};

/// What each unit is about, one after the other.
pub(super) type UnitItems = Box<dyn Iterator<Item = Result<Item, SubmissionError>> + Send>;

/// Returns items for units of one item each.
pub(super) fn ungrouped(items: Items) -> UnitItems {
    Box::new(items.map(|item| item.map_err(SubmissionError::from)))
}

/// Returns the items of units of a job, several joined to one where the job says so.
pub(super) fn unit_items(items: Items, spec: &CommandSpec) -> Result<UnitItems, SubmissionError> {
    let Some(several) = spec.items.several else { return Ok(ungrouped(items)) };
    let at_most = several.at_most.map(std::num::NonZeroU32::get);
    if !several.as_fit {
        return Ok(Box::new(grouped(items, at_most, None)));
    }
    let templates = UnitTemplates::of(spec)?;
    if at_most.is_none() && !templates.uses_item() {
        return Err(SubmissionError::NothingToFill);
    }
    let bytes = templates.room();
    let need = Box::new(move |item: &Item| {
        let unfit = |source| SubmissionError::Item { place: item.place.to_string(), source };
        templates.need(&item.payload).map_err(unfit)
    });
    Ok(Box::new(grouped(items, at_most, Some(Room { bytes, need }))))
}

type Need = Box<dyn Fn(&Item) -> Result<usize, SubmissionError> + Send>;

/// Room for items in a command, where as many are taken as fit.
struct Room {
    /// Bytes that are left when the command has no item yet.
    bytes: usize,
    /// Tells how many an item takes.
    need: Need,
}

/// Joins items to arrays of at most `at_most`, of no more than there is room for.
fn grouped(
    items: Items,
    at_most: Option<u32>,
    room: Option<Room>,
) -> impl Iterator<Item = Result<Item, SubmissionError>> + Send {
    let at_most = at_most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let mut groups = Groups { items, at_most, room, ahead: None };
    std::iter::from_fn(move || groups.next().transpose())
}

struct Groups {
    items: Items,
    at_most: usize,
    room: Option<Room>,
    /// The first item of the next unit, and what it needs.
    ahead: Option<(Item, usize)>,
}

impl Groups {
    fn next(&mut self) -> Result<Option<Item>, SubmissionError> {
        let mut taken: Vec<Item> = Vec::new();
        let (mut used, mut payload_bytes) = (0, 0);
        while taken.len() < self.at_most {
            let Some((item, need)) = self.take()? else { break };
            let is_over = self.room.as_ref().is_some_and(|room| used + need > room.bytes);
            payload_bytes += item.payload.len() + 1;
            if payload_bytes > MAX_ITEM_BYTES && self.room.is_none() {
                return Err(SourceError::TooLong { place: item.place, limit: MAX_ITEM_BYTES }.into());
            }
            // What does not fit alone is refused with the command, which says why.
            if !taken.is_empty() && (is_over || payload_bytes > MAX_ITEM_BYTES) {
                self.ahead = Some((item, need));
                break;
            }
            used += need;
            taken.push(item);
        }
        Ok((!taken.is_empty()).then(|| Item::array_of(taken)))
    }

    fn take(&mut self) -> Result<Option<(Item, usize)>, SubmissionError> {
        if self.ahead.is_some() {
            return Ok(self.ahead.take());
        }
        let Some(item) = self.items.next().transpose()? else { return Ok(None) };
        let need = self.room.as_ref().map_or(Ok(0), |room| (room.need)(&item))?;
        Ok(Some((item, need)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::arguments;

    fn payloads(items: &[&str], at_most: Option<u32>, bytes: Option<usize>) -> Vec<String> {
        let items = arguments(items.iter().map(|item| (*item).into()).collect());
        let room = bytes.map(|bytes| Room { bytes, need: Box::new(|item| Ok(item.payload.len())) });
        grouped(items, at_most, room).map(|item| item.unwrap().payload).collect()
    }

    #[test]
    fn a_unit_has_so_many_items_and_the_last_one_may_have_fewer() {
        assert_eq!(payloads(&["a", "b", "c"], Some(2), None), [r#"["a","b"]"#, r#"["c"]"#]);
        assert_eq!(payloads(&["a", "b"], Some(2), None), [r#"["a","b"]"#]);
        assert!(payloads(&[], Some(2), None).is_empty());
    }

    #[test]
    fn as_many_items_are_taken_as_fit_and_one_at_least() {
        assert_eq!(payloads(&["a", "b", "long", "c"], None, Some(6)), [r#"["a","b"]"#, r#"["long"]"#, r#"["c"]"#]);
        assert_eq!(payloads(&["much too long", "b"], None, Some(6)), [r#"["much too long"]"#, r#"["b"]"#]);
        assert_eq!(payloads(&["a", "b", "c"], Some(2), Some(100)), [r#"["a","b"]"#, r#"["c"]"#]);
    }

    #[test]
    fn a_unit_names_its_first_and_its_last_item() {
        let items = arguments(["a", "b", "c"].iter().map(|item| (*item).into()).collect());

        let places: Vec<String> = grouped(items, Some(2), None).map(|item| item.unwrap().place.to_string()).collect();

        assert_eq!(places, ["argument 1 to argument 2", "argument 3"]);
    }
}
