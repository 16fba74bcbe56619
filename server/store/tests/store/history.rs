//! What was true at a past moment.

use cupo_core::appointment::AppointmentStatus;
use cupo_core::ids::ClaimId;
use cupo_core::interval::Interval;
use cupo_store::*;

use crate::world::{Tenant, World, appointment, at, between, busy, calendar, hold, id, insert, on_both, shift};

const EVERYTHING: (i64, i64) = (-10_000, 100_000);

fn everything() -> Interval {
    between(EVERYTHING.0, EVERYTHING.1)
}

/// The number of rows that are remembered.
async fn remembered(world: &World) -> i64 {
    use sqlx::Row;
    let count = "select count(*) from history";
    match &mut world.store.read().await.unwrap() {
        Tx::Sqlite(connection) => sqlx::query(count).fetch_one(&mut **connection).await.unwrap().get(0),
        Tx::Postgres(connection) => sqlx::query(count).fetch_one(&mut **connection).await.unwrap().get(0),
    }
}

async fn busy_at(world: &World, tenant: &Tenant, range: Interval, moment: i64) -> Vec<(String, Interval, BusyKind)> {
    let calendars = [tenant.calendar.id.clone()];
    let rows = world.read(async |tx| busy_interval_list_at(tx, tenant.id(), &calendars, range, at(moment)).await).await;
    rows.into_iter().map(|busy| (busy.external_event_id, busy.interval, busy.kind)).collect()
}

async fn put(world: &World, tenant: &Tenant, event: &str, time: (i64, i64), kind: BusyKind, now: i64) {
    let event = BusyInterval { kind, ..busy(tenant, &tenant.calendar.id, event, time.0, time.1) };
    world.write(async |tx| busy_interval_upsert(tx, &event, at(now)).await).await.unwrap();
}

/// Start in minutes and seats taken, as they were.
async fn claims_at(world: &World, tenant: &Tenant, moment: i64) -> Vec<(i64, u32)> {
    let host = &tenant.user.id;
    let of_host = world.read(async |tx| claim_list_at(tx, tenant.id(), host, everything(), at(moment)).await).await;
    let of_event_type = world
        .read(async |tx| {
            claim_list_of_event_type_at(tx, tenant.id(), &tenant.event_type.id, everything(), at(moment)).await
        })
        .await;
    assert_eq!(of_host, of_event_type);
    of_host.iter().map(|claim| ((claim.start_at - at(0)).num_minutes(), claim.seats_taken)).collect()
}

async fn end(world: &World, appointment: &Appointment, sequence: i64, now: i64) {
    let (organization_id, id) = (&appointment.organization_id, &appointment.id);
    let status = AppointmentStatus::Cancelled;
    let ended = world
        .write(async |tx| appointment_end(tx, organization_id, id, sequence, status, None, None, at(now)).await)
        .await;
    assert!(ended.unwrap());
}

on_both! {
    async fn busy_time_is_told_as_it_was_known(world: World) {
        let tenant = world.tenant("acme").await;
        put(&world, &tenant, "event", (0, 30), BusyKind::Busy, 10).await;
        put(&world, &tenant, "event", (60, 90), BusyKind::Busy, 20).await;
        put(&world, &tenant, "event", (60, 90), BusyKind::Tentative, 30).await;
        let forget = async |now: i64| {
            world
                .write(async |tx| {
                    busy_interval_delete(tx, tenant.id(), &tenant.calendar.id, "event", at(now)).await
                })
                .await
                .unwrap()
        };
        assert!(forget(40).await);
        assert!(!forget(50).await);
        let event = |start, end, kind| [("event".to_owned(), between(start, end), kind)];
        for (moment, expected) in [
            (9, None),
            (10, Some(event(0, 30, BusyKind::Busy))),
            (19, Some(event(0, 30, BusyKind::Busy))),
            (20, Some(event(60, 90, BusyKind::Busy))),
            (30, Some(event(60, 90, BusyKind::Tentative))),
            (39, Some(event(60, 90, BusyKind::Tentative))),
            (40, None),
        ] {
            let told = busy_at(&world, &tenant, everything(), moment).await;
            assert_eq!(told, expected.map_or(Vec::new(), |event| event.to_vec()), "{moment}");
        }
        assert!(busy_at(&world, &tenant, between(30, 60), 15).await.is_empty());
        assert_eq!(busy_at(&world, &tenant, between(29, 60), 15).await.len(), 1);
    }

    async fn an_event_that_is_told_again_as_it_is_leaves_no_version(world: World) {
        let tenant = world.tenant("acme").await;
        put(&world, &tenant, "event", (0, 30), BusyKind::Busy, 10).await;
        put(&world, &tenant, "event", (0, 30), BusyKind::Busy, 20).await;
        let mut renamed = busy(&tenant, &tenant.calendar.id, "event", 0, 30);
        renamed.title = Some("Renamed".to_owned());
        world.write(async |tx| busy_interval_upsert(tx, &renamed, at(30)).await).await.unwrap();
        assert_eq!(remembered(&world).await, 0);
        assert_eq!(busy_at(&world, &tenant, everything(), 10).await.len(), 1);
    }

    async fn a_version_that_lasted_no_time_is_not_kept(world: World) {
        let tenant = world.tenant("acme").await;
        put(&world, &tenant, "event", (0, 30), BusyKind::Busy, 10).await;
        put(&world, &tenant, "event", (60, 90), BusyKind::Busy, 10).await;
        assert_eq!(remembered(&world).await, 0);
    }

    async fn a_full_resync_remembers_exactly_what_it_changes(world: World) {
        let tenant = world.tenant("acme").await;
        let other = calendar(&tenant.account, "other");
        let calendar_id = &tenant.calendar.id;
        let mirror = |shift: i64| -> Vec<BusyInterval> {
            (0..130)
                .map(|number| {
                    let start = number * 10 + if number < 60 { shift } else { 0 };
                    busy(&tenant, calendar_id, &format!("event-{number}"), start, start + 5)
                })
                .collect()
        };
        let resync = async |intervals: Vec<BusyInterval>, now: i64| {
            world
                .write(async |tx| {
                    busy_intervals_replace(tx, tenant.id(), calendar_id, intervals.clone(), at(now)).await
                })
                .await
                .unwrap()
        };
        world
            .write(async |tx| {
                calendar_upsert(tx, &other).await?;
                busy_interval_upsert(tx, &busy(&tenant, &other.id, "event-0", 0, 30), at(0)).await
            })
            .await
            .unwrap();
        resync(mirror(0), 10).await;
        resync(mirror(0), 20).await;
        assert_eq!(remembered(&world).await, 0);
        resync(mirror(1), 30).await;
        assert_eq!(remembered(&world).await, 60);
        // 55 of the moved and 70 of the others go.
        resync(mirror(1).into_iter().take(5).collect(), 40).await;
        assert_eq!(remembered(&world).await, 60 + 125);
        for (moment, count, first) in [(9, 0, None), (29, 130, Some(0)), (30, 130, Some(1)), (39, 130, Some(1)), (40, 5, Some(1))] {
            let told = busy_at(&world, &tenant, everything(), moment).await;
            assert_eq!((told.len(), told.first().map(|row| row.1)), (count, first.map(|start| between(start, start + 5))), "{moment}");
        }
    }

    async fn claims_are_told_as_they_were(world: World) {
        let tenant = world.tenant("acme").await;
        let mut booked = appointment(&tenant, 60);
        booked.created_at = at(10);
        world.write(async |tx| insert(tx, &booked).await).await.unwrap();
        world.write(async |tx| shift(tx, &booked, 200, 20).await).await.unwrap();
        world
            .write(async |tx| {
                claim_move(tx, tenant.id(), &booked.claim_id, at(300), at(330), between(295, 340), at(30)).await
            })
            .await
            .unwrap();
        end(&world, &booked, 2, 40).await;
        for (moment, expected) in [
            (9, vec![]),
            (10, vec![(60, 1)]),
            (19, vec![(60, 1)]),
            (20, vec![(200, 1)]),
            (30, vec![(300, 1)]),
            (39, vec![(300, 1)]),
            (40, vec![]),
        ] {
            assert_eq!(claims_at(&world, &tenant, moment).await, expected, "{moment}");
        }
        let host = &tenant.user.id;
        let past = world.read(async |tx| claim_list_at(tx, tenant.id(), host, between(55, 100), at(19)).await).await;
        let expected = Claim {
            id: booked.claim_id.clone(),
            organization_id: tenant.id().clone(),
            host_user_id: host.clone(),
            event_type_id: tenant.event_type.id.clone(),
            start_at: at(60),
            end_at: at(90),
            claim: between(55, 100),
            seats: 1,
            seats_taken: 1,
            recorded_at: at(10),
        };
        assert_eq!(past, [expected]);
        let beside = world.read(async |tx| claim_list_at(tx, tenant.id(), host, between(100, 150), at(19)).await).await;
        assert!(beside.is_empty());
    }

    async fn seats_are_told_as_they_were(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        let hosts = [tenant.user.id.clone()];
        let seats: Vec<Appointment> = [10, 20]
            .into_iter()
            .map(|now| Appointment { claim_id: claim_id.clone(), created_at: at(now), ..appointment(&tenant, 60) })
            .collect();
        for seat in &seats {
            world.write(async |tx| appointment_insert(tx, seat, &hosts, 5).await).await.unwrap();
        }
        end(&world, &seats[0], 0, 30).await;
        end(&world, &seats[1], 0, 40).await;
        for (moment, taken) in [(15, 1), (25, 2), (35, 1)] {
            assert_eq!(claims_at(&world, &tenant, moment).await, [(60, taken)], "{moment}");
        }
        assert!(claims_at(&world, &tenant, 45).await.is_empty());
    }

    async fn a_refused_seat_leaves_no_version(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        world.write(async |tx| insert(tx, &booked).await).await.unwrap();
        let second =
            Appointment { claim_id: booked.claim_id.clone(), created_at: at(5), ..appointment(&tenant, 60) };
        let mut tx = world.store.write().await.unwrap();
        assert!(matches!(insert(&mut tx, &second).await, Err(StoreError::ClaimTaken)));
        tx.commit().await.unwrap();
        assert_eq!(remembered(&world).await, 0);
    }

    async fn holds_are_told_as_they_were(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let (mut released, mut expired) = (hold(&tenant, 60, 30), hold(&tenant, 200, 40));
        released.created_at = at(10);
        released.host_user_ids = vec![ben.id.clone(), tenant.user.id.clone()];
        expired.created_at = at(20);
        world
            .write(async |tx| {
                hold_insert(tx, &released, None).await?;
                hold_insert(tx, &expired, None).await
            })
            .await
            .unwrap();
        let told = async |moment: i64| -> Vec<_> {
            let host = &tenant.user.id;
            let of_host =
                world.read(async |tx| hold_list_at(tx, tenant.id(), host, everything(), at(moment)).await).await;
            let of_event_type = world
                .read(async |tx| {
                    hold_list_of_event_type_at(tx, tenant.id(), &tenant.event_type.id, everything(), at(moment)).await
                })
                .await;
            let told = |holds: Vec<Hold>| -> Vec<_> {
                holds.into_iter().map(|hold| (hold.id, hold.host_user_ids, hold.end_at, hold.expires_at)).collect()
            };
            let of_host = told(of_host);
            assert_eq!(of_host, told(of_event_type), "{moment}");
            of_host.into_iter().map(|(id, hosts, end, expires)| (id, hosts.len(), end, expires)).collect()
        };
        let first = (released.id.clone(), 2, at(90), at(30));
        let second = (expired.id.clone(), 1, at(230), at(40));
        let moments = [
            (9, vec![]),
            (10, vec![first.clone()]),
            (20, vec![first.clone(), second.clone()]),
            (25, vec![second.clone()]),
            (39, vec![second]),
            (40, vec![]),
        ];
        assert!(world.write(async |tx| hold_delete(tx, tenant.id(), &released.id, at(25)).await).await.unwrap());
        assert_eq!(told(10).await, [first]);
        assert_eq!(world.write(async |tx| hold_delete_expired(tx, at(100), 10).await).await.unwrap(), 1);
        for (moment, expected) in moments {
            assert_eq!(told(moment).await, expected, "{moment}");
        }
    }

    async fn old_versions_are_purged_in_batches_which_end_between_two_instants(world: World) {
        let tenant = world.tenant("acme").await;
        let ends = [1, 1, 1, 2, 3, 3, 9];
        world
            .write(async |tx| {
                for (number, end) in (0..).zip(ends) {
                    let version = HistoryEntry {
                        organization_id: tenant.id().clone(),
                        kind: HistoryKind::Schedule,
                        subject_id: "schedule".to_owned(),
                        record_id: format!("{number}"),
                        start_at: None,
                        end_at: None,
                        body: String::new(),
                        valid_from: at(0),
                        valid_to: at(end),
                    };
                    history_insert(tx, &version).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let mut purged = Vec::new();
        for _ in 0..3 {
            purged.push(world.write(async |tx| history_delete_before(tx, at(4), 2).await).await.unwrap());
        }
        assert_eq!(purged, [3, 3, 0]);
        let left = world.read(async |tx| {
            history_at(tx, tenant.id(), HistoryKind::Schedule, "schedule", at(0)).await
        });
        assert_eq!(left.await.len(), 1);
    }

    async fn versions_of_rules_are_found_by_the_moment_and_purged_by_age(world: World) {
        let tenant = world.tenant("acme").await;
        let version = |body: &str, from: i64, to: i64| HistoryEntry {
            organization_id: tenant.id().clone(),
            kind: HistoryKind::Schedule,
            subject_id: "schedule".to_owned(),
            record_id: String::new(),
            start_at: None,
            end_at: None,
            body: body.to_owned(),
            valid_from: at(from),
            valid_to: at(to),
        };
        let (first, second) = (version("first", 0, 10), version("second", 10, 20));
        world
            .write(async |tx| {
                for version in [&first, &second, &version("never", 20, 20)] {
                    history_insert(tx, version).await?;
                }
                let other_kind = HistoryEntry { kind: HistoryKind::EventType, ..version("other", 0, 20) };
                history_insert(tx, &other_kind).await
            })
            .await
            .unwrap();
        let told = async |moment: i64| {
            world
                .read(async |tx| history_at(tx, tenant.id(), HistoryKind::Schedule, "schedule", at(moment)).await)
                .await
        };
        assert_eq!(told(9).await, std::slice::from_ref(&first));
        assert_eq!(told(10).await, std::slice::from_ref(&second));
        assert!(told(20).await.is_empty());
        assert_eq!(world.write(async |tx| history_delete_before(tx, at(10), 10).await).await.unwrap(), 0);
        assert_eq!(world.write(async |tx| history_delete_before(tx, at(11), 10).await).await.unwrap(), 1);
        assert!(told(9).await.is_empty());
        assert_eq!(told(10).await, [second]);
    }
}
