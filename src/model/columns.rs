//! Names of columns, each for one column only.

use std::collections::{HashMap, HashSet};

/// Returns the names by which columns can be told isolation, in their order.
///
/// Names that are there once are kept. Columns that share a name, or have none, are called after it and their place, such
/// as `a (column 3)`: a field is never taken from one of several columns that all bear its name.
///
/// # Errors
/// When such a name is that of another column.
pub fn column_names<'a>(given: &[&'a str]) -> Result<Vec<String>, &'a str> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    given.iter().for_each(|name| *times.entry(name).or_default() += 1);
    let name = |(index, name): (usize, &&str)| match (*name, times[name]) {
        ("", _) => format!("(column {})", index + 1),
        (name, 1) => name.to_owned(),
        (name, _) => format!("{name} (column {})", index + 1),
    };
    let names: Vec<String> = given.iter().enumerate().map(name).collect();
    let mut seen = HashSet::new();
    match names.iter().position(|name| !seen.insert(name.as_str())) {
        Some(again) => Err(given[again]),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_share_a_name_or_have_none_are_told_apart_by_their_place() {
        let names = column_names(&["id", "a", "", "b", "a", " "]).unwrap();

        assert_eq!(names, ["id", "a (column 2)", "(column 3)", "b", "a (column 5)", " "]);
        assert_eq!(column_names(&["a", "a", "a (column 1)"]), Err("a (column 1)"));
    }
}
