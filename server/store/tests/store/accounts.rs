use cupo_core::ids::OrganizationId;
use cupo_store::*;

use crate::world::{
    World, account, appointment, at, between, busy, calendar, host, insert, mapping, on_both, subscription, taken,
};

async fn account_of(world: &World, account: &CalendarProviderAccount) -> CalendarProviderAccount {
    world.read(async |tx| account_get(tx, &account.organization_id, &account.id).await).await.unwrap()
}

on_both! {
    async fn an_account_is_read_as_it_was_written(world: World) {
        let tenant = world.tenant("acme").await;
        let stored = account_of(&world, &tenant.account).await;
        assert_eq!(stored.scopes, ["calendar.events", "calendar.readonly"]);
        assert_eq!(stored.token_ciphertext.as_deref(), Some(&b"token-ciphertext"[..]));
        assert_eq!((stored.provider, stored.auth_kind), (Provider::Google, AuthKind::UserOauth));
        let by_email = world
            .read(async |tx| {
                account_get_by_email(tx, tenant.id(), &tenant.user.id, Provider::Google, "acme@example.com").await
            })
            .await;
        assert_eq!(by_email.unwrap().id, tenant.account.id);
        let listed = world.read(async |tx| account_list(tx, tenant.id(), &tenant.user.id).await).await;
        assert_eq!(listed.len(), 1);
    }

    async fn a_mailbox_is_connected_once_per_user(world: World) {
        let tenant = world.tenant("acme").await;
        let again = account(tenant.id(), &tenant.user.id, "acme@example.com");
        assert_eq!(
            taken(world.write(async |tx| account_insert(tx, &again).await).await),
            "calendar_provider_account.email"
        );
    }

    async fn of_two_token_refreshes_the_first_wins(world: World) {
        let tenant = world.tenant("acme").await;
        let account = &tenant.account;
        let refresh = async |token: &[u8]| {
            world
                .write(async |tx| {
                    account_update_token(tx, tenant.id(), &account.id, 1, token, &["one".to_owned()], at(5)).await
                })
                .await
                .unwrap()
        };
        assert!(refresh(b"first").await);
        assert!(!refresh(b"second").await);
        let stored = account_of(&world, account).await;
        assert_eq!(stored.token_ciphertext.as_deref(), Some(&b"first"[..]));
        assert_eq!((stored.token_version, stored.scopes, stored.updated_at), (2, vec!["one".to_owned()], at(5)));
    }

    async fn concurrent_token_refreshes_have_one_winner(world: World) {
        let tenant = world.tenant("acme").await;
        let refreshes = (0..8u8).map(|number| {
            let (world, tenant) = (&world, &tenant);
            async move {
                world
                    .write(async |tx| {
                        account_update_token(tx, tenant.id(), &tenant.account.id, 1, &[number], &[], at(5)).await
                    })
                    .await
                    .unwrap()
            }
        });
        let won = futures::future::join_all(refreshes).await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
        assert_eq!(account_of(&world, &tenant.account).await.token_version, 2);
    }

    async fn an_account_that_needs_a_new_consent_is_no_longer_active(world: World) {
        let tenant = world.tenant("acme").await;
        assert_eq!(world.read(async |tx| account_list_active(tx).await).await.len(), 1);
        world
            .write(async |tx| {
                let (state, reason) = (AccountState::ReconnectNeeded, Some("invalid_grant"));
                account_update_state(tx, tenant.id(), &tenant.account.id, state, reason, at(1)).await
            })
            .await
            .unwrap();
        assert!(world.read(async |tx| account_list_active(tx).await).await.is_empty());
        let stored = account_of(&world, &tenant.account).await;
        assert_eq!((stored.state, stored.state_reason.as_deref()), (AccountState::ReconnectNeeded, Some("invalid_grant")));
        let turns = world.read(async |tx| calendars_due_for_poll(tx, at(100), at(100), 10).await).await;
        assert_eq!(turns.iter().map(|turn| turn.is_reachable).collect::<Vec<_>>(), [false]);
    }

    async fn an_account_that_is_connected_anew_forgets_why_it_had_to_be(world: World) {
        let tenant = world.tenant("acme").await;
        let id = &tenant.account.id;
        world
            .write(async |tx| {
                let (state, reason) = (AccountState::ReconnectNeeded, Some("claims_challenge"));
                account_update_state(tx, tenant.id(), id, state, reason, at(1)).await?;
                account_set_claims_challenge(tx, tenant.id(), id, r#"{"access_token":{}}"#, at(1)).await
            })
            .await
            .unwrap();
        let waiting = account_of(&world, &tenant.account).await;
        assert_eq!(waiting.claims_challenge.as_deref(), Some(r#"{"access_token":{}}"#));
        let anew = CalendarProviderAccount {
            auth_kind: AuthKind::Password,
            scopes: Vec::new(),
            token_ciphertext: Some(b"anew".to_vec()),
            ..waiting
        };
        let reconnect = async |tx: &mut Tx| account_reconnect(tx, &anew, at(2)).await;
        assert!(world.write(reconnect).await.unwrap());
        let stored = account_of(&world, &tenant.account).await;
        assert_eq!((stored.state, stored.state_reason, stored.claims_challenge), (AccountState::Active, None, None));
        assert_eq!((stored.auth_kind, stored.scopes.len(), stored.updated_at), (AuthKind::Password, 0, at(2)));
        assert_eq!((stored.token_version, stored.token_ciphertext.as_deref()), (2, Some(&b"anew"[..])));
        assert!(!world.write(reconnect).await.unwrap(), "its version is an old one by now");
    }

    async fn a_deleted_account_takes_its_calendars_along_and_leaves_the_mappings(world: World) {
        let tenant = world.tenant("acme").await;
        let (appointment, calendar) = (appointment(&tenant, 60), &tenant.calendar);
        let channel = subscription(&tenant, 600);
        world
            .write(async |tx| {
                insert(tx, &appointment).await?;
                mapping_upsert(tx, &mapping(&appointment, calendar, "event")).await?;
                busy_interval_upsert(tx, &busy(&tenant, &calendar.id, "event", 0, 30), at(0)).await?;
                subscription_insert(tx, &channel).await?;
                account_delete(tx, tenant.id(), &tenant.account.id).await
            })
            .await
            .unwrap();
        let ids = [calendar.id.clone()];
        assert!(world.read(async |tx| calendar_get(tx, tenant.id(), &calendar.id).await).await.is_none());
        assert!(world.read(async |tx| busy_interval_list(tx, tenant.id(), &ids, between(0, 60)).await).await.is_empty());
        assert!(world.read(async |tx| subscription_get(tx, &channel.id).await).await.is_none());
        assert!(world.read(async |tx| mapping_get(tx, tenant.id(), &appointment.claim_id).await).await.is_some());
        assert!(!world.write(async |tx| account_delete(tx, tenant.id(), &tenant.account.id).await).await.unwrap());
    }

    async fn listing_a_calendar_anew_keeps_the_users_choices_and_the_sync(world: World) {
        let tenant = world.tenant("acme").await;
        let id = &tenant.calendar.id;
        world
            .write(async |tx| {
                assert!(calendar_set_choices(tx, tenant.id(), id, false, false, true, false).await?);
                calendar_update_sync(tx, tenant.id(), id, Some("cursor"), Some(at(1)), Some(at(2)), Some("slow")).await
            })
            .await
            .unwrap();
        let mut listed = calendar(&tenant.account, "primary");
        listed.name = "Renamed".to_owned();
        listed.can_write = false;
        let stored = world.write(async |tx| calendar_upsert(tx, &listed).await).await.unwrap();
        assert_eq!((&stored.id, stored.name.as_str(), stored.can_write), (id, "Renamed", false));
        assert_eq!((stored.checks_conflicts, stored.receives_events), (false, false));
        assert_eq!((stored.tentative_blocks, stored.unanswered_blocks), (true, false));
        assert_eq!((stored.sync_cursor.as_deref(), stored.synced_at), (Some("cursor"), Some(at(1))));
        assert_eq!((stored.mirror_until, stored.sync_error.as_deref()), (Some(at(2)), Some("slow")));
        let calendars = world.read(async |tx| calendar_list_by_account(tx, tenant.id(), &tenant.account.id).await).await;
        assert_eq!(calendars.len(), 1);
    }

    async fn a_user_has_one_calendar_that_receives_events(world: World) {
        let tenant = world.tenant("acme").await;
        let second = calendar(&tenant.account, "team");
        world.write(async |tx| calendar_upsert(tx, &second).await).await.unwrap();
        let choose = async |receives_first: bool| {
            world
                .write(async |tx| {
                    calendar_set_choices(tx, tenant.id(), &tenant.calendar.id, true, receives_first, true, true).await?;
                    calendar_set_choices(tx, tenant.id(), &second.id, true, true, true, true).await
                })
                .await
        };
        assert_eq!(taken(choose(true).await), "calendar.user_id");
        assert!(choose(false).await.unwrap());
        let calendars = world.read(async |tx| calendar_list_by_user(tx, tenant.id(), &tenant.user.id).await).await;
        let receiving: Vec<_> = calendars.iter().map(|c| (c.external_id.as_str(), c.receives_events)).collect();
        assert_eq!(receiving, [("primary", false), ("team", true)]);
    }

    async fn a_calendar_whose_turn_has_come_says_whether_it_is_used(world: World) {
        let tenant = world.tenant("acme").await;
        let (fresh, unused) = (calendar(&tenant.account, "fresh"), calendar(&tenant.account, "unused"));
        world
            .write(async |tx| {
                calendar_upsert(tx, &fresh).await?;
                calendar_upsert(tx, &unused).await?;
                calendar_set_choices(tx, tenant.id(), &unused.id, false, false, true, true).await
            })
            .await
            .unwrap();
        let used = async |now| -> Vec<String> {
            let turns = world.read(async |tx| calendars_due_for_poll(tx, at(0), at(now), 10).await).await;
            assert!(turns.iter().all(|turn| turn.is_reachable && turn.provider == Provider::Google));
            turns.into_iter().filter(|turn| turn.is_used).map(|turn| turn.calendar.external_id).collect()
        };
        assert_eq!(used(50).await, ["primary", "fresh"]);
        let booked = appointment(&tenant, 100);
        world
            .write(async |tx| {
                insert(tx, &booked).await?;
                mapping_upsert(tx, &mapping(&booked, &unused, "event")).await
            })
            .await
            .unwrap();
        let holds = async |now| {
            world.read(async |tx| calendar_holds_appointments(tx, tenant.id(), &unused.id, at(now)).await).await
        };
        assert!(holds(50).await && !holds(1000).await);
        assert_eq!(used(50).await.len(), 3, "an appointment's event is followed wherever it stands");
        assert_eq!(used(1000).await.len(), 2);
        world.write(async |tx| mapping_mark_deleted(tx, tenant.id(), &booked.claim_id, at(1)).await).await.unwrap();
        assert!(!holds(50).await);
        assert!(world.write(async |tx| calendar_delete(tx, tenant.id(), &fresh.id).await).await.unwrap());
        assert_eq!(used(50).await, ["primary"]);
    }

    async fn a_calendar_that_an_event_type_names_is_used(world: World) {
        let tenant = world.tenant("acme").await;
        let (target, checked) = (calendar(&tenant.account, "target"), calendar(&tenant.account, "checked"));
        world
            .write(async |tx| {
                for named in [&target, &checked] {
                    calendar_upsert(tx, named).await?;
                    calendar_set_choices(tx, tenant.id(), &named.id, false, false, true, true).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let used = async || {
            let turns = world.read(async |tx| calendars_due_for_poll(tx, at(0), at(0), 10).await).await;
            turns.into_iter().filter(|turn| turn.is_used).count()
        };
        assert_eq!(used().await, 1);
        let named = EventTypeHost {
            target_calendar_id: Some(target.id.clone()),
            conflict_calendar_ids: Some(vec![checked.id.clone()]),
            ..host(&tenant.event_type, &tenant.user.id, &tenant.schedule.id)
        };
        let (organization, event_type) = (tenant.id(), &tenant.event_type.id);
        let name = async |tx: &mut Tx| {
            event_type_hosts_replace(tx, organization, event_type, std::slice::from_ref(&named)).await
        };
        world.write(name).await.unwrap();
        assert_eq!(used().await, 3);
    }

    async fn turns_come_in_order_and_no_more_at_once_than_asked_for(world: World) {
        let tenant = world.tenant("acme").await;
        let names = ["b", "a", "c"];
        let calendars = names.map(|name| calendar(&tenant.account, name));
        let channels = [subscription(&tenant, 700), subscription(&tenant, 600)];
        world
            .write(async |tx| {
                for (minute, calendar) in (1..).zip(&calendars) {
                    calendar_upsert(tx, calendar).await?;
                    assert!(calendar_set_turn(tx, tenant.id(), &calendar.id, at(minute)).await?);
                }
                for channel in &channels {
                    subscription_insert(tx, channel).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let turns = async |until, limit| {
            let turns = world.read(async |tx| calendars_due_for_poll(tx, at(until), at(0), limit).await).await;
            turns.into_iter().map(|turn| (turn.calendar.external_id, turn.channel_until)).collect::<Vec<_>>()
        };
        let without = |name: &str| (name.to_owned(), None);
        let first = ("primary".to_owned(), Some(at(700)));
        assert_eq!(turns(2, 10).await, [first.clone(), without("b"), without("a")], "whoever had no turn yet is first");
        assert_eq!(turns(9, 2).await, [first, without("b")]);
        let other = world.tenant("other").await;
        let set = async |organization: &OrganizationId| {
            world.write(async |tx| calendar_set_turn(tx, organization, &tenant.calendar.id, at(3)).await).await.unwrap()
        };
        assert!(!set(other.id()).await, "another organization's");
        assert!(set(tenant.id()).await);
        assert_eq!(turns(2, 10).await.len(), 3);
    }
}
