//! Lists of dates on which nobody works.

use std::fmt;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A holiday calendar in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolidayCalendarRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it comes from: the address, or that it was uploaded.
    pub source: String,
    /// How many dates it has, and the next one.
    pub dates: String,
    /// When it was last read.
    pub refreshed: Option<String>,
    /// What is wrong with it, as a sentence.
    pub problem: Option<String>,
}

/// The form that subscribes to an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HolidayCalendarSubscribeForm {
    /// What the host calls it.
    pub name: String,
    /// Where its iCalendar file lies.
    pub url: String,
}

/// The form that uploads a file.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HolidayCalendarUploadForm {
    /// What the host calls it.
    pub name: String,
    /// The text of an iCalendar file.
    pub ics: String,
}

impl fmt::Debug for HolidayCalendarUploadForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HolidayCalendarUploadForm").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Subscribes to a calendar of holidays and reads it.
#[server(prefix = "/dashboard/api", endpoint = "holiday_calendar_subscribe")]
pub async fn holiday_calendar_subscribe(form: HolidayCalendarSubscribeForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    answer(engine.holiday_calendar_subscribe(&principal, &form.name, &form.url).await)
        .map_err(|error| error.with_typed(&[("name", &form.name), ("url", &form.url)]))?;
    done("/dashboard/availability", "holidays_added");
    Ok(())
}

/// Takes the dates of an iCalendar file. After a refusal without a script, the file has to be given again: its text is
/// too long for an address.
#[server(prefix = "/dashboard/api", endpoint = "holiday_calendar_upload")]
pub async fn holiday_calendar_upload(form: HolidayCalendarUploadForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    answer(engine.holiday_calendar_upload(&principal, &form.name, &form.ics).await)
        .map_err(|error| error.with_typed(&[("name", &form.name)]))?;
    done("/dashboard/availability", "holidays_added");
    Ok(())
}

/// Removes a holiday calendar, from every schedule too.
#[server(prefix = "/dashboard/api", endpoint = "holiday_calendar_delete")]
pub async fn holiday_calendar_delete(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "holiday calendar")?;
    answer(engine.holiday_calendar_delete(&principal, &id).await)?;
    done("/dashboard/availability", "deleted");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(super) mod view {
    use chrono::{DateTime, NaiveDate, Utc};
    use cupo_core::availability::Holiday;
    use cupo_core::text::Locale;
    use cupo_store::HolidayCalendar;

    use super::HolidayCalendarRow;
    use crate::text::{locale, t, tf};
    use crate::time;

    pub(in crate::api) fn row(calendar: HolidayCalendar, today: NaiveDate, now: DateTime<Utc>) -> HolidayCalendarRow {
        let locale = locale();
        let refreshed = match (&calendar.source_url, calendar.fetched_at) {
            (None, _) => None,
            (Some(_), None) => Some(t("dashboard.not_synced_yet").to_owned()),
            (Some(_), Some(at)) => Some(tf("dashboard.synced", &[("ago", &time::ago(at, now, locale))])),
        };
        HolidayCalendarRow {
            id: calendar.id.to_string(),
            source: calendar.source_url.map_or_else(|| t("dashboard.uploaded").to_owned(), |url| url.to_string()),
            dates: dates(&calendar.holidays, today, locale),
            refreshed,
            problem: calendar.error.map(|_| t("dashboard.holidays_problem").to_owned()),
            name: calendar.name,
        }
    }

    fn dates(holidays: &[Holiday], today: NaiveDate, locale: Locale) -> String {
        let ahead = holidays.iter().filter(|holiday| holiday.last >= today);
        let count = match ahead.clone().count() {
            0 => return t("dashboard.holidays_none_ahead").to_owned(),
            1 => t("dashboard.holiday_ahead").to_owned(),
            count => tf("dashboard.holidays_ahead", &[("count", &count)]),
        };
        let next = ahead.min_by_key(|holiday| holiday.first).map(|holiday| {
            let when = time::dates(holiday.first, holiday.last, locale);
            if holiday.name.is_empty() { when } else { format!("{when} ({})", holiday.name) }
        });
        format!("{count} {}", tf("dashboard.holidays_next", &[("next", &next.unwrap_or_default())]))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_the_dates_ahead_are_counted_and_the_first_of_them_is_told() {
            let holiday = |date: &str, name: &str| Holiday {
                first: date.parse().unwrap(),
                last: date.parse().unwrap(),
                name: name.to_owned(),
            };
            let all =
                [holiday("2027-01-06", "Epiphany"), holiday("2026-12-25", "Christmas Day"), holiday("2026-11-01", "")];
            let told = dates(&all, "2026-11-27".parse().unwrap(), Locale::En);
            assert!(told.contains('2') && told.contains("Friday, December 25, 2026 (Christmas Day)"), "{told}");
        }
    }
}
