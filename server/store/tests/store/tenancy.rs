//! A tenant sees and changes its own rows only.

use chrono::TimeDelta;
use cupo_core::appointment::AppointmentStatus;
use cupo_core::availability::Absence;
use cupo_core::ids::{
    AbsenceId, AppointmentId, AuditEntryId, BookingLinkId, HolidayCalendarId, OrganizationId, SeriesId, SiteId,
};
use cupo_core::parse::Origin;
use cupo_store::*;

use crate::world::{
    Tenant, World, appointment, at, between, busy, calendar, event_type, hold, host, id, insert, job, mapping, moved,
    on_both, schedule, subscription,
};

/// What the organization keeps about availability.
struct Rules {
    link: BookingLink,
    absence: AbsenceRow,
    holidays: HolidayCalendar,
    version: HistoryEntry,
    evenings: Schedule,
}

/// The rows of all tables that say they are the organization's.
async fn rows_of(world: &World, organization_id: &OrganizationId) -> i64 {
    use sqlx::{AssertSqlSafe, Row};
    let mut tx = world.store.read().await.unwrap();
    let tables: Vec<String> = match &mut tx {
        Tx::Sqlite(connection) => sqlx::query(
            "select m.name from sqlite_master m join pragma_table_info(m.name) c
              where m.type = 'table' and c.name = 'organization_id'",
        )
        .fetch_all(&mut **connection)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect(),
        Tx::Postgres(connection) => sqlx::query(
            "select table_name::text from information_schema.columns
              where table_schema = current_schema() and column_name = 'organization_id'",
        )
        .fetch_all(&mut **connection)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect(),
    };
    assert!(tables.len() > 20);
    let mut rows = 0;
    for table in tables {
        let count = AssertSqlSafe(format!("select count(*) from {table} where organization_id = '{organization_id}'"));
        rows += match &mut tx {
            Tx::Sqlite(connection) => sqlx::query(count).fetch_one(&mut **connection).await.unwrap().get::<i64, _>(0),
            Tx::Postgres(connection) => sqlx::query(count).fetch_one(&mut **connection).await.unwrap().get(0),
        };
    }
    rows
}

impl Rules {
    async fn of(world: &World, tenant: &Tenant) -> Self {
        let (organization_id, user_id) = (tenant.id().clone(), tenant.user.id.clone());
        let morning = at(0).naive_utc();
        let rules = Self {
            link: BookingLink {
                id: BookingLinkId::parse(&id()).unwrap(),
                organization_id: organization_id.clone(),
                event_type_id: tenant.event_type.id.clone(),
                token_hash: id().into_bytes(),
                created_by: user_id.clone(),
                created_at: at(0),
                expires_at: None,
                used_at: None,
                appointment_id: None,
            },
            absence: AbsenceRow {
                id: AbsenceId::parse(&id()).unwrap(),
                organization_id: organization_id.clone(),
                user_id: user_id.clone(),
                absence: Absence { from: morning, to: morning + TimeDelta::hours(1) },
                note: String::new(),
                created_at: at(0),
            },
            holidays: HolidayCalendar {
                id: HolidayCalendarId::parse(&id()).unwrap(),
                organization_id: organization_id.clone(),
                user_id: user_id.clone(),
                name: "Holidays".to_owned(),
                source_url: None,
                holidays: Vec::new(),
                etag: None,
                fetched_at: None,
                error: None,
                created_at: at(0),
                updated_at: at(0),
            },
            version: HistoryEntry {
                organization_id: organization_id.clone(),
                kind: HistoryKind::Schedule,
                subject_id: "schedule".to_owned(),
                record_id: String::new(),
                start_at: None,
                end_at: None,
                body: String::new(),
                valid_from: at(0),
                valid_to: at(9),
            },
            evenings: schedule(&organization_id, &user_id, "Evenings", false),
        };
        world
            .write(async |tx| {
                booking_link_insert(tx, &rules.link).await?;
                absence_insert(tx, &rules.absence).await?;
                holiday_calendar_insert(tx, &rules.holidays).await?;
                history_insert(tx, &rules.version).await?;
                schedule_insert(tx, &rules.evenings).await
            })
            .await
            .unwrap();
        rules
    }

    /// All of it as its own organization sees it.
    async fn count(&self, world: &World, tenant: &Tenant) -> usize {
        self.seen_by(world, tenant, tenant.id()).await
    }

    /// How much of it an organization finds.
    async fn seen_by(&self, world: &World, tenant: &Tenant, organization_id: &OrganizationId) -> usize {
        let (event_type, user) = (&tenant.event_type.id, &tenant.user.id);
        world
            .read(async |tx| {
                Ok(booking_link_list(tx, organization_id, event_type).await?.len()
                    + absence_list(tx, organization_id, user).await?.len()
                    + holiday_calendar_list(tx, organization_id, user).await?.len()
                    + usize::from(holiday_calendar_get(tx, organization_id, &self.holidays.id).await?.is_some())
                    + history_at(tx, organization_id, HistoryKind::Schedule, "schedule", at(5)).await?.len()
                    + schedule_list(tx, organization_id, Some(user)).await?.len()
                    + event_type_host_list(tx, organization_id, event_type).await?.len()
                    + event_types_of_schedule(tx, organization_id, &tenant.schedule.id).await?.len())
            })
            .await
    }
}

on_both! {
    async fn another_tenant_finds_and_changes_nothing(world: World) {
        let (ours, other) = (world.tenant("ours").await, world.tenant("theirs").await);
        let (mut booked, kept, channel) = (appointment(&ours, 60), hold(&ours, 200, 600), subscription(&ours, 600));
        let series_id = SeriesId::parse(&id()).unwrap();
        booked.series_id = Some(series_id.clone());
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
            title: None,
        };
        world
            .write(async |tx| {
                insert(tx, &booked).await?;
                mapping_upsert(tx, &mapping(&booked, &ours.calendar, "event")).await?;
                hold_insert(tx, &kept, None).await?;
                subscription_insert(tx, &channel).await?;
                site_insert(tx, &site).await?;
                audit_insert(tx, &entry).await?;
                idempotency_insert(tx, &answer).await?;
                busy_interval_upsert(tx, &busy, at(0)).await
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
        for filter in [
            AppointmentFilter::Pending,
            AppointmentFilter::Upcoming,
            AppointmentFilter::Past,
            AppointmentFilter::Cancelled,
        ] {
            assert!(appointment_list(tx, theirs, filter, at(0), 100, None).await.unwrap().is_empty());
        }
        let (event_type_id, claim_id) = (&ours.event_type.id, &booked.claim_id);
        assert!(appointment_list_by_claim(tx, theirs, claim_id).await.unwrap().is_empty());
        assert!(appointment_list_by_calendar(tx, theirs, calendar_id, at(0)).await.unwrap().is_empty());
        assert!(appointment_list_by_series(tx, theirs, &series_id).await.unwrap().is_empty());
        assert!(appointment_loads(tx, theirs, event_type_id, at(-10_000)).await.unwrap().is_empty());
        assert!(claim_list(tx, theirs, user, everything).await.unwrap().is_empty());
        assert!(claim_list_at(tx, theirs, user, everything, at(0)).await.unwrap().is_empty());
        assert!(claim_list_of_event_type(tx, theirs, event_type_id, everything).await.unwrap().is_empty());
        assert!(claim_list_of_event_type_at(tx, theirs, event_type_id, everything, at(0)).await.unwrap().is_empty());
        assert!(claim_hosts(tx, theirs, claim_id).await.unwrap().is_empty());
        let upcoming = appointment_list_upcoming_for_event_type(tx, theirs, event_type_id, at(0)).await.unwrap();
        assert!(upcoming.is_empty());
        assert!(mapping_get(tx, theirs, claim_id).await.unwrap().is_none());
        assert!(mapping_list_by_event(tx, theirs, "event", Some("event@google.com")).await.unwrap().is_empty());
        assert!(mapping_get_by_external(tx, theirs, calendar_id, "event").await.unwrap().is_none());
        let calendars = std::slice::from_ref(calendar_id);
        assert!(busy_interval_list(tx, theirs, calendars, everything).await.unwrap().is_empty());
        assert!(busy_interval_list_detailed(tx, theirs, calendars, everything).await.unwrap().is_empty());
        assert!(busy_interval_list_at(tx, theirs, calendars, everything, at(0)).await.unwrap().is_empty());
        assert!(busy_interval_ids_of_event(tx, theirs, calendar_id, "busy").await.unwrap().is_empty());
        assert!(subscription_list_by_calendar(tx, theirs, calendar_id).await.unwrap().is_empty());
        assert!(subscription_list_by_account(tx, theirs, account).await.unwrap().is_empty());
        assert!(site_list(tx, theirs).await.unwrap().is_empty());
        assert!(origins_of_organization(tx, theirs).await.unwrap().is_empty());
        assert!(idempotency_get(tx, theirs, "key").await.unwrap().is_none());
        assert!(audit_list(tx, theirs, "appointment", booked.id.as_str()).await.unwrap().is_empty());
        assert!(hold_list(tx, theirs, user, everything, at(0)).await.unwrap().is_empty());
        assert!(hold_list_at(tx, theirs, user, everything, at(0)).await.unwrap().is_empty());
        assert!(hold_list_of_event_type(tx, theirs, event_type_id, everything, at(0)).await.unwrap().is_empty());
        assert!(hold_list_of_event_type_at(tx, theirs, event_type_id, everything, at(0)).await.unwrap().is_empty());
        assert!(memberships_of_organization(tx, theirs).await.unwrap().iter().all(|member| &member.user_id != user));

        let mut tx = world.store.write().await.unwrap();
        let tx = &mut tx;
        assert!(!account_update_token(tx, theirs, account, 1, b"x", &[], at(1)).await.unwrap());
        assert!(!account_update_state(tx, theirs, account, AccountState::Disconnected, None, at(1)).await.unwrap());
        assert!(!calendar_set_choices(tx, theirs, calendar_id, false, false, true, true).await.unwrap());
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
        assert!(claim_move(tx, theirs, claim_id, at(310), at(340), claim, at(1)).await.unwrap().is_empty());
        let mut as_theirs = booked.clone();
        as_theirs.organization_id = theirs.clone();
        let hosts = [ours.user.id.clone()];
        let to = moved(&booked, 310);
        let outcome = appointment_move(tx, &as_theirs, &to, &hosts, 1, at(1)).await.unwrap();
        assert_eq!(outcome, MoveOutcome::Stale);
        let cancelled = AppointmentStatus::Cancelled;
        assert!(!appointment_end(tx, theirs, &booked.id, 0, cancelled, None, None, at(1)).await.unwrap());
        assert!(!appointment_confirm(tx, theirs, &booked.id, 0, at(1)).await.unwrap());
        assert!(!appointment_set_meeting_url(tx, theirs, &booked.id, Some("x")).await.unwrap());
        assert!(!mapping_mark_deleted(tx, theirs, claim_id, at(1)).await.unwrap());
        assert!(!busy_interval_delete(tx, theirs, calendar_id, "event", at(0)).await.unwrap());
        busy_intervals_replace(tx, theirs, calendar_id, Vec::new(), at(0)).await.unwrap();
        assert!(!subscription_delete(tx, theirs, &channel.id).await.unwrap());
        let mut foreign_site = site.clone();
        foreign_site.organization_id = theirs.clone();
        assert!(!site_update(tx, &foreign_site).await.unwrap());
        assert!(!site_delete(tx, theirs, &site.id).await.unwrap());
        assert!(!hold_delete(tx, theirs, &kept.id, at(1)).await.unwrap());
        assert!(!calendar_delete(tx, theirs, calendar_id).await.unwrap());
        assert!(!account_delete(tx, theirs, account).await.unwrap());
        assert_eq!(busy_interval_list(tx, ours.id(), calendars, everything).await.unwrap(), [between(0, 30)]);
        assert_eq!(claim_list(tx, ours.id(), user, everything).await.unwrap()[0].claim, booked.claim);
    }

    async fn another_tenant_finds_and_changes_no_rules(world: World) {
        let (ours, other) = (world.tenant("ours").await, world.tenant("theirs").await);
        let rules = Rules::of(&world, &ours).await;
        assert_eq!(rules.count(&world, &ours).await, 9);
        let theirs = other.id();
        assert_eq!(rules.seen_by(&world, &ours, theirs).await, 0);
        assert_eq!(world.read(async |tx| schedule_list(tx, theirs, None).await).await.len(), 1);
        let user = &ours.user.id;
        let mut foreign = rules.holidays.clone();
        foreign.organization_id = theirs.clone();
        world
            .write(async |tx| {
                let appointment_id = AppointmentId::parse(&id()).unwrap();
                assert!(!booking_link_use(tx, theirs, &rules.link.id, &appointment_id, at(1)).await?);
                assert!(!booking_link_delete(tx, theirs, &rules.link.id).await?);
                assert!(!absence_delete(tx, theirs, user, &rules.absence.id).await?);
                assert!(!holiday_calendar_update(tx, &foreign).await?);
                assert!(!holiday_calendar_delete(tx, theirs, user, &rules.holidays.id).await?);
                assert!(!schedule_make_default(tx, theirs, user, &rules.evenings.id).await?);
                let removal = schedule_delete(tx, theirs, &rules.evenings.id).await?;
                assert_eq!(removal, ScheduleRemoval::NotFound);
                event_type_hosts_replace(tx, theirs, &ours.event_type.id, &[]).await
            })
            .await
            .unwrap();
        assert_eq!(rules.count(&world, &ours).await, 9);
    }

    async fn another_member_removes_no_absence_and_no_holidays(world: World) {
        let ours = world.tenant("ours").await;
        let (ben, _) = world.member(&ours, "ben@example.com").await;
        let rules = Rules::of(&world, &ours).await;
        world
            .write(async |tx| {
                assert!(!absence_delete(tx, ours.id(), &ben.id, &rules.absence.id).await?);
                assert!(!holiday_calendar_delete(tx, ours.id(), &ben.id, &rules.holidays.id).await?);
                assert!(!schedule_make_default(tx, ours.id(), &ben.id, &rules.evenings.id).await?);
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(rules.count(&world, &ours).await, 9);
    }

    async fn a_deleted_organization_leaves_nothing_behind_and_the_others_alone(world: World) {
        let (ours, theirs) = (world.tenant("ours").await, world.tenant("theirs").await);
        let (ben, _) = world.member(&ours, "ben@example.com").await;
        let (our_rules, their_rules) = (Rules::of(&world, &ours).await, Rules::of(&world, &theirs).await);
        // Ben works for both.
        let membership =
            Membership { organization_id: theirs.id().clone(), user_id: ben.id.clone(), role: Role::Host };
        world
            .write(async |tx| {
                membership_insert(tx, &membership).await?;
                for tenant in [&ours, &theirs] {
                    let booked = appointment(tenant, 60);
                    insert(tx, &booked).await?;
                    mapping_upsert(tx, &mapping(&booked, &tenant.calendar, "event")).await?;
                    hold_insert(tx, &hold(tenant, 200, 600), None).await?;
                    subscription_insert(tx, &subscription(tenant, 600)).await?;
                    busy_interval_upsert(tx, &busy(tenant, &tenant.calendar.id, "event", 0, 30), at(0)).await?;
                    job_enqueue(tx, &job(Some(tenant.id()), None, 0)).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        assert!(world.write(async |tx| organization_delete(tx, ours.id()).await).await.unwrap());
        assert!(!world.write(async |tx| organization_delete(tx, ours.id()).await).await.unwrap());
        assert_eq!(our_rules.count(&world, &ours).await, 0);
        assert_eq!(their_rules.count(&world, &theirs).await, 9);
        let claims = async |tenant: &Tenant| {
            let host = &tenant.user.id;
            world.read(async |tx| claim_list(tx, tenant.id(), host, between(0, 600)).await).await.len()
        };
        assert_eq!((claims(&ours).await, claims(&theirs).await), (0, 1));
        for (user, stays) in [(&ours.user, false), (&ben, true), (&theirs.user, true)] {
            let found = world.read(async |tx| user_get(tx, &user.id).await).await;
            assert_eq!(found.is_some(), stays, "{}", user.email.as_str());
        }
        assert_eq!(rows_of(&world, ours.id()).await, 0);
        assert!(rows_of(&world, theirs.id()).await > 15);
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
            title: None,
        };
        world.write(async |tx| busy_interval_upsert(tx, &busy(ours.id(), 30), at(0)).await).await.unwrap();
        assert!(world.write(async |tx| busy_interval_upsert(tx, &busy(theirs.id(), 90), at(0)).await).await.is_err());
        let replaced = world
            .write(async |tx| {
                busy_intervals_replace(tx, theirs.id(), &ours.calendar.id, vec![busy(theirs.id(), 90)], at(0)).await
            })
            .await;
        assert!(replaced.is_err());
        let booked = appointment(&ours, 60);
        let mut foreign_mapping = mapping(&booked, &ours.calendar, "event");
        world
            .write(async |tx| {
                insert(tx, &booked).await?;
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
        assert!(world.write(async |tx| insert(tx, &foreign_event_type).await).await.is_err());
        let foreign_hosts = [
            host(&ours.event_type, &theirs.user.id, &ours.schedule.id),
            host(&ours.event_type, &ours.user.id, &theirs.schedule.id),
        ];
        for foreign in foreign_hosts {
            let stored = world
                .write(async |tx| {
                    let hosts = std::slice::from_ref(&foreign);
                    event_type_hosts_replace(tx, ours.id(), &ours.event_type.id, hosts).await
                })
                .await;
            assert!(stored.is_err());
        }
        let foreign_claim = [theirs.user.id.clone()];
        let booked = appointment(&ours, 60);
        assert!(world.write(async |tx| appointment_insert(tx, &booked, &foreign_claim, 1).await).await.is_err());
        let mut foreign_hold = hold(&ours, 60, 10);
        foreign_hold.host_user_ids = foreign_claim.to_vec();
        assert!(world.write(async |tx| hold_insert(tx, &foreign_hold, None).await).await.is_err());
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
                insert(tx, &booked).await?;
                insert(tx, &other).await?;
                job_enqueue(tx, &new).await
            })
            .await
            .unwrap();
        let found = world.read(async |tx| appointment_get_by_token_hash(tx, &booked.manage_token_hash).await).await;
        assert_eq!(&found.unwrap().organization_id, ours.id());
    }
}
