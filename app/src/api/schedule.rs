//! One schedule: making it, changing it, looking what that would bring.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::changes::ChangesView;
use super::rows::Rows;
use crate::error::AppError;

/// Everything that the page of a schedule shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// What is stored, or what was typed.
    pub form: ScheduleForm,
    /// Its stored name; empty for a new one.
    pub title: String,
    /// The days of the week, Monday first: the name of the form's field and the day's name.
    pub days: Vec<(String, String)>,
    /// Every zone that can be chosen.
    pub time_zones: Vec<String>,
    /// The host's holiday calendars: id and name.
    pub holiday_calendars: Vec<(String, String)>,
    /// Whether it is used where none is chosen.
    pub is_default: bool,
    /// The titles of the event types that use it.
    pub event_types: Vec<String>,
    /// What would change, where that was asked for without a script.
    pub changes: Option<Vec<ChangesView>>,
    /// Why that could not be told.
    pub refused: Option<AppError>,
}

/// The form of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleForm {
    /// Empty for a new one.
    pub id: String,
    /// What the host calls it.
    pub name: String,
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
    /// Dates with other hours, or none.
    pub overrides: Rows<OverrideRow>,
    /// Dates in another zone.
    pub travels: Rows<TravelRow>,
    /// Ids of the ticked holiday calendars.
    pub holiday_calendar_ids: Vec<String>,
}

/// A row of hours; one without start and end counts as removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IntervalRow {
    /// `HH:MM`.
    pub start: String,
    /// `HH:MM`; `00:00` is the midnight at which the day ends.
    pub end: String,
}

/// A date with hours of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OverrideRow {
    /// The date; a row without one counts as removed.
    pub date: String,
    /// Its hours; none where nobody can be booked.
    pub hours: Vec<IntervalRow>,
}

/// Dates in another zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TravelRow {
    /// The first date; a row without dates counts as removed.
    pub first: String,
    /// The last date.
    pub last: String,
    /// IANA name.
    pub time_zone: String,
}

impl ScheduleForm {
    /// The rows of each day, Monday first.
    pub fn days(&self) -> [&Vec<IntervalRow>; 7] {
        [&self.monday, &self.tuesday, &self.wednesday, &self.thursday, &self.friday, &self.saturday, &self.sunday]
    }
}

/// One schedule; office hours for a new one. `query` holds what was typed without a script.
#[server(prefix = "/dashboard/api", endpoint = "schedule")]
pub async fn schedule(id: String, #[server(default)] query: String) -> Result<ScheduleView, AppError> {
    use super::request::{answer, host, id_or_new, zone};
    use crate::text::locale;
    use cupo_core::schedule::WEEKDAYS;

    let (engine, principal) = host()?;
    let id = id_or_new(&id, "schedule")?;
    let overviews = answer(engine.schedules(&principal).await)?;
    let stored = match &id {
        Some(id) => Some(answer(engine.schedule(&principal, id).await)?),
        None => None,
    };
    let mut form = match &stored {
        Some(schedule) => convert::form(schedule),
        None => convert::office_hours(zone(&engine, &principal).await?.name()),
    };
    let (mut changes, mut refused) = (None, None);
    if let Some(draft) = super::draft::read::<ScheduleForm>(&query) {
        let is_check = draft.is_check();
        form = convert::after_step(draft);
        if is_check {
            match convert::preview(&engine, &principal, &form).await {
                Ok(found) => changes = Some(found),
                Err(error) => refused = Some(error),
            }
        }
    }
    let calendars = answer(engine.holiday_calendars(&principal).await)?;
    let days = WEEKDAYS.iter().map(|name| (*name).to_owned()).zip(super::availability::view::weekdays(locale()));
    Ok(ScheduleView {
        form,
        title: stored.as_ref().map(|schedule| schedule.name.clone()).unwrap_or_default(),
        days: days.collect(),
        time_zones: cupo_core::zone::TimeZoneName::all().map(str::to_owned).collect(),
        holiday_calendars: calendars.into_iter().map(|calendar| (calendar.id.to_string(), calendar.name)).collect(),
        is_default: stored.as_ref().is_some_and(|schedule| schedule.is_default),
        event_types: overviews
            .into_iter()
            .find(|overview| Some(&overview.schedule.id) == id.as_ref())
            .map(|overview| overview.event_types)
            .unwrap_or_default(),
        changes,
        refused,
    })
}

/// Makes or changes a schedule.
#[server(prefix = "/dashboard/api", endpoint = "schedule_save")]
pub async fn schedule_save(form: ScheduleForm) -> Result<(), AppError> {
    use super::request::{answer, done, host, id_or_new};
    let (engine, principal) = host()?;
    let id = id_or_new(&form.id, "schedule")?;
    let (input, keys) = convert::input(form.clone());
    answer(engine.schedule_save(&principal, id.as_ref(), input).await)
        .map_err(|error| keys.name(error).with_form(&convert::tidied(form)))?;
    done("/dashboard/availability", "saved");
    Ok(())
}

/// What a schedule would bring if it were saved.
#[server(prefix = "/dashboard/api", endpoint = "schedule_preview")]
pub async fn schedule_preview(form: ScheduleForm) -> Result<Vec<ChangesView>, AppError> {
    use super::request::host;
    let (engine, principal) = host()?;
    convert::preview(&engine, &principal, &form).await
}

/// Makes a schedule the one that is used where none is chosen.
#[server(prefix = "/dashboard/api", endpoint = "schedule_make_default")]
pub async fn schedule_make_default(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "schedule")?;
    answer(engine.schedule_make_default(&principal, &id).await)?;
    done("/dashboard/availability", "saved");
    Ok(())
}

/// Removes a schedule that nothing uses.
#[server(prefix = "/dashboard/api", endpoint = "schedule_delete")]
pub async fn schedule_delete(id: String) -> Result<(), AppError> {
    use super::request::{answer, done, host};
    let (engine, principal) = host()?;
    let id = super::request::id(&id, "schedule")?;
    answer(engine.schedule_delete(&principal, &id).await)?;
    done("/dashboard/availability", "deleted");
    Ok(())
}

#[cfg(feature = "ssr")]
mod convert {
    use cupo_core::schedule::{LocalInterval, WEEKDAYS, WeeklyHours};
    use cupo_engine::{
        DateOverrideInput, Engine, LocalIntervalInput, Principal, ScheduleInput, TravelInput, WeeklyHoursInput,
    };
    use cupo_store::Schedule;

    use super::{IntervalRow, OverrideRow, ScheduleForm, TravelRow};
    use crate::api::changes::{self, ChangesView};
    use crate::api::draft::Draft;
    use crate::api::request::{answer, id_or_new};
    use crate::api::rows;
    use crate::error::AppError;

    /// The keys of the rows that the engine counts.
    pub(super) struct Keys {
        overrides: Vec<String>,
        travels: Vec<String>,
    }

    impl Keys {
        pub(super) fn name(&self, error: AppError) -> AppError {
            error.with_rows_named("overrides", &self.overrides).with_rows_named("travels", &self.travels)
        }
    }

    pub(super) fn form(schedule: &Schedule) -> ScheduleForm {
        let travels = schedule.travels.iter().map(|travel| TravelRow {
            first: travel.first.to_string(),
            last: travel.last.to_string(),
            time_zone: travel.time_zone.to_string(),
        });
        let overrides =
            schedule.overrides.iter().map(|of| OverrideRow { date: of.date.to_string(), hours: rows_of(of.hours()) });
        ScheduleForm {
            id: schedule.id.to_string(),
            name: schedule.name.clone(),
            overrides: rows::rows_of(overrides),
            travels: rows::rows_of(travels),
            holiday_calendar_ids: schedule.holiday_calendar_ids.iter().map(ToString::to_string).collect(),
            ..with_hours(schedule.time_zone.as_str(), &schedule.weekly_hours)
        }
    }

    pub(super) fn office_hours(time_zone: &str) -> ScheduleForm {
        with_hours(time_zone, &WeeklyHours::office_hours())
    }

    fn with_hours(time_zone: &str, hours: &WeeklyHours) -> ScheduleForm {
        let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] =
            hours.days().each_ref().map(|day| rows_of(day));
        ScheduleForm {
            time_zone: time_zone.to_owned(),
            monday,
            tuesday,
            wednesday,
            thursday,
            friday,
            saturday,
            sunday,
            ..ScheduleForm::default()
        }
    }

    fn rows_of(intervals: &[LocalInterval]) -> Vec<IntervalRow> {
        let row = |at: &LocalInterval| IntervalRow { start: at.start(), end: at.end().replace("24:00", "00:00") };
        intervals.iter().map(row).collect()
    }

    /// The form without the rows of hours that are empty: without a script each sending brings one for each day.
    pub(super) fn tidied(mut form: ScheduleForm) -> ScheduleForm {
        let days = [
            &mut form.monday,
            &mut form.tuesday,
            &mut form.wednesday,
            &mut form.thursday,
            &mut form.friday,
            &mut form.saturday,
            &mut form.sunday,
        ];
        let dates = form.overrides.values_mut().map(|of| &mut of.hours);
        days.into_iter().chain(dates).for_each(|rows| rows.retain(|row| !row.is_empty()));
        form
    }

    /// The form after a step without a script.
    pub(super) fn after_step(draft: Draft<ScheduleForm>) -> ScheduleForm {
        let mut form = tidied(draft.form.clone());
        match draft.parts() {
            ("overrides", "add", _) => rows::add(&mut form.overrides),
            ("overrides", "remove", key) => drop(form.overrides.remove(key)),
            ("travels", "add", _) => rows::add(&mut form.travels),
            ("travels", "remove", key) => drop(form.travels.remove(key)),
            _ => {}
        }
        form
    }

    pub(super) fn input(form: ScheduleForm) -> (ScheduleInput, Keys) {
        let days = [form.monday, form.tuesday, form.wednesday, form.thursday, form.friday, form.saturday, form.sunday];
        let weekly_hours =
            WEEKDAYS.iter().zip(days).map(|(name, rows)| ((*name).to_owned(), intervals(rows))).collect();
        let (override_keys, overrides): (Vec<_>, Vec<_>) = form
            .overrides
            .into_iter()
            .filter(|(_, row)| !row.date.trim().is_empty() || row.hours.iter().any(|hours| !hours.is_empty()))
            .map(|(key, row)| (key, DateOverrideInput { date: row.date, hours: intervals(row.hours) }))
            .unzip();
        let (travel_keys, travels): (Vec<_>, Vec<_>) = form
            .travels
            .into_iter()
            .filter(|(_, row)| !row.first.trim().is_empty() || !row.last.trim().is_empty())
            .map(|(key, row)| (key, TravelInput { first: row.first, last: row.last, time_zone: row.time_zone }))
            .unzip();
        let input = ScheduleInput {
            name: form.name,
            time_zone: form.time_zone,
            weekly_hours: WeeklyHoursInput(weekly_hours),
            overrides,
            travels,
            holiday_calendar_ids: form.holiday_calendar_ids,
        };
        (input, Keys { overrides: override_keys, travels: travel_keys })
    }

    fn intervals(rows: Vec<IntervalRow>) -> Vec<LocalIntervalInput> {
        rows.into_iter().filter(|row| !row.is_empty()).map(IntervalRow::into_input).collect()
    }

    pub(super) async fn preview(
        engine: &Engine,
        principal: &Principal,
        form: &ScheduleForm,
    ) -> Result<Vec<ChangesView>, AppError> {
        let id = id_or_new(&form.id, "schedule")?;
        let (input, keys) = input(form.clone());
        let impacts = answer(engine.schedule_preview(principal, id.as_ref(), input).await);
        let impacts = impacts.map_err(|error| keys.name(error))?;
        Ok(impacts.into_iter().map(changes::convert::changes).collect())
    }

    impl IntervalRow {
        fn is_empty(&self) -> bool {
            self.start.trim().is_empty() && self.end.trim().is_empty()
        }

        fn into_input(self) -> LocalIntervalInput {
            let end = if self.end.trim() == "00:00" { "24:00".to_owned() } else { self.end };
            LocalIntervalInput { start: self.start, end }
        }
    }

    #[cfg(test)]
    mod tests {
        use serde::Deserialize;

        use super::*;

        fn read(body: &str) -> ScheduleForm {
            #[derive(Deserialize)]
            struct Body {
                form: ScheduleForm,
            }
            let body: Body = serde_qs::Config::new(5, false).deserialize_str(body).expect("the form can be read");
            body.form
        }

        fn posted(body: &str) -> ScheduleInput {
            input(read(body)).0
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

        #[test]
        fn a_date_has_its_hours_or_none_and_a_row_without_a_date_is_removed() {
            let (input, keys) = input(read(
                "form[overrides][r000][date]=&form[overrides][r000][hours][0][start]=&form[overrides][r000][hours][0][end]=\
                 &form[overrides][r002][date]=2026-12-24\
                 &form[overrides][r003][date]=2026-12-31&form[overrides][r003][hours][0][start]=09:00\
                 &form[overrides][r003][hours][0][end]=13:00",
            ));
            let dates: Vec<_> = input.overrides.iter().map(|of| (of.date.as_str(), of.hours.len())).collect();
            assert_eq!(dates, [("2026-12-24", 0), ("2026-12-31", 1)]);
            assert_eq!(keys.overrides, ["r002", "r003"]);
        }

        #[test]
        fn empty_rows_do_not_come_back_with_the_form() {
            let row = |start: &str| IntervalRow { start: start.to_owned(), end: String::new() };
            let dated = OverrideRow { date: "2026-12-24".to_owned(), hours: vec![row("")] };
            let form = ScheduleForm {
                friday: vec![row("09:00"), row("")],
                overrides: rows::rows_of([dated]),
                ..ScheduleForm::default()
            };
            let form = tidied(form);
            assert_eq!((form.friday.len(), form.overrides["r000"].hours.len()), (1, 0));
        }

        #[test]
        fn a_step_without_a_script_adds_or_removes_a_row() {
            let step =
                |form: &ScheduleForm, step: &str| after_step(Draft { form: form.clone(), step: step.to_owned() });
            let one = step(&ScheduleForm::default(), "overrides.add");
            let two = step(&one, "overrides.add");
            let left = step(&two, "overrides.remove.r000");
            assert_eq!(left.overrides.keys().collect::<Vec<_>>(), ["r001"]);
            assert_eq!(step(&left, "travels.add").travels.len(), 1);
            assert_eq!(step(&left, "check"), left);
        }
    }
}
