//! Promise 1: a slot that is booked is booked once.

use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::interval::Interval;
use cupo_store::*;

use crate::world::{Tenant, World, appointment, at, between, hold, on_both};

async fn book(world: &World, appointment: &Appointment) -> Result<(), StoreError> {
    world.write(async |tx| appointment_insert(tx, appointment).await).await
}

async fn claims(world: &World, tenant: &Tenant, range: Interval) -> Vec<Interval> {
    let rows = world.read(async |tx| appointment_list_claims(tx, tenant.id(), &tenant.user.id, range).await).await;
    rows.into_iter().map(|(_, claim)| claim).collect()
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

    async fn claims_are_listed_when_they_overlap_the_range(world: World) {
        let tenant = world.tenant("acme").await;
        for start in [15, 60, 105] {
            book(&world, &appointment(&tenant, start)).await.unwrap();
        }
        assert_eq!(claims(&world, &tenant, between(55, 100)).await, [between(55, 100)]);
        assert_eq!(claims(&world, &tenant, between(54, 101)).await.len(), 3);
        assert!(claims(&world, &tenant, between(145, 900)).await.is_empty());
    }

    async fn a_cancelled_appointment_frees_its_claim(world: World) {
        let tenant = world.tenant("acme").await;
        let (first, second) = (appointment(&tenant, 60), appointment(&tenant, 60));
        book(&world, &first).await.unwrap();
        world
            .write(async |tx| {
                appointment_cancel(tx, tenant.id(), &first.id, 0, CancelledBy::Host, None, at(1)).await
            })
            .await
            .unwrap();
        assert!(claims(&world, &tenant, between(0, 600)).await.is_empty());
        book(&world, &second).await.unwrap();
    }

    async fn a_cancelled_appointment_may_be_inserted_over_a_confirmed_one(world: World) {
        let tenant = world.tenant("acme").await;
        book(&world, &appointment(&tenant, 60)).await.unwrap();
        let mut cancelled = appointment(&tenant, 60);
        cancelled.status = AppointmentStatus::Cancelled;
        book(&world, &cancelled).await.unwrap();
    }

    async fn hosts_do_not_stand_in_each_others_way(world: World) {
        let (one, two) = (world.tenant("one").await, world.tenant("two").await);
        book(&world, &appointment(&one, 60)).await.unwrap();
        book(&world, &appointment(&two, 60)).await.unwrap();
    }

    async fn a_move_onto_another_claim_is_refused_and_one_over_its_own_is_not(world: World) {
        let tenant = world.tenant("acme").await;
        let (first, second) = (appointment(&tenant, 60), appointment(&tenant, 200));
        book(&world, &first).await.unwrap();
        book(&world, &second).await.unwrap();
        let shift = async |start: i64| {
            world
                .write(async |tx| {
                    let claim = between(start - 5, start + 40);
                    appointment_move(tx, tenant.id(), &first.id, 0, at(start), at(start + 30), claim, at(1)).await
                })
                .await
        };
        assert!(matches!(shift(180).await, Err(StoreError::ClaimTaken)));
        assert_eq!(shift(65).await.unwrap(), MoveOutcome::Moved { sequence: 1 });
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

    async fn concurrent_moves_to_one_slot_have_one_winner(world: World) {
        let tenant = world.tenant("acme").await;
        let bookings: Vec<_> = (0..8).map(|number| appointment(&tenant, 100 * (number + 1))).collect();
        for booking in &bookings {
            book(&world, booking).await.unwrap();
        }
        let outcomes = futures::future::join_all(bookings.iter().map(|booking| {
            let (world, tenant) = (&world, &tenant);
            async move {
                world
                    .write(async |tx| {
                        let claim = between(2000, 2045);
                        appointment_move(tx, tenant.id(), &booking.id, 0, at(2005), at(2035), claim, at(1)).await
                    })
                    .await
            }
        }))
        .await;
        let won = outcomes.iter().filter(|outcome| matches!(outcome, Ok(MoveOutcome::Moved { .. }))).count();
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::ClaimTaken))).count();
        assert_eq!((won, refused), (1, 7), "{outcomes:?}");
    }

    async fn a_hold_over_a_confirmed_appointment_is_refused(world: World) {
        let tenant = world.tenant("acme").await;
        book(&world, &appointment(&tenant, 60)).await.unwrap();
        let keep = async |start| world.write(async |tx| hold_insert(tx, &hold(&tenant, start, 10)).await).await;
        assert!(matches!(keep(90).await, Err(StoreError::ClaimTaken)));
        keep(105).await.unwrap();
    }
}
