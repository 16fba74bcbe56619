use cupo_core::ids::{AppointmentId, BookingLinkId};
use cupo_store::*;

use crate::world::{Tenant, at, id, on_both, taken};

fn link(tenant: &Tenant, created: i64, expires: Option<i64>) -> BookingLink {
    let id = id();
    BookingLink {
        organization_id: tenant.id().clone(),
        event_type_id: tenant.event_type.id.clone(),
        token_hash: id.as_bytes().to_vec(),
        created_by: tenant.user.id.clone(),
        created_at: at(created),
        expires_at: expires.map(at),
        used_at: None,
        appointment_id: None,
        id: BookingLinkId::parse(&id).unwrap(),
    }
}

on_both! {
    async fn a_booking_link_is_found_by_its_token_and_listed_the_latest_first(world: World) {
        let tenant = world.tenant("acme").await;
        let (first, second) = (link(&tenant, 1, Some(60)), link(&tenant, 2, None));
        world
            .write(async |tx| {
                booking_link_insert(tx, &first).await?;
                booking_link_insert(tx, &second).await
            })
            .await
            .unwrap();
        let by_token = async |hash: &[u8]| world.read(async |tx| booking_link_get_by_token_hash(tx, hash).await).await;
        let found = by_token(&first.token_hash).await.unwrap();
        assert_eq!((&found.id, &found.event_type_id, &found.organization_id), (&first.id, &tenant.event_type.id, tenant.id()));
        assert_eq!((found.created_by, found.created_at, found.expires_at), (tenant.user.id.clone(), at(1), Some(at(60))));
        assert!(by_token(b"guessed").await.is_none());
        let listed = async || -> Vec<_> {
            let links =
                world.read(async |tx| booking_link_list(tx, tenant.id(), &tenant.event_type.id).await).await;
            links.into_iter().map(|link| link.id).collect()
        };
        assert_eq!(listed().await, [second.id.clone(), first.id.clone()]);
        let mut again = link(&tenant, 3, None);
        again.token_hash = first.token_hash.clone();
        assert_eq!(taken(world.write(async |tx| booking_link_insert(tx, &again).await).await), "booking_link.token_hash");
        let remove = async || world.write(async |tx| booking_link_delete(tx, tenant.id(), &second.id).await).await.unwrap();
        assert!(remove().await);
        assert!(!remove().await);
        assert_eq!(listed().await, [first.id]);
    }

    async fn a_booking_link_is_used_once_and_only_in_time(world: World) {
        let tenant = world.tenant("acme").await;
        let (open, short) = (link(&tenant, 0, None), link(&tenant, 0, Some(60)));
        world
            .write(async |tx| {
                booking_link_insert(tx, &open).await?;
                booking_link_insert(tx, &short).await
            })
            .await
            .unwrap();
        let appointment_id = AppointmentId::parse(&id()).unwrap();
        let spend = async |link: &BookingLink, now: i64| {
            world
                .write(async |tx| booking_link_use(tx, tenant.id(), &link.id, &appointment_id, at(now)).await)
                .await
                .unwrap()
        };
        assert!(!spend(&short, 60).await);
        assert!(spend(&short, 59).await);
        assert!(spend(&open, 100_000).await);
        assert!(!spend(&open, 100_000).await);
        let used = world.read(async |tx| booking_link_get_by_token_hash(tx, &open.token_hash).await).await.unwrap();
        assert_eq!((used.used_at, used.appointment_id), (Some(at(100_000)), Some(appointment_id.clone())));
    }

    async fn of_concurrent_bookings_by_one_link_one_uses_it(world: World) {
        let tenant = world.tenant("acme").await;
        let link = link(&tenant, 0, None);
        world.write(async |tx| booking_link_insert(tx, &link).await).await.unwrap();
        let bookings = (0..8).map(|_| async {
            let appointment_id = AppointmentId::parse(&id()).unwrap();
            world
                .write(async |tx| booking_link_use(tx, tenant.id(), &link.id, &appointment_id, at(1)).await)
                .await
                .unwrap()
        });
        let used = futures::future::join_all(bookings).await.into_iter().filter(|used| *used).count();
        assert_eq!(used, 1);
    }
}
