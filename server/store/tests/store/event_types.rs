use chrono::TimeDelta;
use cupo_core::event_type::{Assignment, DailyOffer, Limit, Listing, Location, Options, Window};
use cupo_core::ids::CalendarId;
use cupo_core::parse::{HttpUrl, Slug};
use cupo_store::*;

use crate::world::{appointment, at, event_type, hold, host, id, insert, on_both, schedule, taken};

on_both! {
    async fn an_event_type_is_read_as_it_was_written(world: World) {
        let tenant = world.tenant("acme").await;
        let stored =
            world.read(async |tx| event_type_get(tx, tenant.id(), &tenant.event_type.id).await).await.unwrap();
        assert_eq!((stored.rules, &stored.options), (tenant.event_type.rules, &tenant.event_type.options));
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
        second.rules.window = Window::Open;
        second.rules.daily = DailyOffer::FirstFree;
        second.rules.limits.week = Limit { count: Some(3), minutes: None };
        second.rules.seats = 8;
        second.options = Options {
            other_durations: vec![15, 60],
            assignment: Assignment::Collective,
            needs_approval: true,
            listing: Listing::LinkOnly,
            ..Options::default()
        };
        second.location = Location::Link(HttpUrl::parse("https://x.example/room").unwrap());
        second.is_active = false;
        assert!(world.write(async |tx| event_type_update(tx, &second).await).await.unwrap());
        let listed = world.read(async |tx| event_type_list(tx, tenant.id()).await).await;
        let stored = listed.iter().find(|event_type| event_type.id == second.id).unwrap();
        assert_eq!((listed.len(), stored.title.as_str(), stored.is_active), (2, "Follow-up", false));
        assert_eq!((stored.rules, &stored.options), (second.rules, &second.options));
        assert_eq!(stored.location, second.location);
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
                hold_insert(tx, &hold(&held, 600, 610), None).await?;
                insert(tx, &appointment(&tenant, 60)).await
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

    async fn hosts_keep_their_order_and_are_replaced_as_a_whole(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, bens) = world.member(&tenant, "ben@example.com").await;
        let mut first = host(&tenant.event_type, &ben.id, &bens.id);
        first.weight = 3;
        first.conflict_calendar_ids = Some(vec![CalendarId::parse(&id()).unwrap()]);
        let mut second = host(&tenant.event_type, &tenant.user.id, &tenant.schedule.id);
        second.is_required = false;
        second.priority = 2;
        second.conflict_calendar_ids = Some(Vec::new());
        let hosts = [first, second];
        let replace = async |hosts: &[EventTypeHost]| {
            world
                .write(async |tx| event_type_hosts_replace(tx, tenant.id(), &tenant.event_type.id, hosts).await)
                .await
        };
        let listed = async || {
            world.read(async |tx| event_type_host_list(tx, tenant.id(), &tenant.event_type.id).await).await
        };
        replace(&hosts).await.unwrap();
        assert_eq!(listed().await, hosts);
        assert_eq!(taken(replace(&[hosts[0].clone(), hosts[0].clone()]).await), "event_type_host.user_id");
        assert_eq!(listed().await, hosts);
        replace(&hosts[1..]).await.unwrap();
        assert_eq!(listed().await, hosts[1..]);
    }

    async fn the_event_types_of_a_schedule_are_those_of_any_host(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, bens) = world.member(&tenant, "ben@example.com").await;
        let evening = schedule(tenant.id(), &ben.id, "Evenings", false);
        let hosts = [
            host(&tenant.event_type, &tenant.user.id, &tenant.schedule.id),
            host(&tenant.event_type, &ben.id, &evening.id),
        ];
        world
            .write(async |tx| {
                schedule_insert(tx, &evening).await?;
                event_type_hosts_replace(tx, tenant.id(), &tenant.event_type.id, &hosts).await
            })
            .await
            .unwrap();
        let of = async |schedule: &Schedule| -> Vec<_> {
            let found = world.read(async |tx| event_types_of_schedule(tx, tenant.id(), &schedule.id).await).await;
            found.into_iter().map(|event_type| event_type.id).collect()
        };
        assert_eq!(of(&evening).await, std::slice::from_ref(&tenant.event_type.id));
        assert_eq!(of(&tenant.schedule).await, std::slice::from_ref(&tenant.event_type.id));
        assert!(of(&bens).await.is_empty());
    }
}
