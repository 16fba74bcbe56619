use chrono::TimeDelta;
use cupo_store::*;

use crate::world::{World, at, on_both};

async fn raise(world: &World, code: &str, detail: &str, minute: i64) -> OperatorAlert {
    world.write(async |tx| operator_alert_raise(tx, code, detail, at(minute)).await).await.unwrap()
}

on_both! {
    async fn an_alert_keeps_its_beginning_and_is_brought_up_to_date(world: World) {
        assert_eq!(raise(&world, "microsoft_client", "AADSTS7000215", 0).await.first_at, at(0));
        raise(&world, "google_client", "invalid_client", 5).await;
        raise(&world, "microsoft_client", "AADSTS7000222", 10).await;
        let listed = world.read(async |tx| operator_alert_list(tx).await).await;
        assert_eq!(listed.iter().map(|alert| alert.code.as_str()).collect::<Vec<_>>(), ["microsoft_client", "google_client"]);
        let expected = OperatorAlert {
            code: "microsoft_client".to_owned(),
            detail: "AADSTS7000222".to_owned(),
            first_at: at(0),
            last_at: at(10),
            told_at: None,
        };
        assert_eq!(listed[0], expected);
        let found = world.read(async |tx| operator_alert_get(tx, "microsoft_client").await).await;
        assert_eq!(found, Some(expected));
    }

    async fn the_operator_is_told_once_a_day_by_one_of_many(world: World) {
        raise(&world, "microsoft_client", "AADSTS7000222", 0).await;
        let tell = async |minute: i64| {
            let (now, before) = (at(minute), at(minute) - TimeDelta::days(1));
            world.write(async |tx| operator_alert_tell(tx, "microsoft_client", before, now).await).await.unwrap()
        };
        let told = futures::future::join_all((0..8).map(|_| tell(1))).await;
        assert_eq!(told.into_iter().filter(|told| *told).count(), 1);
        assert!(!tell(60).await);
        raise(&world, "microsoft_client", "AADSTS7000222", 61).await;
        assert!(!tell(62).await, "raising it again tells nobody");
        assert!(tell(24 * 60 + 1).await);
    }

    async fn an_alert_that_is_over_is_gone(world: World) {
        raise(&world, "microsoft_client", "AADSTS7000222", 0).await;
        let clear = async |tx: &mut Tx| operator_alert_clear(tx, "microsoft_client").await;
        assert!(world.write(clear).await.unwrap());
        assert!(!world.write(clear).await.unwrap());
        assert!(world.read(async |tx| operator_alert_list(tx).await).await.is_empty());
        let told = async |tx: &mut Tx| operator_alert_tell(tx, "microsoft_client", at(0), at(1)).await;
        assert!(!world.write(told).await.unwrap());
        assert_eq!(raise(&world, "microsoft_client", "AADSTS7000222", 9).await.first_at, at(9), "another one begins");
    }
}
