use chrono::TimeDelta;
use cupo_core::event_type::Location;
use cupo_core::ids::ScheduleId;
use cupo_core::parse::{HttpUrl, Slug};
use cupo_core::schedule::WeeklyHours;
use cupo_core::zone::TimeZoneName;
use cupo_store::*;

use crate::world::{appointment, at, event_type, hold, id, on_both, taken};

on_both! {
    async fn a_schedule_is_read_as_it_was_written_and_changed(world: World) {
        let tenant = world.tenant("acme").await;
        let mut schedule =
            world.read(async |tx| schedule_get_by_user(tx, tenant.id(), &tenant.user.id).await).await.unwrap();
        assert_eq!(schedule.weekly_hours, WeeklyHours::office_hours());
        assert_eq!(schedule.time_zone.as_str(), "Europe/Madrid");
        schedule.time_zone = TimeZoneName::parse("Asia/Kolkata").unwrap();
        schedule.weekly_hours = WeeklyHours::new(Default::default()).unwrap();
        schedule.updated_at = at(7);
        assert!(world.write(async |tx| schedule_update(tx, &schedule).await).await.unwrap());
        let stored = world.read(async |tx| schedule_get(tx, tenant.id(), &schedule.id).await).await.unwrap();
        assert_eq!((stored.time_zone, stored.weekly_hours), (schedule.time_zone, schedule.weekly_hours));
        assert_eq!(stored.updated_at, at(7));
    }

    async fn a_user_has_one_schedule(world: World) {
        let tenant = world.tenant("acme").await;
        let mut second = tenant.schedule.clone();
        second.id = ScheduleId::parse(&id()).unwrap();
        assert_eq!(taken(world.write(async |tx| schedule_insert(tx, &second).await).await), "schedule.user_id");
    }

    async fn an_event_type_is_read_as_it_was_written(world: World) {
        let tenant = world.tenant("acme").await;
        let stored =
            world.read(async |tx| event_type_get(tx, tenant.id(), &tenant.event_type.id).await).await.unwrap();
        assert_eq!(stored.rules, tenant.event_type.rules);
        assert_eq!(stored.location, Location::Address("Calle Mayor 1".to_owned()));
        assert_eq!((stored.description.as_str(), stored.is_active), ("Half an hour\nto get acquainted", true));
        let slug = Slug::parse("first-visit").unwrap();
        let by_slug = world.read(async |tx| event_type_get_by_slug(tx, tenant.id(), &slug).await).await.unwrap();
        assert_eq!(by_slug.id, stored.id);
    }

    async fn an_event_type_changes_but_keeps_its_slug_for_itself(world: World) {
        let tenant = world.tenant("acme").await;
        let mut second = event_type(tenant.id(), &tenant.user.id, &tenant.schedule.id, "second");
        world.write(async |tx| event_type_insert(tx, &second).await).await.unwrap();
        second.title = "Follow-up".to_owned();
        second.rules.notice = TimeDelta::minutes(0);
        second.location = Location::Link(HttpUrl::parse("https://x.example/room").unwrap());
        second.is_active = false;
        assert!(world.write(async |tx| event_type_update(tx, &second).await).await.unwrap());
        let listed = world.read(async |tx| event_type_list(tx, tenant.id()).await).await;
        let stored = listed.iter().find(|event_type| event_type.id == second.id).unwrap();
        assert_eq!((listed.len(), stored.title.as_str(), stored.is_active), (2, "Follow-up", false));
        assert_eq!((&stored.rules, &stored.location), (&second.rules, &second.location));
        second.slug = tenant.event_type.slug.clone();
        assert_eq!(taken(world.write(async |tx| event_type_update(tx, &second).await).await), "event_type.slug");
    }

    async fn an_event_type_that_was_booked_is_only_switched_off(world: World) {
        let tenant = world.tenant("acme").await;
        let unused = event_type(tenant.id(), &tenant.user.id, &tenant.schedule.id, "unused");
        let mut held = tenant.clone();
        held.event_type = unused.clone();
        world
            .write(async |tx| {
                event_type_insert(tx, &unused).await?;
                hold_insert(tx, &hold(&held, 600, 610)).await?;
                appointment_insert(tx, &appointment(&tenant, 60)).await
            })
            .await
            .unwrap();
        let remove = async |event_type: &EventType| {
            world.write(async |tx| event_type_delete(tx, tenant.id(), &event_type.id, at(9)).await).await.unwrap()
        };
        assert_eq!(remove(&tenant.event_type).await, EventTypeRemoval::Deactivated);
        let kept = world.read(async |tx| event_type_get(tx, tenant.id(), &tenant.event_type.id).await).await.unwrap();
        assert_eq!((kept.is_active, kept.updated_at), (false, at(9)));
        assert_eq!(remove(&unused).await, EventTypeRemoval::Deleted);
        assert_eq!(remove(&unused).await, EventTypeRemoval::NotFound);
    }
}
