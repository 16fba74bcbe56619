//! What can be booked.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// An event type in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTypeRow {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `org/slug`, as the script tag names it.
    pub path: String,
    /// The public page's address.
    pub url: String,
    /// Such as `30 min`.
    pub duration: String,
    /// Where it takes place, in words.
    pub location: String,
    /// `meet`, `phone`, `address` or `link`.
    pub location_kind: String,
    /// Whether it can be booked.
    pub is_active: bool,
}

/// The form of an event type: what was stored, or what was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventTypeForm {
    /// Empty for a new one.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The last part of its address; made from the title when empty.
    pub slug: String,
    /// What it is about.
    pub description: String,
    /// Whole minutes.
    pub duration_minutes: String,
    /// Whole minutes.
    pub increment_minutes: String,
    /// Whole minutes.
    pub buffer_before_minutes: String,
    /// Whole minutes.
    pub buffer_after_minutes: String,
    /// A whole number of `notice_unit`.
    pub notice: String,
    /// `minutes`, `hours` or `days`.
    pub notice_unit: String,
    /// Whole days.
    pub window_days: String,
    /// `meet`, `phone`, `address` or `link`.
    pub location_kind: String,
    /// The number, place or address.
    pub location_detail: String,
    /// `on` when it can be booked; a browser leaves an unticked box out.
    pub is_active: String,
}

impl Default for EventTypeForm {
    fn default() -> Self {
        Self {
            id: String::new(),
            title: String::new(),
            slug: String::new(),
            description: String::new(),
            duration_minutes: "30".to_owned(),
            increment_minutes: "30".to_owned(),
            buffer_before_minutes: "0".to_owned(),
            buffer_after_minutes: "0".to_owned(),
            notice: "4".to_owned(),
            notice_unit: "hours".to_owned(),
            window_days: "60".to_owned(),
            location_kind: "meet".to_owned(),
            location_detail: String::new(),
            is_active: String::new(),
        }
    }
}

/// An event type with its public addresses, for the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTypeDetail {
    /// The fields.
    pub form: EventTypeForm,
    /// The public page's address; `None` for a new event type.
    pub url: Option<String>,
    /// What the slug is put behind, such as `https://cupo.example/studio/`.
    pub url_base: String,
    /// Whether a Google account is connected, without which there is no Meet link.
    pub can_meet: bool,
}

/// Every event type of the organization.
#[server(prefix = "/dashboard/api", endpoint = "event_types")]
pub async fn event_types() -> Result<Vec<EventTypeRow>, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let event_types = answer(engine.event_types(&principal).await)?;
    Ok(event_types.iter().map(|event_type| convert::row(&engine, &principal, event_type)).collect())
}

/// One event type; a form with defaults for an empty id.
#[server(prefix = "/dashboard/api", endpoint = "event_type")]
pub async fn event_type(#[server(default)] id: String) -> Result<EventTypeDetail, AppError> {
    use super::request::{answer, host};
    let (engine, principal) = host()?;
    let can_meet = answer(engine.accounts(&principal).await)?
        .iter()
        .flat_map(|overview| &overview.calendars)
        .any(|calendar| calendar.receives_events);
    let url_base = convert::public_url(&engine, principal.organization_slug.as_str(), "");
    if id.is_empty() {
        let form = EventTypeForm { is_active: "on".to_owned(), ..EventTypeForm::default() };
        return Ok(EventTypeDetail { form, url: None, url_base, can_meet });
    }
    let id = convert::id(&id)?;
    let stored = answer(engine.event_type(&principal, &id).await)?;
    let url = convert::public_url(&engine, principal.organization_slug.as_str(), stored.slug.as_str());
    Ok(EventTypeDetail { form: convert::form(&stored), url: Some(url), url_base, can_meet })
}

/// Makes or changes an event type.
#[server(prefix = "/dashboard/api", endpoint = "event_type_save")]
pub async fn event_type_save(form: EventTypeForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = if form.id.is_empty() { None } else { Some(convert::id(&form.id)?) };
    let saved = match convert::input(&form) {
        Ok(input) => engine.event_type_save(&principal, id.as_ref(), input).await,
        Err(errors) => Err(cupo_engine::EngineError::Invalid(errors)),
    };
    answer(saved).map_err(|error| error.with_field_renamed("notice_minutes", "notice").with_typed(&form.typed()))?;
    done("/dashboard/event-types", "saved");
    Ok(())
}

/// Removes an event type; one with appointments can no longer be booked instead.
#[server(prefix = "/dashboard/api", endpoint = "event_type_delete")]
pub async fn event_type_delete(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = convert::id(&id)?;
    answer(engine.event_type_delete(&principal, &id).await)?;
    done("/dashboard/event-types", "deleted");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(crate) mod convert {
    use cupo_core::event_type::Location;
    use cupo_core::ids::EventTypeId;
    use cupo_core::parse::{FieldErrors, FieldProblem};
    use cupo_engine::{Engine, EngineError, EventTypeInput, Principal};
    use cupo_store::EventType;

    use super::{EventTypeForm, EventTypeRow};
    use crate::api::request::answer;
    use crate::error::AppError;
    use crate::slug::slug_of;
    use crate::text::{t, tf};
    use crate::time;

    pub(super) fn id(text: &str) -> Result<EventTypeId, AppError> {
        answer(EventTypeId::parse(text).map_err(|_| EngineError::NotFound("event type")))
    }

    /// The address of a public page.
    pub(crate) fn public_url(engine: &Engine, org: &str, slug: &str) -> String {
        format!("{}/{org}/{slug}", engine.settings().public_url.as_str().trim_end_matches('/'))
    }

    pub(super) fn row(engine: &Engine, principal: &Principal, event_type: &EventType) -> EventTypeRow {
        let org = principal.organization_slug.as_str();
        EventTypeRow {
            id: event_type.id.to_string(),
            title: event_type.title.to_string(),
            path: format!("{org}/{}", event_type.slug),
            url: public_url(engine, org, event_type.slug.as_str()),
            duration: time::duration(event_type.rules.to_input().duration_minutes),
            location: location(&event_type.location),
            location_kind: event_type.location.kind().to_owned(),
            is_active: event_type.is_active,
        }
    }

    /// A location in words.
    pub(crate) fn location(location: &Location) -> String {
        match location {
            Location::GoogleMeet => t("dashboard.location_meet").to_owned(),
            Location::Phone(None) => t("dashboard.location_host_calls").to_owned(),
            Location::Phone(Some(number)) => tf("dashboard.location_visitor_calls", &[("number", number)]),
            Location::Address(place) => place.clone(),
            Location::Link(url) => url.to_string(),
        }
    }

    pub(super) fn form(stored: &EventType) -> EventTypeForm {
        let rules = stored.rules.to_input();
        let (notice, unit) = split_notice(rules.notice_minutes);
        EventTypeForm {
            id: stored.id.to_string(),
            title: stored.title.to_string(),
            slug: stored.slug.to_string(),
            description: stored.description.clone(),
            duration_minutes: rules.duration_minutes.to_string(),
            increment_minutes: rules.increment_minutes.to_string(),
            buffer_before_minutes: rules.buffer_before_minutes.to_string(),
            buffer_after_minutes: rules.buffer_after_minutes.to_string(),
            notice: notice.to_string(),
            notice_unit: unit.to_owned(),
            window_days: rules.window_days.to_string(),
            location_kind: stored.location.kind().to_owned(),
            location_detail: stored.location.detail().to_owned(),
            is_active: if stored.is_active { "on".to_owned() } else { String::new() },
        }
    }

    pub(super) fn input(form: &EventTypeForm) -> Result<EventTypeInput, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut number = |field: &'static str, text: &str| {
            errors
                .collect(field, text.trim().parse::<u32>().map_err(|_| FieldProblem::new("dashboard.whole_number")))
                .unwrap_or(0)
        };
        let slug = if form.slug.trim().is_empty() { slug_of(&form.title) } else { form.slug.trim().to_owned() };
        let notice = number("notice_minutes", &form.notice);
        let input = EventTypeInput {
            title: form.title.clone(),
            slug,
            description: form.description.clone(),
            duration_minutes: number("duration_minutes", &form.duration_minutes),
            increment_minutes: number("increment_minutes", &form.increment_minutes),
            buffer_before_minutes: number("buffer_before_minutes", &form.buffer_before_minutes),
            buffer_after_minutes: number("buffer_after_minutes", &form.buffer_after_minutes),
            notice_minutes: notice.saturating_mul(minutes_in(&form.notice_unit)),
            window_days: number("window_days", &form.window_days),
            location_kind: form.location_kind.clone(),
            location_detail: form.location_detail.clone(),
            is_active: form.is_active == "on",
        };
        errors.into_result().map(|()| input)
    }

    fn minutes_in(unit: &str) -> u32 {
        match unit {
            "days" => 1440,
            "hours" => 60,
            _ => 1,
        }
    }

    /// The notice in the largest unit that needs no fraction.
    fn split_notice(minutes: u32) -> (u32, &'static str) {
        match minutes {
            0 => (0, "hours"),
            minutes if minutes % 1440 == 0 => (minutes / 1440, "days"),
            minutes if minutes % 60 == 0 => (minutes / 60, "hours"),
            minutes => (minutes, "minutes"),
        }
    }

    impl EventTypeForm {
        pub(super) fn typed(&self) -> [(&'static str, &str); 13] {
            [
                ("title", &self.title),
                ("slug", &self.slug),
                ("description", &self.description),
                ("duration_minutes", &self.duration_minutes),
                ("increment_minutes", &self.increment_minutes),
                ("buffer_before_minutes", &self.buffer_before_minutes),
                ("buffer_after_minutes", &self.buffer_after_minutes),
                ("notice", &self.notice),
                ("notice_unit", &self.notice_unit),
                ("window_days", &self.window_days),
                ("location_kind", &self.location_kind),
                ("location_detail", &self.location_detail),
                ("is_active", &self.is_active),
            ]
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_notice_is_shown_in_the_largest_whole_unit_and_read_back() {
            for (minutes, shown) in [(0, (0, "hours")), (45, (45, "minutes")), (240, (4, "hours")), (2880, (2, "days"))]
            {
                let (number, unit) = split_notice(minutes);
                assert_eq!((number, unit), shown);
                assert_eq!(number * minutes_in(unit), minutes);
            }
        }

        #[test]
        fn an_address_comes_from_the_title_unless_one_is_typed() {
            let mut form = EventTypeForm { title: "Primera reunión".to_owned(), ..EventTypeForm::default() };
            assert_eq!(input(&form).unwrap().slug, "primera-reunion");
            form.slug = "hola".to_owned();
            assert_eq!(input(&form).unwrap().slug, "hola");
        }

        #[test]
        fn what_is_no_number_is_told_beside_its_field() {
            let form =
                EventTypeForm { window_days: "soon".to_owned(), notice: "-1".to_owned(), ..EventTypeForm::default() };
            let errors = input(&form).unwrap_err();
            let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
            assert_eq!(fields, ["notice_minutes", "window_days"]);
        }

        #[test]
        fn an_unticked_box_makes_it_inactive() {
            assert!(!input(&EventTypeForm::default()).unwrap().is_active);
        }
    }
}
