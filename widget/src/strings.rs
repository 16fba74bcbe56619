//! Texts and lists put together by a few short loops: what the standard library has for it is made for speed, and is several
//! kilobytes of the bundle.

/// The texts one after the other.
pub fn concat(parts: &[&str]) -> String {
    let mut whole = String::new();
    for part in parts {
        whole.push_str(part);
    }
    whole
}

/// A whole number in decimal digits.
pub fn decimal(number: impl Into<i64>) -> String {
    digits(number.into())
}

fn digits(number: i64) -> String {
    let mut digits = String::new();
    if number < 0 {
        digits.push('-');
    }
    let mut unit: u64 = 1;
    let number = number.unsigned_abs();
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        digits.push((b'0' + (number / unit % 10) as u8) as char);
        unit /= 10;
    }
    digits
}

/// The items as a list.
pub fn list<T>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut list = Vec::new();
    // Not `extend`, which is what is avoided.
    for item in items {
        list.push(item);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_just_their_digits() {
        for number in [0, 1, 9, 10, 99, 100, 1_000_000, -5, -10, i64::MAX, i64::MIN] {
            assert_eq!(decimal(number), number.to_string());
        }
    }

    #[test]
    fn texts_and_items_keep_their_order() {
        assert_eq!(concat(&["a", "", "é", "\n"]), "aé\n");
        assert_eq!(list("abc".chars().rev()), ['c', 'b', 'a']);
    }
}
