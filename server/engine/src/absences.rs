//! When hosts are away, whatever their schedules say.

use chrono::{Days, NaiveDateTime, NaiveTime, TimeDelta};
use cupo_core::{
    availability::Absence,
    ids::AbsenceId,
    parse::{FieldErrors, FieldProblem, optional_text},
};
use cupo_store::{AbsenceRow, absence_delete, absence_insert, absence_list};
use serde::{Deserialize, Serialize};

use crate::{Engine, EngineError, Principal, engine::transact, history, schedules::parse_date};

/// The most absences of one member.
const MOST_ABSENCES: usize = 500;
/// How long an absence is kept that is over: longer than anybody asks what was offered.
const KEPT: Days = Days::new(100);
/// A longer absence is a mistyped year.
const LONGEST: TimeDelta = TimeDelta::days(5 * 366);
const LONGEST_NOTE: usize = 300;

/// An absence, as it was filled in. Without times it takes whole days, the last one included.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AbsenceInput {
    /// `2026-12-24`.
    pub first_date: String,
    /// `09:00`; empty for the beginning of the day.
    pub first_time: String,
    /// `2026-12-31`.
    pub last_date: String,
    /// `13:00`; empty for the end of the day.
    pub last_time: String,
    /// For the host's own eyes.
    pub note: String,
}

impl AbsenceInput {
    fn parse(&self) -> Result<(Absence, String), FieldErrors> {
        let mut errors = FieldErrors::default();
        let first_date = errors.collect("first_date", parse_date(&self.first_date));
        let first_time = errors.collect("first_time", parse_time(&self.first_time, TimeDelta::zero()));
        let last_date = errors.collect("last_date", parse_date(&self.last_date));
        let last_time = errors.collect("last_time", parse_time(&self.last_time, TimeDelta::days(1)));
        let note = errors.collect("note", optional_text(&self.note, LONGEST_NOTE));
        let (Some(first_date), Some(first_time), Some(last_date), Some(last_time), Some(note)) =
            (first_date, first_time, last_date, last_time, note)
        else {
            return Err(errors);
        };
        let from = NaiveDateTime::new(first_date, NaiveTime::MIN) + first_time;
        let to = NaiveDateTime::new(last_date, NaiveTime::MIN) + last_time;
        if last_date < first_date {
            return Err(FieldProblem::new("error.date_order").at("last_date").into());
        }
        if to <= from {
            let (start, end) = (from.format("%H:%M"), to.format("%H:%M"));
            return Err(FieldProblem::new("error.interval_order")
                .with("start", start)
                .with("end", end)
                .at("last_time")
                .into());
        }
        if to - from > LONGEST {
            return Err(FieldProblem::new("error.date").at("last_date").into());
        }
        Ok((Absence { from, to }, note.unwrap_or_default()))
    }
}

/// The time since midnight; `24:00` is the end of the day.
fn parse_time(text: &str, if_empty: TimeDelta) -> Result<TimeDelta, FieldProblem> {
    match text.trim() {
        "" => Ok(if_empty),
        "24:00" => Ok(TimeDelta::days(1)),
        text => match NaiveTime::parse_from_str(text, "%H:%M") {
            Ok(time) => Ok(time - NaiveTime::MIN),
            Err(_) => Err(FieldProblem::new("error.clock_time").with("value", text)),
        },
    }
}

impl Engine {
    /// The host's absences that are not over, the earliest first.
    pub async fn absences(&self, principal: &Principal) -> Result<Vec<AbsenceRow>, EngineError> {
        let tx = &mut self.0.store.read().await?;
        let mut listed = absence_list(tx, &principal.organization_id, &principal.user_id).await?;
        // Whatever the zone, what ended more than a day ago by UTC is over.
        listed.retain(|row| !self.ended_before(row, Days::new(1)));
        Ok(listed)
    }

    fn ended_before(&self, row: &AbsenceRow, days: Days) -> bool {
        self.now().naive_utc().checked_sub_days(days).is_some_and(|then| row.absence.to < then)
    }

    /// Enters an absence. Appointments that stand stay as they are.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with the fields of [`AbsenceInput`].
    pub async fn absence_save(&self, principal: &Principal, input: AbsenceInput) -> Result<AbsenceRow, EngineError> {
        let (absence, note) = input.parse()?;
        let (organization_id, user_id) = (&principal.organization_id, &principal.user_id);
        let saved = transact!(self, tx => {
            let mut count = 0;
            for old in absence_list(tx, organization_id, user_id).await? {
                if self.ended_before(&old, KEPT) {
                    absence_delete(tx, organization_id, user_id, &old.id).await?;
                } else {
                    count += 1;
                }
            }
            if count >= MOST_ABSENCES {
                return Err(FieldProblem::new("error.too_many").with("max", MOST_ABSENCES).at("first_date").into());
            }
            let row = AbsenceRow {
                id: self.fresh(),
                organization_id: organization_id.clone(),
                user_id: user_id.clone(),
                absence,
                note: note.clone(),
                created_at: self.now(),
            };
            absence_insert(tx, &row).await?;
            row
        })?;
        self.committed(organization_id);
        Ok(saved)
    }

    /// Calls an absence off.
    pub async fn absence_delete(&self, principal: &Principal, id: &AbsenceId) -> Result<(), EngineError> {
        let (organization_id, user_id) = (&principal.organization_id, &principal.user_id);
        transact!(self, tx => {
            let listed = absence_list(tx, organization_id, user_id).await?;
            let old = listed.into_iter().find(|row| row.id == *id).ok_or(EngineError::NotFound("absence"))?;
            absence_delete(tx, organization_id, user_id, id).await?;
            history::absence_called_off(tx, &old, self.now()).await?;
        })?;
        self.committed(organization_id);
        Ok(())
    }
}
