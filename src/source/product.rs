//! Lists that are combined as GNU parallel combines them: each item of one with each of the others, the last list
//! varying fastest, except that a paired list goes with the one before it item by item.
//!
//! An item is the JSON array of its parts. The first list is read as it is asked for, the others are held in memory.
//! An empty list is an error, and so are paired lists of which one is longer: nobody means the shorter one.

use super::item::{array, until_error};
use super::{Item, Items, Place, SourceError};

/// One of the lists that are combined.
pub struct List {
    /// How messages name it.
    pub name: String,
    /// Its items.
    pub items: Items,
    /// Whether its items go with those of the list before it, one by one.
    pub is_paired: bool,
}

/// Returns every combination of the items of several lists.
pub fn product(lists: Vec<List>) -> Items {
    let mut groups: Vec<Rows> = Vec::new();
    for list in lists {
        match groups.last_mut() {
            Some(group) if list.is_paired => group.push(list),
            _ => groups.push(Rows::new(list)),
        }
    }
    let mut unread = groups.into_iter();
    let Some(first) = unread.next() else { return Box::new(std::iter::empty()) };
    let mut product = Product { first, unread: unread.collect(), held: Vec::new(), row: None, at: Vec::new() };
    until_error(std::iter::from_fn(move || product.next().transpose()))
}

/// Items that stand side by side, one of each list of a group.
type Row = Vec<Item>;

struct Product {
    first: Rows,
    /// Groups that are read with the first question.
    unread: Vec<Rows>,
    held: Vec<Vec<Row>>,
    /// What the first group gave last, until all has been combined with it.
    row: Option<Row>,
    /// The next row of each group that is held.
    at: Vec<usize>,
}

impl Product {
    fn next(&mut self) -> Result<Option<Item>, SourceError> {
        for group in std::mem::take(&mut self.unread) {
            self.held.push(group.read_all()?);
        }
        if self.row.is_none() {
            self.row = self.first.next()?;
            self.at = vec![0; self.held.len()];
        }
        let Some(first) = &self.row else { return Ok(None) };
        let others = self.held.iter().zip(&self.at).flat_map(|(rows, at)| &rows[*at]);
        let item = combined(first.iter().chain(others));
        self.advance();
        Ok(Some(item))
    }

    /// Moves the last group on by one row, and each one before it when those after it begin again.
    fn advance(&mut self) {
        for (at, rows) in self.at.iter_mut().zip(&self.held).rev() {
            *at += 1;
            if *at < rows.len() {
                return;
            }
            *at = 0;
        }
        self.row = None;
    }
}

fn combined<'a>(parts: impl Iterator<Item = &'a Item> + Clone) -> Item {
    let payload = array(parts.clone());
    Item { payload, place: Place::Combination(parts.map(|part| part.place.clone()).collect()) }
}

/// A list with those that are paired with it.
struct Rows {
    lists: Vec<List>,
    count: u64,
}

impl Rows {
    fn new(list: List) -> Self {
        Self { lists: vec![list], count: 0 }
    }

    fn push(&mut self, list: List) {
        self.lists.push(list);
    }

    /// Returns the next item of each list; `None` at the end of all of them.
    fn next(&mut self) -> Result<Option<Row>, SourceError> {
        let taken = self.lists.iter_mut().map(|list| list.items.next().transpose());
        let taken = taken.collect::<Result<Vec<_>, _>>()?;
        if taken.iter().all(Option::is_some) {
            self.count += 1;
            return Ok(Some(taken.into_iter().flatten().collect()));
        }
        if taken.iter().any(Option::is_some) {
            return Err(self.unequal(&taken)?);
        }
        if self.count == 0 {
            return Err(SourceError::EmptyList { name: self.lists[0].name.clone() });
        }
        Ok(None)
    }

    /// Counts lists to their ends of which some have ended.
    fn unequal(&mut self, taken: &[Option<Item>]) -> Result<SourceError, SourceError> {
        let mut lengths = Vec::new();
        for (list, item) in self.lists.iter_mut().zip(taken) {
            let mut length = self.count + u64::from(item.is_some());
            while item.is_some() && list.items.next().transpose()?.is_some() {
                length += 1;
            }
            lengths.push(format!("{} has {length}", list.name));
        }
        Ok(SourceError::UnequalLists { lengths: lengths.join(", ") })
    }

    fn read_all(mut self) -> Result<Vec<Row>, SourceError> {
        let mut rows = Vec::new();
        while let Some(row) = self.next()? {
            rows.push(row);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Notes, Separator, lines};
    use super::*;

    fn list(name: &str, items: &[&str], is_paired: bool) -> List {
        let text = items.iter().map(|item| format!("{item}\0")).collect::<String>();
        let items = lines(std::io::Cursor::new(text.into_bytes()), name, Separator::Nul, &Notes::default());
        List { name: name.to_owned(), items, is_paired }
    }

    fn read(lists: Vec<List>) -> Result<Vec<String>, String> {
        product(lists).map(|item| item.map(|item| item.payload).map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn several_lists_are_every_combination_and_the_last_varies_fastest() {
        let lists = vec![list("a", &["a", "b"], false), list("b", &["1"], false), list("c", &["x", "y"], false)];

        let expected = [r#"["a","1","x"]"#, r#"["a","1","y"]"#, r#"["b","1","x"]"#, r#"["b","1","y"]"#];
        assert_eq!(read(lists).unwrap(), expected);
    }

    #[test]
    fn a_paired_list_goes_with_the_one_before_it_item_by_item() {
        let lists = vec![
            list("a", &["a", "b"], false),
            list("b", &["1", "2"], true),
            list("c", &["x", "y"], false),
            list("d", &["", "z"], true),
        ];

        let expected = [r#"["a","1","x",""]"#, r#"["a","1","y","z"]"#, r#"["b","2","x",""]"#, r#"["b","2","y","z"]"#];
        assert_eq!(read(lists).unwrap(), expected);
    }

    #[test]
    fn paired_lists_of_different_lengths_are_refused_with_all_lengths() {
        for (first, second, lengths) in [
            (&["a", "b", "c"][..], &["1"][..], "list 1 has 3, list 2 has 1"),
            (&["a"], &["1", "2", "3", "4"], "list 1 has 1, list 2 has 4"),
            (&[], &["1", "2"], "list 1 has 0, list 2 has 2"),
        ] {
            let error = read(vec![list("list 1", first, false), list("list 2", second, true)]).unwrap_err();

            assert_eq!(error, format!("lists that are paired must have as many items as each other: {lengths}"));
        }
    }

    #[test]
    fn unequal_lists_behind_another_are_refused_too() {
        let lists = vec![list("a", &["a"], false), list("b", &["x"], false), list("c", &["1", "2"], true)];

        assert!(read(lists).unwrap_err().ends_with(": b has 1, c has 2"));
    }

    #[test]
    fn an_empty_list_is_named_wherever_it_stands() {
        for empty in 0..3 {
            let names = ["a", "b", "c"];
            let lists = (0..3).map(|n| list(names[n], if n == empty { &[] } else { &["x"] }, false)).collect();

            assert_eq!(read(lists).unwrap_err(), format!("{} has no items", names[empty]));
        }
    }

    #[test]
    fn the_first_list_is_read_only_as_far_as_it_is_asked_for() {
        let endless = (0..).map(|n| Ok(Item { payload: n.to_string(), place: Place::Number(n) }));
        let lists = vec![
            List { name: "endless".to_owned(), items: Box::new(endless), is_paired: false },
            list("b", &["x", "y"], false),
        ];

        let third = product(lists).nth(2).unwrap().unwrap();

        assert_eq!((third.payload.as_str(), third.place.to_string().as_str()), (r#"[1,"x"]"#, "number 1 with b:1"));
    }

    #[test]
    fn an_error_in_a_list_ends_the_product_with_its_place() {
        let failure = || SourceError::EmptyList { name: "f".to_owned() };
        let broken: Items = Box::new(std::iter::once_with(move || Err(failure())));
        let mut items =
            product(vec![list("a", &["a"], false), List { name: "f".to_owned(), items: broken, is_paired: false }]);

        assert!(items.next().unwrap().is_err());
        assert!(items.next().is_none());
    }
}
