//! The texts of Cupo, one catalogue per language, for the widget, the public pages, the dashboard and the mails.
//!
//! A key is `section.name`; the section is a file of `app/core/locales/{language}`. A text may hold placeholders such as
//! `{name}`. Every language has the same keys with the same placeholders; the tests of this module see to it.

use std::{collections::BTreeMap, fmt::Display, sync::LazyLock};

/// A language that Cupo speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Locale {
    /// Every language, the default first.
    pub const ALL: [Locale; 2] = [Locale::En, Locale::Es];

    /// Reads a BCP 47 tag by its primary language, such as `es-MX`.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(primary))
    }

    /// The best language for an `Accept-Language` header (RFC 9110, section 12.5.4); English when none fits.
    pub fn negotiate(accept_language: &str) -> Self {
        let weighted = accept_language.split(',').filter_map(|range| {
            let mut parts = range.split(';');
            let locale = Self::parse(parts.next()?)?;
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            (weight > 0.0).then_some((locale, weight))
        });
        // `max_by` keeps the last of equals, and the first named is preferred: turn the order round.
        let mut weighted: Vec<_> = weighted.collect();
        weighted.reverse();
        weighted.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(locale, _)| locale).unwrap_or_default()
    }

    /// The primary language subtag: `en` or `es`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// The language's name in itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Es => "Español",
        }
    }
}

type Catalogue = BTreeMap<String, String>;

macro_rules! catalogue {
    ($language:literal: $($section:literal),*) => {{
        let mut catalogue = Catalogue::new();
        $(
            let file: BTreeMap<String, String> = serde_json::from_str(include_str!(concat!("../locales/", $language, "/", $section, ".json")))
                .expect(concat!("locales/", $language, "/", $section, ".json is a flat object of texts"));
            catalogue.extend(file.into_iter().map(|(key, text)| (format!("{}.{key}", $section), text)));
        )*
        catalogue
    }};
}

static CATALOGUES: LazyLock<[Catalogue; 2]> = LazyLock::new(|| {
    [
        catalogue!("en": "widget", "dashboard", "public", "mail", "error", "why"),
        catalogue!("es": "widget", "dashboard", "public", "mail", "error", "why"),
    ]
});

fn catalogue(locale: Locale) -> &'static Catalogue {
    &CATALOGUES[locale as usize]
}

/// The text of a key, or the key itself where the catalogue lacks it.
pub fn lookup(locale: Locale, key: &str) -> &str {
    catalogue(locale).get(key).map_or(key, String::as_str)
}

/// What a visitor answered, as one line: several choices with commas, a ticked box as a yes.
pub fn answer(locale: Locale, answer: &crate::question::Answer) -> String {
    match answer.values.as_slice() {
        [on] if on == "on" => lookup(locale, "mail.yes").to_owned(),
        values => values.join(", "),
    }
}

/// The text of a key with its `{name}` placeholders filled in.
pub fn format(locale: Locale, key: &str, args: &[(&str, &dyn Display)]) -> String {
    fill(lookup(locale, key), args)
}

/// Fills the `{name}` placeholders of a text in one pass: what an argument brings in is never read as a placeholder.
pub fn fill(template: &str, args: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let argument =
            after.split_once('}').and_then(|(name, tail)| Some((args.iter().find(|(key, _)| *key == name)?, tail)));
        match argument {
            Some(((_, value), tail)) => {
                filled.push_str(&value.to_string());
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The sentence of a refused value.
pub fn problem(locale: Locale, problem: &crate::parse::FieldProblem) -> String {
    let args: Vec<(&str, &dyn Display)> =
        problem.args.iter().map(|(name, value)| (*name, value as &dyn Display)).collect();
    format(locale, problem.key, &args)
}

/// The texts of one section by their names without the section, such as all strings of the widget.
pub fn section(locale: Locale, section: &str) -> BTreeMap<&'static str, &'static str> {
    let prefix = format!("{section}.");
    catalogue(locale).iter().filter_map(|(key, text)| Some((key.strip_prefix(&prefix)?, text.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<&str> {
        let mut names: Vec<_> =
            text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn every_language_has_the_same_keys_with_the_same_placeholders() {
        let reference = catalogue(Locale::En);
        for locale in Locale::ALL {
            let other = catalogue(locale);
            let keys = |catalogue: &'static Catalogue| catalogue.keys().collect::<Vec<_>>();
            assert_eq!(keys(other), keys(reference), "{locale:?}");
            for (key, text) in other {
                assert!(!text.trim().is_empty(), "{locale:?} {key} is empty");
                assert_eq!(placeholders(text), placeholders(&reference[key]), "{locale:?} {key}");
            }
        }
    }

    #[test]
    fn the_preferred_language_that_is_spoken_wins() {
        for (header, locale) in [
            ("es-MX,es;q=0.9,en;q=0.8", Locale::Es),
            ("de,en;q=0.3,es;q=0.7", Locale::Es),
            ("en, es", Locale::En),
            ("es;q=0, en;q=0.1", Locale::En),
            ("fr", Locale::En),
            ("", Locale::En),
        ] {
            assert_eq!(Locale::negotiate(header), locale, "{header}");
        }
    }

    #[test]
    fn an_argument_is_never_read_as_a_placeholder() {
        assert_eq!(fill("{a} and {b} {c}", &[("a", &"{b}"), ("b", &2)]), "{b} and 2 {c}");
    }
}
