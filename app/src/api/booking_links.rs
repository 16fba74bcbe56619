//! Links that book once.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A link in the list. Its address is told once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingLinkRow {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub made: String,
    /// Whether it can be used, as a sentence.
    pub state: String,
    /// Whether it can be used.
    pub is_open: bool,
    /// What was booked with it.
    pub appointment: Option<String>,
}

/// The form that makes a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BookingLinkForm {
    /// What it books.
    pub event_type: String,
    /// For how many days it can be used; empty for ever.
    pub days: String,
}

/// Makes a link and answers with its address. Without a script the page shows it, once.
#[server(prefix = "/dashboard/api", endpoint = "booking_link_make")]
pub async fn booking_link_make(form: BookingLinkForm) -> Result<String, AppError> {
    use super::request::{answer, host, id, is_plain_form};
    let (engine, principal) = host()?;
    let event_type = id(&form.event_type, "event type")?;
    let made = match convert::days(&form.days) {
        Ok(days) => engine.booking_link_make(&principal, &event_type, days).await,
        Err(error) => Err(error.into()),
    };
    let url = answer(made).map_err(|error| error.with_typed(&[("days", &form.days)]))?.url;
    if is_plain_form() {
        convert::tell_once(&url);
        leptos_axum::redirect(&format!("/dashboard/event-types/{event_type}#links"));
    }
    Ok(url)
}

/// The links of an event type.
#[server(prefix = "/dashboard/api", endpoint = "booking_links")]
pub async fn booking_links(event_type: String) -> Result<Vec<BookingLinkRow>, AppError> {
    use super::request::{host, id};
    let (engine, principal) = host()?;
    convert::rows(&engine, &principal, &id(&event_type, "event type")?).await
}

/// Removes a link; what was booked with it stays.
#[server(prefix = "/dashboard/api", endpoint = "booking_link_delete")]
pub async fn booking_link_delete(id: String, event_type: String) -> Result<(), AppError> {
    use super::request::{self, answer, host, is_plain_form};
    use cupo_core::ids::EventTypeId;

    let (engine, principal) = host()?;
    answer(engine.booking_link_delete(&principal, &request::id(&id, "booking link")?).await)?;
    if is_plain_form() {
        let event_type: EventTypeId = request::id(&event_type, "event type")?;
        leptos_axum::redirect(&format!("/dashboard/event-types/{event_type}#links"));
    }
    Ok(())
}

#[cfg(feature = "ssr")]
pub(super) mod convert {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;
    use cupo_core::ids::EventTypeId;
    use cupo_core::parse::{FieldError, FieldProblem};
    use cupo_core::text::Locale;
    use cupo_engine::{Engine, Principal};
    use cupo_store::BookingLink;

    use super::BookingLinkRow;
    use crate::api::once;
    use crate::api::request::{answer, zone};
    use crate::error::AppError;
    use crate::text::{locale, t, tf};
    use crate::time;

    /// Holds the address of a new link until the next page has told it: in the page's own address it would stay behind.
    const COOKIE: &str = "cupo_made_link";

    pub(super) fn days(text: &str) -> Result<Option<u32>, FieldError> {
        match text.trim() {
            "" => Ok(None),
            text => match text.parse() {
                Ok(days) => Ok(Some(days)),
                Err(_) => Err(FieldProblem::new("dashboard.whole_number").at("days")),
            },
        }
    }

    pub(super) fn tell_once(url: &str) {
        once::tell(COOKIE, url);
    }

    /// The address of the link that was made by the request before, which is forgotten with this one.
    pub(in crate::api) fn just_made() -> Option<String> {
        once::told(COOKIE)
    }

    pub(in crate::api) async fn rows(
        engine: &Engine,
        principal: &Principal,
        event_type: &EventTypeId,
    ) -> Result<Vec<BookingLinkRow>, AppError> {
        let mut links = answer(engine.booking_links(principal, event_type).await)?;
        links.sort_by_key(|link| std::cmp::Reverse(link.created_at));
        let (tz, now) = (zone(engine, principal).await?, engine.now());
        Ok(links.into_iter().map(|link| row(link, tz, now, locale())).collect())
    }

    fn row(link: BookingLink, tz: Tz, now: DateTime<Utc>, locale: Locale) -> BookingLinkRow {
        let told = |key: &'static str, at| tf(key, &[("when", &time::instant(at, tz, locale))]);
        let (state, is_open) = match (link.used_at, link.expires_at) {
            (Some(at), _) => (told("dashboard.link_used", at), false),
            (None, Some(at)) if at <= now => (told("dashboard.link_expired", at), false),
            (None, Some(at)) => (told("dashboard.link_open_until", at), true),
            (None, None) => (t("dashboard.link_open").to_owned(), true),
        };
        BookingLinkRow {
            id: link.id.to_string(),
            made: tf("dashboard.link_made", &[("ago", &time::ago(link.created_at, now, locale))]),
            state,
            is_open,
            appointment: link.appointment_id.map(|id| id.to_string()),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::days;

        #[test]
        fn no_days_mean_for_ever_and_what_is_no_number_is_refused() {
            assert_eq!(days(" ").unwrap(), None);
            assert_eq!(days("14").unwrap(), Some(14));
            assert_eq!(days("soon").unwrap_err().field, "days");
        }
    }
}
