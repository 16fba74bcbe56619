//! Work that one process at a time does.

use chrono::{DateTime, Utc};
use cupo_store::*;
use futures::future::join_all;

use crate::world::{World, at, on_both};

const NAME: &str = "refresh:account";

async fn takes(world: &World, owner: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> bool {
    let mut tx = world.store.write_leases().await.unwrap();
    let taken = lease_take(&mut tx, NAME, owner, now, until).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

async fn holder(world: &World, now: DateTime<Utc>) -> Option<String> {
    world.read(async |tx| lease_get(tx, NAME, now).await).await.map(|lease| lease.owner)
}

on_both! {
    async fn a_lease_is_its_owners_until_it_ends(world: World) {
        assert!(takes(&world, "one", at(0), at(5)).await);
        assert!(!takes(&world, "other", at(4), at(9)).await);
        assert_eq!(holder(&world, at(4)).await.as_deref(), Some("one"));
        assert_eq!(holder(&world, at(5)).await, None);
        assert!(takes(&world, "other", at(5), at(9)).await);
        assert_eq!(holder(&world, at(5)).await.as_deref(), Some("other"));
    }

    async fn an_owner_moves_the_end_of_its_lease(world: World) {
        assert!(takes(&world, "one", at(0), at(5)).await);
        assert!(takes(&world, "one", at(4), at(9)).await);
        assert!(!takes(&world, "other", at(6), at(9)).await);
    }

    async fn a_lease_that_is_given_back_is_free_and_nobody_gives_back_anothers(world: World) {
        assert!(takes(&world, "one", at(0), at(5)).await);
        assert!(!world.write(async |tx| lease_release(tx, NAME, "other").await).await.unwrap());
        assert!(!takes(&world, "other", at(1), at(5)).await);
        assert!(world.write(async |tx| lease_release(tx, NAME, "one").await).await.unwrap());
        assert!(takes(&world, "other", at(1), at(5)).await);
    }

    async fn of_many_who_want_it_at_once_one_gets_it_and_none_fails(world: World) {
        let owners: Vec<String> = (0..12).map(|number| format!("owner-{number}")).collect();
        let taken = join_all(owners.iter().map(|owner| takes(&world, owner, at(0), at(5)))).await;
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    }

    async fn what_is_over_is_swept(world: World) {
        assert!(takes(&world, "one", at(0), at(5)).await);
        assert_eq!(world.write(async |tx| leases_delete_expired(tx, at(4)).await).await.unwrap(), 0);
        assert_eq!(world.write(async |tx| leases_delete_expired(tx, at(5)).await).await.unwrap(), 1);
        assert_eq!(world.write(async |tx| leases_delete_expired(tx, at(9)).await).await.unwrap(), 0);
    }
}
