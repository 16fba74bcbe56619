//! That a tenant reaches its own rows only, of what [`tenancy`](crate::tenancy) leaves out; and that nothing is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cupo_core::ids::{AuditEntryId, CredentialId, JobId};
use cupo_core::theme::Theme;
use cupo_store::*;

use crate::world::{account, appointment, at, between, busy, id, insert, job, mapping, on_both, subscription};

/// The tests in which tenants go for one another's rows.
const ATTACKS: [&str; 2] = ["tests/store/tenancy.rs", "tests/store/other_tenants.rs"];

/// These take the id of the very organization that they are about: a deleted one takes its own rows along
/// (`a_deleted_organization_leaves_nothing_behind_and_the_others_alone`).
const OF_ITSELF: [&str; 1] = ["organization_delete"];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The public functions of a source that take an organization's id beside something else.
fn of_one_organization(text: &str) -> impl Iterator<Item = &str> {
    text.split("\npub async fn ").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(['(', '<'])?;
        let (parameters, _) = rest.split_once("->")?;
        parameters.contains("organization_id: &OrganizationId").then_some(name)
    })
}

#[test]
fn every_function_that_takes_an_organizations_id_is_tried_by_another_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    rust_files(&root.join("src"), &mut sources);
    let texts: Vec<String> = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let functions: BTreeSet<&str> = texts.iter().flat_map(|text| of_one_organization(text)).collect();
    assert!(functions.len() > 80, "the reader is blind: {functions:?}");
    let attacks: String = ATTACKS.iter().map(|path| fs::read_to_string(root.join(path)).unwrap()).collect();
    let is_tried = |name: &&&str| {
        attacks.contains(&format!("{name}(tx, theirs")) || attacks.contains(&format!("{name}(tx, organization_id"))
    };
    let untried: Vec<_> = functions.iter().filter(|name| !is_tried(name) && !OF_ITSELF.contains(name)).collect();
    assert!(
        untried.is_empty(),
        "Nobody tries these with the id of another organization: add them to {ATTACKS:?}, called as `(tx, theirs, ...)`: \
         {untried:#?}"
    );
}

on_both! {
    async fn another_tenant_finds_and_changes_nothing_of_accounts_and_calendars(world: World) {
        let (ours, other) = (world.tenant("ours").await, world.tenant("theirs").await);
        let theirs = other.id();
        let credential = ProviderCredential {
            id: CredentialId::parse(&id()).unwrap(),
            organization_id: ours.id().clone(),
            provider: Provider::Google,
            name: "cupo@project.iam.gserviceaccount.com".to_owned(),
            ciphertext: b"sealed".to_vec(),
            created_at: at(0),
        };
        let mailbox = CalendarProviderAccount {
            auth_kind: AuthKind::ServiceAccount,
            impersonated_email: Some("ben@ours.example".to_owned()),
            credential_id: Some(credential.id.clone()),
            token_ciphertext: None,
            ..account(ours.id(), &ours.user.id, "ben@ours.example")
        };
        let named = EventTypeHost {
            organization_id: ours.id().clone(),
            event_type_id: ours.event_type.id.clone(),
            user_id: ours.user.id.clone(),
            schedule_id: ours.schedule.id.clone(),
            is_required: true,
            weight: 1,
            priority: 1,
            conflict_calendar_ids: Some(vec![ours.calendar.id.clone()]),
            target_calendar_id: None,
        };
        let channel = subscription(&ours, 600);
        let event = busy(&ours, &ours.calendar.id, "event", 0, 30);
        world
            .write(async |tx| {
                provider_credential_insert(tx, &credential).await?;
                account_insert(tx, &mailbox).await?;
                event_type_hosts_replace(tx, ours.id(), &ours.event_type.id, std::slice::from_ref(&named)).await?;
                subscription_insert(tx, &channel).await?;
                busy_interval_upsert(tx, &event, at(0)).await
            })
            .await
            .unwrap();
        let (calendar, user) = (&ours.calendar.id, &ours.user.id);
        world
            .write(async |tx| {
                assert!(provider_credential_get(tx, theirs, &credential.id).await?.is_none());
                assert!(provider_credential_list(tx, theirs).await?.is_empty());
                assert!(account_list_by_credential(tx, theirs, &credential.id).await?.is_empty());
                assert!(event_type_hosts_with_own_calendars(tx, theirs, user).await?.is_empty());
                assert!(busy_interval_list_all(tx, theirs, calendar, between(-1_000, 1_000)).await?.is_empty());
                let theme = Theme { radius: Some(3), ..Theme::default() };
                assert!(organization_set_theme(tx, theirs, &theme).await?);
                assert!(!provider_credential_update(tx, theirs, &credential.id, b"x").await?);
                assert!(!provider_credential_delete(tx, theirs, &credential.id).await?);
                assert!(!account_set_claims_challenge(tx, theirs, &mailbox.id, "{}", at(1)).await?);
                assert!(!subscription_extend(tx, theirs, &channel.id, at(9_000)).await?);
                assert!(!calendar_set_turn(tx, theirs, calendar, at(1)).await?);
                assert!(!calendar_set_reconciled(tx, theirs, calendar, at(1)).await?);
                assert_eq!(calendars_set_stale_told(tx, theirs, std::slice::from_ref(calendar), at(1)).await?, 0);
                // All of it is there for those whose it is.
                let ours = ours.id();
                assert_eq!(organization_get(tx, ours).await?.unwrap().theme, Theme::default());
                assert_eq!(organization_get(tx, theirs).await?.unwrap().theme, theme);
                assert_eq!(provider_credential_get(tx, ours, &credential.id).await?.unwrap().ciphertext, b"sealed");
                assert_eq!(account_list_by_credential(tx, ours, &credential.id).await?.len(), 1);
                assert_eq!(event_type_hosts_with_own_calendars(tx, ours, user).await?.len(), 1);
                assert_eq!(busy_interval_list_all(tx, ours, calendar, between(-1_000, 1_000)).await?.len(), 1);
                assert_eq!(subscription_get(tx, &channel.id).await?.unwrap().expires_at, channel.expires_at);
                Ok(())
            })
            .await
            .unwrap();
    }

    async fn another_tenant_finds_and_changes_nothing_of_work_and_history(world: World) {
        let (ours, other) = (world.tenant("ours").await, world.tenant("theirs").await);
        let theirs = other.id();
        let booked = appointment(&ours, 60);
        let entry = AuditEntry {
            id: AuditEntryId::parse(&id()).unwrap(),
            organization_id: ours.id().clone(),
            actor: "visitor".to_owned(),
            action: "appointment.booked".to_owned(),
            subject_kind: "appointment".to_owned(),
            subject_id: booked.id.to_string(),
            detail: serde_json::json!({}),
            at: at(0),
        };
        let claim = HistoryEntry {
            organization_id: ours.id().clone(),
            kind: HistoryKind::Claim,
            subject_id: ours.user.id.to_string(),
            record_id: booked.claim_id.to_string(),
            start_at: Some(at(60)),
            end_at: Some(at(90)),
            body: "{}".to_owned(),
            valid_from: at(0),
            valid_to: at(9),
        };
        let (waiting, failed) = (job(Some(ours.id()), Some("waiting"), 5), job(Some(ours.id()), Some("failed"), 0));
        let failed_id: &JobId = &failed.id;
        world
            .write(async |tx| {
                insert(tx, &booked).await?;
                mapping_upsert(tx, &mapping(&booked, &ours.calendar, "event")).await?;
                audit_insert(tx, &entry).await?;
                history_insert(tx, &claim).await?;
                job_enqueue(tx, &failed).await
            })
            .await
            .unwrap();
        let mut leasing = world.store.write_leases().await.unwrap();
        assert_eq!(job_lease(&mut leasing, at(1), "worker", chrono::TimeDelta::minutes(1), 9).await.unwrap().len(), 1);
        leasing.commit().await.unwrap();
        world.write(async |tx| job_bury(tx, failed_id, "worker", at(1), "no").await).await.unwrap();
        world.write(async |tx| job_enqueue(tx, &waiting).await).await.unwrap();
        let (calendar, user) = (&ours.calendar.id, &ours.user.id);
        world
            .write(async |tx| {
                assert!(audit_get(tx, theirs, &entry.id).await?.is_none());
                assert!(!claim_is_remembered(tx, theirs, user, &booked.claim_id).await?);
                assert!(!calendar_holds_appointments(tx, theirs, calendar, at(0)).await?);
                assert!(mapping_list_standing(tx, theirs, calendar, at(0)).await?.is_empty());
                assert!(mapping_list_known(tx, theirs, user, calendar, at(0)).await?.is_empty());
                assert!(appointment_list_upcoming_for_host(tx, theirs, user, at(0)).await?.is_empty());
                assert!(job_list_dead(tx, theirs, 100).await?.is_empty());
                assert_eq!(job_count_dead(tx, theirs).await?, 0);
                assert!(job_get_dead(tx, theirs, failed_id).await?.is_none());
                assert!(job_run_at(tx, theirs, "waiting").await?.is_none());
                assert_eq!(job_standing(tx, theirs, "failed").await?, JobStanding::default());
                assert!(!job_retry_dead(tx, theirs, failed_id, at(2)).await?);
                assert!(!job_discard(tx, theirs, failed_id).await?);
                assert_eq!(jobs_bring_forward(tx, theirs, "", at(0)).await?, 0);
                assert_eq!(organization_get(tx, theirs).await?.unwrap().id, *theirs);
                // All of it is there for those whose it is.
                let ours = ours.id();
                assert!(audit_get(tx, ours, &entry.id).await?.is_some());
                assert!(claim_is_remembered(tx, ours, user, &booked.claim_id).await?);
                assert!(calendar_holds_appointments(tx, ours, calendar, at(0)).await?);
                assert_eq!(mapping_list_standing(tx, ours, calendar, at(0)).await?.len(), 1);
                assert_eq!(mapping_list_known(tx, ours, user, calendar, at(0)).await?.len(), 1);
                assert_eq!(appointment_list_upcoming_for_host(tx, ours, user, at(0)).await?.len(), 1);
                assert_eq!((job_list_dead(tx, ours, 100).await?.len(), job_count_dead(tx, ours).await?), (1, 1));
                assert!(job_run_at(tx, ours, "waiting").await?.is_some());
                assert!(job_standing(tx, ours, "failed").await?.is_dead);
                Ok(())
            })
            .await
            .unwrap();
    }

    async fn another_tenant_finds_and_changes_nothing_of_what_is_compared_and_told(world: World) {
        let (ours, other) = (world.tenant("ours").await, world.tenant("theirs").await);
        let theirs = other.id();
        let booked = appointment(&ours, 60);
        world
            .write(async |tx| {
                insert(tx, &booked).await?;
                mapping_upsert(tx, &mapping(&booked, &ours.calendar, "event")).await?;
                busy_interval_upsert(tx, &busy(&ours, &ours.calendar.id, "dentist", 0, 30), at(0)).await?;
                job_enqueue(tx, &job(Some(ours.id()), Some("push:1"), 0)).await?;
                // What was a claim is history.
                crate::world::shift(tx, &booked, 500, 10).await.map(drop)
            })
            .await
            .unwrap();
        let (calendar_id, user_id) = (&ours.calendar.id, &ours.user.id);
        world
            .read(async |tx| {
                assert!(mapping_list_standing(tx, theirs, calendar_id, at(0)).await?.is_empty());
                assert!(appointment_list_upcoming_for_host(tx, theirs, user_id, at(0)).await?.is_empty());
                assert!(busy_interval_list_all(tx, theirs, calendar_id, between(0, 900)).await?.is_empty());
                assert!(!job_standing(tx, theirs, "push:1").await?.is_pending);
                assert!(!claim_is_remembered(tx, theirs, user_id, &booked.claim_id).await?);
                assert!(claim_is_remembered(tx, ours.id(), user_id, &booked.claim_id).await?, "it is there");
                Ok(())
            })
            .await;
        let (compared, told) = world
            .write(async |tx| {
                let compared = calendar_set_reconciled(tx, theirs, calendar_id, at(5)).await?;
                let ids = [calendar_id.clone()];
                Ok((compared, calendars_set_stale_told(tx, theirs, &ids, at(5)).await?))
            })
            .await
            .unwrap();
        assert_eq!((compared, told), (false, 0));
    }
}
