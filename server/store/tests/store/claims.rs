//! Promise 1: a slot that is booked is booked once.

use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::ids::UserId;
use cupo_core::interval::Interval;
use cupo_store::*;

use crate::world::{
    Tenant, World, appointment, at, between, event_type, hold, insert, moved, on_both, on_postgres, on_sqlite, shift,
};

async fn book(world: &World, appointment: &Appointment) -> Result<(), StoreError> {
    world.write(async |tx| insert(tx, appointment).await).await
}

async fn book_with(world: &World, appointment: &Appointment, hosts: &[UserId]) -> Result<(), StoreError> {
    world.write(async |tx| appointment_insert(tx, appointment, hosts, 1).await).await
}

async fn cancel(world: &World, appointment: &Appointment) -> bool {
    let (organization_id, id) = (&appointment.organization_id, &appointment.id);
    world
        .write(async |tx| {
            let (status, by) = (AppointmentStatus::Cancelled, Some(CancelledBy::Host));
            appointment_end(tx, organization_id, id, appointment.sequence, status, by, None, at(1)).await
        })
        .await
        .unwrap()
}

async fn claims_of(world: &World, tenant: &Tenant, host: &UserId, range: Interval) -> Vec<Interval> {
    let rows = world.read(async |tx| claim_list(tx, tenant.id(), host, range).await).await;
    rows.into_iter().map(|claim| claim.claim).collect()
}

async fn claims(world: &World, tenant: &Tenant, range: Interval) -> Vec<Interval> {
    claims_of(world, tenant, &tenant.user.id, range).await
}

on_both! {
    async fn an_overlapping_claim_is_refused_and_a_touching_one_is_not(world: World) {
        let tenant = world.tenant("acme").await;
        book(&world, &appointment(&tenant, 60)).await.unwrap();
        for overlapping in [60, 104, 16, 61] {
            let refused = book(&world, &appointment(&tenant, overlapping)).await;
            assert!(matches!(refused, Err(StoreError::ClaimTaken)), "{overlapping}: {refused:?}");
        }
        for touching in [105, 15] {
            book(&world, &appointment(&tenant, touching)).await.unwrap();
        }
        assert_eq!(claims(&world, &tenant, between(0, 600)).await, [between(10, 55), between(55, 100), between(100, 145)]);
    }

    async fn the_event_type_makes_no_difference_to_a_hosts_time(world: World) {
        let tenant = world.tenant("acme").await;
        let other = event_type(tenant.id(), &tenant.user.id, &tenant.schedule.id, "other");
        world.write(async |tx| event_type_insert(tx, &other).await).await.unwrap();
        book(&world, &appointment(&tenant, 60)).await.unwrap();
        let mut of_other = appointment(&tenant, 80);
        of_other.event_type_id = other.id.clone();
        assert!(matches!(book(&world, &of_other).await, Err(StoreError::ClaimTaken)));
    }

    async fn a_pending_appointment_claims_its_time(world: World) {
        let tenant = world.tenant("acme").await;
        let mut asked = appointment(&tenant, 60);
        asked.status = AppointmentStatus::Pending;
        book(&world, &asked).await.unwrap();
        assert!(matches!(book(&world, &appointment(&tenant, 60)).await, Err(StoreError::ClaimTaken)));
        let mut another = appointment(&tenant, 80);
        another.status = AppointmentStatus::Pending;
        assert!(matches!(book(&world, &another).await, Err(StoreError::ClaimTaken)));
    }

    async fn a_claim_tells_what_it_is_of(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        book(&world, &booked).await.unwrap();
        let listed =
            world.read(async |tx| claim_list(tx, tenant.id(), &tenant.user.id, between(0, 600)).await).await;
        let expected = Claim {
            id: booked.claim_id.clone(),
            organization_id: tenant.id().clone(),
            host_user_id: tenant.user.id.clone(),
            event_type_id: tenant.event_type.id.clone(),
            start_at: at(60),
            end_at: at(90),
            claim: between(55, 100),
            seats: 1,
            seats_taken: 1,
            recorded_at: at(0),
        };
        assert_eq!(listed, [expected]);
        let hosts = async || world.read(async |tx| claim_hosts(tx, tenant.id(), &booked.claim_id).await).await;
        assert_eq!(hosts().await, std::slice::from_ref(&tenant.user.id));
        assert!(cancel(&world, &booked).await);
        assert!(hosts().await.is_empty());
    }

    async fn claims_are_listed_when_they_overlap_the_range(world: World) {
        let tenant = world.tenant("acme").await;
        for start in [15, 60, 105] {
            book(&world, &appointment(&tenant, start)).await.unwrap();
        }
        assert_eq!(claims(&world, &tenant, between(55, 100)).await, [between(55, 100)]);
        assert_eq!(claims(&world, &tenant, between(54, 101)).await.len(), 3);
        assert!(claims(&world, &tenant, between(145, 900)).await.is_empty());
    }

    async fn an_ended_appointment_frees_its_claim(world: World) {
        let tenant = world.tenant("acme").await;
        let (first, second) = (appointment(&tenant, 60), appointment(&tenant, 60));
        book(&world, &first).await.unwrap();
        assert!(cancel(&world, &first).await);
        assert!(claims(&world, &tenant, between(0, 600)).await.is_empty());
        book(&world, &second).await.unwrap();
    }

    async fn a_cancelled_appointment_may_be_inserted_over_a_confirmed_one(world: World) {
        let tenant = world.tenant("acme").await;
        book(&world, &appointment(&tenant, 60)).await.unwrap();
        let mut cancelled = appointment(&tenant, 60);
        cancelled.status = AppointmentStatus::Cancelled;
        book(&world, &cancelled).await.unwrap();
        assert_eq!(claims(&world, &tenant, between(0, 600)).await.len(), 1);
    }

    async fn hosts_do_not_stand_in_each_others_way(world: World) {
        let (one, two) = (world.tenant("one").await, world.tenant("two").await);
        book(&world, &appointment(&one, 60)).await.unwrap();
        book(&world, &appointment(&two, 60)).await.unwrap();
    }

    async fn a_collective_appointment_takes_the_time_of_all_its_hosts_or_of_none(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let (carla, _) = world.member(&tenant, "carla@example.com").await;
        let together = [tenant.user.id.clone(), ben.id.clone(), carla.id.clone()];
        let mut of_carla = appointment(&tenant, 200);
        of_carla.host_user_id = carla.id.clone();
        book(&world, &of_carla).await.unwrap();
        let refused = book_with(&world, &appointment(&tenant, 190), &together).await;
        assert!(matches!(refused, Err(StoreError::ClaimTaken)), "{refused:?}");
        for host in &together[..2] {
            assert!(claims_of(&world, &tenant, host, between(0, 600)).await.is_empty());
        }
        let meeting = appointment(&tenant, 60);
        book_with(&world, &meeting, &together).await.unwrap();
        let hosts = world.read(async |tx| claim_hosts(tx, tenant.id(), &meeting.claim_id).await).await;
        assert_eq!(hosts, together);
        for host in &together {
            let mut alone = appointment(&tenant, 60);
            alone.host_user_id = host.clone();
            assert!(matches!(book(&world, &alone).await, Err(StoreError::ClaimTaken)));
        }
        let of_event_type = world
            .read(async |tx| claim_list_of_event_type(tx, tenant.id(), &tenant.event_type.id, between(60, 61)).await)
            .await;
        assert_eq!(of_event_type.iter().map(|claim| claim.host_user_id.clone()).collect::<Vec<_>>(), together);
        assert!(cancel(&world, &meeting).await);
        for host in &together {
            assert!(claims_of(&world, &tenant, host, between(0, 150)).await.is_empty());
        }
    }

    async fn claims_of_an_event_type_are_listed_when_their_slots_start_in_the_range(world: World) {
        let tenant = world.tenant("acme").await;
        let other = event_type(tenant.id(), &tenant.user.id, &tenant.schedule.id, "other");
        world.write(async |tx| event_type_insert(tx, &other).await).await.unwrap();
        for start in [60, 105] {
            book(&world, &appointment(&tenant, start)).await.unwrap();
        }
        let mut of_other = appointment(&tenant, 150);
        of_other.event_type_id = other.id.clone();
        book(&world, &of_other).await.unwrap();
        let starts = async |range| -> Vec<_> {
            let claims = world
                .read(async |tx| claim_list_of_event_type(tx, tenant.id(), &tenant.event_type.id, range).await)
                .await;
            claims.into_iter().map(|claim| claim.start_at).collect()
        };
        assert_eq!(starts(between(0, 600)).await, [at(60), at(105)]);
        assert_eq!(starts(between(60, 105)).await, [at(60)]);
        assert!(starts(between(61, 105)).await.is_empty());
    }

    async fn a_move_onto_another_claim_is_refused_and_one_over_its_own_is_not(world: World) {
        let tenant = world.tenant("acme").await;
        let (first, second) = (appointment(&tenant, 60), appointment(&tenant, 200));
        book(&world, &first).await.unwrap();
        book(&world, &second).await.unwrap();
        let go = async |start: i64| world.write(async |tx| shift(tx, &first, start, 1).await).await;
        assert!(matches!(go(180).await, Err(StoreError::ClaimTaken)));
        assert_eq!(claims(&world, &tenant, between(0, 600)).await, [between(55, 100), between(195, 240)]);
        assert_eq!(go(65).await.unwrap(), MoveOutcome::Moved { sequence: 1 });
        assert_eq!(claims(&world, &tenant, between(0, 600)).await, [between(60, 105), between(195, 240)]);
    }

    async fn a_move_onto_the_very_same_time_is_possible(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        book(&world, &booked).await.unwrap();
        let outcome = world.write(async |tx| shift(tx, &booked, 60, 1).await).await.unwrap();
        assert_eq!(outcome, MoveOutcome::Moved { sequence: 1 });
        assert_eq!(claims(&world, &tenant, between(0, 600)).await, [between(55, 100)]);
    }

    async fn a_stale_move_takes_and_frees_nothing(world: World) {
        let tenant = world.tenant("acme").await;
        let mut booked = appointment(&tenant, 60);
        book(&world, &booked).await.unwrap();
        booked.sequence = 7;
        assert_eq!(world.write(async |tx| shift(tx, &booked, 200, 1).await).await.unwrap(), MoveOutcome::Stale);
        assert_eq!(claims(&world, &tenant, between(0, 600)).await, [between(55, 100)]);
    }

    async fn a_move_gives_the_time_of_a_host_who_no_longer_takes_part_back(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let meeting = appointment(&tenant, 60);
        book_with(&world, &meeting, &[tenant.user.id.clone(), ben.id.clone()]).await.unwrap();
        let hosts = [tenant.user.id.clone()];
        world
            .write(async |tx| appointment_move(tx, &meeting, &moved(&meeting, 60), &hosts, 1, at(1)).await)
            .await
            .unwrap();
        assert_eq!(claims(&world, &tenant, between(0, 600)).await.len(), 1);
        assert!(claims_of(&world, &tenant, &ben.id, between(0, 600)).await.is_empty());
    }

    async fn of_concurrent_bookings_of_one_slot_exactly_one_wins(world: World) {
        let tenant = world.tenant("acme").await;
        let bookings: Vec<_> = (0..16).map(|minute| appointment(&tenant, 60 + minute)).collect();
        let outcomes = futures::future::join_all(bookings.iter().map(|booking| book(&world, booking))).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::ClaimTaken))).count();
        assert_eq!((won, refused), (1, 15), "{outcomes:?}");
        assert_eq!(claims(&world, &tenant, between(0, 600)).await.len(), 1);
    }

    async fn of_concurrent_collective_bookings_with_a_host_in_common_exactly_one_wins(world: World) {
        let tenant = world.tenant("acme").await;
        let mut hosts = vec![tenant.user.id.clone()];
        for number in 0..4 {
            hosts.push(world.member(&tenant, &format!("host{number}@example.com")).await.0.id);
        }
        // Each pair shares a host with the next one, in turning order: whoever is first shuts the two beside it out.
        let pairs: Vec<_> = (0..5).map(|number| [hosts[number].clone(), hosts[(number + 1) % 5].clone()]).collect();
        let bookings: Vec<_> = pairs.iter().map(|pair| (appointment(&tenant, 60), pair)).collect();
        let outcomes = futures::future::join_all(
            bookings.iter().map(|(booking, pair)| book_with(&world, booking, &pair[..])),
        )
        .await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert!((1..=2).contains(&won), "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::ClaimTaken))), "{outcomes:?}");
        let mut taken = 0;
        for host in &hosts {
            let claims = claims_of(&world, &tenant, host, between(0, 600)).await;
            assert!(claims.len() <= 1);
            taken += claims.len();
        }
        assert_eq!(taken, won * 2);
    }

    async fn concurrent_moves_to_one_slot_have_one_winner(world: World) {
        let tenant = world.tenant("acme").await;
        let bookings: Vec<_> = (0..8).map(|number| appointment(&tenant, 100 * (number + 1))).collect();
        for booking in &bookings {
            book(&world, booking).await.unwrap();
        }
        let outcomes = futures::future::join_all(bookings.iter().map(|booking| {
            let world = &world;
            async move { world.write(async |tx| shift(tx, booking, 2005, 1).await).await }
        }))
        .await;
        let won = outcomes.iter().filter(|outcome| matches!(outcome, Ok(MoveOutcome::Moved { .. }))).count();
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::ClaimTaken))).count();
        assert_eq!((won, refused), (1, 7), "{outcomes:?}");
        assert_eq!(claims(&world, &tenant, between(0, 10_000)).await.len(), 8);
    }

    async fn a_hold_over_a_claim_is_refused(world: World) {
        let tenant = world.tenant("acme").await;
        book(&world, &appointment(&tenant, 60)).await.unwrap();
        let keep = async |start| world.write(async |tx| hold_insert(tx, &hold(&tenant, start, 10), None).await).await;
        assert!(matches!(keep(90).await, Err(StoreError::ClaimTaken)));
        keep(105).await.unwrap();
    }
}

/// What the database says when a statement reaches around the functions of the store.
async fn by_hand(world: &World, text: &str) -> StoreError {
    let mut tx = world.store.write().await.unwrap();
    let text = sqlx::AssertSqlSafe(text.to_owned());
    let refused = match &mut tx {
        Tx::Sqlite(connection) => sqlx::query(text).execute(&mut **connection).await.map(drop),
        Tx::Postgres(connection) => sqlx::query(text).execute(&mut **connection).await.map(drop),
    };
    StoreError::from(refused.unwrap_err())
}

async fn refuses_by_itself(world: World) {
    let tenant = world.tenant("acme").await;
    for start in [60, 105] {
        book(&world, &appointment(&tenant, start)).await.unwrap();
    }
    let copy = "insert into claim select 'copy', organization_id, host_user_id, event_type_id, start_at, end_at,
                claim_start, claim_end, seats, seats_taken, recorded_at from claim";
    assert!(matches!(by_hand(&world, copy).await, StoreError::ClaimTaken));
    let stretch = "update claim set claim_end = claim_end + 1";
    assert!(matches!(by_hand(&world, stretch).await, StoreError::ClaimTaken));
    for count in ["seats_taken = 0", "seats_taken = seats + 1"] {
        let refused = by_hand(&world, &format!("update claim set {count}")).await;
        assert!(matches!(refused, StoreError::Sql(_)), "{count}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_itself_refuses_overlapping_claims_and_too_many_seats() {
    on_sqlite(refuses_by_itself).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_itself_refuses_overlapping_claims_and_too_many_seats() {
    on_postgres(refuses_by_itself).await;
}
