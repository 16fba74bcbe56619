//! What must be true of the catalogues of all languages.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::dates;

const SECTIONS: [&str; 4] = ["widget", "public", "mail", "error"];
const OF_THE_DASHBOARD: [&str; 2] = ["dashboard", "why"];
const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
}

/// The name of a key without a plural category, and the category.
fn counted_name(key: &str) -> Option<(&str, &str)> {
    key.rsplit_once('.').filter(|(_, last)| CATEGORIES.contains(last))
}

/// The names in a language, and of each its texts by plural category; a text that tells no count stands at the empty one.
fn entries(locale: Locale) -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let mut entries = BTreeMap::<_, BTreeMap<_, _>>::new();
    for (key, text) in catalogue(locale) {
        let (name, category) = counted_name(key).unwrap_or((key, ""));
        entries.entry(name).or_default().insert(category, text.as_str());
    }
    entries
}

fn is_for_visitors(name: &str) -> bool {
    name.split_once('.').is_some_and(|(section, _)| SECTIONS.contains(&section))
}

#[test]
fn every_language_has_the_same_keys() {
    let of =
        |locale, wanted: fn(&str) -> bool| entries(locale).into_keys().filter(|name| wanted(name)).collect::<Vec<_>>();
    for locale in Locale::ALL {
        assert_eq!(of(locale, is_for_visitors), of(Locale::En, is_for_visitors), "{locale:?}");
    }
    for locale in Locale::DASHBOARD {
        assert_eq!(of(locale, |_| true), of(Locale::En, |_| true), "{locale:?}");
    }
}

#[test]
fn every_text_says_something_with_the_same_placeholders_in_every_language() {
    let reference = entries(Locale::En);
    for locale in Locale::ALL {
        for (name, texts) in entries(locale) {
            let wanted: BTreeSet<_> = reference[name].values().flat_map(|text| placeholders(text)).collect();
            for (category, text) in texts {
                assert!(!text.trim().is_empty(), "{locale:?} {name} is empty");
                assert_eq!(text.trim(), text, "{locale:?} {name}: spaces around");
                let mut there = placeholders(text);
                // "Two seats" needs no number.
                if !category.is_empty() && category != "other" && wanted.contains("count") {
                    there.insert("count");
                }
                assert_eq!(there, wanted, "{locale:?} {name} {category}");
            }
        }
    }
}

#[test]
fn a_text_that_counts_has_the_categories_of_its_language_and_no_other() {
    for locale in Locale::ALL {
        let dates = dates::of(locale.into());
        let of_language: BTreeSet<_> = (0..=1000).map(|count| dates.plural(count)).collect();
        for (name, texts) in entries(locale) {
            let categories: BTreeSet<_> = texts.into_keys().collect();
            assert!(
                categories == BTreeSet::from([""]) || categories == of_language,
                "{locale:?} {name} {categories:?}"
            );
        }
    }
    assert_eq!(entries(Locale::Ar)["widget.seats"].len(), CATEGORIES.len());
}

#[test]
fn the_same_texts_count_in_every_language() {
    let counting = |locale| {
        let all = entries(locale).into_iter().filter(|(name, texts)| is_for_visitors(name) && !texts.contains_key(""));
        all.map(|(name, _)| name).collect::<Vec<_>>()
    };
    for locale in Locale::ALL {
        assert_eq!(counting(locale), counting(Locale::En), "{locale:?}");
    }
    assert!(!counting(Locale::En).is_empty());
}

#[test]
fn no_text_was_left_in_english() {
    let english = entries(Locale::En);
    for locale in Locale::ALL.into_iter().filter(|locale| *locale != Locale::En) {
        for (name, texts) in entries(locale) {
            // A word or two may be the same in two languages; a sentence is not.
            let is_sentence = |text: &str| text.split_whitespace().filter(|word| !word.contains('{')).count() > 2;
            let left =
                texts.values().any(|text| is_sentence(text) && english[name].values().any(|other| other == text));
            assert!(!left, "{locale:?} {name}");
        }
    }
}

#[test]
fn each_language_is_set_by_its_own_rules() {
    for locale in Locale::ALL {
        for (name, texts) in entries(locale) {
            for text in texts.values() {
                let told = format!("{locale:?} {name}: {text}");
                assert!(!text.contains("..."), "{told}");
                match locale {
                    // French sets these marks off by a space that does not break (Imprimerie nationale).
                    Locale::Fr => {
                        for mark in ['?', '!', ';', '»'] {
                            assert!(!text.contains(&format!(" {mark}")), "{told}");
                            let bare = text.match_indices(mark).any(|(at, _)| !text[..at].ends_with('\u{202f}'));
                            assert!(!bare, "{told}");
                        }
                        assert!(!text.contains(" :") && !text.contains('\''), "{told}");
                        assert!(!text.contains('«') || text.contains("«\u{202f}"), "{told}");
                    }
                    Locale::De => assert!(!text.contains(['"', '«', '\'']), "{told}"),
                    Locale::It => assert!(!text.contains(['"', '\'']), "{told}"),
                    Locale::Ar => assert!(!text.contains([',', '?', ';', '"']) || text.contains("https://"), "{told}"),
                    Locale::Es => assert!(!text.contains('?') || text.contains('¿'), "{told}"),
                    Locale::En | Locale::Pt => {}
                }
            }
        }
    }
}

#[test]
fn what_people_named_stands_by_itself_within_arabic() {
    // Names, numbers of telephones and zones may run from left to right: each is isolated from what surrounds it (UAX 9).
    let names = ["host", "visitor", "title", "organization", "zone", "number", "account", "calendar", "city", "email"];
    let mut found = 0;
    for (name, texts) in entries(Locale::Ar) {
        for text in texts.values() {
            for placeholder in placeholders(text).into_iter().filter(|placeholder| names.contains(placeholder)) {
                let isolated = format!("\u{2068}{{{placeholder}}}\u{2069}");
                assert!(text.contains(&isolated), "{name}: {text}");
                found += 1;
            }
        }
    }
    assert!(found > 50, "{found}");
}

#[test]
fn a_count_chooses_its_text_and_is_written_in_the_digits_of_the_region() {
    let seats = |tag: &str, count| counted(LanguageTag::parse(tag).unwrap(), "public.seats", count, &[]);
    assert_eq!([1, 2].map(|count| seats("en", count)), ["1 seat left", "2 seats left"]);
    assert_eq!([1, 1200].map(|count| seats("de", count)), ["Noch 1 Platz frei", "Noch 1.200 Plätze frei"]);
    assert!(seats("ar", 5).contains('5') && seats("ar-EG", 5).contains('٥'));
    let arabic: BTreeSet<_> = [0, 1, 2, 5, 11, 100].map(|count| seats("ar", count)).into();
    assert_eq!(arabic.len(), 6, "{arabic:?}");
}

#[test]
fn what_only_the_dashboard_says_is_said_in_one_of_its_languages() {
    for locale in Locale::ALL {
        for section in OF_THE_DASHBOARD {
            for key in super::section(locale.dashboard(), section).into_keys().map(|key| format!("{section}.{key}")) {
                assert_eq!(lookup(locale, &key), lookup(locale.dashboard(), &key));
                assert_ne!(lookup(locale, &key), key);
            }
        }
    }
}

#[test]
fn answers_are_joined_by_the_comma_of_the_language() {
    let answer = |values: &[&str]| crate::question::Answer {
        id: "q".to_owned(),
        label: "Q".to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    assert_eq!(super::answer(Locale::Fr, &answer(&["a", "b"])), "a, b");
    assert_eq!(super::answer(Locale::Ar, &answer(&["a", "b"])), "a، b");
    assert_eq!(super::answer(Locale::De, &answer(&["on"])), "Ja");
}
