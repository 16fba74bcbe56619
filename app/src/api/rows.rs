//! Rows of a form that come and go, each under a key of its own: the key stays when rows before it go.

use std::collections::BTreeMap;

/// Rows by key. Keys are letters and digits, and begin with a letter: a digit would be read as a place.
pub type Rows<R> = BTreeMap<String, R>;

/// The key of the row with this number: `r003`.
pub(crate) fn key(number: usize) -> String {
    format!("r{number:03}")
}

/// The number of the row that is added next.
pub(crate) fn next_number<R>(rows: &Rows<R>) -> usize {
    let numbers = rows.keys().filter_map(|key| key.strip_prefix('r')?.parse::<usize>().ok());
    numbers.max().map_or(0, |last| last + 1)
}

/// Stored things as rows.
#[cfg(feature = "ssr")]
pub(crate) fn rows_of<R>(stored: impl IntoIterator<Item = R>) -> Rows<R> {
    stored.into_iter().enumerate().map(|(number, row)| (key(number), row)).collect()
}

/// Adds an empty row.
#[cfg(feature = "ssr")]
pub(crate) fn add<R: Default>(rows: &mut Rows<R>) {
    rows.insert(key(next_number(rows)), R::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_row_never_takes_the_key_of_another() {
        let mut rows: Rows<()> = BTreeMap::new();
        assert_eq!(next_number(&rows), 0);
        rows.insert(key(0), ());
        rows.insert(key(1000), ());
        rows.insert("other".to_owned(), ());
        assert_eq!(key(next_number(&rows)), "r1001");
    }
}
