//! A host's weekly hours.

use std::collections::BTreeMap;

use cupo_core::{
    parse::{FieldErrors, FieldProblem},
    schedule::{LocalInterval, WEEKDAYS, WeeklyHours},
    zone::TimeZoneName,
};
use cupo_store::{Schedule, schedule_get_by_user, schedule_update};
use serde::{Deserialize, Serialize};

use crate::{Engine, EngineError, Principal, engine::transact};

/// The availability form, as it was filled in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ScheduleInput {
    /// An IANA name.
    pub time_zone: String,
    /// The hours of each day.
    pub weekly_hours: WeeklyHoursInput,
}

/// The intervals of each day (`monday` to `sunday`; an absent day is closed), unchecked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WeeklyHoursInput(pub BTreeMap<String, Vec<LocalIntervalInput>>);

/// A start and an end as `HH:MM`, unchecked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LocalIntervalInput {
    /// `09:00`.
    pub start: String,
    /// `17:00`; the end of the day is `24:00`.
    pub end: String,
}

impl WeeklyHoursInput {
    fn parse(&self) -> Result<WeeklyHours, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut days: [Vec<LocalInterval>; 7] = Default::default();
        for (name, intervals) in &self.0 {
            let Some(day) = WEEKDAYS.iter().position(|weekday| weekday == name) else {
                errors.0.push(FieldProblem::new("error.weekday").with("value", name).at("weekly_hours"));
                continue;
            };
            for interval in intervals {
                let parsed = LocalInterval::parse(&interval.start, &interval.end);
                days[day].extend(errors.collect(format!("weekly_hours.{name}"), parsed));
            }
        }
        errors.into_result()?;
        WeeklyHours::new(days)
    }
}

impl Engine {
    /// The host's schedule.
    pub async fn schedule(&self, principal: &Principal) -> Result<Schedule, EngineError> {
        let tx = &mut self.0.store.read().await?;
        schedule_get_by_user(tx, &principal.organization_id, &principal.user_id)
            .await?
            .ok_or(EngineError::NotFound("schedule"))
    }

    /// Changes the host's hours and zone. Appointments that stand stay as they are.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `time_zone` or `weekly_hours.monday` and so on.
    pub async fn schedule_save(&self, principal: &Principal, input: ScheduleInput) -> Result<Schedule, EngineError> {
        let mut errors = FieldErrors::default();
        let time_zone = errors.collect("time_zone", TimeZoneName::parse(&input.time_zone));
        let weekly_hours = input.weekly_hours.parse().map_err(|more| errors.0.extend(more.0)).ok();
        let (Some(time_zone), Some(weekly_hours)) = (time_zone, weekly_hours) else {
            return Err(errors.into());
        };
        let saved = transact!(self, tx => {
            let schedule = schedule_get_by_user(tx, &principal.organization_id, &principal.user_id)
                .await?
                .ok_or(EngineError::NotFound("schedule"))?;
            let weekly_hours = weekly_hours.clone();
            let schedule = Schedule { time_zone, weekly_hours, updated_at: self.now(), ..schedule };
            schedule_update(tx, &schedule).await?;
            schedule
        })?;
        self.committed(&principal.organization_id);
        Ok(saved)
    }
}
