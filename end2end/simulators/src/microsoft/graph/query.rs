//! Query parameters and `Prefer` headers, read strictly.

use chrono::{DateTime, Utc};
use http::HeaderMap;

use super::super::event_time::{ShownZone, parse_local};
use super::super::ids::IdType;
use super::super::view::Window;
use super::error::GraphError;

/// The query of a request, decoded. Names are not case-sensitive.
#[derive(Debug, Clone, Default)]
pub struct Query(pub(super) Vec<(String, String)>);

impl Query {
    /// Decodes `text`, the part after the question mark.
    pub fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value of `name`, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// The query again, with `name` set to `value`.
    pub fn with(&self, name: &str, value: &str) -> String {
        let kept = self.0.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(name));
        let pairs = kept.map(|(key, value)| (key.as_str(), value.as_str())).chain([(name, value)]);
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// A number of at least `least`; anything else is a 400.
    pub fn number(&self, name: &str, least: usize) -> Result<Option<usize>, GraphError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number >= least);
        let message = format!("Invalid value '{text}' for {name} query option found.");
        number.map(Some).ok_or_else(|| GraphError::bad_query(message))
    }

    /// `startDateTime` and `endDateTime`, which must be there.
    pub fn window(&self) -> Result<Window, GraphError> {
        let bound = |name: &str| {
            let missing = || {
                let message = format!(
                    "This request requires a time window specified by the query string parameters StartDateTime \
                     and EndDateTime; {name} is missing."
                );
                GraphError::bad_request("ErrorInvalidParameter", message)
            };
            let text = self.get(name).ok_or_else(missing)?;
            let message = format!("The value '{text}' of parameter '{name}' is invalid.");
            instant(text).ok_or_else(|| GraphError::bad_request("ErrorInvalidParameter", message))
        };
        let window = Window { from: bound("startDateTime")?, to: bound("endDateTime")? };
        if window.to < window.from {
            return Err(GraphError::bad_request("ErrorInvalidParameter", "The end is before the start."));
        }
        Ok(window)
    }

    /// Whether a bound of the window is written with an offset other than `Z`: times are then told in UTC.
    pub fn has_offset(&self) -> bool {
        let offset = |name: &str| {
            let text = self.get(name).unwrap_or_default();
            DateTime::parse_from_rfc3339(text).is_ok() && !text.ends_with(['Z', 'z'])
        };
        offset("startDateTime") || offset("endDateTime")
    }

    /// The names of `$select`.
    pub fn select(&self) -> Option<Vec<String>> {
        let text = self.get("$select")?;
        Some(text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
    }
}

/// RFC 3339, or a wall-clock time of UTC.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let with_offset = DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc());
    with_offset.or_else(|| parse_local(text).map(|local| local.and_utc()))
}

/// What the client prefers.
#[derive(Debug, Clone, Default)]
pub struct Prefer {
    /// `outlook.timezone`.
    pub zone: Option<ShownZone>,
    /// `IdType`.
    pub ids: IdType,
    /// `outlook.body-content-type="text"`.
    pub text_body: bool,
    /// `odata.maxpagesize`.
    pub page_size: Option<usize>,
}

impl Prefer {
    /// Reads every `Prefer` header. Preferences that are not known are left alone, as RFC 7240 says.
    pub fn read(headers: &HeaderMap) -> Result<Self, GraphError> {
        let mut prefer = Self::default();
        for header in headers.get_all("prefer") {
            let text = header.to_str().map_err(|_| GraphError::bad_request("BadRequest", "A header is unreadable."))?;
            for preference in text.split([',', ';']) {
                let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
                let value = value.trim().trim_matches('"');
                match name.trim().to_lowercase().as_str() {
                    "outlook.timezone" => prefer.zone = Some(ShownZone::named(value)?),
                    "idtype" if value.eq_ignore_ascii_case("ImmutableId") => prefer.ids = IdType::Immutable,
                    "outlook.body-content-type" => prefer.text_body = value.eq_ignore_ascii_case("text"),
                    "odata.maxpagesize" => prefer.page_size = value.parse().ok().filter(|size| *size > 0),
                    _ => {}
                }
            }
        }
        Ok(prefer)
    }

    /// `Preference-Applied`.
    pub fn applied(&self) -> Option<String> {
        let mut applied = Vec::new();
        if let Some(zone) = &self.zone {
            applied.push(format!("outlook.timezone=\"{}\"", zone.name));
        }
        if self.ids == IdType::Immutable {
            applied.push("IdType=\"ImmutableId\"".to_owned());
        }
        if self.text_body {
            applied.push("outlook.body-content-type=\"text\"".to_owned());
        }
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_stand_in_one_header_or_in_several() {
        let mut headers = HeaderMap::new();
        headers.append("prefer", "outlook.timezone=\"Romance Standard Time\", odata.maxpagesize=5".parse().unwrap());
        headers.append("prefer", "IdType=\"ImmutableId\"".parse().unwrap());
        let prefer = Prefer::read(&headers).unwrap();
        assert_eq!(prefer.zone.map(|zone| zone.name).as_deref(), Some("Romance Standard Time"));
        assert_eq!((prefer.ids, prefer.page_size), (IdType::Immutable, Some(5)));
        headers.append("prefer", "outlook.timezone=\"Middle Earth\"".parse().unwrap());
        assert!(Prefer::read(&headers).is_err());
    }

    #[test]
    fn only_an_offset_that_is_not_z_counts_as_one() {
        let query = |start: &str| Query::parse(&format!("startDateTime={start}&endDateTime=2026-12-01T00:00:00Z"));
        assert!(!query("2026-11-23T00:00:00Z").has_offset());
        assert!(!query("2026-11-23T00:00:00").has_offset());
        assert!(query("2026-11-23T00:00:00%2B01:00").has_offset());
        assert!(query("2026-11-23T00:00:00+01:00").window().is_err(), "a plus that is not encoded is a space");
    }
}
