//! Where a visitor came from: the UTM parameters that the campaigns of a site put on its addresses, kept with the
//! appointment that came of the visit.

use std::collections::BTreeMap;

/// The parameters that are kept; another is left out.
pub const NAMES: [&str; 5] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// The longest value that is kept, in characters.
const LONGEST: usize = 200;

/// Keeps what can be kept. Nobody types these parameters, and a visitor cannot mend them: what is unknown, empty or has
/// control characters is left out, and what is too long is cut.
pub fn kept(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for name in NAMES {
        let value: String =
            given.get(name).map(|value| value.trim().chars().take(LONGEST).collect()).unwrap_or_default();
        if !value.is_empty() && !value.chars().any(char::is_control) {
            kept.insert(name.to_owned(), value);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn only_the_parameters_of_campaigns_are_kept() {
        let given = map(&[("utm_source", " letter "), ("utm_term", "a\u{7}b"), ("utm_content", ""), ("fbclid", "x")]);
        assert_eq!(kept(&given), map(&[("utm_source", "letter")]));
    }

    #[test]
    fn a_value_that_is_too_long_is_cut_at_a_character() {
        let given = map(&[("utm_campaign", &"ñ".repeat(300))]);
        assert_eq!(kept(&given)["utm_campaign"], "ñ".repeat(200));
    }
}
