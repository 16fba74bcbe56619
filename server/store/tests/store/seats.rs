//! Slots that several appointments share, and claims that move as a whole.

use cupo_core::appointment::AppointmentStatus;
use cupo_core::ids::ClaimId;
use cupo_store::*;

use crate::world::{Tenant, World, appointment, at, between, hold, id, insert, moved, on_both, shift};

/// An appointment on the seats of the claim.
fn seat(tenant: &Tenant, claim_id: &ClaimId, start: i64) -> Appointment {
    Appointment { claim_id: claim_id.clone(), ..appointment(tenant, start) }
}

async fn join(world: &World, appointment: &Appointment, seats: u32) -> Result<(), StoreError> {
    let hosts = std::slice::from_ref(&appointment.host_user_id);
    world.write(async |tx| appointment_insert(tx, appointment, hosts, seats).await).await
}

async fn end(world: &World, appointment: &Appointment) {
    let (organization_id, id) = (&appointment.organization_id, &appointment.id);
    let status = AppointmentStatus::Cancelled;
    let ended =
        world.write(async |tx| appointment_end(tx, organization_id, id, 0, status, None, None, at(1)).await).await;
    assert!(ended.unwrap());
}

/// Start in minutes, seats taken, seats.
async fn claims(world: &World, tenant: &Tenant) -> Vec<(i64, u32, u32)> {
    let claims = world.read(async |tx| claim_list(tx, tenant.id(), &tenant.user.id, between(0, 10_000)).await).await;
    claims.iter().map(|claim| ((claim.start_at - at(0)).num_minutes(), claim.seats_taken, claim.seats)).collect()
}

async fn using(world: &World, tenant: &Tenant, claim_id: &ClaimId) -> Vec<Appointment> {
    let all = world.read(async |tx| appointment_list_by_claim(tx, tenant.id(), claim_id).await).await;
    all.into_iter().filter(|appointment| appointment.status.claims_time()).collect()
}

on_both! {
    async fn seats_are_taken_up_to_their_number(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        for taken in 1..=3 {
            join(&world, &seat(&tenant, &claim_id, 60), 3).await.unwrap();
            assert_eq!(claims(&world, &tenant).await, [(60, taken, 3)]);
        }
        assert!(matches!(join(&world, &seat(&tenant, &claim_id, 60), 3).await, Err(StoreError::ClaimTaken)));
        assert_eq!(claims(&world, &tenant).await, [(60, 3, 3)]);
        assert_eq!(using(&world, &tenant, &claim_id).await.len(), 3);
    }

    async fn the_number_of_seats_is_that_of_the_last_booking(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        join(&world, &seat(&tenant, &claim_id, 60), 2).await.unwrap();
        join(&world, &seat(&tenant, &claim_id, 60), 5).await.unwrap();
        assert_eq!(claims(&world, &tenant).await, [(60, 2, 5)]);
        // Fewer than are taken by now.
        assert!(matches!(join(&world, &seat(&tenant, &claim_id, 60), 2).await, Err(StoreError::ClaimTaken)));
        join(&world, &seat(&tenant, &claim_id, 60), 3).await.unwrap();
        assert_eq!(claims(&world, &tenant).await, [(60, 3, 3)]);
    }

    async fn a_seat_belongs_to_its_slot_only(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        join(&world, &seat(&tenant, &claim_id, 60), 3).await.unwrap();
        let elsewhere = join(&world, &seat(&tenant, &claim_id, 200), 3).await;
        assert!(matches!(elsewhere, Err(StoreError::ClaimTaken)), "{elsewhere:?}");
        let another_claim = join(&world, &appointment(&tenant, 60), 3).await;
        assert!(matches!(another_claim, Err(StoreError::ClaimTaken)), "{another_claim:?}");
        assert_eq!(claims(&world, &tenant).await, [(60, 1, 3)]);
    }

    async fn the_last_seat_that_is_given_back_frees_the_time(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        let seats = [seat(&tenant, &claim_id, 60), seat(&tenant, &claim_id, 60)];
        for seat in &seats {
            join(&world, seat, 2).await.unwrap();
        }
        end(&world, &seats[0]).await;
        assert_eq!(claims(&world, &tenant).await, [(60, 1, 2)]);
        assert!(matches!(join(&world, &appointment(&tenant, 60), 2).await, Err(StoreError::ClaimTaken)));
        end(&world, &seats[1]).await;
        assert_eq!(claims(&world, &tenant).await, []);
        let told = world.read(async |tx| appointment_list_by_claim(tx, tenant.id(), &claim_id).await).await;
        assert_eq!(told.len(), 2);
        join(&world, &appointment(&tenant, 60), 1).await.unwrap();
    }

    async fn a_moved_seat_leaves_the_others_where_they_are(world: World) {
        let tenant = world.tenant("acme").await;
        let first = appointment(&tenant, 60);
        let second = seat(&tenant, &first.claim_id, 60);
        join(&world, &first, 3).await.unwrap();
        join(&world, &second, 3).await.unwrap();
        let outcome = world.write(async |tx| shift(tx, &second, 200, 1).await).await.unwrap();
        assert_eq!(outcome, MoveOutcome::Moved { sequence: 1 });
        assert_eq!(claims(&world, &tenant).await, [(60, 1, 3), (200, 1, 1)]);
        assert_eq!(using(&world, &tenant, &first.claim_id).await.len(), 1);
        // Its own id still names the slot of those whom it left: another one is needed.
        join(&world, &seat(&tenant, &first.claim_id, 60), 3).await.unwrap();
        let own_id = world.write(async |tx| shift(tx, &first, 400, 2).await).await;
        assert!(matches!(own_id, Err(StoreError::ClaimTaken)), "{own_id:?}");
        let fresh = Moved { claim_id: ClaimId::parse(&id()).unwrap(), ..moved(&first, 400) };
        let hosts = std::slice::from_ref(&first.host_user_id);
        world.write(async |tx| appointment_move(tx, &first, &fresh, hosts, 3, at(2)).await).await.unwrap();
        assert_eq!(claims(&world, &tenant).await, [(60, 1, 3), (200, 1, 1), (400, 1, 3)]);
    }

    async fn a_seat_may_move_to_a_seat_of_another_slot(world: World) {
        let tenant = world.tenant("acme").await;
        let (early, late) = (appointment(&tenant, 60), appointment(&tenant, 200));
        join(&world, &early, 2).await.unwrap();
        join(&world, &late, 2).await.unwrap();
        let to = Moved { claim_id: late.claim_id.clone(), ..moved(&early, 200) };
        let hosts = std::slice::from_ref(&early.host_user_id);
        let go = async |appointment: &Appointment| {
            world.write(async |tx| appointment_move(tx, appointment, &to, hosts, 2, at(1)).await).await
        };
        go(&early).await.unwrap();
        assert_eq!(claims(&world, &tenant).await, [(200, 2, 2)]);
        let third = appointment(&tenant, 60);
        join(&world, &third, 2).await.unwrap();
        let full = go(&third).await;
        assert!(matches!(full, Err(StoreError::ClaimTaken)), "{full:?}");
        assert_eq!(claims(&world, &tenant).await, [(60, 1, 2), (200, 2, 2)]);
    }

    async fn of_concurrent_bookings_as_many_win_as_there_are_seats(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        let bookings: Vec<_> = (0..12).map(|_| seat(&tenant, &claim_id, 60)).collect();
        // Whoever loses the race for the first seat finds the claim in a second transaction.
        let book = async |booking: &Appointment| match join(&world, booking, 5).await {
            Err(StoreError::ClaimTaken) => join(&world, booking, 5).await,
            outcome => outcome,
        };
        let outcomes = futures::future::join_all(bookings.iter().map(book)).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::ClaimTaken))).count();
        assert_eq!((won, refused), (5, 7), "{outcomes:?}");
        assert_eq!(claims(&world, &tenant).await, [(60, 5, 5)]);
        assert_eq!(using(&world, &tenant, &claim_id).await.len(), 5);
    }

    async fn concurrent_ends_leave_no_seat_taken(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        let bookings: Vec<_> = (0..6).map(|_| seat(&tenant, &claim_id, 60)).collect();
        for booking in &bookings {
            join(&world, booking, 6).await.unwrap();
        }
        futures::future::join_all(bookings.iter().map(|booking| end(&world, booking))).await;
        assert_eq!(claims(&world, &tenant).await, []);
    }

    async fn a_claim_moves_with_all_that_use_it(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        let hosts = [tenant.user.id.clone(), ben.id.clone()];
        let (mut first, second, gone) =
            (seat(&tenant, &claim_id, 60), seat(&tenant, &claim_id, 60), seat(&tenant, &claim_id, 60));
        first.status = AppointmentStatus::Pending;
        world
            .write(async |tx| {
                for seat in [&first, &second, &gone] {
                    appointment_insert(tx, seat, &hosts, 3).await?;
                }
                insert(tx, &appointment(&tenant, 300)).await
            })
            .await
            .unwrap();
        end(&world, &gone).await;
        let go = async |start: i64, now: i64| {
            world
                .write(async |tx| {
                    let claim = between(start - 5, start + 40);
                    claim_move(tx, tenant.id(), &claim_id, at(start), at(start + 30), claim, at(now)).await
                })
                .await
        };
        // Over its own old time.
        let moved = go(70, 5).await.unwrap();
        assert_eq!(moved.iter().map(|seat| &seat.id).collect::<Vec<_>>(), [&first.id, &second.id]);
        assert!(moved.iter().all(|seat| (seat.start_at, seat.sequence, seat.updated_at) == (at(70), 1, at(5))));
        assert_eq!(moved[0].status, AppointmentStatus::Pending);
        let of_ben = world.read(async |tx| claim_list(tx, tenant.id(), &ben.id, between(0, 600)).await).await;
        assert_eq!((of_ben[0].claim, of_ben[0].seats_taken), (between(65, 110), 2));
        // Ben would be free there, the other host is not.
        assert!(matches!(go(310, 6).await, Err(StoreError::ClaimTaken)));
        assert_eq!(using(&world, &tenant, &claim_id).await[0].start_at, at(70));
        let ended = world.read(async |tx| appointment_get(tx, tenant.id(), &gone.id).await).await.unwrap();
        assert_eq!(ended.start_at, at(60));
    }

    async fn a_claim_that_nothing_uses_does_not_move(world: World) {
        let tenant = world.tenant("acme").await;
        let nothing = ClaimId::parse(&id()).unwrap();
        let moved = world
            .write(async |tx| claim_move(tx, tenant.id(), &nothing, at(60), at(90), between(55, 100), at(1)).await)
            .await;
        assert!(moved.unwrap().is_empty());
    }

    async fn a_seat_of_a_claim_can_be_held(world: World) {
        let tenant = world.tenant("acme").await;
        let claim_id = ClaimId::parse(&id()).unwrap();
        join(&world, &seat(&tenant, &claim_id, 60), 2).await.unwrap();
        let keep = async |start, joins: Option<&ClaimId>| {
            world.write(async |tx| hold_insert(tx, &hold(&tenant, start, 10), joins).await).await
        };
        assert!(matches!(keep(60, None).await, Err(StoreError::ClaimTaken)));
        assert!(matches!(keep(60, Some(&ClaimId::parse(&id()).unwrap())).await, Err(StoreError::ClaimTaken)));
        keep(60, Some(&claim_id)).await.unwrap();
        join(&world, &appointment(&tenant, 105), 1).await.unwrap();
        assert!(matches!(keep(70, Some(&claim_id)).await, Err(StoreError::ClaimTaken)));
    }
}
