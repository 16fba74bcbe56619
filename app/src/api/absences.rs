//! Time off.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Time off in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceRow {
    /// Its id.
    pub id: String,
    /// From when to when.
    pub when: String,
    /// What the host noted; may be empty.
    pub note: String,
}

/// The form that adds time off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AbsenceForm {
    /// The first date.
    pub first_date: String,
    /// The time at which it begins; empty for the whole day.
    pub first_time: String,
    /// The last date; empty where it is the first one.
    pub last_date: String,
    /// The time at which it ends; empty for the whole day.
    pub last_time: String,
    /// For the host alone.
    pub note: String,
}

/// Adds time off.
#[server(prefix = "/dashboard/api", endpoint = "absence_save")]
pub async fn absence_save(form: AbsenceForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    answer(engine.absence_save(&principal, form.to_input()).await).map_err(|error| error.with_form(&form))?;
    done("/dashboard/availability", "absence_added");
    Ok(())
}

/// Removes time off.
#[server(prefix = "/dashboard/api", endpoint = "absence_delete")]
pub async fn absence_delete(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "absence")?;
    answer(engine.absence_delete(&principal, &id).await)?;
    done("/dashboard/availability", "deleted");
    Ok(())
}

#[cfg(feature = "ssr")]
impl AbsenceForm {
    fn to_input(&self) -> cupo_engine::AbsenceInput {
        let last_date = if self.last_date.trim().is_empty() { &self.first_date } else { &self.last_date };
        cupo_engine::AbsenceInput {
            first_date: self.first_date.clone(),
            first_time: self.first_time.clone(),
            last_date: last_date.clone(),
            last_time: self.last_time.clone(),
            note: self.note.clone(),
        }
    }
}

#[cfg(feature = "ssr")]
pub(super) mod view {
    use chrono::{Days, NaiveDate};
    use cupo_core::availability::Absence;
    use cupo_core::text::Locale;

    use super::AbsenceRow;
    use crate::text::locale;
    use crate::time;

    /// Those that are not over, the next one first.
    pub(in crate::api) fn rows(mut absences: Vec<cupo_store::AbsenceRow>, today: NaiveDate) -> Vec<AbsenceRow> {
        absences.retain(|row| row.absence.to.date() > today || row.absence.from.date() >= today);
        absences.sort_by_key(|row| row.absence.from);
        let told = |row: cupo_store::AbsenceRow| AbsenceRow {
            id: row.id.to_string(),
            when: when(&row.absence, locale()),
            note: row.note,
        };
        absences.into_iter().map(told).collect()
    }

    fn when(absence: &Absence, locale: Locale) -> String {
        if absence.is_whole_days() {
            let last = absence.to.date().checked_sub_days(Days::new(1)).unwrap_or(absence.to.date());
            time::dates(absence.from.date(), last, locale)
        } else {
            time::local_span(absence.from, absence.to, locale)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn absence(from: &str, to: &str) -> Absence {
            Absence { from: from.parse().unwrap(), to: to.parse().unwrap() }
        }

        #[test]
        fn whole_days_are_told_by_the_first_and_the_last_of_them() {
            let (one, more) = (
                absence("2026-12-24T00:00:00", "2026-12-25T00:00:00"),
                absence("2026-12-24T00:00:00", "2026-12-28T00:00:00"),
            );
            assert_eq!(when(&one, Locale::En), "Thursday, December 24, 2026");
            assert_eq!(when(&more, Locale::En), "Thursday, December 24, 2026 – Sunday, December 27, 2026");
        }

        #[test]
        fn a_part_of_a_day_is_told_by_its_times() {
            let hours = absence("2026-12-24T09:00:00", "2026-12-24T12:30:00");
            assert_eq!(when(&hours, Locale::En), "Thursday, December 24, 2026, 9:00 AM – 12:30 PM");
        }
    }
}
