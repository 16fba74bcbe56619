//! The texts of Cupo, one catalogue per language, for the widget, the public pages, the dashboard and the mails.
//!
//! A key is `section.name`; the section is a file of `app/core/locales/{language}`. A text may hold placeholders such as
//! `{name}`. A text that tells a count is an object by the CLDR's plural categories of its language; its keys are
//! `section.name.one`, `section.name.other` and so on.
//!
//! Visitors are spoken to in every language; the dashboard, which explains itself in the sections `dashboard` and `why`,
//! speaks [`Locale::DASHBOARD`]. The tests of this module see to it that every language has the same keys with the same
//! placeholders.

use std::{collections::BTreeMap, fmt::Display, sync::LazyLock};

pub use crate::language::{LanguageTag, Locale};

type Catalogue = BTreeMap<String, String>;

/// What stands at a key of a file.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    /// By the plural category of a count.
    Counted(BTreeMap<String, String>),
}

fn read(section: &str, file: &str, catalogue: &mut Catalogue) {
    let entries: BTreeMap<String, Entry> = match serde_json::from_str(file) {
        Ok(entries) => entries,
        Err(error) => panic!("the section {section} is no object of texts: {error}"),
    };
    for (key, entry) in entries {
        match entry {
            Entry::Text(text) => drop(catalogue.insert(format!("{section}.{key}"), text)),
            Entry::Counted(texts) => {
                catalogue
                    .extend(texts.into_iter().map(|(category, text)| (format!("{section}.{key}.{category}"), text)));
            }
        }
    }
}

macro_rules! catalogue {
    ($language:literal: $($section:literal),*) => {{
        let mut catalogue = Catalogue::new();
        $(read($section, include_str!(concat!("../locales/", $language, "/", $section, ".json")), &mut catalogue);)*
        catalogue
    }};
}

static CATALOGUES: LazyLock<Vec<Catalogue>> = LazyLock::new(|| {
    vec![
        catalogue!("en": "widget", "dashboard", "public", "mail", "error", "why"),
        catalogue!("es": "widget", "dashboard", "public", "mail", "error", "why"),
        #[cfg(feature = "languages")]
        catalogue!("pt": "widget", "public", "mail", "error"),
        #[cfg(feature = "languages")]
        catalogue!("fr": "widget", "public", "mail", "error"),
        #[cfg(feature = "languages")]
        catalogue!("de": "widget", "public", "mail", "error"),
        #[cfg(feature = "languages")]
        catalogue!("it": "widget", "public", "mail", "error"),
        #[cfg(feature = "languages")]
        catalogue!("ar": "widget", "public", "mail", "error"),
    ]
});

/// The catalogue of a language; where only the dashboard's are built in, the one of those that stands in for it.
fn catalogue(locale: Locale) -> &'static Catalogue {
    let catalogues = &*CATALOGUES;
    catalogues.get(locale as usize).unwrap_or(&catalogues[locale.dashboard() as usize])
}

/// The text of a key, or the key itself where the catalogue lacks it. What only the dashboard says is said in a language of the
/// dashboard.
pub fn lookup(locale: Locale, key: &str) -> &str {
    let found = catalogue(locale).get(key).or_else(|| catalogue(locale.dashboard()).get(key));
    found.map_or(key, String::as_str)
}

/// What a visitor answered, as one line: several choices with commas, a ticked box as a yes.
pub fn answer(locale: Locale, answer: &crate::question::Answer) -> String {
    match answer.values.as_slice() {
        [on] if on == "on" => lookup(locale, "mail.yes").to_owned(),
        values => values.join(if locale == Locale::Ar { "، " } else { ", " }),
    }
}

/// The text of a key with its `{name}` placeholders filled in.
pub fn format(locale: Locale, key: &str, args: &[(&str, &dyn Display)]) -> String {
    fill(lookup(locale, key), args)
}

/// The text of a key for a count, by the plural rules of the language; `{count}` is filled in with the digits of the region.
#[cfg(feature = "dates")]
pub fn counted(language: LanguageTag, key: &str, count: u64, args: &[(&str, &dyn Display)]) -> String {
    let dates = crate::dates::of(language);
    let number = dates.number(count);
    let mut args = args.to_vec();
    args.push(("count", &number));
    format(language.locale(), &format!("{key}.{}", dates.plural(count)), &args)
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

#[cfg(all(test, feature = "dates"))]
mod tests;

#[cfg(test)]
mod fill_tests {
    use super::fill;

    #[test]
    fn an_argument_is_never_read_as_a_placeholder() {
        assert_eq!(fill("{a} and {b} {c}", &[("a", &"{b}"), ("b", &2)]), "{b} and 2 {c}");
    }
}
