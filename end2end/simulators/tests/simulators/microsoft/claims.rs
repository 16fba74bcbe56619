use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cupo_simulators::microsoft::Fault;

use crate::microsoft::sign_in;
use crate::microsoft::world::{ANA, World};

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1795161600"}}}"#;

fn challenged(header: &str) -> String {
    assert!(header.contains("error=\"insufficient_claims\""), "{header}");
    let (_, rest) = header.split_once("claims=\"").unwrap();
    let encoded = rest.split('"').next().unwrap();
    String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
}

#[tokio::test]
async fn a_claims_challenge_ends_when_the_person_signs_in_with_the_claims() {
    let mut world = World::start().await;
    world.simulator.require_claims(ANA, Some(CLAIMS)).unwrap();
    let answer = world.get("/me/calendar").await;
    let claims = challenged(answer.headers["www-authenticate"].to_str().unwrap());
    assert_eq!(claims, CLAIMS);
    answer.refused(401, "InvalidAuthenticationToken");
    let code = sign_in::code(&world, "common", &[]).await;
    world.token = sign_in::redeem(&world, "common", &code).await.ok()["access_token"].as_str().unwrap().to_owned();
    world.get("/me/calendar").await.refused(401, "InvalidAuthenticationToken");
    let written_otherwise = CLAIMS.replace(':', ": ");
    let code = sign_in::code(&world, "common", &[("claims", &written_otherwise)]).await;
    world.token = sign_in::redeem(&world, "common", &code).await.ok()["access_token"].as_str().unwrap().to_owned();
    world.get("/me/calendar").await.ok();
    world.simulator.require_claims(ANA, None).unwrap();
    assert!(world.simulator.require_claims("nobody@contoso.example", None).is_err());
}

#[tokio::test]
async fn a_claims_challenge_can_come_once_by_command() {
    let world = World::start().await;
    world.simulator.add_fault(Fault { claims_challenge: Some(CLAIMS.to_owned()), ..Fault::default() }).unwrap();
    let answer = world.get("/me/calendar").await;
    assert_eq!(challenged(answer.headers["www-authenticate"].to_str().unwrap()), CLAIMS);
    world.get("/me/calendar").await.ok();
}
