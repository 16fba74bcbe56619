//! When the host can be booked.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// The host's zone and weekly hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvailabilityView {
    /// IANA name.
    pub time_zone: String,
    /// Monday first.
    pub days: Vec<DayView>,
}

/// One day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// `monday` to `sunday`: the name of the form's field.
    pub name: String,
    /// The day's name in the reader's language.
    pub label: String,
    /// Start and end, `HH:MM`; midnight at the end of the day is `00:00`, as `<input type=time>` writes it.
    pub intervals: Vec<(String, String)>,
}

/// The form of the availability page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AvailabilityForm {
    /// IANA name.
    pub time_zone: String,
    /// Rows of the day, as are the others.
    pub monday: Vec<IntervalRow>,
    /// See `monday`.
    pub tuesday: Vec<IntervalRow>,
    /// See `monday`.
    pub wednesday: Vec<IntervalRow>,
    /// See `monday`.
    pub thursday: Vec<IntervalRow>,
    /// See `monday`.
    pub friday: Vec<IntervalRow>,
    /// See `monday`.
    pub saturday: Vec<IntervalRow>,
    /// See `monday`.
    pub sunday: Vec<IntervalRow>,
}

/// A row of the form; a row without start and end counts as removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntervalRow {
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM`; `00:00` is the midnight at which the day ends.
    pub end: String,
}

/// Every zone that can be chosen, in alphabetical order.
#[server(prefix = "/dashboard/api", endpoint = "time_zones")]
pub async fn time_zones() -> Result<Vec<String>, AppError> {
    Ok(cupo_core::zone::TimeZoneName::all().map(str::to_owned).collect())
}

/// The host's schedule.
#[server(prefix = "/dashboard/api", endpoint = "availability")]
pub async fn availability() -> Result<AvailabilityView, AppError> {
    use super::request::{answer, host};
    use crate::text::locale;
    use chrono::{NaiveDate, Weekday};

    let (engine, principal) = host()?;
    let schedule = answer(engine.schedule(&principal).await)?;
    let monday =
        NaiveDate::from_isoywd_opt(2026, 1, Weekday::Mon).expect("the first week of every ISO year has a Monday");
    let days = cupo_core::schedule::WEEKDAYS
        .iter()
        .zip(schedule.weekly_hours.days())
        .zip(monday.iter_days())
        .map(|((name, intervals), date)| DayView {
            name: (*name).to_owned(),
            label: crate::time::weekday(date, locale()),
            intervals: intervals.iter().map(|at| (at.start(), at.end().replace("24:00", "00:00"))).collect(),
        })
        .collect();
    Ok(AvailabilityView { time_zone: schedule.time_zone.to_string(), days })
}

/// Replaces the host's schedule.
#[server(prefix = "/dashboard/api", endpoint = "availability_save")]
pub async fn availability_save(form: AvailabilityForm) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let typed = form.typed();
    answer(engine.schedule_save(&principal, form.into_input()).await)
        .map_err(|error| error.with_typed(&[("availability", &typed)]))?;
    done("/dashboard/availability", "saved");
    Ok(())
}

#[cfg(feature = "ssr")]
impl AvailabilityForm {
    fn into_input(self) -> cupo_engine::ScheduleInput {
        let days = [self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday];
        let weekly_hours = cupo_core::schedule::WEEKDAYS
            .iter()
            .zip(days)
            .map(|(name, rows)| {
                let filled = rows.into_iter().filter(|row| !row.is_empty());
                ((*name).to_owned(), filled.map(IntervalRow::into_input).collect())
            })
            .collect();
        cupo_engine::ScheduleInput {
            time_zone: self.time_zone,
            weekly_hours: cupo_engine::WeeklyHoursInput(weekly_hours),
        }
    }

    /// The rows as they were typed, as JSON, for the page that comes after a refusal.
    fn typed(&self) -> String {
        serde_json::to_string(self).expect("a form of texts has a JSON form")
    }
}

#[cfg(feature = "ssr")]
impl IntervalRow {
    fn is_empty(&self) -> bool {
        self.start.trim().is_empty() && self.end.trim().is_empty()
    }

    fn into_input(self) -> cupo_engine::LocalIntervalInput {
        let end = if self.end.trim() == "00:00" { "24:00".to_owned() } else { self.end };
        cupo_engine::LocalIntervalInput { start: self.start, end }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn posted(body: &str) -> cupo_engine::ScheduleInput {
        #[derive(Deserialize)]
        struct Body {
            form: AvailabilityForm,
        }
        let body: Body = serde_qs::Config::new(5, false).deserialize_str(body).expect("the form can be read");
        body.form.into_input()
    }

    #[test]
    fn empty_rows_are_removed_and_gaps_in_the_numbering_do_not_matter() {
        let input = posted(
            "form%5Btime_zone%5D=Europe%2FMadrid\
             &form%5Bmonday%5D%5B0%5D%5Bstart%5D=09%3A00&form%5Bmonday%5D%5B0%5D%5Bend%5D=13%3A00\
             &form%5Bmonday%5D%5B7%5D%5Bstart%5D=15%3A00&form%5Bmonday%5D%5B7%5D%5Bend%5D=18%3A00\
             &form%5Btuesday%5D%5B0%5D%5Bstart%5D=&form%5Btuesday%5D%5B0%5D%5Bend%5D=",
        );
        assert_eq!(input.time_zone, "Europe/Madrid");
        let monday: Vec<_> =
            input.weekly_hours.0["monday"].iter().map(|at| (at.start.as_str(), at.end.as_str())).collect();
        assert_eq!(monday, [("09:00", "13:00"), ("15:00", "18:00")]);
        assert!(input.weekly_hours.0["tuesday"].is_empty());
        assert!(input.weekly_hours.0["sunday"].is_empty());
    }

    #[test]
    fn an_end_at_midnight_is_the_end_of_the_day() {
        let input = posted("form[friday][0][start]=20%3A00&form[friday][0][end]=00%3A00");
        assert_eq!(input.weekly_hours.0["friday"][0].end, "24:00");
    }

    #[test]
    fn a_half_filled_row_is_kept_for_the_engine_to_refuse() {
        let input = posted("form[friday][0][start]=20%3A00&form[friday][0][end]=");
        assert_eq!(input.weekly_hours.0["friday"].len(), 1);
    }
}
