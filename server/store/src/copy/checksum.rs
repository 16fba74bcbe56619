//! What a table holds, as a number that does not depend on the order of its rows or on the database that keeps them.

use std::fmt;

use sha2::{Digest, Sha256};

use super::catalogue::Table;
use crate::tx::Param;

/// The sum, modulo 2^128, of the first 16 bytes of the SHA-256 of every row. A row reads: the table's name, then each value
/// by the name of its column: `0` for null, `1` and eight bytes for an integer, `2` or `3`, eight bytes of length and the
/// bytes for a text or a blob (integers big-endian). Shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksum(u128);

impl Checksum {
    pub(super) fn add_row(&mut self, table: &Table, row: &[Param]) {
        let mut digest = Sha256::new();
        bytes(&mut digest, 2, table.name.as_bytes());
        for value in row {
            match value {
                Param::Int(None) | Param::Text(None) | Param::Blob(None) => digest.update([0]),
                Param::Int(Some(number)) => {
                    digest.update([1]);
                    digest.update(number.to_be_bytes());
                }
                Param::Text(Some(text)) => bytes(&mut digest, 2, text.as_bytes()),
                Param::Blob(Some(blob)) => bytes(&mut digest, 3, blob),
            }
        }
        let digest: [u8; 32] = digest.finalize().into();
        let (first, _) = digest.split_first_chunk::<16>().expect("a SHA-256 has 32 bytes");
        self.add(Self(u128::from_be_bytes(*first)));
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// Reads what `Display` wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

fn bytes(digest: &mut Sha256, tag: u8, bytes: &[u8]) {
    digest.update([tag]);
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(table: &str, rows: &[Vec<Param>]) -> Checksum {
        let table = Table { name: table.to_owned(), columns: Vec::new() };
        let mut sum = Checksum::default();
        rows.iter().for_each(|row| sum.add_row(&table, row));
        sum
    }

    fn text(text: &str) -> Param {
        Param::Text(Some(text.to_owned()))
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_everything_else_does() {
        let one = || vec![text("a"), Param::Int(Some(1))];
        let two = || vec![text("b"), Param::Int(None)];
        let whole = sum("t", &[one(), two()]);
        assert_eq!(whole, sum("t", &[two(), one()]));
        assert_eq!(Checksum::parse(&whole.to_string()), Some(whole));
        for other in [
            sum("t", &[one()]),
            sum("t", &[one(), two(), two()]),
            sum("u", &[one(), two()]),
            sum("t", &[one(), vec![text("b"), Param::Int(Some(0))]]),
            sum("t", &[one(), vec![Param::Blob(Some(b"b".to_vec())), Param::Int(None)]]),
            sum("t", &[one(), vec![Param::Int(None), text("b")]]),
            sum("t", &[vec![text("a1")], two()]),
        ] {
            assert_ne!(whole, other);
        }
    }

    /// Backups carry it: it must not change.
    #[test]
    fn the_checksum_of_a_row_is_what_it_has_always_been() {
        let row = vec![text("a"), Param::Int(Some(-1)), Param::Blob(Some(vec![0, 255])), Param::Text(None)];
        assert_eq!(sum("t", &[row]).to_string(), "73f64a98cd1f198d46ef85e1a6294b3c");
    }
}
