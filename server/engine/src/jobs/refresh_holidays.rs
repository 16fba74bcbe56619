use chrono::{Datelike, TimeDelta};
use cupo_core::{
    availability::Holiday,
    ids::{HolidayCalendarId, OrganizationId},
};
use cupo_providers::{Feed, FeedError, FeedReader};
use cupo_store::{HolidayCalendar, Job, holiday_calendar_get, holiday_calendar_update};
use serde::{Deserialize, Serialize};

use super::{Outcome, Task};
use crate::{
    Engine, EngineError,
    engine::transact,
    history,
    holiday_calendars::{feed_problem, file_problem, read_holidays},
};

/// Reads a subscribed holiday calendar again. What cannot be read leaves the dates as they are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RefreshHolidays {
    pub(crate) holiday_calendar_id: HolidayCalendarId,
}

/// What a reading brought.
enum Reading {
    Unchanged,
    Dates(Vec<Holiday>, Option<String>),
    Problem(&'static str),
}

impl Task for RefreshHolidays {
    const KIND: &'static str = "refresh_holidays";
    /// Tomorrow it is read anyway.
    const PATIENCE: TimeDelta = TimeDelta::hours(12);

    fn coalescing_key(&self) -> String {
        self.holiday_calendar_id.to_string()
    }

    async fn run(&self, engine: &Engine, organization_id: &OrganizationId, job: &Job) -> Result<Outcome, EngineError> {
        let found = {
            let tx = &mut engine.0.store.read().await?;
            holiday_calendar_get(tx, organization_id, &self.holiday_calendar_id).await?
        };
        let Some(calendar) = found else { return Ok(Outcome::Done) };
        let Some(url) = &calendar.source_url else { return Ok(Outcome::Done) };
        let feeds = FeedReader::new(engine.0.settings.feeds.clone())
            .map_err(|e| EngineError::internal("setting up the reader of feeds", e))?;
        let mut passes = None;
        let reading = match feeds.get(url.as_str(), known_etag(engine, &calendar)).await {
            Ok(Feed::Unchanged) => Reading::Unchanged,
            Ok(Feed::Changed { text, validators }) => match read_holidays(text, engine.now()).await? {
                Ok(dates) => Reading::Dates(dates, validators.etag),
                Err(error) => Reading::Problem(file_problem(error)),
            },
            Err(error) => {
                let pause = match &error {
                    FeedError::Transient(_) => Some(engine.pause(job)),
                    FeedError::Throttled(least) => {
                        Some(engine.pause(job).max(TimeDelta::from_std(*least).unwrap_or(TimeDelta::MAX)))
                    }
                    FeedError::PrivateAddress | FeedError::TooLarge | FeedError::Refused(_) => None,
                };
                passes = pause.map(|pause| (pause, error.to_string()));
                Reading::Problem(feed_problem(&error))
            }
        };
        self.store(engine, organization_id, &calendar, &reading).await?;
        match passes {
            Some((pause, why)) => Ok(Outcome::Retry(pause, why)),
            None => Ok(Outcome::Done),
        }
    }
}

/// The etag, unless the year has changed since: then the same file has other dates that matter.
fn known_etag<'a>(engine: &Engine, calendar: &'a HolidayCalendar) -> Option<&'a str> {
    let is_of_this_year = calendar.fetched_at.is_some_and(|at| at.year() == engine.now().year());
    calendar.etag.as_deref().filter(|_| is_of_this_year)
}

impl RefreshHolidays {
    async fn store(
        &self,
        engine: &Engine,
        organization_id: &OrganizationId,
        read: &HolidayCalendar,
        reading: &Reading,
    ) -> Result<(), EngineError> {
        let now = engine.now();
        transact!(engine, tx => {
            let Some(old) = holiday_calendar_get(tx, organization_id, &self.holiday_calendar_id).await? else {
                return Ok(());
            };
            let mut new = HolidayCalendar { fetched_at: Some(now), error: None, ..old.clone() };
            match reading {
                Reading::Unchanged => {}
                Reading::Dates(dates, etag) => {
                    new.etag = etag.clone();
                    if *dates != old.holidays {
                        history::holiday_calendar_changed(tx, &old, now).await?;
                        new.holidays = dates.clone();
                        new.updated_at = now;
                    }
                }
                Reading::Problem(key) => {
                    new.error = Some((*key).to_owned());
                    // What was missed at the turn of the year is not taken for known afterwards.
                    new.etag = known_etag(engine, read).map(str::to_owned);
                }
            }
            holiday_calendar_update(tx, &new).await?;
        })?;
        engine.committed(organization_id);
        Ok(())
    }
}
