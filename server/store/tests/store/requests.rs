//! Sites, idempotency keys, the inbox, consents and history.

use cupo_core::ids::{AuditEntryId, InboxMessageId, SiteId, SubscriptionId};
use cupo_core::parse::Origin;
use cupo_store::*;

use crate::world::{Tenant, at, id, on_both, taken};

fn site(tenant: &Tenant, name: &str, origins: &[&str], created: i64) -> Site {
    Site {
        id: SiteId::parse(&id()).unwrap(),
        organization_id: tenant.id().clone(),
        name: name.to_owned(),
        allowed_origins: origins.iter().map(|origin| Origin::parse(origin).unwrap()).collect(),
        created_at: at(created),
    }
}

fn answer(tenant: &Tenant, key: &str, created: i64) -> IdempotencyKey {
    IdempotencyKey {
        organization_id: tenant.id().clone(),
        key: key.to_owned(),
        request_hash: b"request".to_vec(),
        status: 201,
        body: r#"{"id":"a"}"#.to_owned(),
        created_at: at(created),
    }
}

on_both! {
    async fn the_origins_of_all_sites_are_gathered_once_each(world: World) {
        let tenant = world.tenant("acme").await;
        let (mut shop, blog) =
            (site(&tenant, "Shop", &["https://b.example"], 1), site(&tenant, "Blog", &["https://b.example", "https://a.example"], 2));
        world
            .write(async |tx| {
                site_insert(tx, &shop).await?;
                site_insert(tx, &blog).await
            })
            .await
            .unwrap();
        let origins = async || -> Vec<String> {
            let origins = world.read(async |tx| origins_of_organization(tx, tenant.id()).await).await;
            origins.into_iter().map(String::from).collect()
        };
        assert_eq!(origins().await, ["https://a.example", "https://b.example"]);
        shop.name = "Store".to_owned();
        shop.allowed_origins = vec![Origin::parse("https://c.example").unwrap()];
        assert!(world.write(async |tx| site_update(tx, &shop).await).await.unwrap());
        let sites = world.read(async |tx| site_list(tx, tenant.id()).await).await;
        assert_eq!(sites.iter().map(|site| site.name.as_str()).collect::<Vec<_>>(), ["Store", "Blog"]);
        assert!(world.write(async |tx| site_delete(tx, tenant.id(), &blog.id).await).await.unwrap());
        assert_eq!(origins().await, ["https://c.example"]);
    }

    async fn an_idempotency_key_keeps_its_first_answer(world: World) {
        let tenant = world.tenant("acme").await;
        let first = answer(&tenant, "key", 0);
        world.write(async |tx| idempotency_insert(tx, &first).await).await.unwrap();
        let mut second = first.clone();
        second.body = "another".to_owned();
        assert_eq!(taken(world.write(async |tx| idempotency_insert(tx, &second).await).await), "idempotency_key.key");
        let kept = world.read(async |tx| idempotency_get(tx, tenant.id(), "key").await).await.unwrap();
        assert_eq!((kept.status, kept.body, kept.request_hash), (201, first.body, first.request_hash));
    }

    async fn of_concurrent_requests_with_one_key_one_takes_effect(world: World) {
        let tenant = world.tenant("acme").await;
        let requests = (0..8).map(|number| {
            let mut request = answer(&tenant, "key", 0);
            request.body = number.to_string();
            let world = &world;
            async move { world.write(async |tx| idempotency_insert(tx, &request).await).await }
        });
        let outcomes = futures::future::join_all(requests).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Unique(_)))), "{outcomes:?}");
    }

    async fn old_answers_are_forgotten(world: World) {
        let tenant = world.tenant("acme").await;
        world
            .write(async |tx| {
                idempotency_insert(tx, &answer(&tenant, "old", 0)).await?;
                idempotency_insert(tx, &answer(&tenant, "new", 10)).await
            })
            .await
            .unwrap();
        assert_eq!(world.write(async |tx| idempotency_delete_before(tx, at(10), 10).await).await.unwrap(), 1);
        assert!(world.read(async |tx| idempotency_get(tx, tenant.id(), "old").await).await.is_none());
        assert!(world.read(async |tx| idempotency_get(tx, tenant.id(), "new").await).await.is_some());
    }

    async fn what_is_old_is_deleted_in_batches(world: World) {
        let tenant = world.tenant("acme").await;
        world
            .write(async |tx| {
                for number in 0..5 {
                    idempotency_insert(tx, &answer(&tenant, &format!("key-{number}"), number)).await?;
                    inbox_insert(
                        tx,
                        &InboxMessage {
                            id: InboxMessageId::parse(&id()).unwrap(),
                            organization_id: tenant.id().clone(),
                            subscription_id: SubscriptionId::parse(&id()).unwrap(),
                            dedupe_key: "1".to_owned(),
                            received_at: at(number),
                        },
                    )
                    .await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let mut deleted = Vec::new();
        for _ in 0..3 {
            let answers = world.write(async |tx| idempotency_delete_before(tx, at(4), 3).await).await.unwrap();
            let messages = world.write(async |tx| inbox_delete_before(tx, at(4), 3).await).await.unwrap();
            deleted.push((answers, messages));
        }
        assert_eq!(deleted, [(3, 3), (1, 1), (0, 0)]);
        assert!(world.read(async |tx| idempotency_get(tx, tenant.id(), "key-4").await).await.is_some());
    }

    async fn a_repeated_message_enters_the_inbox_once(world: World) {
        let tenant = world.tenant("acme").await;
        let subscription_id = SubscriptionId::parse(&id()).unwrap();
        let receive = async |dedupe_key: &str| {
            let message = InboxMessage {
                id: InboxMessageId::parse(&id()).unwrap(),
                organization_id: tenant.id().clone(),
                subscription_id: subscription_id.clone(),
                dedupe_key: dedupe_key.to_owned(),
                received_at: at(0),
            };
            world.write(async |tx| inbox_insert(tx, &message).await).await.unwrap()
        };
        assert!(receive("1").await);
        assert!(!receive("1").await);
        assert!(receive("2").await);
        assert_eq!(world.write(async |tx| inbox_delete_before(tx, at(0), 10).await).await.unwrap(), 0);
        assert_eq!(world.write(async |tx| inbox_delete_before(tx, at(1), 10).await).await.unwrap(), 2);
    }

    async fn a_consent_state_serves_once_and_only_in_time(world: World) {
        let tenant = world.tenant("acme").await;
        let state = |hash: &[u8], expires| OauthState {
            state_hash: hash.to_vec(),
            organization_id: tenant.id().clone(),
            user_id: tenant.user.id.clone(),
            provider: Provider::Google,
            session_token_hash: b"session".to_vec(),
            pkce_verifier_ciphertext: b"verifier".to_vec(),
            created_at: at(0),
            expires_at: at(expires),
        };
        world
            .write(async |tx| {
                oauth_state_insert(tx, &state(b"used", 10)).await?;
                oauth_state_insert(tx, &state(b"late", 5)).await
            })
            .await
            .unwrap();
        let take = async |hash: &[u8]| world.write(async |tx| oauth_state_take(tx, hash, at(5)).await).await.unwrap();
        let taken = take(b"used").await.unwrap();
        assert_eq!((taken.user_id, taken.session_token_hash), (tenant.user.id.clone(), b"session".to_vec()));
        assert_eq!(taken.pkce_verifier_ciphertext, b"verifier");
        assert!(take(b"used").await.is_none());
        assert!(take(b"late").await.is_none());
        assert_eq!(world.write(async |tx| oauth_states_delete_expired(tx, at(5), 10).await).await.unwrap(), 1);
    }

    async fn the_history_of_a_subject_is_told_in_order(world: World) {
        let tenant = world.tenant("acme").await;
        let entry = |action: &str, subject: &str, minute| AuditEntry {
            id: AuditEntryId::parse(&id()).unwrap(),
            organization_id: tenant.id().clone(),
            actor: "visitor".to_owned(),
            action: action.to_owned(),
            subject_kind: "appointment".to_owned(),
            subject_id: subject.to_owned(),
            detail: serde_json::json!({ "from": 1 }),
            at: at(minute),
        };
        world
            .write(async |tx| {
                audit_insert(tx, &entry("cancelled", "a", 9)).await?;
                audit_insert(tx, &entry("booked", "a", 1)).await?;
                audit_insert(tx, &entry("booked", "b", 2)).await
            })
            .await
            .unwrap();
        let history = world.read(async |tx| audit_list(tx, tenant.id(), "appointment", "a").await).await;
        assert_eq!(history.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["booked", "cancelled"]);
        assert_eq!(history[0].detail, serde_json::json!({ "from": 1 }));
    }
}
