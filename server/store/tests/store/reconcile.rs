//! What comparing calendars with appointments, and telling of stale ones, read and remember.

use cupo_core::ids::*;
use cupo_core::parse::Slug;
use cupo_store::*;

use crate::world::{
    Tenant, World, appointment, at, busy, calendar, id, insert, job, mapping, on_both, shift, subscription,
};

async fn due(world: &World, before: i64) -> Vec<CalendarId> {
    let due = world.read(async |tx| calendars_due_for_reconcile(tx, at(before), 10).await).await;
    due.into_iter().map(|calendar| calendar.calendar_id).collect()
}

async fn compared(world: &World, tenant: &Tenant, minute: i64) {
    let set = world.write(async |tx| calendar_set_reconciled(tx, tenant.id(), &tenant.calendar.id, at(minute)).await);
    assert!(set.await.unwrap());
}

async fn to_tell(world: &World, before: i64, now: i64) -> Vec<UserId> {
    let hosts = world.read(async |tx| hosts_to_tell_of_stale_calendars(tx, at(before), at(now), 10).await).await;
    hosts.into_iter().map(|host| host.user_id).collect()
}

async fn read(world: &World, tenant: &Tenant, minute: i64, error: Option<&str>) {
    world
        .write(async |tx| {
            let id = &tenant.calendar.id;
            calendar_update_sync(tx, tenant.id(), id, Some("cursor"), Some(at(minute)), Some(at(9_000)), error).await
        })
        .await
        .unwrap();
}

on_both! {
    async fn calendars_are_due_once_they_were_seen_the_longest_waiting_first(world: World) {
        let (acme, other) = (world.tenant("acme").await, world.tenant("other").await);
        assert!(due(&world, 9_000).await.is_empty(), "nobody has seen them yet");
        let seen = world.write(async |tx| calendars_note_new(tx, at(0)).await).await.unwrap();
        assert_eq!((seen, world.write(async |tx| calendars_note_new(tx, at(5)).await).await.unwrap()), (2, 0));
        compared(&world, &acme, 20).await;
        compared(&world, &other, 10).await;
        assert_eq!(due(&world, 20).await, [other.calendar.id.clone(), acme.calendar.id.clone()]);
        assert_eq!(due(&world, 15).await, std::slice::from_ref(&other.calendar.id));
        let of_host = world.read(async |tx| calendars_due_for_reconcile(tx, at(20), 1).await).await;
        assert_eq!(of_host[0].time_zone.map(|zone| zone.to_string()).as_deref(), Some("Europe/Madrid"));
        world
            .write(async |tx| {
                let (state, now) = (AccountState::ReconnectNeeded, at(30));
                account_update_state(tx, other.id(), &other.account.id, state, None, now).await
            })
            .await
            .unwrap();
        assert_eq!(due(&world, 20).await, [acme.calendar.id], "nobody can ask for the other one");
    }

    async fn calendars_are_compared_that_can_be_written_to_or_that_decide(world: World) {
        let tenant = world.tenant("acme").await;
        let written = Calendar { checks_conflicts: false, ..calendar(&tenant.account, "written") };
        let decides = Calendar { can_write: false, ..calendar(&tenant.account, "decides") };
        let neither = Calendar { can_write: false, checks_conflicts: false, ..calendar(&tenant.account, "neither") };
        world
            .write(async |tx| {
                for calendar in [&written, &decides, &neither] {
                    calendar_upsert(tx, calendar).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let listed = async |slug: Option<&str>| {
            let slug = slug.map(|slug| Slug::parse(slug).unwrap());
            let all = world.read(async |tx| calendars_to_reconcile(tx, slug.as_ref()).await).await;
            let mut ids: Vec<_> = all.into_iter().map(|calendar| calendar.calendar_id).collect();
            ids.sort_unstable();
            ids
        };
        let mut expected = vec![tenant.calendar.id.clone(), written.id, decides.id];
        expected.sort_unstable();
        assert_eq!((listed(None).await, listed(Some("acme")).await), (expected.clone(), expected));
        assert!(listed(Some("other")).await.is_empty());
    }

    async fn what_is_to_stand_in_a_calendar_is_what_is_confirmed_and_not_over(world: World) {
        let tenant = world.tenant("acme").await;
        let (over, coming, cancelled, gone) =
            (appointment(&tenant, 0), appointment(&tenant, 100), appointment(&tenant, 200), appointment(&tenant, 300));
        world
            .write(async |tx| {
                for appointment in [&over, &coming, &cancelled, &gone] {
                    insert(tx, appointment).await?;
                    mapping_upsert(tx, &mapping(appointment, &tenant.calendar, appointment.id.as_str())).await?;
                }
                let (status, now) = (cupo_core::appointment::AppointmentStatus::Cancelled, at(1));
                appointment_end(tx, tenant.id(), &cancelled.id, 0, status, None, None, now).await?;
                mapping_mark_deleted(tx, tenant.id(), &gone.claim_id, now).await
            })
            .await
            .unwrap();
        let standing = world
            .read(async |tx| mapping_list_standing(tx, tenant.id(), &tenant.calendar.id, at(50)).await)
            .await;
        assert_eq!(standing.iter().map(|it| &it.claim_id).collect::<Vec<_>>(), [&coming.claim_id]);
        let known = world
            .read(async |tx| {
                mapping_list_known(tx, tenant.id(), &tenant.user.id, &tenant.calendar.id, at(50)).await
            })
            .await;
        let ids: Vec<_> = known.iter().map(|it| it.external_event_id.as_str()).collect();
        assert_eq!(ids, [coming.id.as_str()]);
        let upcoming = world
            .read(async |tx| appointment_list_upcoming_for_host(tx, tenant.id(), &tenant.user.id, at(50)).await)
            .await;
        assert_eq!(upcoming.iter().map(|it| &it.id).collect::<Vec<_>>(), [&coming.id, &gone.id]);
    }

    async fn a_claim_is_known_by_its_event_its_first_appointment_or_its_past(world: World) {
        let tenant = world.tenant("acme").await;
        let (first, second) = (appointment(&tenant, 0), appointment(&tenant, 100));
        let unknown = ClaimId::parse(&id()).unwrap();
        world
            .write(async |tx| {
                insert(tx, &first).await?;
                insert(tx, &second).await?;
                mapping_upsert(tx, &mapping(&second, &tenant.calendar, "event")).await
            })
            .await
            .unwrap();
        let owner = async |claim: &ClaimId| world.read(async |tx| claim_owner(tx, claim).await).await;
        assert_eq!(owner(&first.claim_id).await.as_ref(), Some(tenant.id()), "it has the appointment's id");
        assert_eq!(owner(&second.claim_id).await.as_ref(), Some(tenant.id()));
        assert_eq!(owner(&unknown).await, None);

        let remembered = async |claim: &ClaimId| {
            world.read(async |tx| claim_is_remembered(tx, tenant.id(), &tenant.user.id, claim).await).await
        };
        assert!(!remembered(&first.claim_id).await);
        world.write(async |tx| shift(tx, &first, 500, 10).await).await.unwrap();
        assert!(remembered(&first.claim_id).await && !remembered(&unknown).await);
    }

    async fn whether_a_key_has_a_job_that_waits_runs_or_was_given_up_is_told_to_its_own_organization(world: World) {
        let (tenant, other) = (world.tenant("acme").await, world.tenant("other").await);
        let standing = async |tenant: &Tenant| {
            let standing = world.read(async |tx| job_standing(tx, tenant.id(), "push:1").await).await;
            (standing.is_pending, standing.is_dead)
        };
        assert_eq!(standing(&tenant).await, (false, false));
        world.write(async |tx| job_enqueue(tx, &job(Some(tenant.id()), Some("push:1"), 0)).await).await.unwrap();
        assert_eq!((standing(&tenant).await, standing(&other).await), ((true, false), (false, false)));
        let mut tx = world.store.write_leases().await.unwrap();
        let leased = job_lease(&mut tx, at(1), "owner", chrono::TimeDelta::minutes(5), 1).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(standing(&tenant).await, (true, false), "it runs");
        world.write(async |tx| job_bury(tx, &leased[0].id, "owner", at(2), "no").await).await.unwrap();
        assert_eq!(standing(&tenant).await, (false, true));
    }

    async fn all_that_is_mirrored_is_listed_whatever_its_kind(world: World) {
        let tenant = world.tenant("acme").await;
        let id = &tenant.calendar.id;
        let tentative = BusyInterval { kind: BusyKind::Tentative, ..busy(&tenant, id, "b", 20, 30) };
        let intervals = vec![busy(&tenant, id, "a", 0, 10), tentative, busy(&tenant, id, "c", 100, 110)];
        world
            .write(async |tx| busy_intervals_replace(tx, tenant.id(), id, intervals.clone(), at(0)).await)
            .await
            .unwrap();
        let range = crate::world::between(5, 100);
        let listed = world.read(async |tx| busy_interval_list_all(tx, tenant.id(), id, range).await).await;
        assert_eq!(listed.iter().map(|it| it.external_event_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    async fn hosts_are_told_of_calendars_that_nobody_read_for_long_once(world: World) {
        let (acme, other) = (world.tenant("acme").await, world.tenant("other").await);
        read(&world, &other, 90, None).await;
        assert!(to_tell(&world, -1, 100).await.is_empty(), "its account is younger than that");
        assert_eq!(to_tell(&world, 60, 100).await, std::slice::from_ref(&acme.user.id), "one was never read");
        read(&world, &acme, 10, None).await;
        assert_eq!(to_tell(&world, 60, 100).await, std::slice::from_ref(&acme.user.id));
        assert!(to_tell(&world, 9, 100).await.is_empty());

        let channel = subscription(&acme, 150);
        world.write(async |tx| subscription_insert(tx, &channel).await).await.unwrap();
        assert!(to_tell(&world, 60, 100).await.is_empty(), "its channel has told nothing");
        assert_eq!(to_tell(&world, 60, 150).await, std::slice::from_ref(&acme.user.id), "its channel has ended");
        read(&world, &acme, 10, Some("provider-failed")).await;
        assert_eq!(to_tell(&world, 60, 100).await, std::slice::from_ref(&acme.user.id), "it could not be read");

        let ids = [acme.calendar.id.clone()];
        let tell = async |tenant: &Tenant| {
            world.write(async |tx| calendars_set_stale_told(tx, tenant.id(), &ids, at(100)).await).await.unwrap()
        };
        assert_eq!((tell(&acme).await, tell(&other).await), (1, 0));
        assert!(to_tell(&world, 60, 100).await.is_empty(), "once");
        read(&world, &acme, 10, Some("transient")).await;
        assert!(to_tell(&world, 60, 100).await.is_empty(), "it was not read anew");
        read(&world, &acme, 110, None).await;
        assert_eq!(to_tell(&world, 120, 300).await.len(), 2, "it was read, and grew stale again");
    }
}
