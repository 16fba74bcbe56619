use cupo_core::interval::Interval;
use cupo_store::*;

use crate::world::{at, between, event_type, hold, on_both};

on_both! {
    async fn a_hold_is_listed_until_it_expires(world: World) {
        let tenant = world.tenant("acme").await;
        let (short, long) = (hold(&tenant, 60, 10), hold(&tenant, 200, 20));
        world
            .write(async |tx| {
                hold_insert(tx, &short, None).await?;
                hold_insert(tx, &long, None).await
            })
            .await
            .unwrap();
        let kept = async |range, now| -> Vec<_> {
            let holds =
                world.read(async |tx| hold_list(tx, tenant.id(), &tenant.user.id, range, at(now)).await).await;
            holds.into_iter().map(|hold| hold.claim).collect()
        };
        assert_eq!(kept(between(0, 600), 9).await, [short.claim, long.claim]);
        assert_eq!(kept(between(0, 600), 10).await, [long.claim]);
        assert_eq!(kept(between(99, 195), 0).await, [short.claim]);
        assert!(kept(between(100, 195), 0).await.is_empty());
        let found = world.read(async |tx| hold_get_by_token_hash(tx, &short.token_hash).await).await.unwrap();
        assert_eq!((found.id, found.start_at, found.end_at), (short.id.clone(), at(60), at(90)));
        assert_eq!((found.created_at, found.expires_at), (at(0), at(10)));
        assert_eq!(world.write(async |tx| hold_delete_expired(tx, at(10), 10).await).await.unwrap(), 1);
        assert!(world.read(async |tx| hold_get_by_token_hash(tx, &short.token_hash).await).await.is_none());
        assert!(world.write(async |tx| hold_delete(tx, tenant.id(), &long.id, at(11)).await).await.unwrap());
        assert!(!world.write(async |tx| hold_delete(tx, tenant.id(), &long.id, at(11)).await).await.unwrap());
    }

    async fn expired_holds_are_deleted_in_batches(world: World) {
        let tenant = world.tenant("acme").await;
        let holds: Vec<Hold> = (0..5).map(|number| hold(&tenant, 60 * (number + 1), number)).collect();
        world
            .write(async |tx| {
                for hold in &holds {
                    hold_insert(tx, hold, None).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let delete = async || world.write(async |tx| hold_delete_expired(tx, at(3), 3).await).await.unwrap();
        assert_eq!((delete().await, delete().await, delete().await), (3, 1, 0));
        let kept = world.read(async |tx| hold_get_by_token_hash(tx, &holds[4].token_hash).await).await;
        assert!(kept.is_some());
    }

    async fn a_hold_keeps_the_time_of_all_its_hosts_in_their_order(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let (carla, _) = world.member(&tenant, "carla@example.com").await;
        let mut together = hold(&tenant, 60, 10);
        together.host_user_ids = vec![carla.id.clone(), tenant.user.id.clone()];
        world.write(async |tx| hold_insert(tx, &together, None).await).await.unwrap();
        for (host, holds) in [(&carla, 1), (&tenant.user, 1), (&ben, 0)] {
            let kept =
                world.read(async |tx| hold_list(tx, tenant.id(), &host.id, between(0, 600), at(0)).await).await;
            assert_eq!(kept.len(), holds, "{}", host.email.as_str());
            assert!(kept.iter().all(|hold| hold.host_user_ids == together.host_user_ids));
        }
    }

    async fn a_claim_on_the_time_of_any_of_its_hosts_refuses_a_hold(world: World) {
        let tenant = world.tenant("acme").await;
        let (ben, _) = world.member(&tenant, "ben@example.com").await;
        let mut of_ben = crate::world::appointment(&tenant, 60);
        of_ben.host_user_id = ben.id.clone();
        let mut together = hold(&tenant, 60, 10);
        together.host_user_ids = vec![tenant.user.id.clone(), ben.id.clone()];
        world.write(async |tx| crate::world::insert(tx, &of_ben).await).await.unwrap();
        let keep = async |hold: &Hold| world.write(async |tx| hold_insert(tx, hold, None).await).await;
        assert!(matches!(keep(&together).await, Err(StoreError::ClaimTaken)));
        keep(&hold(&tenant, 60, 10)).await.unwrap();
    }

    async fn holds_of_an_event_type_are_listed_when_their_slots_start_in_the_range(world: World) {
        let tenant = world.tenant("acme").await;
        let mut elsewhere = tenant.clone();
        elsewhere.event_type = event_type(tenant.id(), &tenant.user.id, &tenant.schedule.id, "other");
        let (early, late, of_other) = (hold(&tenant, 60, 10), hold(&tenant, 105, 20), hold(&elsewhere, 60, 20));
        world
            .write(async |tx| {
                event_type_insert(tx, &elsewhere.event_type).await?;
                for hold in [&early, &late, &of_other] {
                    hold_insert(tx, hold, None).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let starts = async |range: Interval, now: i64| -> Vec<_> {
            let holds = world
                .read(async |tx| {
                    hold_list_of_event_type(tx, tenant.id(), &tenant.event_type.id, range, at(now)).await
                })
                .await;
            holds.into_iter().map(|hold| hold.start_at).collect()
        };
        assert_eq!(starts(between(0, 600), 0).await, [at(60), at(105)]);
        assert_eq!(starts(between(60, 105), 0).await, [at(60)]);
        assert_eq!(starts(between(0, 600), 10).await, [at(105)]);
    }
}
