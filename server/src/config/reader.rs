//! Reads single keys out of the merged sources and collects the mistakes, so that all are told at once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::mistakes::{Mistake, Mistakes};

/// The variables of the process that concern Cupo.
///
/// Values stay text: a password of digits must not become a number, as figment's own reader would have it.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::from_variables(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// `CUPO_*` and `DATABASE_URL`; everything else is left out. An empty value counts as absent.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut keys = BTreeMap::new();
        for (name, value) in variables {
            if value.is_empty() {
                continue;
            }
            if name == "DATABASE_URL" {
                keys.entry("database.url".to_owned()).or_insert(value);
            } else if let Some(rest) = name.strip_prefix("CUPO_")
                && !rest.starts_with("TEST_")
            {
                keys.insert(rest.to_lowercase().replace("__", "."), value);
            }
        }
        Self(keys)
    }
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut root = Dict::new();
        for (key, value) in &self.0 {
            match key.split_once('.') {
                None => {
                    root.insert(key.clone(), Value::from(value.clone()));
                }
                Some((section, name)) => {
                    let entry = root.entry(section.to_owned()).or_insert_with(|| Value::from(Dict::new()));
                    if let Value::Dict(_, dict) = entry {
                        dict.insert(name.to_owned(), Value::from(value.clone()));
                    }
                }
            }
        }
        Ok(Profile::Default.collect(root))
    }
}

/// The environment variable of a key: `google.client_id` is `CUPO_GOOGLE__CLIENT_ID`.
#[must_use]
pub fn variable_of(key: &str) -> String {
    format!("CUPO_{}", key.replace('.', "__").to_uppercase())
}

/// Whether a found value may be repeated in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Value,
    Nothing,
}

/// Hands out values by key, remembers which keys exist, and collects mistakes.
pub struct Reader {
    values: BTreeMap<String, Value>,
    known: RefCell<BTreeSet<&'static str>>,
    mistakes: RefCell<Vec<Mistake>>,
}

impl Reader {
    pub(super) fn new(figment: Figment, file: Option<&Path>) -> Result<Self, Mistakes> {
        let place = file.map_or_else(|| "the configuration".to_owned(), |path| path.display().to_string());
        let unreadable = |error: figment::Error| {
            let mistake = |one: figment::Error| Mistake {
                key: place.clone(),
                variable: None,
                found: format!("cannot be read ({})", without_excerpt(&one.kind.to_string())),
                right: "write valid TOML".to_owned(),
            };
            Mistakes(error.into_iter().map(mistake).collect())
        };
        let data = figment.data().map_err(unreadable)?;
        let mut values = BTreeMap::new();
        for (key, value) in data.into_iter().filter(|(profile, _)| *profile == Profile::Default).flat_map(|(_, it)| it)
        {
            match value {
                Value::Dict(_, dict) => values.extend(dict.into_iter().map(|(name, it)| (format!("{key}.{name}"), it))),
                other => {
                    values.insert(key, other);
                }
            }
        }
        Ok(Self { values, known: RefCell::default(), mistakes: RefCell::default() })
    }

    /// Whether the key is given at all.
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// The value as text, whatever scalar the file wrote.
    fn text(&self, key: &'static str) -> Option<String> {
        self.known.borrow_mut().insert(key);
        self.values.get(key).map(scalar_text)
    }

    /// An optional value: the outer `None` is a mistake, which is noted, the inner one is absence.
    pub fn optional<T>(
        &self,
        key: &'static str,
        right: &str,
        show: Show,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let Some(text) = self.text(key) else { return Some(None) };
        let parsed = parse(&text);
        if parsed.is_none() {
            let found = if show == Show::Value { format!("is {text:?}") } else { "is not usable".to_owned() };
            self.mistake(key, found, right);
        }
        parsed.map(Some)
    }

    /// A value with a default.
    pub fn or<T>(
        &self,
        key: &'static str,
        default: T,
        right: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.optional(key, right, Show::Value, parse).map(|found| found.unwrap_or(default))
    }

    /// A value that must be given.
    pub fn required<T>(
        &self,
        key: &'static str,
        right: &str,
        show: Show,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let found = self.optional(key, right, show, parse)?;
        if found.is_none() {
            self.mistake(key, "is missing".to_owned(), right);
        }
        found
    }

    /// A list: an array in the file, separated by commas in the environment. Absent is empty.
    pub fn list(&self, key: &'static str) -> Vec<String> {
        self.known.borrow_mut().insert(key);
        match self.values.get(key) {
            None => Vec::new(),
            Some(Value::Array(_, items)) => items.iter().map(scalar_text).collect(),
            Some(single) => scalar_text(single)
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
        }
    }

    /// Notes a mistake that the caller found.
    pub fn mistake(&self, key: &str, found: impl Into<String>, right: impl Into<String>) {
        self.mistakes.borrow_mut().push(Mistake {
            key: key.to_owned(),
            variable: Some(variable_of(key)),
            found: found.into(),
            right: right.into(),
        });
    }

    /// Adds keys that nobody asked for, which are misspelt, and fails when there is any mistake.
    pub(super) fn finish(&self) -> Result<(), Mistakes> {
        let known = self.known.borrow();
        for key in self.values.keys().filter(|key| !known.contains(key.as_str())) {
            let nearest = known.iter().filter(|it| section_of(it) == section_of(key)).copied().collect::<Vec<_>>();
            let right = if nearest.is_empty() {
                format!("sections are {}", sections(&known).join(", "))
            } else {
                format!("known keys here are {}", nearest.join(", "))
            };
            self.mistake(key, "is not a key of Cupo", right);
        }
        let mistakes = self.mistakes.take();
        if mistakes.is_empty() { Ok(()) } else { Err(Mistakes(mistakes)) }
    }
}

/// The place and the reason of a TOML error, without the line itself: it may hold a secret.
fn without_excerpt(error: &str) -> String {
    let mut lines = error.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next_back()) {
        (Some(place), Some(reason)) => format!("{place}: {reason}"),
        (place, _) => place.unwrap_or("no reason given").to_owned(),
    }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(_, text) => text.clone(),
        Value::Bool(_, truth) => truth.to_string(),
        Value::Char(_, character) => character.to_string(),
        Value::Num(_, number) => number
            .to_i128()
            .map(|it| it.to_string())
            .or_else(|| number.to_u128().map(|it| it.to_string()))
            .or_else(|| number.to_f64().map(|it| it.to_string()))
            .unwrap_or_default(),
        Value::Array(..) | Value::Dict(..) | Value::Empty(..) => String::new(),
    }
}

fn section_of(key: &str) -> Option<&str> {
    key.split_once('.').map(|(section, _)| section)
}

fn sections(known: &BTreeSet<&'static str>) -> Vec<&'static str> {
    known.iter().filter_map(|key| section_of(key)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// `true` or `false`.
pub fn parse_bool(text: &str) -> Option<bool> {
    text.trim().parse().ok()
}
