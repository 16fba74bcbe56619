//! Lists of dates on which nobody works: uploaded, or subscribed to and read again each day.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use cupo_core::{
    availability::Holiday,
    ids::HolidayCalendarId,
    parse::{FieldErrors, FieldProblem, HttpUrl, required_text},
};
use cupo_providers::{
    FeedError,
    ics::{IcsError, holidays},
};
use cupo_store::{
    HolidayCalendar, Schedule, holiday_calendar_delete, holiday_calendar_insert, holiday_calendar_list, schedule_list,
    schedule_update,
};

use crate::{Engine, EngineError, Principal, engine::transact, history, jobs::RefreshHolidays};

/// The most holiday calendars of one member.
const MOST_CALENDARS: usize = 20;
const LONGEST_NAME: usize = 120;
/// How many years after this one are read: an uploaded file is never read again.
const YEARS_AHEAD: i32 = 10;

/// The catalogue key of the sentence that tells why a feed could not be read.
pub(crate) fn feed_problem(error: &FeedError) -> &'static str {
    match error {
        FeedError::PrivateAddress => "error.feed_private_address",
        FeedError::TooLarge => "error.ics_too_large",
        FeedError::Refused(_) => "error.feed_refused",
        FeedError::Transient(_) | FeedError::Throttled(_) => "error.feed_unreachable",
    }
}

/// The catalogue key of the sentence that tells why a file could not be read.
pub(crate) fn file_problem(error: IcsError) -> &'static str {
    match error {
        IcsError::TooLarge => "error.ics_too_large",
        IcsError::Unreadable
        | IcsError::UnknownTimeZone(_)
        | IcsError::FloatingTime
        | IcsError::UnreadableEvent { .. } => "error.ics_unreadable",
        IcsError::TooMany => "error.ics_too_many",
    }
}

/// The dates of a file that matter from `now` on, whole years of them, so that the same file gives the same dates all year.
/// A file can keep a processor busy for a moment, so the async threads are spared.
pub(crate) async fn read_holidays(
    text: String,
    now: DateTime<Utc>,
) -> Result<Result<Vec<Holiday>, IcsError>, EngineError> {
    let first = NaiveDate::from_ymd_opt(now.year() - 1, 1, 1).unwrap_or(NaiveDate::MIN);
    let last = NaiveDate::from_ymd_opt(now.year() + YEARS_AHEAD, 12, 31).unwrap_or(NaiveDate::MAX);
    tokio::task::spawn_blocking(move || holidays(&text, first, last))
        .await
        .map_err(|e| EngineError::internal("reading holidays", e))
}

impl Engine {
    /// The host's holiday calendars, by name. The error of one is the catalogue key of its sentence.
    pub async fn holiday_calendars(&self, principal: &Principal) -> Result<Vec<HolidayCalendar>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        Ok(holiday_calendar_list(tx, &principal.organization_id, &principal.user_id).await?)
    }

    /// Subscribes to the iCalendar file at an address, which is read soon and then each day.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `name` or `url`.
    pub async fn holiday_calendar_subscribe(
        &self,
        principal: &Principal,
        name: &str,
        url: &str,
    ) -> Result<HolidayCalendar, EngineError> {
        let mut errors = FieldErrors::default();
        let name = errors.collect("name", required_text(name, LONGEST_NAME));
        let url = errors.collect("url", parse_feed_url(url));
        let (Some(name), Some(url)) = (name, url) else { return Err(errors.into()) };
        let calendar = self.blank_calendar(principal, name, Some(url));
        self.insert_calendar(principal, &calendar).await?;
        Ok(calendar)
    }

    /// Keeps the dates of an iCalendar file.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `name` or `ics`.
    pub async fn holiday_calendar_upload(
        &self,
        principal: &Principal,
        name: &str,
        ics_text: &str,
    ) -> Result<HolidayCalendar, EngineError> {
        let mut errors = FieldErrors::default();
        let name = errors.collect("name", required_text(name, LONGEST_NAME));
        let read = read_holidays(ics_text.to_owned(), self.now()).await?;
        let read = read.map_err(|error| FieldProblem::new(file_problem(error)));
        let read = errors.collect("ics", read);
        let (Some(name), Some(holidays)) = (name, read) else { return Err(errors.into()) };
        let calendar = HolidayCalendar { holidays, ..self.blank_calendar(principal, name, None) };
        self.insert_calendar(principal, &calendar).await?;
        Ok(calendar)
    }

    /// Forgets a holiday calendar; schedules that named it go on without it.
    pub async fn holiday_calendar_delete(
        &self,
        principal: &Principal,
        id: &HolidayCalendarId,
    ) -> Result<(), EngineError> {
        let (organization_id, user_id) = (&principal.organization_id, &principal.user_id);
        transact!(self, tx => {
            let listed = holiday_calendar_list(tx, organization_id, user_id).await?;
            let old = listed.into_iter().find(|calendar| calendar.id == *id);
            let old = old.ok_or(EngineError::NotFound("holiday calendar"))?;
            for schedule in schedule_list(tx, organization_id, Some(user_id)).await? {
                if !schedule.holiday_calendar_ids.contains(id) {
                    continue;
                }
                history::schedule_changed(tx, &schedule, self.now()).await?;
                let mut left = schedule.holiday_calendar_ids.clone();
                left.retain(|named| named != id);
                let without = Schedule { holiday_calendar_ids: left, updated_at: self.now(), ..schedule };
                schedule_update(tx, &without).await?;
            }
            history::holiday_calendar_changed(tx, &old, self.now()).await?;
            holiday_calendar_delete(tx, organization_id, user_id, id).await?;
        })?;
        self.committed(organization_id);
        Ok(())
    }

    fn blank_calendar(&self, principal: &Principal, name: String, source_url: Option<HttpUrl>) -> HolidayCalendar {
        HolidayCalendar {
            id: self.fresh(),
            organization_id: principal.organization_id.clone(),
            user_id: principal.user_id.clone(),
            name,
            source_url,
            holidays: Vec::new(),
            etag: None,
            fetched_at: None,
            error: None,
            created_at: self.now(),
            updated_at: self.now(),
        }
    }

    async fn insert_calendar(&self, principal: &Principal, calendar: &HolidayCalendar) -> Result<(), EngineError> {
        let organization_id = &principal.organization_id;
        transact!(self, tx => {
            let count = holiday_calendar_list(tx, organization_id, &principal.user_id).await?.len();
            if count >= MOST_CALENDARS {
                return Err(FieldProblem::new("error.too_many").with("max", MOST_CALENDARS).at("name").into());
            }
            holiday_calendar_insert(tx, calendar).await?;
            if calendar.source_url.is_some() {
                let refresh = RefreshHolidays { holiday_calendar_id: calendar.id.clone() };
                self.enqueue(tx, organization_id, &refresh).await?;
            }
        })?;
        self.committed(organization_id);
        Ok(())
    }
}

/// Calendar programs write `webcal://` for what they read by `https://`.
pub(crate) fn parse_feed_url(text: &str) -> Result<HttpUrl, FieldProblem> {
    let text = text.trim();
    match text.get(..9) {
        Some(scheme) if scheme.eq_ignore_ascii_case("webcal://") => HttpUrl::parse(&format!("https://{}", &text[9..])),
        _ => HttpUrl::parse(text),
    }
}
