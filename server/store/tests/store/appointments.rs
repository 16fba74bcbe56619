use cupo_core::appointment::{AppointmentStatus, CancelledBy};
use cupo_core::ids::{ClaimId, SeriesId, UserId};
use cupo_core::parse::PhoneNumber;
use cupo_core::question::Answer;
use cupo_store::*;

use crate::world::{Tenant, World, appointment, at, between, id, insert, mapping, moved, on_both, shift, taken};

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

/// Ends it as the visitor who is ill would.
async fn end(world: &World, appointment: &Appointment, expected: i64, status: AppointmentStatus) -> bool {
    let (organization_id, id) = (&appointment.organization_id, &appointment.id);
    world
        .write(async |tx| {
            let (by, reason) = (Some(CancelledBy::Visitor), Some("Ill"));
            appointment_end(tx, organization_id, id, expected, status, by, reason, at(2)).await
        })
        .await
        .unwrap()
}

async fn confirm(world: &World, appointment: &Appointment, expected: i64) -> bool {
    let (organization_id, id) = (&appointment.organization_id, &appointment.id);
    world.write(async |tx| appointment_confirm(tx, organization_id, id, expected, at(3)).await).await.unwrap()
}

fn pending(tenant: &Tenant, start: i64, expires: i64) -> Appointment {
    let mut asked = appointment(tenant, start);
    asked.status = AppointmentStatus::Pending;
    asked.expires_at = Some(at(expires));
    asked
}

fn starts(appointments: &[Appointment]) -> Vec<i64> {
    appointments.iter().map(|appointment| (appointment.start_at - at(0)).num_minutes()).collect()
}

on_both! {
    async fn an_appointment_is_read_as_it_was_written(world: World) {
        let tenant = world.tenant("acme").await;
        let mut booked = appointment(&tenant, 60);
        booked.visitor_phone = Some(PhoneNumber::parse("+34600123456").unwrap());
        booked.answers =
            vec![Answer { id: "why".to_owned(), label: "Why?".to_owned(), values: vec!["Tooth".to_owned()] }];
        booked.tracking = [("utm_source".to_owned(), "letter".to_owned())].into();
        booked.series_id = Some(SeriesId::parse(&id()).unwrap());
        booked.series_position = Some(3);
        booked.expires_at = Some(at(9));
        world.write(async |tx| insert(tx, &booked).await).await.unwrap();
        let stored = stored(&world, &booked).await;
        assert_eq!((stored.start_at, stored.end_at, stored.claim), (at(60), at(90), between(55, 100)));
        assert_eq!((&stored.visitor_name, &stored.visitor_email), (&booked.visitor_name, &booked.visitor_email));
        assert_eq!((&stored.visitor_phone, &stored.visitor_notes), (&booked.visitor_phone, &booked.visitor_notes));
        assert_eq!((stored.visitor_time_zone, stored.visitor_language), (booked.visitor_time_zone, booked.visitor_language));
        assert_eq!((stored.status, stored.cancelled_by), (AppointmentStatus::Confirmed, None));
        assert_eq!((stored.answers, stored.claim_id), (booked.answers, booked.claim_id));
        assert_eq!(stored.tracking, booked.tracking);
        assert_eq!((stored.series_id, stored.series_position), (booked.series_id, Some(3)));
        assert_eq!(stored.expires_at, Some(at(9)));
        let by_token = async |hash: &[u8]| world.read(async |tx| appointment_get_by_token_hash(tx, hash).await).await;
        assert_eq!(by_token(&booked.manage_token_hash).await.unwrap().id, booked.id);
        assert!(by_token(b"guessed").await.is_none());
    }

    async fn a_move_raises_the_sequence_and_refuses_a_stale_one(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        world.write(async |tx| insert(tx, &booked).await).await.unwrap();
        let go = async |start: i64| world.write(async |tx| shift(tx, &booked, start, 1).await).await.unwrap();
        assert_eq!(go(70).await, MoveOutcome::Moved { sequence: 1 });
        assert_eq!(go(200).await, MoveOutcome::Stale);
        let stored = stored(&world, &booked).await;
        assert_eq!((stored.start_at, stored.claim, stored.sequence), (at(70), between(65, 110), 1));
        assert_eq!(stored.updated_at, at(1));
    }

    async fn a_move_may_change_host_and_ask_for_approval_again(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let booked = appointment(&tenant, 60);
        world.write(async |tx| insert(tx, &booked).await).await.unwrap();
        let to = Moved {
            host_user_id: ben.id.clone(),
            status: AppointmentStatus::Pending,
            expires_at: Some(at(50)),
            ..moved(&booked, 60)
        };
        let hosts = [ben.id.clone()];
        world.write(async |tx| appointment_move(tx, &booked, &to, &hosts, 1, at(1)).await).await.unwrap();
        let stored = stored(&world, &booked).await;
        assert_eq!((&stored.host_user_id, stored.status), (&ben.id, AppointmentStatus::Pending));
        assert_eq!(stored.expires_at, Some(at(50)));
        let claimed = async |host: &UserId| {
            world.read(async |tx| claim_list(tx, tenant.id(), host, between(0, 600)).await).await.len()
        };
        assert_eq!((claimed(&tenant.user.id).await, claimed(&ben.id).await), (0, 1));
    }

    async fn an_appointment_ends_once(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        world.write(async |tx| insert(tx, &booked).await).await.unwrap();
        assert!(!end(&world, &booked, 1, AppointmentStatus::Cancelled).await);
        assert!(end(&world, &booked, 0, AppointmentStatus::Cancelled).await);
        assert!(!end(&world, &booked, 1, AppointmentStatus::Cancelled).await);
        let mut stored = stored(&world, &booked).await;
        assert_eq!((stored.status, stored.sequence, stored.updated_at), (AppointmentStatus::Cancelled, 1, at(2)));
        assert_eq!((stored.cancelled_by, stored.cancel_reason.as_deref()), (Some(CancelledBy::Visitor), Some("Ill")));
        stored.status = AppointmentStatus::Confirmed;
        assert_eq!(world.write(async |tx| shift(tx, &stored, 80, 3).await).await.unwrap(), MoveOutcome::Stale);
    }

    async fn only_a_pending_appointment_is_confirmed_and_only_once(world: World) {
        let tenant = world.tenant("acme").await;
        let (asked, booked) = (pending(&tenant, 60, 50), appointment(&tenant, 200));
        world
            .write(async |tx| {
                insert(tx, &asked).await?;
                insert(tx, &booked).await
            })
            .await
            .unwrap();
        assert!(!confirm(&world, &booked, 0).await);
        assert!(!confirm(&world, &asked, 1).await);
        assert!(confirm(&world, &asked, 0).await);
        assert!(!confirm(&world, &asked, 1).await);
        assert!(!end(&world, &asked, 0, AppointmentStatus::Declined).await);
        let stored = stored(&world, &asked).await;
        assert_eq!((stored.status, stored.sequence, stored.updated_at), (AppointmentStatus::Confirmed, 1, at(3)));
        assert_eq!(stored.expires_at, None);
        let claims =
            world.read(async |tx| claim_list(tx, tenant.id(), &tenant.user.id, between(55, 100)).await).await;
        assert_eq!(claims.len(), 1);
    }

    async fn of_a_confirmation_and_an_expiry_at_once_one_takes_effect(world: World) {
        let tenant = world.tenant("acme").await;
        let asked = pending(&tenant, 60, 50);
        world.write(async |tx| insert(tx, &asked).await).await.unwrap();
        let (confirmed, expired) =
            futures::future::join(confirm(&world, &asked, 0), end(&world, &asked, 0, AppointmentStatus::Expired)).await;
        assert_ne!(confirmed, expired);
        let stored = stored(&world, &asked).await;
        assert_eq!(stored.status == AppointmentStatus::Confirmed, confirmed);
        let claims =
            world.read(async |tx| claim_list(tx, tenant.id(), &tenant.user.id, between(55, 100)).await).await;
        assert_eq!(claims.len(), usize::from(confirmed));
    }

    async fn pending_appointments_expire_in_time_the_longest_waiting_first(world: World) {
        let tenant = world.tenant("acme").await;
        let (late, early, decided) = (pending(&tenant, 60, 20), pending(&tenant, 200, 10), pending(&tenant, 300, 5));
        world
            .write(async |tx| {
                for asked in [&late, &early, &decided] {
                    insert(tx, asked).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        assert!(end(&world, &decided, 0, AppointmentStatus::Declined).await);
        let expiring = async |now: i64, limit: u32| -> Vec<_> {
            let rows = world.read(async |tx| appointments_expiring(tx, at(now), limit).await).await;
            assert!(rows.iter().all(|(organization_id, _)| organization_id == tenant.id()));
            rows.into_iter().map(|(_, id)| id).collect()
        };
        assert!(expiring(9, 100).await.is_empty());
        assert_eq!(expiring(10, 100).await, std::slice::from_ref(&early.id));
        assert_eq!(expiring(20, 100).await, [early.id.clone(), late.id.clone()]);
        assert_eq!(expiring(20, 1).await, std::slice::from_ref(&early.id));
    }

    async fn a_series_is_read_in_its_order(world: World) {
        let tenant = world.tenant("acme").await;
        let series_id = SeriesId::parse(&id()).unwrap();
        world
            .write(async |tx| {
                for (position, start) in [(2, 300), (0, 100), (1, 200)] {
                    let mut booked = appointment(&tenant, start);
                    booked.series_id = Some(series_id.clone());
                    booked.series_position = Some(position);
                    insert(tx, &booked).await?;
                }
                insert(tx, &appointment(&tenant, 400)).await
            })
            .await
            .unwrap();
        let series = world.read(async |tx| appointment_list_by_series(tx, tenant.id(), &series_id).await).await;
        assert_eq!(starts(&series), [100, 200, 300]);
    }

    async fn a_hosts_load_counts_what_was_given_lately_and_still_stands(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let given = |host: &UserId, start: i64, created: i64| {
            let mut booked = appointment(&tenant, start);
            booked.host_user_id = host.clone();
            booked.created_at = at(created);
            booked
        };
        let (ana, ben) = (&tenant.user.id, &ben.id);
        let dropped = given(ben, 600, 40);
        world
            .write(async |tx| {
                for booked in [given(ana, 100, 9), given(ana, 200, 10), given(ana, 300, 30), given(ben, 400, 20)] {
                    insert(tx, &booked).await?;
                }
                let mut asked = given(ben, 500, 25);
                asked.status = AppointmentStatus::Pending;
                insert(tx, &asked).await?;
                insert(tx, &dropped).await
            })
            .await
            .unwrap();
        assert!(end(&world, &dropped, 0, AppointmentStatus::Cancelled).await);
        let loads = world
            .read(async |tx| appointment_loads(tx, tenant.id(), &tenant.event_type.id, at(10)).await)
            .await;
        let load = |user_id: &UserId, count, last| HostLoad { user_id: user_id.clone(), count, last_given: at(last) };
        assert_eq!(loads, [load(ana, 2, 30), load(ben, 2, 25)]);
    }

    async fn a_meeting_link_is_no_new_version_of_the_appointment(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        let url = Some("https://meet.example/x");
        world.write(async |tx| insert(tx, &booked).await).await.unwrap();
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
        // At 100: 0 has ended, 70 ends this very minute, the rest lies ahead; 300, 301 and 1 do not take place; 190 and 280
        // are pending.
        world
            .write(async |tx| {
                for start in [0, 300, 145, 190, 235, 1, 280, 301] {
                    let mut booked = appointment(&tenant, start);
                    booked.status = match start {
                        300 => AppointmentStatus::Cancelled,
                        301 => AppointmentStatus::Declined,
                        1 => AppointmentStatus::Expired,
                        190 | 280 => AppointmentStatus::Pending,
                        _ => AppointmentStatus::Confirmed,
                    };
                    insert(tx, &booked).await?;
                }
                for start in [70, 71] {
                    let mut booked = appointment(&tenant, start);
                    booked.claim = between(start, start + 30);
                    if start == 71 {
                        booked.start_at = at(100);
                        booked.end_at = at(120);
                        booked.claim = between(100, 120);
                    }
                    insert(tx, &booked).await?;
                }
                insert(tx, &appointment(&other_host, 145)).await
            })
            .await
            .unwrap();
        let filters = [
            (AppointmentFilter::Pending, vec![190, 280]),
            (AppointmentFilter::Upcoming, vec![100, 145, 235]),
            (AppointmentFilter::Past, vec![70, 0]),
            (AppointmentFilter::Cancelled, vec![301, 300, 1]),
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
        assert_eq!(starts(&upcoming), [145, 190, 235, 280]);
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
                    insert(tx, &booked).await?;
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
                insert(tx, &booked).await?;
                insert(tx, &other).await?;
                mapping_upsert(tx, &pushed).await
            })
            .await
            .unwrap();
        pushed.etag = Some("\"2\"".to_owned());
        pushed.meeting_state = MeetingState::Ready;
        pushed.pushed_sequence = 3;
        pushed.declined = vec!["leo@visitor.example".to_owned()];
        world.write(async |tx| mapping_upsert(tx, &pushed).await).await.unwrap();
        let find = async |event: &str| {
            world.read(async |tx| mapping_get_by_external(tx, tenant.id(), &tenant.calendar.id, event).await).await
        };
        let found = find("event-1").await.unwrap();
        assert_eq!((&found.claim_id, found.etag.as_deref()), (&booked.claim_id, Some("\"2\"")));
        assert_eq!((found.meeting_state, found.pushed_sequence), (MeetingState::Ready, 3));
        assert_eq!(found.declined, ["leo@visitor.example"]);
        assert!(find("event-2").await.is_none());
        let stolen = mapping(&other, &tenant.calendar, "event-1");
        assert_eq!(
            taken(world.write(async |tx| mapping_upsert(tx, &stolen).await).await),
            "appointment_external_mapping.external_event_id"
        );
        let claim_id = &booked.claim_id;
        let mark = async || {
            world.write(async |tx| mapping_mark_deleted(tx, tenant.id(), claim_id, at(5)).await).await.unwrap()
        };
        assert!(mark().await);
        assert!(!mark().await);
        let marked = world.read(async |tx| mapping_get(tx, tenant.id(), claim_id).await).await.unwrap();
        assert_eq!(marked.deleted_at, Some(at(5)));
    }

    async fn the_appointments_whose_events_stand_in_a_calendar_are_found_while_they_are_not_over(world: World) {
        let tenant = world.tenant("acme").await;
        let (later, sooner, elsewhere) = (appointment(&tenant, 300), appointment(&tenant, 60), appointment(&tenant, 200));
        let mut in_another = mapping(&elsewhere, &tenant.calendar, "event-3");
        in_another.calendar_id = cupo_core::ids::CalendarId::parse(&id()).unwrap();
        world
            .write(async |tx| {
                for booked in [&later, &sooner, &elsewhere] {
                    insert(tx, booked).await?;
                }
                mapping_upsert(tx, &mapping(&later, &tenant.calendar, "event-1")).await?;
                mapping_upsert(tx, &mapping(&sooner, &tenant.calendar, "event-2")).await?;
                mapping_upsert(tx, &in_another).await
            })
            .await
            .unwrap();
        let standing = async |now| {
            let found = world.read(async |tx| {
                appointment_list_by_calendar(tx, tenant.id(), &tenant.calendar.id, at(now)).await
            });
            found.await.into_iter().map(|appointment| appointment.id).collect::<Vec<_>>()
        };
        assert_eq!(standing(0).await, [sooner.id.clone(), later.id.clone()]);
        assert_eq!(standing(299).await, std::slice::from_ref(&later.id));
        world.write(async |tx| mapping_mark_deleted(tx, tenant.id(), &later.claim_id, at(1)).await).await.unwrap();
        assert_eq!(standing(0).await, std::slice::from_ref(&sooner.id));
    }

    async fn an_event_is_found_in_any_calendar_and_outlives_its_claim(world: World) {
        let tenant = world.tenant("acme").await;
        let booked = appointment(&tenant, 60);
        let mut elsewhere = mapping(&booked, &tenant.calendar, "event");
        elsewhere.claim_id = ClaimId::parse(&id()).unwrap();
        elsewhere.calendar_id = cupo_core::ids::CalendarId::parse(&id()).unwrap();
        world
            .write(async |tx| {
                mapping_upsert(tx, &mapping(&booked, &tenant.calendar, "event")).await?;
                mapping_upsert(tx, &elsewhere).await
            })
            .await
            .unwrap();
        let found = world.read(async |tx| mapping_list_by_event(tx, tenant.id(), "event", None).await).await;
        let calendars: Vec<_> = found.into_iter().map(|mapping| mapping.calendar_id).collect();
        assert_eq!(calendars, [tenant.calendar.id.clone(), elsewhere.calendar_id]);
        let copy = world.read(async |tx| mapping_list_by_event(tx, tenant.id(), "c", Some("event@google.com")).await).await;
        assert_eq!(copy.len(), 2, "a copy has another id and the same UID");
        let other = world.read(async |tx| mapping_list_by_event(tx, tenant.id(), "other", Some("other")).await).await;
        assert!(other.is_empty());
    }
}
