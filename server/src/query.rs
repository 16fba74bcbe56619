//! Reads queries. Everything that is missing or malformed in one is told at once, each parameter by its name.

use std::borrow::Cow;

use axum::http::Uri;
use chrono::{DateTime, NaiveDate, Utc};
use cupo_core::parse::{FieldErrors, FieldProblem};

use crate::problem::{Failure, Kind};

/// The parameters of a query. Of a name that comes twice the last one counts, an empty one is none, and those that nobody
/// asks for are left alone.
pub struct Parameters<'a> {
    found: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    errors: FieldErrors,
}

impl<'a> Parameters<'a> {
    /// Those of an address.
    #[must_use]
    pub fn of(uri: &'a Uri) -> Self {
        let query = uri.query().unwrap_or("").as_bytes();
        let found = url::form_urlencoded::parse(query).filter(|(_, value)| !value.is_empty());
        Self { found: found.collect(), errors: FieldErrors::default() }
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        let at = self.found.iter().rposition(|(found, _)| found == name)?;
        Some(self.found.swap_remove(at).1)
    }

    /// A date.
    pub fn date(&mut self, name: &'static str) -> Option<NaiveDate> {
        self.read(name, |text| text.parse().map_err(|_| FieldProblem::new("error.date")))
    }

    /// An instant.
    pub fn instant(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        self.read(name, |text| text.parse().map_err(|_| FieldProblem::new("error.instant")))
    }

    /// The length of an appointment in minutes.
    pub fn duration(&mut self) -> Option<u32> {
        self.read("duration", |text| text.parse().map_err(|_| FieldProblem::new("error.duration").with("value", text)))
    }

    /// A number that will do only between two others; what is none at all is told these.
    pub fn number(&mut self, name: &'static str, min: u32, max: u32) -> Option<u32> {
        let problem = || FieldProblem::new("error.out_of_range").with("min", min).with("max", max);
        self.read(name, |text| text.parse().map_err(|_| problem()))
    }

    /// What must be there: notes it when it is not, unless it is noted that it cannot be read.
    pub fn needed<T>(&mut self, name: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.errors.0.iter().any(|error| error.field == name) {
            self.errors.0.push(FieldProblem::new("error.required").at(name));
        }
        value
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn are_fine(&self) -> bool {
        self.errors.is_empty()
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn refused(self) -> Failure {
        Kind::Malformed(self.errors).into()
    }

    fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Result<T, FieldProblem>) -> Option<T> {
        let text = self.text(name)?;
        self.errors.collect(name, read(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_an_empty_one_is_none() {
        let uri: Uri = "/slots?from=2026-11-23&from=2026-11-24&to=&hold=a%20b".parse().unwrap();
        let mut query = Parameters::of(&uri);
        assert_eq!(query.date("from").unwrap().to_string(), "2026-11-24");
        assert_eq!(query.text("hold").unwrap(), "a b");
        let to = query.date("to");
        assert_eq!(query.needed("to", to), None);
        assert!(!query.are_fine());
    }

    #[test]
    fn each_parameter_is_told_once() {
        let uri: Uri = "/explain?at=soon&duration=long".parse().unwrap();
        let mut query = Parameters::of(&uri);
        let at = query.instant("at");
        query.needed("at", at);
        query.duration();
        let failure = query.refused();
        let Kind::Malformed(errors) = failure.kind() else { panic!("a query was refused") };
        let told: Vec<_> = errors.0.iter().map(|error| (error.field.as_ref(), error.problem.key)).collect();
        assert_eq!(told, [("at", "error.instant"), ("duration", "error.duration")]);
    }
}
