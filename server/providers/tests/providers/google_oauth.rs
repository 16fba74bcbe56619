//! Connecting an account, from the consent page to the end of the grant.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use cupo_providers::google::oauth::{REQUIRED_SCOPES, missing_scopes};
use cupo_providers::oauth::{PkceChallenge, pkce_verifier};
use cupo_providers::{Access, CalendarProvider, OauthError, Secret};
use cupo_simulators::google::Fault;
use url::{Url, form_urlencoded};

use crate::world::{ANA, World};

/// Ana ticks `scopes` on the consent page (all of them unticked: she cancels); the query of the callback.
async fn consent(authorize_url: &Url, scopes: &[&str]) -> HashMap<String, String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("request", authorize_url.query().unwrap()).append_pair("account", ANA);
    form.append_pair("decision", if scopes.is_empty() { "cancel" } else { "allow" });
    for scope in scopes {
        form.append_pair("scope", scope);
    }
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = authorize_url.join("/o/oauth2/v2/auth/consent").unwrap();
    let answer = browser
        .post(page)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish())
        .send()
        .await
        .unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_host_connects_refreshes_and_disconnects() {
    let world = World::start().await;
    let oauth = world.oauth();
    let verifier = pkce_verifier([7; 32]);
    let url = oauth.authorize_url("the state", &PkceChallenge::s256(&verifier), Some(ANA));
    let callback = consent(&url, &REQUIRED_SCOPES).await;
    assert_eq!(callback["state"], "the state");

    let grant = oauth.exchange(&callback["code"], &verifier).await.unwrap();
    assert_eq!(missing_scopes(&grant.scopes), Vec::<&str>::new());
    let refresh_token = grant.refresh_token.expect("offline access with consent brings a refresh token");
    let token = Access::bearer("ana", grant.access_token);
    world.google.list_calendars(&token).await.unwrap();

    let again = oauth.refresh(&refresh_token).await.unwrap();
    assert!(!again.access_token.matches(token.token().unwrap().expose()));
    world.google.list_calendars(&Access::bearer("ana", again.access_token)).await.unwrap();

    oauth.revoke(&refresh_token).await.unwrap();
    oauth.revoke(&refresh_token).await.unwrap();
    let dead = oauth.refresh(&refresh_token).await;
    assert!(matches!(dead, Err(OauthError::InvalidGrant(_))), "{dead:?}");
}

#[tokio::test]
async fn a_scope_that_the_host_unticked_is_missing() {
    let world = World::start().await;
    let oauth = world.oauth();
    let verifier = pkce_verifier([7; 32]);
    let url = oauth.authorize_url("s", &PkceChallenge::s256(&verifier), None);
    let callback = consent(&url, &REQUIRED_SCOPES[..2]).await;
    let grant = oauth.exchange(&callback["code"], &verifier).await.unwrap();
    assert_eq!(missing_scopes(&grant.scopes), [REQUIRED_SCOPES[2]]);
}

#[tokio::test]
async fn a_host_who_cancels_comes_back_with_an_error() {
    let world = World::start().await;
    let url = world.oauth().authorize_url("s", &PkceChallenge::s256(&pkce_verifier([7; 32])), None);
    assert_eq!(consent(&url, &[]).await["error"], "access_denied");
}

#[tokio::test]
async fn a_code_needs_its_verifier_and_is_good_once() {
    let world = World::start().await;
    let oauth = world.oauth();
    let verifier = pkce_verifier([7; 32]);
    let url = oauth.authorize_url("s", &PkceChallenge::s256(&verifier), None);
    let stolen = consent(&url, &REQUIRED_SCOPES).await;
    let refused = oauth.exchange(&stolen["code"], &pkce_verifier([8; 32])).await;
    assert!(matches!(refused, Err(OauthError::InvalidGrant(_))), "{refused:?}");

    let callback = consent(&url, &REQUIRED_SCOPES).await;
    oauth.exchange(&callback["code"], &verifier).await.unwrap();
    let twice = oauth.exchange(&callback["code"], &verifier).await;
    assert!(matches!(twice, Err(OauthError::InvalidGrant(_))), "{twice:?}");
}

#[tokio::test]
async fn a_revoked_grant_is_final_and_is_asked_for_once() {
    let world = World::start().await;
    let tokens = world.simulator.issue_tokens(ANA, &REQUIRED_SCOPES).unwrap();
    world.simulator.revoke(ANA);
    world.simulator.clear_exchanges();
    let dead = world.oauth().refresh(&Secret::new(tokens.refresh_token)).await;
    assert_eq!(dead.unwrap_err(), OauthError::InvalidGrant("invalid_grant".into()));
    assert_eq!(world.simulator.exchanges().len(), 1);
}

#[tokio::test]
async fn access_for_a_time_tells_its_end_and_ends_then() {
    let world = World::start().await;
    world.simulator.set_grant_lifetime(Some(TimeDelta::days(7)));
    let oauth = world.oauth();
    let verifier = pkce_verifier([7; 32]);
    let url = oauth.authorize_url("s", &PkceChallenge::s256(&verifier), None);
    let callback = consent(&url, &REQUIRED_SCOPES).await;
    let grant = oauth.exchange(&callback["code"], &verifier).await.unwrap();
    let (ends, week) = (grant.refresh_expires_in.unwrap(), Duration::from_secs(7 * 24 * 3600));
    assert!(ends <= week && ends > week - Duration::from_secs(60), "{ends:?}");
    let refresh_token = grant.refresh_token.unwrap();
    oauth.refresh(&refresh_token).await.unwrap();
    world.simulator.clock().advance(TimeDelta::days(8));
    let ended = oauth.refresh(&refresh_token).await;
    assert_eq!(ended.unwrap_err(), OauthError::InvalidGrant("invalid_grant".into()));
}

#[tokio::test]
async fn a_scope_that_the_administrator_restricts_ends_the_grant() {
    let world = World::start().await;
    let tokens = world.simulator.issue_tokens(ANA, &REQUIRED_SCOPES).unwrap();
    world.simulator.restrict_scopes(ANA, &REQUIRED_SCOPES[..1]);
    let dead = world.oauth().refresh(&Secret::new(tokens.refresh_token)).await;
    assert_eq!(dead.unwrap_err(), OauthError::InvalidGrant("invalid_grant".into()));
}

#[tokio::test]
async fn a_wrong_client_secret_is_the_operators_fault() {
    let world = World::start().await;
    let tokens = world.simulator.issue_tokens(ANA, &REQUIRED_SCOPES).unwrap();
    let refused = world.oauth_as("expired").refresh(&Secret::new(tokens.refresh_token)).await;
    assert!(matches!(refused, Err(OauthError::InvalidClient(_))), "{refused:?}");
}

#[tokio::test]
async fn a_refresh_outlives_a_passing_fault_and_an_exchange_is_not_repeated() {
    let world = World::start().await;
    let oauth = world.oauth();
    let tokens = world.simulator.issue_tokens(ANA, &REQUIRED_SCOPES).unwrap();
    let passing = || Fault { path_pattern: Some("/token".into()), status: Some(503), ..Fault::default() };
    world.simulator.add_fault(passing()).unwrap();
    oauth.refresh(&Secret::new(tokens.refresh_token)).await.unwrap();

    world.simulator.add_fault(passing()).unwrap();
    world.simulator.clear_exchanges();
    let told = oauth.exchange("a code", &pkce_verifier([7; 32])).await;
    assert!(matches!(told, Err(OauthError::Transient(_))), "{told:?}");
    assert_eq!(world.simulator.exchanges().len(), 1);
}
