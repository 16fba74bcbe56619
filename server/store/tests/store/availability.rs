use cupo_core::ids::CalendarId;
use cupo_store::*;

use crate::world::{Tenant, World, at, between, busy, calendar, on_both};

async fn listed(
    world: &World,
    tenant: &Tenant,
    calendars: &[CalendarId],
    range: (i64, i64),
) -> Vec<cupo_core::interval::Interval> {
    world.read(async |tx| busy_interval_list(tx, tenant.id(), calendars, between(range.0, range.1)).await).await
}

on_both! {
    async fn busy_time_of_several_calendars_is_listed_by_start(world: World) {
        let tenant = world.tenant("acme").await;
        let (second, third) = (calendar(&tenant.account, "second"), calendar(&tenant.account, "third"));
        let (a, b, c) = (&tenant.calendar.id, &second.id, &third.id);
        world
            .write(async |tx| {
                calendar_upsert(tx, &second).await?;
                calendar_upsert(tx, &third).await?;
                busy_interval_upsert(tx, &busy(&tenant, a, "1", 60, 90), at(0)).await?;
                busy_interval_upsert(tx, &busy(&tenant, b, "1", 30, 200), at(0)).await?;
                busy_interval_upsert(tx, &busy(&tenant, b, "2", 90, 100), at(0)).await?;
                busy_interval_upsert(tx, &busy(&tenant, c, "1", 0, 600), at(0)).await
            })
            .await
            .unwrap();
        let both = [a.clone(), b.clone()];
        assert_eq!(listed(&world, &tenant, &both, (0, 600)).await, [between(30, 200), between(60, 90), between(90, 100)]);
        assert_eq!(listed(&world, &tenant, &both, (90, 91)).await, [between(30, 200), between(90, 100)]);
        assert_eq!(listed(&world, &tenant, &both[..1], (90, 600)).await, []);
        assert_eq!(listed(&world, &tenant, &both[..1], (0, 60)).await, []);
        assert_eq!(listed(&world, &tenant, &[], (0, 600)).await, []);
    }

    async fn an_event_that_moves_leaves_no_trace_of_its_old_time(world: World) {
        let tenant = world.tenant("acme").await;
        let calendars = [tenant.calendar.id.clone()];
        let put = async |start, end| {
            world
                .write(async |tx| busy_interval_upsert(tx, &busy(&tenant, &calendars[0], "event", start, end), at(0)).await)
                .await
                .unwrap()
        };
        put(0, 30).await;
        put(60, 90).await;
        assert_eq!(listed(&world, &tenant, &calendars, (0, 600)).await, [between(60, 90)]);
        let forget = async || {
            world
                .write(async |tx| busy_interval_delete(tx, tenant.id(), &calendars[0], "event", at(0)).await)
                .await
                .unwrap()
        };
        assert!(forget().await);
        assert!(!forget().await);
        assert_eq!(listed(&world, &tenant, &calendars, (0, 600)).await, []);
    }

    async fn an_event_is_mirrored_with_its_instances_and_with_those_of_no_other(world: World) {
        let tenant = world.tenant("acme").await;
        let a = &tenant.calendar.id;
        world
            .write(async |tx| {
                for (number, id) in (0i64..).zip(["x_%", "x_%#1", "x_%#2", "x_%2", "xab#1", "y#x_%"]) {
                    busy_interval_upsert(tx, &busy(&tenant, a, id, number, number + 1), at(0)).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let of = async |id: &str| world.read(async |tx| busy_interval_ids_of_event(tx, tenant.id(), a, id).await).await;
        assert_eq!(of("x_%").await, ["x_%", "x_%#1", "x_%#2"]);
        assert_eq!(of("x_%2").await, ["x_%2"]);
        assert_eq!(of("xab").await, ["xab#1"]);
        assert!(of("x").await.is_empty());
    }

    async fn a_full_resync_leaves_exactly_the_new_intervals(world: World) {
        let tenant = world.tenant("acme").await;
        let other = calendar(&tenant.account, "other");
        let calendars = [tenant.calendar.id.clone()];
        // More than two statements' worth and a rest; one event is told twice, and its last time counts.
        let mut fresh: Vec<_> = (0..123)
            .map(|number| busy(&tenant, &calendars[0], &format!("new-{number}"), number * 10, number * 10 + 5))
            .collect();
        fresh.push(busy(&tenant, &calendars[0], "new-0", 5000, 5005));
        world
            .write(async |tx| {
                calendar_upsert(tx, &other).await?;
                busy_interval_upsert(tx, &busy(&tenant, &calendars[0], "old", 0, 30), at(0)).await?;
                busy_interval_upsert(tx, &busy(&tenant, &other.id, "kept", 0, 30), at(0)).await?;
                busy_intervals_replace(tx, tenant.id(), &calendars[0], fresh.clone(), at(0)).await
            })
            .await
            .unwrap();
        let mirror = listed(&world, &tenant, &calendars, (0, 100_000)).await;
        assert_eq!(mirror.len(), 123);
        assert_eq!((mirror[0], mirror[122]), (between(10, 15), between(5000, 5005)));
        assert_eq!(listed(&world, &tenant, std::slice::from_ref(&other.id), (0, 600)).await, [between(0, 30)]);
        world
            .write(async |tx| busy_intervals_replace(tx, tenant.id(), &calendars[0], Vec::new(), at(0)).await)
            .await
            .unwrap();
        assert_eq!(listed(&world, &tenant, &calendars, (0, 100_000)).await, []);
    }

    async fn what_blocks_by_choice_is_left_out_where_the_calendar_says_so(world: World) {
        let tenant = world.tenant("acme").await;
        let calendars = [tenant.calendar.id.clone()];
        let kinds = [BusyKind::Busy, BusyKind::Tentative, BusyKind::OutOfOffice, BusyKind::Unanswered];
        world
            .write(async |tx| {
                for (number, kind) in (0..).zip(kinds) {
                    let event = busy(&tenant, &calendars[0], kind.as_str(), number * 10, number * 10 + 5);
                    busy_interval_upsert(tx, &BusyInterval { kind, ..event }, at(0)).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let all = [between(0, 5), between(10, 15), between(20, 25), between(30, 35)];
        for (tentative, unanswered, expected) in [
            (true, true, all.to_vec()),
            (false, true, vec![all[0], all[2], all[3]]),
            (true, false, vec![all[0], all[1], all[2]]),
            (false, false, vec![all[0], all[2]]),
        ] {
            world
                .write(async |tx| {
                    calendar_set_choices(tx, tenant.id(), &calendars[0], true, true, tentative, unanswered).await
                })
                .await
                .unwrap();
            assert_eq!(listed(&world, &tenant, &calendars, (0, 600)).await, expected, "{tentative} {unanswered}");
            let detailed = world
                .read(async |tx| busy_interval_list_detailed(tx, tenant.id(), &calendars, between(0, 600)).await)
                .await;
            assert_eq!(detailed.iter().map(|busy| busy.interval).collect::<Vec<_>>(), expected);
        }
    }

    async fn an_event_keeps_its_kind_and_its_title(world: World) {
        let tenant = world.tenant("acme").await;
        let calendars = [tenant.calendar.id.clone()];
        let mut event = busy(&tenant, &calendars[0], "event", 0, 30);
        event.kind = BusyKind::OutOfOffice;
        let listed = async || {
            world
                .read(async |tx| busy_interval_list_detailed(tx, tenant.id(), &calendars, between(0, 600)).await)
                .await
        };
        world.write(async |tx| busy_interval_upsert(tx, &event, at(0)).await).await.unwrap();
        assert_eq!(listed().await, std::slice::from_ref(&event));
        event.title = None;
        world.write(async |tx| busy_interval_upsert(tx, &event, at(0)).await).await.unwrap();
        assert_eq!(listed().await, std::slice::from_ref(&event));
        event.title = Some("Renamed".to_owned());
        let again = vec![event.clone()];
        world
            .write(async |tx| busy_intervals_replace(tx, tenant.id(), &calendars[0], again.clone(), at(0)).await)
            .await
            .unwrap();
        assert_eq!(listed().await, [event]);
    }
}
