//! Schedules, absences and holidays.

use chrono::NaiveDate;
use cupo_core::availability::{Absence, Holiday, Travel};
use cupo_core::ids::{AbsenceId, HolidayCalendarId};
use cupo_core::parse::HttpUrl;
use cupo_core::schedule::{DateOverride, LocalInterval, WeeklyHours};
use cupo_core::zone::TimeZoneName;
use cupo_store::*;

use crate::world::{Tenant, World, at, event_type, host, id, on_both, schedule, taken};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn absence(tenant: &Tenant, from: &str, to: &str) -> AbsenceRow {
    AbsenceRow {
        id: AbsenceId::parse(&id()).unwrap(),
        organization_id: tenant.id().clone(),
        user_id: tenant.user.id.clone(),
        absence: Absence { from: from.parse().unwrap(), to: to.parse().unwrap() },
        note: "Dentist".to_owned(),
        created_at: at(0),
    }
}

fn holidays(tenant: &Tenant, name: &str, source: Option<&str>) -> HolidayCalendar {
    HolidayCalendar {
        id: HolidayCalendarId::parse(&id()).unwrap(),
        organization_id: tenant.id().clone(),
        user_id: tenant.user.id.clone(),
        name: name.to_owned(),
        source_url: source.map(|source| HttpUrl::parse(source).unwrap()),
        holidays: vec![Holiday { first: date("2026-12-24"), last: date("2026-12-26"), name: "Navidad".to_owned() }],
        etag: None,
        fetched_at: None,
        error: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

async fn default_of(world: &World, tenant: &Tenant) -> Schedule {
    world.read(async |tx| schedule_get_by_user(tx, tenant.id(), &tenant.user.id).await).await.unwrap()
}

on_both! {
    async fn a_schedule_is_read_as_it_was_written_and_changed(world: World) {
        let tenant = world.tenant("acme").await;
        let mut schedule = default_of(&world, &tenant).await;
        assert_eq!((schedule.weekly_hours, schedule.is_default), (WeeklyHours::office_hours(), true));
        assert_eq!((schedule.time_zone.as_str(), schedule.overrides.len()), ("Europe/Madrid", 0));
        schedule.time_zone = TimeZoneName::parse("Asia/Kolkata").unwrap();
        schedule.weekly_hours = WeeklyHours::new(Default::default()).unwrap();
        let night = LocalInterval::parse("22:00", "02:00").unwrap();
        schedule.overrides = vec![
            DateOverride::new(date("2026-12-24"), vec![night]).unwrap(),
            DateOverride::new(date("2026-12-31"), Vec::new()).unwrap(),
        ];
        let away = TimeZoneName::parse("Asia/Tokyo").unwrap();
        schedule.travels = vec![Travel { first: date("2026-12-01"), last: date("2026-12-08"), time_zone: away }];
        schedule.holiday_calendar_ids = vec![HolidayCalendarId::parse(&id()).unwrap()];
        schedule.is_default = false;
        schedule.updated_at = at(7);
        assert!(world.write(async |tx| schedule_update(tx, &schedule).await).await.unwrap());
        let stored = world.read(async |tx| schedule_get(tx, tenant.id(), &schedule.id).await).await.unwrap();
        assert_eq!((stored.time_zone, stored.weekly_hours), (schedule.time_zone, schedule.weekly_hours));
        assert_eq!((stored.overrides, stored.travels), (schedule.overrides, schedule.travels));
        assert_eq!(stored.holiday_calendar_ids, schedule.holiday_calendar_ids);
        assert_eq!((stored.is_default, stored.updated_at), (true, at(7)));
    }

    async fn one_schedule_of_a_user_is_the_default(world: World) {
        let tenant = world.tenant("acme").await;
        let other = world.tenant("other").await;
        let second = schedule(tenant.id(), &tenant.user.id, "Another default", true);
        assert_eq!(taken(world.write(async |tx| schedule_insert(tx, &second).await).await), "schedule.user_id");
        let evenings = schedule(tenant.id(), &tenant.user.id, "Evenings", false);
        world.write(async |tx| schedule_insert(tx, &evenings).await).await.unwrap();
        let choose = async |chosen: &Schedule| {
            world
                .write(async |tx| schedule_make_default(tx, tenant.id(), &tenant.user.id, &chosen.id).await)
                .await
                .unwrap()
        };
        assert!(choose(&evenings).await);
        assert!(choose(&evenings).await);
        assert_eq!(default_of(&world, &tenant).await.id, evenings.id);
        assert!(!choose(&other.schedule).await);
        assert_eq!(default_of(&world, &tenant).await.id, evenings.id);
        assert_eq!(default_of(&world, &other).await.id, other.schedule.id);
    }

    async fn schedules_are_listed_with_the_default_first(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let evenings = schedule(tenant.id(), &tenant.user.id, "Evenings", false);
        let mornings = schedule(tenant.id(), &tenant.user.id, "Mornings", false);
        world
            .write(async |tx| {
                schedule_insert(tx, &mornings).await?;
                schedule_insert(tx, &evenings).await
            })
            .await
            .unwrap();
        let names = async |user| -> Vec<String> {
            let schedules = world.read(async |tx| schedule_list(tx, tenant.id(), user).await).await;
            schedules.into_iter().map(|schedule| schedule.name).collect()
        };
        assert_eq!(names(Some(&tenant.user.id)).await, ["Office hours", "Evenings", "Mornings"]);
        assert_eq!(names(Some(&ben.id)).await, ["Office hours"]);
        assert_eq!(names(None).await, ["Office hours", "Evenings", "Mornings", "Office hours"]);
    }

    async fn a_schedule_in_use_stays(world: World) {
        let tenant = world.tenant("acme").await;
        let [unused, of_host, of_event_type] =
            ["Unused", "Host's", "Event type's"].map(|name| schedule(tenant.id(), &tenant.user.id, name, false));
        let owned = event_type(tenant.id(), &tenant.user.id, &of_event_type.id, "owned");
        let hosts = [host(&tenant.event_type, &tenant.user.id, &of_host.id)];
        world
            .write(async |tx| {
                for schedule in [&unused, &of_host, &of_event_type] {
                    schedule_insert(tx, schedule).await?;
                }
                event_type_insert(tx, &owned).await?;
                event_type_hosts_replace(tx, tenant.id(), &tenant.event_type.id, &hosts).await
            })
            .await
            .unwrap();
        let remove = async |schedule: &Schedule| {
            world.write(async |tx| schedule_delete(tx, tenant.id(), &schedule.id).await).await.unwrap()
        };
        for used in [&tenant.schedule, &of_host, &of_event_type] {
            assert_eq!(remove(used).await, ScheduleRemoval::InUse, "{}", used.name);
        }
        assert_eq!(remove(&unused).await, ScheduleRemoval::Deleted);
        assert_eq!(remove(&unused).await, ScheduleRemoval::NotFound);
    }

    async fn absences_are_listed_by_time(world: World) {
        let tenant = world.tenant("acme").await;
        let late = absence(&tenant, "2026-12-24T00:00:00", "2027-01-07T00:00:00");
        let early = absence(&tenant, "2026-11-30T09:30:00", "2026-11-30T11:00:00");
        world
            .write(async |tx| {
                absence_insert(tx, &late).await?;
                absence_insert(tx, &early).await
            })
            .await
            .unwrap();
        let listed = async || world.read(async |tx| absence_list(tx, tenant.id(), &tenant.user.id).await).await;
        let rows = listed().await;
        assert_eq!(rows.iter().map(|row| row.absence).collect::<Vec<_>>(), [early.absence, late.absence]);
        assert_eq!((&rows[0].id, rows[0].note.as_str(), rows[0].created_at), (&early.id, "Dentist", at(0)));
        let remove = async || {
            world
                .write(async |tx| absence_delete(tx, tenant.id(), &tenant.user.id, &early.id).await)
                .await
                .unwrap()
        };
        assert!(remove().await);
        assert!(!remove().await);
        assert_eq!(listed().await.len(), 1);
    }

    async fn a_holiday_calendar_is_read_as_it_was_written_and_changed(world: World) {
        let tenant = world.tenant("acme").await;
        let mut spain = holidays(&tenant, "Spain", Some("https://holidays.example/es.ics"));
        let own = holidays(&tenant, "Own", None);
        world
            .write(async |tx| {
                holiday_calendar_insert(tx, &spain).await?;
                holiday_calendar_insert(tx, &own).await
            })
            .await
            .unwrap();
        spain.name = "España".to_owned();
        spain.holidays.clear();
        spain.etag = Some("\"1\"".to_owned());
        spain.fetched_at = Some(at(3));
        spain.error = Some("404".to_owned());
        spain.updated_at = at(4);
        assert!(world.write(async |tx| holiday_calendar_update(tx, &spain).await).await.unwrap());
        let stored = world.read(async |tx| holiday_calendar_get(tx, tenant.id(), &spain.id).await).await.unwrap();
        assert_eq!((&stored.name, &stored.holidays, &stored.source_url), (&spain.name, &spain.holidays, &spain.source_url));
        assert_eq!((stored.etag, stored.fetched_at, stored.error), (spain.etag, Some(at(3)), spain.error));
        assert_eq!(stored.updated_at, at(4));
        let listed = async || {
            world.read(async |tx| holiday_calendar_list(tx, tenant.id(), &tenant.user.id).await).await
        };
        let calendars = listed().await;
        assert_eq!(calendars.iter().map(|calendar| calendar.name.as_str()).collect::<Vec<_>>(), ["España", "Own"]);
        assert_eq!((&calendars[1].holidays, &calendars[1].source_url), (&own.holidays, &None));
        let remove = async || {
            world
                .write(async |tx| holiday_calendar_delete(tx, tenant.id(), &tenant.user.id, &own.id).await)
                .await
                .unwrap()
        };
        assert!(remove().await);
        assert!(!remove().await);
        assert_eq!(listed().await.len(), 1);
    }

    async fn a_holiday_calendar_with_a_source_is_due_when_it_was_asked_long_ago(world: World) {
        let tenant = world.tenant("acme").await;
        let source = Some("https://holidays.example/es.ics");
        let (mut asked, never, uploaded) =
            (holidays(&tenant, "Asked", source), holidays(&tenant, "Never", source), holidays(&tenant, "Own", None));
        asked.fetched_at = Some(at(50));
        world
            .write(async |tx| {
                for calendar in [&asked, &never, &uploaded] {
                    holiday_calendar_insert(tx, calendar).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let due = async |before| world.read(async |tx| holiday_calendars_due(tx, at(before)).await).await;
        let pair = |calendar: &HolidayCalendar| (calendar.organization_id.clone(), calendar.id.clone());
        assert_eq!(due(49).await, [pair(&never)]);
        assert_eq!(due(50).await, [pair(&never), pair(&asked)]);
    }
}
