use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::parse::PhoneNumber;
use cupo_store::*;

use crate::world::{Tenant, World, appointment, at, between, id, mapping, on_both, taken};

async fn stored(world: &World, appointment: &Appointment) -> Appointment {
    world.read(async |tx| appointment_get(tx, &appointment.organization_id, &appointment.id).await).await.unwrap()
}

async fn page(
    world: &World,
    tenant: &Tenant,
    filter: AppointmentFilter,
    limit: u32,
    after: Option<AppointmentCursor>,
) -> Vec<Appointment> {
    world.read(async |tx| appointment_list(tx, tenant.id(), filter, at(100), limit, after.as_ref()).await).await
}

fn starts(appointments: &[Appointment]) -> Vec<i64> {
    appointments.iter().map(|appointment| (appointment.start_at - at(0)).num_minutes()).collect()
}

on_both! {
    async fn an_appointment_is_read_as_it_was_written(world: World) {
        let tenant = world.tenant("acme").await;
        let mut booked = appointment(&tenant, 60);
        booked.visitor_phone = Some(PhoneNumber::parse("+34600123456").unwrap());
        world.write(async |tx| appointment_insert(tx, &booked).await).await.unwrap();
        let stored = stored(&world, &booked).await;
        assert_eq!((stored.start_at, stored.end_at, stored.claim), (at(60), at(90), between(55, 100)));
        assert_eq!((&stored.visitor_name, &stored.visitor_email), (&booked.visitor_name, &booked.visitor_email));
        assert_eq!((&stored.visitor_phone, &stored.visitor_notes), (&booked.visitor_phone, &booked.visitor_notes));
        assert_eq!((stored.visitor_time_zone, stored.visitor_locale), (booked.visitor_time_zone, booked.visitor_locale));
        assert_eq!((stored.status, stored.cancelled_by), (AppointmentStatus::Confirmed, None));
        let by_token = async |hash: &[u8]| world.read(async |tx| appointment_get_by_token_hash(tx, hash).await).await;
        assert_eq!(by_token(&booked.manage_token_hash).await.unwrap().id, booked.id);
        assert!(by_token(b"guessed").await.is_none());
    }

    async fn a_move_raises_the_sequence_and_refuses_a_stale_one(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        world.write(async |tx| appointment_insert(tx, &booked).await).await.unwrap();
        let shift = async |expected: i64, start: i64| {
            world
                .write(async |tx| {
                    let claim = between(start - 5, start + 40);
                    appointment_move(
                        tx, tenant.id(), &booked.id, expected, at(start), at(start + 30), claim, at(1)
                    ).await
                })
                .await
                .unwrap()
        };
        assert_eq!(shift(0, 70).await, MoveOutcome::Moved { sequence: 1 });
        assert_eq!(shift(0, 200).await, MoveOutcome::Stale);
        let stored = stored(&world, &booked).await;
        assert_eq!((stored.start_at, stored.claim, stored.sequence), (at(70), between(65, 110), 1));
        assert_eq!(stored.updated_at, at(1));
    }

    async fn an_appointment_is_cancelled_once(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        world.write(async |tx| appointment_insert(tx, &booked).await).await.unwrap();
        let cancel = async |expected| {
            world
                .write(async |tx| {
                    let (by, reason) = (CancelledBy::Visitor, Some("Ill"));
                    appointment_cancel(tx, tenant.id(), &booked.id, expected, by, reason, at(2)).await
                })
                .await
                .unwrap()
        };
        assert!(!cancel(1).await);
        assert!(cancel(0).await);
        assert!(!cancel(1).await);
        let stored = stored(&world, &booked).await;
        assert_eq!((stored.status, stored.sequence, stored.updated_at), (AppointmentStatus::Cancelled, 1, at(2)));
        assert_eq!((stored.cancelled_by, stored.cancel_reason.as_deref()), (Some(CancelledBy::Visitor), Some("Ill")));
        let moved = world
            .write(async |tx| {
                appointment_move(tx, tenant.id(), &booked.id, 1, at(80), at(110), between(75, 120), at(3)).await
            })
            .await;
        assert_eq!(moved.unwrap(), MoveOutcome::Stale);
    }

    async fn a_meeting_link_is_no_new_version_of_the_appointment(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        let url = Some("https://meet.example/x");
        world.write(async |tx| appointment_insert(tx, &booked).await).await.unwrap();
        assert!(
            world
                .write(async |tx| appointment_set_meeting_url(tx, tenant.id(), &booked.id, url).await)
                .await
                .unwrap()
        );
        let stored = stored(&world, &booked).await;
        assert_eq!((stored.meeting_url.as_deref(), stored.sequence), (url, 0));
    }

    async fn lists_are_ordered_and_paged_without_loss_or_repetition(world: World) {
        let tenant = world.tenant("acme").await;
        let other_host = world.tenant("other").await;
        // At 100: 0 has ended, 70 ends this very minute, 90 is under way, the rest lies ahead; 300 is cancelled.
        world
            .write(async |tx| {
                for start in [0, 300, 145, 190, 235, 1] {
                    let mut booked = appointment(&tenant, start);
                    if start == 300 || start == 1 {
                        booked.status = AppointmentStatus::Cancelled;
                    }
                    appointment_insert(tx, &booked).await?;
                }
                for start in [70, 71] {
                    let mut booked = appointment(&tenant, start);
                    booked.claim = between(start, start + 30);
                    if start == 71 {
                        booked.start_at = at(100);
                        booked.end_at = at(120);
                        booked.claim = between(100, 120);
                    }
                    appointment_insert(tx, &booked).await?;
                }
                appointment_insert(tx, &appointment(&other_host, 145)).await
            })
            .await
            .unwrap();
        let filters = [
            (AppointmentFilter::Upcoming, vec![100, 145, 190, 235]),
            (AppointmentFilter::Past, vec![70, 0]),
            (AppointmentFilter::Cancelled, vec![300, 1]),
        ];
        for (filter, expected) in filters {
            assert_eq!(starts(&page(&world, &tenant, filter, 100, None).await), expected, "{filter:?}");
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let rows = page(&world, &tenant, filter, 1, after).await;
                let Some(last) = rows.last() else { break };
                after = Some(AppointmentCursor { start_at: last.start_at, id: last.id.clone() });
                seen.extend(starts(&rows));
            }
            assert_eq!(seen, expected, "{filter:?} by pages of one");
        }
        let upcoming = world
            .read(async |tx| {
                appointment_list_upcoming_for_event_type(tx, tenant.id(), &tenant.event_type.id, at(121)).await
            })
            .await;
        assert_eq!(starts(&upcoming), [145, 190, 235]);
    }

    async fn pages_do_not_lose_appointments_that_start_together(world: World) {
        let tenant = world.tenant("acme").await;
        let ids: Vec<String> = (0..3).map(|_| id()).collect();
        world
            .write(async |tx| {
                for id in &ids {
                    let mut booked = appointment(&tenant, 60);
                    booked.status = AppointmentStatus::Cancelled;
                    booked.id = cupo_core::ids::AppointmentId::parse(id).unwrap();
                    appointment_insert(tx, &booked).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let first = page(&world, &tenant, AppointmentFilter::Cancelled, 2, None).await;
        let cursor = AppointmentCursor { start_at: first[1].start_at, id: first[1].id.clone() };
        let second = page(&world, &tenant, AppointmentFilter::Cancelled, 2, Some(cursor)).await;
        let seen: Vec<_> = first.iter().chain(&second).map(|appointment| appointment.id.to_string()).collect();
        assert_eq!(seen, [ids[2].clone(), ids[1].clone(), ids[0].clone()]);
    }

    async fn a_mapping_is_replaced_found_by_its_event_and_marked_as_deleted_once(world: World) {
        let tenant = world.tenant("acme").await;
        let (booked, other) = (appointment(&tenant, 60), appointment(&tenant, 200));
        let mut pushed = mapping(&booked, &tenant.calendar, "event-1");
        world
            .write(async |tx| {
                appointment_insert(tx, &booked).await?;
                appointment_insert(tx, &other).await?;
                mapping_upsert(tx, &pushed).await
            })
            .await
            .unwrap();
        pushed.etag = Some("\"2\"".to_owned());
        pushed.meeting_state = MeetingState::Ready;
        pushed.pushed_sequence = 3;
        world.write(async |tx| mapping_upsert(tx, &pushed).await).await.unwrap();
        let find = async |event: &str| {
            world.read(async |tx| mapping_get_by_external(tx, tenant.id(), &tenant.calendar.id, event).await).await
        };
        let found = find("event-1").await.unwrap();
        assert_eq!((&found.appointment_id, found.etag.as_deref()), (&booked.id, Some("\"2\"")));
        assert_eq!((found.meeting_state, found.pushed_sequence), (MeetingState::Ready, 3));
        assert!(find("event-2").await.is_none());
        let stolen = mapping(&other, &tenant.calendar, "event-1");
        assert_eq!(
            taken(world.write(async |tx| mapping_upsert(tx, &stolen).await).await),
            "appointment_external_mapping.external_event_id"
        );
        let mark = async || {
            world.write(async |tx| mapping_mark_deleted(tx, tenant.id(), &booked.id, at(5)).await).await.unwrap()
        };
        assert!(mark().await);
        assert!(!mark().await);
        let marked = world.read(async |tx| mapping_get(tx, tenant.id(), &booked.id).await).await.unwrap();
        assert_eq!(marked.deleted_at, Some(at(5)));
    }
}
