use cupo_store::*;

use crate::world::{at, between, hold, on_both};

on_both! {
    async fn a_hold_is_listed_until_it_expires(world: World) {
        let tenant = world.tenant("acme").await;
        let (short, long) = (hold(&tenant, 60, 10), hold(&tenant, 200, 20));
        world
            .write(async |tx| {
                hold_insert(tx, &short).await?;
                hold_insert(tx, &long).await
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
        assert_eq!((found.id, found.start_at, found.expires_at), (short.id.clone(), at(60), at(10)));
        assert_eq!(world.write(async |tx| hold_delete_expired(tx, at(10)).await).await.unwrap(), 1);
        assert!(world.read(async |tx| hold_get_by_token_hash(tx, &short.token_hash).await).await.is_none());
        assert!(world.write(async |tx| hold_delete(tx, tenant.id(), &long.id).await).await.unwrap());
        assert!(!world.write(async |tx| hold_delete(tx, tenant.id(), &long.id).await).await.unwrap());
    }
}
