//! Addresses from titles.

/// A slug made of a title: `Limpieza dental (niños)` becomes `limpieza-dental-ninos`. Empty when the title has no letter or
/// digit that can be written in ASCII.
pub(crate) fn slug_of(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.to_lowercase().chars() {
        match plain(letter) {
            Some(plain) => slug.push_str(plain),
            None if letter.is_ascii_alphanumeric() => slug.push(letter),
            None if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            None => {}
        }
    }
    let longest = slug.get(..LONGEST).unwrap_or(&slug);
    longest.trim_end_matches('-').to_owned()
}

const LONGEST: usize = 48;

fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => "a",
        'é' | 'è' | 'ê' | 'ë' => "e",
        'í' | 'ì' | 'î' | 'ï' => "i",
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => "o",
        'ú' | 'ù' | 'û' | 'ü' => "u",
        'ñ' => "n",
        'ç' => "c",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::slug_of;

    #[test]
    fn accents_are_dropped_and_other_signs_become_one_hyphen() {
        assert_eq!(slug_of("Limpieza dental (niños)"), "limpieza-dental-ninos");
        assert_eq!(slug_of("  30 min — Intro  call!"), "30-min-intro-call");
    }

    #[test]
    fn a_title_without_latin_letters_makes_no_slug() {
        assert_eq!(slug_of("予約"), "");
    }

    #[test]
    fn a_long_title_is_cut_without_a_hyphen_at_its_end() {
        let slug = slug_of(&"word ".repeat(30));
        assert!(slug.len() <= 48 && !slug.ends_with('-'), "{slug}");
    }
}
