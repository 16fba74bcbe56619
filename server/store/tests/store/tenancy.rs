//! A tenant sees and changes its own rows only.

use cupo_core::appointment::CancelledBy;
use cupo_core::ids::{AuditEntryId, SiteId};
use cupo_core::parse::Origin;
use cupo_store::*;

use crate::world::{appointment, at, between, calendar, event_type, hold, id, job, mapping, on_both, subscription};

on_both! {
    async fn another_tenant_finds_and_changes_nothing(world: World) {
        let (ours, other) = (world.tenant("ours").await, world.tenant("theirs").await);
        let (booked, kept, channel) = (appointment(&ours, 60), hold(&ours, 200, 600), subscription(&ours, 600));
        let site = Site {
            id: SiteId::parse(&id()).unwrap(),
            organization_id: ours.id().clone(),
            name: "Shop".to_owned(),
            allowed_origins: vec![Origin::parse("https://shop.example").unwrap()],
            created_at: at(0),
        };
        let entry = AuditEntry {
            id: AuditEntryId::parse(&id()).unwrap(),
            organization_id: ours.id().clone(),
            actor: "visitor".to_owned(),
            action: "booked".to_owned(),
            subject_kind: "appointment".to_owned(),
            subject_id: booked.id.to_string(),
            detail: serde_json::json!({}),
            at: at(0),
        };
        let answer = IdempotencyKey {
            organization_id: ours.id().clone(),
            key: "key".to_owned(),
            request_hash: Vec::new(),
            status: 201,
            body: String::new(),
            created_at: at(0),
        };
        let busy = BusyInterval {
            calendar_id: ours.calendar.id.clone(),
            organization_id: ours.id().clone(),
            external_event_id: "event".to_owned(),
            interval: between(0, 30),
            kind: BusyKind::Busy,
        };
        world
            .write(async |tx| {
                appointment_insert(tx, &booked).await?;
                mapping_upsert(tx, &mapping(&booked, &ours.calendar, "event")).await?;
                hold_insert(tx, &kept).await?;
                subscription_insert(tx, &channel).await?;
                site_insert(tx, &site).await?;
                audit_insert(tx, &entry).await?;
                idempotency_insert(tx, &answer).await?;
                busy_interval_upsert(tx, &busy).await
            })
            .await
            .unwrap();

        let theirs = other.id();
        let (account, user, calendar_id) = (&ours.account.id, &ours.user.id, &ours.calendar.id);
        let everything = between(-10_000, 10_000);
        let mut tx = world.store.read().await.unwrap();
        let tx = &mut tx;
        assert!(account_get(tx, theirs, account).await.unwrap().is_none());
        assert!(account_list(tx, theirs, user).await.unwrap().is_empty());
        let email = &ours.account.email;
        assert!(account_get_by_email(tx, theirs, user, Provider::Google, email).await.unwrap().is_none());
        assert!(calendar_get(tx, theirs, calendar_id).await.unwrap().is_none());
        assert!(calendar_list_by_account(tx, theirs, account).await.unwrap().is_empty());
        assert!(calendar_list_by_user(tx, theirs, user).await.unwrap().is_empty());
        assert!(schedule_get(tx, theirs, &ours.schedule.id).await.unwrap().is_none());
        assert!(schedule_get_by_user(tx, theirs, user).await.unwrap().is_none());
        assert!(event_type_get(tx, theirs, &ours.event_type.id).await.unwrap().is_none());
        let by_slug = event_type_get_by_slug(tx, theirs, &ours.event_type.slug).await.unwrap().unwrap();
        assert_eq!(by_slug.id, other.event_type.id);
        assert_eq!(event_type_list(tx, theirs).await.unwrap().len(), 1);
        assert!(appointment_get(tx, theirs, &booked.id).await.unwrap().is_none());
        for filter in [AppointmentFilter::Upcoming, AppointmentFilter::Past, AppointmentFilter::Cancelled] {
            assert!(appointment_list(tx, theirs, filter, at(0), 100, None).await.unwrap().is_empty());
        }
        assert!(appointment_list_claims(tx, theirs, user, everything).await.unwrap().is_empty());
        let event_type_id = &ours.event_type.id;
        let upcoming = appointment_list_upcoming_for_event_type(tx, theirs, event_type_id, at(0)).await.unwrap();
        assert!(upcoming.is_empty());
        assert!(mapping_get(tx, theirs, &booked.id).await.unwrap().is_none());
        assert!(mapping_get_by_external(tx, theirs, calendar_id, "event").await.unwrap().is_none());
        assert!(busy_interval_list(tx, theirs, std::slice::from_ref(calendar_id), everything).await.unwrap().is_empty());
        assert!(subscription_list_by_calendar(tx, theirs, calendar_id).await.unwrap().is_empty());
        assert!(subscription_list_by_account(tx, theirs, account).await.unwrap().is_empty());
        assert!(site_list(tx, theirs).await.unwrap().is_empty());
        assert!(origins_of_organization(tx, theirs).await.unwrap().is_empty());
        assert!(idempotency_get(tx, theirs, "key").await.unwrap().is_none());
        assert!(audit_list(tx, theirs, "appointment", booked.id.as_str()).await.unwrap().is_empty());
        assert!(hold_list(tx, theirs, user, everything, at(0)).await.unwrap().is_empty());
        assert!(memberships_of_organization(tx, theirs).await.unwrap().iter().all(|member| &member.user_id != user));

        let mut tx = world.store.write().await.unwrap();
        let tx = &mut tx;
        assert!(!account_update_token(tx, theirs, account, 1, b"x", &[], at(1)).await.unwrap());
        assert!(!account_update_state(tx, theirs, account, AccountState::Disconnected, None, at(1)).await.unwrap());
        assert!(!calendar_set_choices(tx, theirs, calendar_id, false, false).await.unwrap());
        assert!(!calendar_update_sync(tx, theirs, calendar_id, None, None, None, None).await.unwrap());
        let mut schedule = ours.schedule.clone();
        schedule.organization_id = theirs.clone();
        assert!(!schedule_update(tx, &schedule).await.unwrap());
        let mut event_type = ours.event_type.clone();
        event_type.organization_id = theirs.clone();
        assert!(!event_type_update(tx, &event_type).await.unwrap());
        let removal = event_type_delete(tx, theirs, event_type_id, at(1)).await.unwrap();
        assert_eq!(removal, EventTypeRemoval::NotFound);
        let claim = between(300, 400);
        let moved = appointment_move(tx, theirs, &booked.id, 0, at(310), at(340), claim, at(1)).await.unwrap();
        assert_eq!(moved, MoveOutcome::Stale);
        assert!(!appointment_cancel(tx, theirs, &booked.id, 0, CancelledBy::Host, None, at(1)).await.unwrap());
        assert!(!appointment_set_meeting_url(tx, theirs, &booked.id, Some("x")).await.unwrap());
        assert!(!mapping_mark_deleted(tx, theirs, &booked.id, at(1)).await.unwrap());
        assert!(!busy_interval_delete(tx, theirs, calendar_id, "event").await.unwrap());
        busy_intervals_replace(tx, theirs, calendar_id, Vec::new()).await.unwrap();
        assert!(!subscription_delete(tx, theirs, &channel.id).await.unwrap());
        let mut foreign_site = site.clone();
        foreign_site.organization_id = theirs.clone();
        assert!(!site_update(tx, &foreign_site).await.unwrap());
        assert!(!site_delete(tx, theirs, &site.id).await.unwrap());
        assert!(!hold_delete(tx, theirs, &kept.id).await.unwrap());
        assert!(!calendar_delete(tx, theirs, calendar_id).await.unwrap());
        assert!(!account_delete(tx, theirs, account).await.unwrap());
        let calendars = [calendar_id.clone()];
        assert_eq!(busy_interval_list(tx, ours.id(), &calendars, everything).await.unwrap(), [between(0, 30)]);
    }

    async fn an_upsert_does_not_reach_into_another_tenant(world: World) {
        let (ours, theirs) = (world.tenant("ours").await, world.tenant("theirs").await);
        let mut stolen = calendar(&ours.account, "primary");
        stolen.organization_id = theirs.id().clone();
        stolen.user_id = theirs.user.id.clone();
        stolen.receives_events = false;
        assert!(world.write(async |tx| calendar_upsert(tx, &stolen).await).await.is_err());
        let busy = |organization_id: &cupo_core::ids::OrganizationId, end| BusyInterval {
            calendar_id: ours.calendar.id.clone(),
            organization_id: organization_id.clone(),
            external_event_id: "event".to_owned(),
            interval: between(0, end),
            kind: BusyKind::Busy,
        };
        world.write(async |tx| busy_interval_upsert(tx, &busy(ours.id(), 30)).await).await.unwrap();
        assert!(world.write(async |tx| busy_interval_upsert(tx, &busy(theirs.id(), 90)).await).await.is_err());
        let replaced = world
            .write(async |tx| {
                busy_intervals_replace(tx, theirs.id(), &ours.calendar.id, vec![busy(theirs.id(), 90)]).await
            })
            .await;
        assert!(replaced.is_err());
        let booked = appointment(&ours, 60);
        let mut foreign_mapping = mapping(&booked, &ours.calendar, "event");
        world
            .write(async |tx| {
                appointment_insert(tx, &booked).await?;
                mapping_upsert(tx, &foreign_mapping).await
            })
            .await
            .unwrap();
        foreign_mapping.organization_id = theirs.id().clone();
        assert!(world.write(async |tx| mapping_upsert(tx, &foreign_mapping).await).await.is_err());
        let calendars = [ours.calendar.id.clone()];
        let kept = world.read(async |tx| busy_interval_list(tx, ours.id(), &calendars, between(0, 600)).await).await;
        assert_eq!(kept, [between(0, 30)]);
    }

    async fn a_row_cannot_refer_to_another_tenants_row(world: World) {
        let (ours, theirs) = (world.tenant("ours").await, world.tenant("theirs").await);
        let foreign_host = event_type(ours.id(), &theirs.user.id, &ours.schedule.id, "a");
        let foreign_schedule = event_type(ours.id(), &ours.user.id, &theirs.schedule.id, "b");
        for foreign in [foreign_host, foreign_schedule] {
            assert!(world.write(async |tx| event_type_insert(tx, &foreign).await).await.is_err());
        }
        let mut foreign_event_type = appointment(&ours, 60);
        foreign_event_type.event_type_id = theirs.event_type.id.clone();
        assert!(world.write(async |tx| appointment_insert(tx, &foreign_event_type).await).await.is_err());
        let mut foreign_calendar = subscription(&ours, 600);
        foreign_calendar.calendar_id = theirs.calendar.id.clone();
        assert!(world.write(async |tx| subscription_insert(tx, &foreign_calendar).await).await.is_err());
    }

    async fn a_secret_leads_to_its_own_organization(world: World) {
        let (ours, theirs) = (world.tenant("ours").await, world.tenant("theirs").await);
        let (booked, other) = (appointment(&ours, 60), appointment(&theirs, 60));
        let new = job(Some(ours.id()), None, 0);
        world
            .write(async |tx| {
                appointment_insert(tx, &booked).await?;
                appointment_insert(tx, &other).await?;
                job_enqueue(tx, &new).await
            })
            .await
            .unwrap();
        let found = world.read(async |tx| appointment_get_by_token_hash(tx, &booked.manage_token_hash).await).await;
        assert_eq!(&found.unwrap().organization_id, ours.id());
    }
}
