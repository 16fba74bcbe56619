//! Applications of their own: client credentials by secret and by certificate, and which mailboxes they open.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cupo_simulators::microsoft::{ApplicationAccess, CONTOSO_TENANT, Client};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::microsoft::world::{ANA, Answer, BEN, World, all, intro, with};

const KEY: &str = include_str!("../../keys/service-account.pem");
const CERTIFICATE: &str = include_str!("../../keys/application.certificate.pem");
const OTHER_KEY: &str = include_str!("../../keys/another.pem");
const OTHER_CERTIFICATE: &str = include_str!("../../keys/another.certificate.pem");
const DEFAULT: &str = "https://graph.microsoft.com/.default";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn der(certificate: &str) -> Vec<u8> {
    let lines = certificate.lines().filter(|line| !line.starts_with("-----"));
    STANDARD.decode(lines.collect::<String>()).unwrap()
}

/// A world in which `certified` has a certificate and may open Ana's mailbox.
async fn certified() -> World {
    let world = World::start().await;
    world.simulator.add_client(Client {
        client_id: "certified".to_owned(),
        certificates: vec![CERTIFICATE.to_owned()],
        application: Some(ApplicationAccess {
            tenant: CONTOSO_TENANT.to_owned(),
            permissions: vec!["Calendars.ReadWrite".to_owned()],
            mailboxes: vec![ANA.to_owned()],
        }),
        ..Client::default()
    });
    world
}

fn claims(world: &World, id: &str) -> Value {
    let now = world.simulator.clock().now().timestamp();
    json!({
        "iss": "certified", "sub": "certified", "jti": id, "nbf": now, "exp": now + 600,
        "aud": format!("{}/{CONTOSO_TENANT}/oauth2/v2.0/token", world.simulator.base_url()),
    })
}

fn header(algorithm: Algorithm, certificate: &str) -> Header {
    let mut header = Header::new(algorithm);
    header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(der(certificate))));
    header
}

async fn assert_with(world: &World, header: &Header, claims: &Value, key: &str) -> Answer {
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    let assertion = jsonwebtoken::encode(header, claims, &key).unwrap();
    let form = [
        ("client_id", "certified"),
        ("grant_type", "client_credentials"),
        ("scope", DEFAULT),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &assertion),
    ];
    world.token_as(CONTOSO_TENANT, &form).await
}

#[tokio::test]
async fn a_secret_opens_the_mailboxes_that_the_administrator_listed() {
    let mut world = World::start().await;
    let form = [("grant_type", "client_credentials"), ("scope", DEFAULT)];
    let granted = world.token(CONTOSO_TENANT, &form).await.ok();
    assert!(granted.get("refresh_token").is_none() && granted.get("id_token").is_none());
    world.token = granted["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/users/{BEN}")).await.ok()["mail"], BEN);
    world.post(&format!("/users/{BEN}/events"), intro()).await.ok();
    let events = world.get(&format!("/users/{BEN}/events")).await.ok();
    assert_eq!(all(&events, "subject"), ["Intro"]);
    let schedule = json!({
        "schedules": [BEN],
        "startTime": { "dateTime": "2026-11-23T09:00:00", "timeZone": "UTC" },
        "endTime": { "dateTime": "2026-11-23T10:00:00", "timeZone": "UTC" },
    });
    let told = world.post(&format!("/users/{ANA}/calendar/getSchedule"), schedule).await.ok();
    assert_eq!(told["value"][0]["availabilityView"], "22");
    world.get("/me").await.refused(400, "BadRequest");
    world.get("/me/events").await.refused(400, "BadRequest");
    world.get("/users/carla@outlook.example/events").await.refused(404, "ErrorInvalidUser");
}

#[tokio::test]
async fn a_mailbox_that_is_not_listed_stays_closed() {
    let mut world = certified().await;
    let token = assert_with(&world, &header(Algorithm::RS256, CERTIFICATE), &claims(&world, "1"), KEY).await.ok();
    world.token = token["access_token"].as_str().unwrap().to_owned();
    world.get(&format!("/users/{ANA}/calendars")).await.ok();
    world.get(&format!("/users/{BEN}/calendars")).await.refused(403, "ErrorAccessDenied");
    world.get(&format!("/users/{ANA}")).await.refused(403, "Authorization_RequestDenied");
}

#[tokio::test]
async fn an_application_token_can_be_issued_without_the_endpoint() {
    let mut world = World::start().await;
    world.token = world.simulator.issue_application_token().unwrap();
    world.get(&format!("/users/{ANA}/calendar")).await.ok();
}

#[tokio::test]
async fn an_assertion_is_verified_by_either_algorithm_and_thumbprint() {
    let world = certified().await;
    for (id, algorithm) in [("rs", Algorithm::RS256), ("ps", Algorithm::PS256)] {
        assert_with(&world, &header(algorithm, CERTIFICATE), &claims(&world, id), KEY).await.ok();
    }
    let mut by_sha1 = Header::new(Algorithm::PS256);
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &der(CERTIFICATE));
    by_sha1.x5t = Some(URL_SAFE_NO_PAD.encode(digest));
    assert_with(&world, &by_sha1, &claims(&world, "sha1"), KEY).await.ok();
}

#[tokio::test]
async fn an_assertion_that_is_not_what_it_must_be_is_refused() {
    let world = certified().await;
    let good = header(Algorithm::RS256, CERTIFICATE);
    let other = header(Algorithm::RS256, OTHER_CERTIFICATE);
    let now = world.simulator.clock().now().timestamp();
    let base = claims(&world, "a");
    let cases = [
        (&good, base.clone(), OTHER_KEY, 700_027, "signed by another key"),
        (&other, base.clone(), OTHER_KEY, 700_027, "a certificate that is not registered"),
        (&Header::new(Algorithm::RS256), base.clone(), KEY, 700_027, "no thumbprint"),
        (&good, with(base.clone(), json!({ "iss": "cupo-demo" })), KEY, 700_021, "another issuer"),
        (&good, with(base.clone(), json!({ "sub": "cupo-demo" })), KEY, 700_021, "another subject"),
        (&good, with(base.clone(), json!({ "aud": "https://elsewhere.example" })), KEY, 700_023, "another audience"),
        (&good, with(base.clone(), json!({ "exp": now - 600, "nbf": now - 1200 })), KEY, 700_024, "expired"),
        (&good, with(base.clone(), json!({ "nbf": now + 600, "exp": now + 1200 })), KEY, 700_024, "not yet"),
        (&good, with(base.clone(), json!({ "jti": "" })), KEY, 50_027, "without an id"),
    ];
    for (header, claims, key, code, what) in cases {
        let refused = assert_with(&world, header, &claims, key).await;
        assert_eq!(refused.reason(), format!("invalid_client {code}"), "{what}");
        assert_eq!(refused.status, 401, "{what}");
    }
    assert_with(&world, &good, &base, KEY).await.ok();
    assert_with(&world, &good, &base, KEY).await.refused(401, "invalid_client 50027");
}

#[tokio::test]
async fn client_credentials_need_one_tenant_its_consent_and_the_default_scope() {
    let world = World::start().await;
    let form = |scope| [("grant_type", "client_credentials"), ("scope", scope)];
    world.token("common", &form(DEFAULT)).await.refused(400, "invalid_request 9001023");
    world.token("organizations", &form(DEFAULT)).await.refused(400, "invalid_request 50059");
    let narrow = "https://graph.microsoft.com/Calendars.ReadWrite";
    world.token(CONTOSO_TENANT, &form(narrow)).await.refused(400, "invalid_scope 1002012");
    let stranger =
        Client { client_id: "stranger".to_owned(), client_secret: Some("s".to_owned()), ..Client::default() };
    world.simulator.add_client(stranger);
    let credentials = [("client_id", "stranger"), ("client_secret", "s")];
    let form = [credentials.as_slice(), &form(DEFAULT)].concat();
    world.token_as(CONTOSO_TENANT, &form).await.refused(400, "unauthorized_client 7000229");
}
