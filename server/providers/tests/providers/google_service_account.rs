//! A service account that acts for the users of a domain.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_providers::google::oauth::REQUIRED_SCOPES;
use cupo_providers::google::service_account::{GoogleServiceAccount, ServiceAccountKey};
use cupo_providers::{Access, CalendarProvider, Expected, OauthError, Transport, TransportConfig};
use cupo_simulators::google::{Fault, ServiceAccount};
use serde_json::json;

use crate::world::{ANA, World, appointment_event};

const ROBOT: &str = "cupo@project.iam.gserviceaccount.com";
const KEY: &str = include_str!("../keys/rsa-pkcs8.pem");
const OTHER_KEY: &str = include_str!("../keys/rsa-other.pem");
const CERTIFICATE: &str = include_str!("../keys/certificate.pem");

/// A world in which the administrator of example.com has delegated `scopes`.
async fn delegated(scopes: &[&str]) -> World {
    let world = World::start().await;
    delegate(&world, scopes);
    world.simulator.clear_exchanges();
    world
}

fn delegate(world: &World, scopes: &[&str]) {
    let account = ServiceAccount {
        client_email: ROBOT.into(),
        public_keys: BTreeMap::from([("key-1".into(), CERTIFICATE.into())]),
        delegated_domain: Some("example.com".into()),
        delegated_scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect::<BTreeSet<_>>(),
    };
    world.simulator.add_service_account(account).unwrap();
}

fn robot(world: &World) -> GoogleServiceAccount {
    robot_with(world, ROBOT, KEY)
}

fn robot_with(world: &World, email: &str, private_key: &str) -> GoogleServiceAccount {
    let file = json!({
        "type": "service_account", "client_email": email, "private_key": private_key, "private_key_id": "key-1",
        "client_id": "104711", "token_uri": "https://oauth2.googleapis.com/token",
    });
    let token_url = format!("{}/token", world.simulator.base_url().trim_end_matches('/')).parse().unwrap();
    let key = ServiceAccountKey::parse(&file.to_string()).unwrap();
    GoogleServiceAccount::new(Transport::new(TransportConfig::default()).unwrap(), token_url, key)
}

fn now(world: &World) -> DateTime<Utc> {
    world.simulator.clock().now()
}

#[tokio::test]
async fn a_service_account_reads_and_writes_the_calendar_of_a_user_who_never_consented() {
    let world = delegated(&REQUIRED_SCOPES).await;
    let grant = robot(&world).token_for(ANA, now(&world)).await.unwrap();
    assert!(grant.refresh_token.is_none());
    assert_eq!(grant.scopes, REQUIRED_SCOPES);
    assert!(grant.expires_in > std::time::Duration::from_secs(3_000));
    assert_eq!(world.simulator.exchanges().len(), 1);
    let access = Access::bearer("account", grant.access_token);
    let calendars = world.google.list_calendars(&access).await.unwrap();
    assert!(calendars.iter().any(|calendar| calendar.id == ANA && calendar.is_primary));
    world.google.put_event(&access, ANA, &appointment_event(), Expected::Create).await.unwrap();
    assert_eq!(robot(&world).missing_delegation(ANA, now(&world)).await, Ok(Vec::new()));
}

#[tokio::test]
async fn the_scopes_that_are_not_delegated_are_named() {
    let world = delegated(&REQUIRED_SCOPES[..1]).await;
    let told = robot(&world).token_for(ANA, now(&world)).await.unwrap_err();
    assert_eq!(told, OauthError::ConsentNeeded("unauthorized_client".into()));
    assert_eq!(robot(&world).missing_delegation(ANA, now(&world)).await.unwrap(), REQUIRED_SCOPES[1..]);
    delegate(&world, &REQUIRED_SCOPES);
    robot(&world).token_for(ANA, now(&world)).await.unwrap();
}

#[tokio::test]
async fn users_of_another_domain_are_not_delegated_and_unknown_ones_are_not_there() {
    let world = delegated(&REQUIRED_SCOPES).await;
    let told = robot(&world).missing_delegation("ana@elsewhere.example", now(&world)).await.unwrap();
    assert_eq!(told, REQUIRED_SCOPES);
    let told = robot(&world).token_for("nobody@example.com", now(&world)).await.unwrap_err();
    assert_eq!(told, OauthError::InvalidGrant("invalid_grant".into()));
    let told = robot(&world).missing_delegation("nobody@example.com", now(&world)).await.unwrap_err();
    assert_eq!(told, OauthError::InvalidGrant("invalid_grant".into()));
}

#[tokio::test]
async fn a_key_that_is_not_accepted_and_a_clock_that_is_wrong_are_the_operators() {
    let world = delegated(&REQUIRED_SCOPES).await;
    let refused = OauthError::InvalidClient("invalid_grant".into());
    let told = robot_with(&world, ROBOT, OTHER_KEY).token_for(ANA, now(&world)).await;
    assert_eq!(told.unwrap_err(), refused);
    let deleted = robot_with(&world, "deleted@project.iam.gserviceaccount.com", KEY);
    assert_eq!(deleted.token_for(ANA, now(&world)).await.unwrap_err(), refused);
    let told = robot(&world).token_for(ANA, now(&world) - TimeDelta::hours(2)).await;
    assert_eq!(told.unwrap_err(), refused);
}

#[tokio::test]
async fn a_passing_fault_is_waited_out() {
    let world = delegated(&REQUIRED_SCOPES).await;
    let fault = Fault { path_pattern: Some("/token".into()), status: Some(503), ..Fault::default() };
    world.simulator.add_fault(fault).unwrap();
    robot(&world).token_for(ANA, now(&world)).await.unwrap();
    assert_eq!(world.simulator.exchanges().len(), 2);
}
