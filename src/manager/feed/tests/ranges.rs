//! From which ranges units are drawn, and in which order.

use super::*;
use crate::model::Seq;

impl Feed {
    /// A feed that has claimed all units after one.
    pub(in crate::manager) fn after(after: Seq) -> Feed {
        let feed = Feed::new();
        feed.add(UnitRange { after, through: Seq::MAX });
        feed
    }

    /// Puts units of that range which were read after one.
    pub(in crate::manager) fn put_after(&self, after: Seq, units: Vec<Unit>) -> bool {
        self.put_fresh(UnitRange { after, through: Seq::MAX }, units, false)
    }

    /// Number of the last unit of it that was read.
    pub(in crate::manager) fn cursor(&self) -> Seq {
        self.lock().ranges.rests()[0].after
    }

    /// Number up to which no unit of it waits for its first attempt.
    pub(super) fn claimed_through(&self) -> Seq {
        self.rests()[0].after
    }
}

#[test]
fn ranges_are_read_one_after_the_other_and_each_again_from_where_its_units_were_taken_back() {
    let range = |after, through| UnitRange { after: Seq(after), through: Seq(through) };
    let feed = Feed::new();
    feed.add(range(20, 30));
    feed.add(range(0, 10));
    feed.put_fresh(range(0, 10), vec![unit(1), unit(9)], true);
    assert_eq!((feed.next_range(), feed.needs_range()), (Some(range(20, 30)), false));
    feed.put_fresh(range(20, 30), vec![unit(21), unit(22)], true);
    assert_eq!((feed.next_range(), feed.needs_range()), (None, true));
    feed.take(0).unwrap();

    assert_eq!(feed.rests(), [range(0, 10), range(20, 30)], "none of their first attempts has ended");
    feed.recall();

    assert_eq!(feed.next_range(), Some(range(8, 10)));
    assert!(!feed.put_fresh(range(9, 10), vec![], true), "the cursor has moved back");
    feed.put_fresh(range(8, 10), vec![unit(9)], true);
    assert_eq!(feed.next_range(), Some(range(20, 30)));
}

#[test]
fn nothing_is_claimed_beyond_a_range_without_end() {
    let feed = Feed::new();
    assert!(feed.needs_range());
    feed.add(UnitRange { after: Seq(0), through: Seq::MAX });

    feed.put_fresh(feed.next_range().unwrap(), vec![], true);

    assert_eq!((feed.next_range(), feed.needs_range()), (None, false));
    feed.recall();
    assert!(feed.next_range().is_some(), "units may have been added");
}
