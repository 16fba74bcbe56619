use cupo_store::*;

use crate::world::{Tenant, at, on_both, subscription};

on_both! {
    async fn a_replayed_or_overtaken_notification_is_refused(world: World) {
        let tenant = world.tenant("acme").await;
        let channel = subscription(&tenant, 600);
        world.write(async |tx| subscription_insert(tx, &channel).await).await.unwrap();
        let advance = async |number| {
            world.write(async |tx| subscription_advance_message(tx, &channel.id, number).await).await.unwrap()
        };
        assert!(advance(1).await);
        assert!(!advance(1).await);
        assert!(advance(7).await);
        assert!(!advance(6).await);
        let stored = world.read(async |tx| subscription_get(tx, &channel.id).await).await.unwrap();
        assert_eq!(stored.last_message_number, 7);
        assert_eq!((stored.token_hash, stored.resource_id), (channel.token_hash, channel.resource_id));
    }

    async fn one_notification_delivered_many_times_at_once_counts_once(world: World) {
        let tenant = world.tenant("acme").await;
        let channel = subscription(&tenant, 600);
        world.write(async |tx| subscription_insert(tx, &channel).await).await.unwrap();
        let deliveries = (0..8).map(|_| async {
            world.write(async |tx| subscription_advance_message(tx, &channel.id, 5).await).await.unwrap()
        });
        let counted = futures::future::join_all(deliveries).await.into_iter().filter(|new| *new).count();
        assert_eq!(counted, 1);
    }

    async fn subscriptions_are_found_by_calendar_account_and_expiry(world: World) {
        let tenant = world.tenant("acme").await;
        let (early, late) = (subscription(&tenant, 100), subscription(&tenant, 200));
        world
            .write(async |tx| {
                subscription_insert(tx, &early).await?;
                subscription_insert(tx, &late).await
            })
            .await
            .unwrap();
        let ids = |found: Vec<ProviderSubscription>| found.into_iter().map(|found| found.id).collect::<Vec<_>>();
        let by_calendar =
            world.read(async |tx| subscription_list_by_calendar(tx, tenant.id(), &tenant.calendar.id).await).await;
        assert_eq!(ids(by_calendar), [late.id.clone(), early.id.clone()]);
        let by_account =
            world.read(async |tx| subscription_list_by_account(tx, tenant.id(), &tenant.account.id).await).await;
        assert_eq!(ids(by_account), [late.id.clone(), early.id.clone()]);
        let expiring = async |before| ids(world.read(async |tx| subscriptions_expiring(tx, at(before)).await).await);
        assert!(expiring(99).await.is_empty());
        assert_eq!(expiring(100).await, std::slice::from_ref(&early.id));
        let extend = async |of: &Tenant, until| {
            world.write(async |tx| subscription_extend(tx, of.id(), &early.id, at(until)).await).await.unwrap()
        };
        let other = world.tenant("other").await;
        assert!(!extend(&other, 900).await, "another organization's");
        assert!(extend(&tenant, 150).await);
        assert!(expiring(149).await.is_empty());
        assert_eq!(expiring(150).await, std::slice::from_ref(&early.id));
        assert!(world.write(async |tx| subscription_delete(tx, tenant.id(), &early.id).await).await.unwrap());
        assert!(!world.write(async |tx| subscription_delete(tx, tenant.id(), &early.id).await).await.unwrap());
        assert_eq!(expiring(200).await, std::slice::from_ref(&late.id));
    }

    async fn many_subscriptions_are_found_at_once(world: World) {
        let tenant = world.tenant("acme").await;
        let channels: Vec<_> = (0..150).map(|_| subscription(&tenant, 600)).collect();
        world
            .write(async |tx| {
                for channel in &channels {
                    subscription_insert(tx, channel).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let stranger = subscription(&tenant, 600).id;
        // One, as many as one statement takes, one more, and all.
        for count in [0, 1, 2, 64, 65, 129, 150] {
            let mut ids: Vec<_> = channels[..count].iter().map(|channel| channel.id.clone()).collect();
            let expected = ids.clone();
            ids.push(stranger.clone());
            let mut found: Vec<_> = world
                .read(async |tx| subscription_list_by_ids(tx, &ids).await)
                .await
                .into_iter()
                .map(|found| found.id)
                .collect();
            found.sort_unstable();
            assert_eq!(found, expected);
        }
        assert!(world.read(async |tx| subscription_list_by_ids(tx, &[]).await).await.is_empty());
    }
}
