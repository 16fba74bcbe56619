//! When hosts can be booked: their schedules.

mod input;

use cupo_core::{
    availability::Availability,
    ids::{OrganizationId, ScheduleId},
    parse::FieldProblem,
    schedule::WeeklyHours,
    zone::TimeZoneName,
};
use cupo_store::{
    AbsenceRow, HolidayCalendar, Schedule, ScheduleRemoval, Tx, User, event_types_of_schedule, holiday_calendar_list,
    schedule_delete, schedule_get, schedule_insert, schedule_list, schedule_make_default, schedule_update,
};

use crate::{Engine, EngineError, Principal, engine::transact, history};

pub use input::{DateOverrideInput, LocalIntervalInput, ScheduleInput, TravelInput, WeeklyHoursInput};
pub(crate) use input::{ParsedSchedule, parse_date};

/// The most schedules of one member.
const MOST_SCHEDULES: usize = 30;

/// A schedule and what uses it.
#[derive(Debug, Clone)]
pub struct ScheduleOverview {
    /// The schedule.
    pub schedule: Schedule,
    /// The titles of the event types that use it.
    pub event_types: Vec<String>,
}

/// All that decides when the schedule's member can be booked. Of the holiday calendars, those count that the schedule names.
pub(crate) fn availability_of(
    schedule: &Schedule,
    absences: &[AbsenceRow],
    holiday_calendars: &[HolidayCalendar],
) -> Availability {
    let named = holiday_calendars.iter().filter(|calendar| schedule.holiday_calendar_ids.contains(&calendar.id));
    Availability {
        time_zone: schedule.time_zone,
        weekly_hours: schedule.weekly_hours.clone(),
        overrides: schedule.overrides.clone(),
        travels: schedule.travels.clone(),
        holidays: named.flat_map(|calendar| calendar.holidays.iter().cloned()).collect(),
        absences: absences.iter().map(|row| row.absence).collect(),
    }
}

impl Engine {
    /// The host's schedules, the default first.
    pub async fn schedules(&self, principal: &Principal) -> Result<Vec<ScheduleOverview>, EngineError> {
        let organization_id = &principal.organization_id;
        let tx = &mut self.0.store.read().await?;
        let mut overviews = Vec::new();
        for schedule in schedule_list(tx, organization_id, Some(&principal.user_id)).await? {
            let event_types = event_types_of_schedule(tx, organization_id, &schedule.id).await?;
            let event_types = event_types.into_iter().map(|event_type| event_type.title).collect();
            overviews.push(ScheduleOverview { schedule, event_types });
        }
        Ok(overviews)
    }

    /// One of the host's schedules.
    pub async fn schedule(&self, principal: &Principal, id: &ScheduleId) -> Result<Schedule, EngineError> {
        self.own_schedule(&mut self.0.store.read().await?, principal, id).await
    }

    async fn own_schedule(&self, tx: &mut Tx, principal: &Principal, id: &ScheduleId) -> Result<Schedule, EngineError> {
        schedule_get(tx, &principal.organization_id, id)
            .await?
            .filter(|schedule| schedule.user_id == principal.user_id)
            .ok_or(EngineError::NotFound("schedule"))
    }

    /// Makes a schedule of the host's own, or changes the one with `id`. Appointments that stand stay as they are.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `name`, `time_zone`, `weekly_hours.monday`, `overrides.0.date`, `travels.0.last`,
    /// `holiday_calendar_ids` and so on.
    pub async fn schedule_save(
        &self,
        principal: &Principal,
        id: Option<&ScheduleId>,
        input: ScheduleInput,
    ) -> Result<Schedule, EngineError> {
        let input = input.parse()?;
        let saved = transact!(self, tx => {
            let (old, new) = self.schedule_from(tx, principal, id, &input).await?;
            match old {
                Some(old) => {
                    history::schedule_changed(tx, &old, new.updated_at).await?;
                    schedule_update(tx, &new).await?;
                }
                None => {
                    let count = schedule_list(tx, &principal.organization_id, Some(&principal.user_id)).await?.len();
                    if count >= MOST_SCHEDULES {
                        return Err(FieldProblem::new("error.too_many").with("max", MOST_SCHEDULES).at("name").into());
                    }
                    schedule_insert(tx, &new).await?;
                }
            }
            new
        })?;
        self.committed(&principal.organization_id);
        Ok(saved)
    }

    /// The schedule as it is stored, and as it would be with the input; nothing is written.
    pub(crate) async fn schedule_from(
        &self,
        tx: &mut Tx,
        principal: &Principal,
        id: Option<&ScheduleId>,
        input: &ParsedSchedule,
    ) -> Result<(Option<Schedule>, Schedule), EngineError> {
        if !input.holiday_calendar_ids.is_empty() {
            let own = holiday_calendar_list(tx, &principal.organization_id, &principal.user_id).await?;
            if input.holiday_calendar_ids.iter().any(|id| !own.iter().any(|calendar| calendar.id == *id)) {
                return Err(FieldProblem::new("error.not_found").at("holiday_calendar_ids").into());
            }
        }
        let old = match id {
            Some(id) => Some(self.own_schedule(tx, principal, id).await?),
            None => None,
        };
        let (organization_id, user_id) = (principal.organization_id.clone(), principal.user_id.clone());
        let (schedule_id, is_default) = match &old {
            Some(old) => (old.id.clone(), old.is_default),
            None => (self.fresh(), false),
        };
        let new = input.clone().into_schedule(schedule_id, organization_id, user_id, is_default, self.now());
        Ok((old, new))
    }

    /// Makes a schedule the one that serves where no other is chosen. Event types keep those that they use.
    pub async fn schedule_make_default(&self, principal: &Principal, id: &ScheduleId) -> Result<(), EngineError> {
        let (organization_id, user_id) = (&principal.organization_id, &principal.user_id);
        let made = transact!(self, tx => schedule_make_default(tx, organization_id, user_id, id).await?)?;
        self.committed(organization_id);
        if made { Ok(()) } else { Err(EngineError::NotFound("schedule")) }
    }

    /// Removes a schedule.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] for the default one and for one that an event type uses.
    pub async fn schedule_delete(&self, principal: &Principal, id: &ScheduleId) -> Result<(), EngineError> {
        transact!(self, tx => {
            let old = self.own_schedule(tx, principal, id).await?;
            match schedule_delete(tx, &principal.organization_id, id).await? {
                ScheduleRemoval::Deleted => history::schedule_changed(tx, &old, self.now()).await?,
                ScheduleRemoval::InUse => return Err(EngineError::Conflict("error.schedule_in_use")),
                ScheduleRemoval::NotFound => return Err(EngineError::NotFound("schedule")),
            }
        })?;
        self.committed(&principal.organization_id);
        Ok(())
    }

    /// The schedule of who has just become a member: office hours, the default.
    pub(crate) fn first_schedule(
        &self,
        organization_id: &OrganizationId,
        user: &User,
        time_zone: TimeZoneName,
    ) -> Schedule {
        Schedule {
            id: self.fresh(),
            organization_id: organization_id.clone(),
            user_id: user.id.clone(),
            name: user.name.clone(),
            time_zone,
            weekly_hours: WeeklyHours::office_hours(),
            overrides: Vec::new(),
            travels: Vec::new(),
            holiday_calendar_ids: Vec::new(),
            is_default: true,
            updated_at: self.now(),
        }
    }
}
