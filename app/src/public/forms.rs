//! What the forms of the public pages post.

use std::collections::BTreeMap;

use cupo_core::parse::{FieldError, FieldErrors, FieldProblem};
use cupo_core::text::LanguageTag;
use cupo_core::wire::{AnswerInput, BookingRequest, RecurrenceRequest, SeriesScope};
use serde::{Deserialize, Serialize};

use super::picks::{RawPicks, instant};
use super::query::{BookingQuery, ManageQuery};

/// Body of the form that is posted to `/{org}/{slug}`. Of a name that comes twice the last value counts, but for answers.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<(String, String)>")]
pub struct BookingForm {
    /// The picked slot, RFC 3339.
    pub slot: String,
    /// The visitor's zone.
    pub tz: String,
    /// As in [`BookingQuery`]; empty where there is no choice.
    pub duration: String,
    /// As in [`BookingQuery`]; empty for anyone.
    pub host: String,
    /// The visitor's name.
    pub name: String,
    /// The visitor's e-mail address.
    pub email: String,
    /// The visitor's phone number; empty where it is not asked for.
    pub phone: String,
    /// What the visitor wants to say.
    pub notes: String,
    /// The answers by the ids of their questions, as posted: `answers.` and the id.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Where the visitor came from, as the page around a frame knows it: `tracking.` and the parameter's name.
    pub tracking: BTreeMap<String, String>,
    /// `weekly`, `every_two_weeks` or `monthly`; empty for one date alone.
    pub frequency: String,
    /// How many dates.
    pub count: String,
    /// The series whose dates the visitor has seen, as [`BookingForm::dates_asked`] names it.
    pub dates_seen: String,
    /// Whether dates that are not free are left out.
    pub skip_taken: bool,
    /// See [`super::BookingState::idempotency_key`].
    pub idempotency_key: String,
    /// As in [`BookingQuery`].
    pub link: Option<String>,
    /// As in [`BookingQuery`].
    pub embed: Option<String>,
    /// As in [`BookingQuery`].
    pub lang: Option<String>,
}

cupo_core::shown_in_debug!(BookingForm { slot, tz, duration, host, frequency, count, lang });

impl From<Vec<(String, String)>> for BookingForm {
    fn from(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "slot" => form.slot = value,
                "tz" => form.tz = value,
                "duration" => form.duration = value,
                "host" => form.host = value,
                "name" => form.name = value,
                "email" => form.email = value,
                "phone" => form.phone = value,
                "notes" => form.notes = value,
                "frequency" => form.frequency = value,
                "count" => form.count = value,
                "dates_seen" => form.dates_seen = value,
                "skip_taken" => form.skip_taken = value == "1",
                "idempotency_key" => form.idempotency_key = value,
                "link" => form.link = Some(value),
                "embed" => form.embed = Some(value),
                "lang" => form.lang = Some(value),
                other => {
                    if let Some(id) = other.strip_prefix("answers.") {
                        form.answers.entry(id.to_owned()).or_default().push(value);
                    } else if let Some(parameter) = other.strip_prefix("tracking.") {
                        form.tracking.insert(parameter.to_owned(), value);
                    }
                }
            }
        }
        form
    }
}

/// Body of the form that is posted to `/manage/{token}/cancel`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CancelForm {
    /// Why; may be empty.
    pub reason: String,
    /// `following`: those after it too.
    pub scope: Option<String>,
    /// As in [`BookingQuery`].
    pub embed: Option<String>,
    /// As in [`BookingQuery`].
    pub lang: Option<String>,
}

/// Body of the form that is posted to `/manage/{token}/reschedule`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RescheduleForm {
    /// The new slot, RFC 3339.
    pub slot: String,
    /// The visitor's zone.
    pub tz: String,
    /// As in [`CancelForm`].
    pub scope: Option<String>,
    /// As in [`BookingQuery`].
    pub embed: Option<String>,
    /// As in [`BookingQuery`].
    pub lang: Option<String>,
}

impl CancelForm {
    /// How far it reaches.
    pub fn scope(&self) -> SeriesScope {
        scope(self.scope.as_deref())
    }
}

impl RescheduleForm {
    /// How far it reaches.
    pub fn scope(&self) -> SeriesScope {
        scope(self.scope.as_deref())
    }
}

fn scope(text: Option<&str>) -> SeriesScope {
    if text == Some("following") { SeriesScope::Following } else { SeriesScope::This }
}

impl BookingForm {
    /// The request for the engine.
    ///
    /// # Errors
    /// A slot that is no instant, at `start`; a length that is no number, at `duration`.
    pub fn to_request(&self, org: &str, event: &str, language: LanguageTag) -> Result<BookingRequest, FieldErrors> {
        let start = instant(&self.slot).ok_or_else(|| FieldProblem::new("error.required").at("start"))?;
        let answers = self.answers.iter().map(|(id, texts)| (id.clone(), AnswerInput::Texts(texts.clone()))).collect();
        let recurrence = self.series().map(|(frequency, count)| RecurrenceRequest {
            frequency: frequency.to_owned(),
            count,
            skip_taken: self.skip_taken,
        });
        Ok(BookingRequest {
            org: org.to_owned(),
            event: event.to_owned(),
            start,
            duration: self.minutes()?,
            name: self.name.clone(),
            email: self.email.clone(),
            phone: filled(&self.phone),
            notes: filled(&self.notes),
            time_zone: self.tz.clone(),
            locale: Some(language.to_string()),
            hold: None,
            host: filled(&self.host),
            link: self.link.as_deref().and_then(filled),
            answers,
            recurrence,
            tracking: self.tracking.clone(),
        })
    }

    fn minutes(&self) -> Result<Option<u32>, FieldError> {
        let read = |text: String| {
            text.parse().map_err(|_| FieldProblem::new("error.duration").with("value", text).at("duration"))
        };
        filled(&self.duration).map(read).transpose()
    }

    /// Frequency and number of dates of the series that is asked for. A number that cannot be read is 0, which no series has.
    pub fn series(&self) -> Option<(&str, u32)> {
        let frequency = self.frequency.trim();
        (!frequency.is_empty()).then(|| (frequency, self.count.trim().parse().unwrap_or_default()))
    }

    /// Names the dates of the series that is asked for; empty for one date alone.
    pub fn dates_asked(&self) -> String {
        let named = |(frequency, count)| format!("{} {frequency} {count}", self.slot);
        self.series().map(named).unwrap_or_default()
    }

    /// Whether the visitor knows which dates it is about: nothing is booked on dates that nobody has seen.
    pub fn has_seen_dates(&self) -> bool {
        self.dates_seen == self.dates_asked()
    }

    /// The query with which the page is rendered again after a refusal. A slot that is gone leaves its day behind.
    pub fn to_query(&self, keep_slot: bool) -> BookingQuery {
        let tz = Some(self.tz.clone());
        let raw = RawPicks { month: &None, day: &None, tz: &tz, slot: &Some(self.slot.clone()) };
        let day = raw.picked_day(raw.zone("UTC")).map(|day| day.to_string());
        BookingQuery {
            month: None,
            day,
            slot: keep_slot.then(|| self.slot.clone()),
            duration: filled(&self.duration),
            host: filled(&self.host),
            link: self.link.clone(),
            embed: self.embed.clone(),
            lang: self.lang.clone(),
            tz,
        }
    }

    /// Where the visitor goes once it is booked.
    pub fn after_booking(&self, token: &str) -> String {
        let query = ManageQuery {
            booked: Some("1".to_owned()),
            embed: self.embed.clone(),
            lang: self.lang.clone(),
            ..ManageQuery::default()
        };
        query.address(token)
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> LanguageTag {
        LanguageTag::parse(text).unwrap()
    }

    fn form(pairs: &[(&str, &str)]) -> BookingForm {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>().into()
    }

    #[test]
    fn a_posted_form_becomes_a_request_with_its_empty_fields_left_out() {
        let form = form(&[("slot", "2026-12-03T10:00:00+01:00"), ("name", "Ana"), ("phone", " "), ("host", "")]);
        let request = form.to_request("studio", "intro", tag("es-MX")).unwrap();
        assert_eq!(request.start, "2026-12-03T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        assert_eq!((request.phone, request.locale.as_deref()), (None, Some("es-MX")));
        assert_eq!((request.duration, request.host, request.recurrence), (None, None, None));
    }

    #[test]
    fn several_ticked_choices_are_one_answer() {
        let form = form(&[("slot", "2026-12-03T09:00:00Z"), ("answers.topics", "Tax"), ("answers.topics", "Law")]);
        let request = form.to_request("studio", "intro", tag("en")).unwrap();
        assert_eq!(request.answers["topics"].texts(), ["Tax", "Law"]);
    }

    #[test]
    fn where_the_visitor_came_from_is_told_by_the_page_around_a_frame() {
        let form = form(&[("slot", "2026-12-03T09:00:00Z"), ("tracking.utm_source", "letter"), ("utm_term", "x")]);
        let request = form.to_request("studio", "intro", tag("en")).unwrap();
        assert_eq!(request.tracking, BTreeMap::from([("utm_source".to_owned(), "letter".to_owned())]));
    }

    #[test]
    fn a_form_without_a_slot_is_refused_at_its_start_and_a_strange_length_at_its_own_field() {
        let field =
            |form: BookingForm| form.to_request("studio", "intro", tag("es-MX")).unwrap_err().0[0].field.to_string();
        assert_eq!(field(BookingForm::default()), "start");
        assert_eq!(field(form(&[("slot", "2026-12-03T09:00:00Z"), ("duration", "long")])), "duration");
    }

    #[test]
    fn the_dates_of_a_series_are_seen_before_they_are_booked() {
        let asked = [("slot", "2026-12-03T09:00:00Z"), ("frequency", "weekly"), ("count", "4")];
        let unseen = form(&asked);
        assert!(!unseen.has_seen_dates());
        let seen = BookingForm { dates_seen: unseen.dates_asked(), ..unseen.clone() };
        assert!(seen.has_seen_dates());
        assert!(
            !BookingForm { count: "5".to_owned(), ..seen.clone() }.has_seen_dates(),
            "other dates than those shown"
        );
        assert!(!BookingForm { frequency: String::new(), ..seen }.has_seen_dates(), "one date instead of four");
        assert!(BookingForm::default().has_seen_dates(), "one date alone");
    }

    #[test]
    fn a_slot_that_is_gone_leaves_the_day_of_the_visitor_picked() {
        let form = form(&[("slot", "2026-12-03T23:30:00Z"), ("tz", "Asia/Tokyo"), ("duration", "45")]);
        let query = form.to_query(false);
        assert_eq!((query.day.as_deref(), query.slot), (Some("2026-12-04"), None));
        assert_eq!(query.duration.as_deref(), Some("45"));
        assert_eq!(form.to_query(true).slot, Some(form.slot));
    }

    #[test]
    fn the_address_after_a_booking_keeps_frame_and_language() {
        let form = BookingForm { embed: Some("1".to_owned()), lang: Some("es".to_owned()), ..BookingForm::default() };
        assert_eq!(form.after_booking("t0k"), "/manage/t0k?booked=1&embed=1&lang=es");
    }
}
