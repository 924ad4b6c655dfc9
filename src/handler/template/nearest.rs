//! The name that somebody may have meant.

/// Most changes of a letter between a name and one that it may stand for.
const MAX_CHANGES: usize = 2;

/// Returns the name that is nearest to another one, if it is near enough to be a slip.
pub fn nearest<'n>(given: &str, names: &[&'n str]) -> Option<&'n str> {
    let given_lower = given.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&given_lower, &name.to_lowercase());
    let most = MAX_CHANGES.min(given.chars().count() / 2);
    names.iter().map(|name| (distance(name), *name)).min().filter(|(changes, _)| *changes <= most).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_has_a_nearest_name_and_another_word_has_none() {
        let names = ["name", "id", "File Name"];

        assert_eq!(nearest("naem", &names), Some("name"));
        assert_eq!(nearest("NAME", &names), Some("name"));
        assert_eq!(nearest("file name", &names), Some("File Name"));
        assert_eq!(nearest("size", &names), None);
        assert_eq!(nearest("3", &names), None);
    }
}
