//! Connecting a Microsoft account, from the consent page to the end of the grant.

use std::collections::HashMap;

use cupo_providers::jwt::{Certificate, SigningKey};
use cupo_providers::microsoft::oauth::{ClientCredential, missing_scopes, refused};
use cupo_providers::oauth::{PkceChallenge, pkce_verifier};
use cupo_providers::{Access, CalendarProvider, OauthError, ProviderError, ReauthReason, Secret, Target};
use cupo_simulators::microsoft::{
    CONTOSO_TENANT, Client, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Fault, MicrosoftOptions, SignInFault,
};
use url::{Url, form_urlencoded};

use crate::microsoft_world::{ANA, CARLA, MicrosoftWorld};

/// `account` decides on the consent page; the query of the callback.
async fn consent(authorize_url: &Url, account: &str, decision: &str) -> HashMap<String, String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("request", authorize_url.query().unwrap());
    form.append_pair("account", account).append_pair("decision", decision);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut page = authorize_url.clone();
    page.set_query(None);
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

fn key_pair() -> ClientCredential {
    ClientCredential::Certificate {
        certificate: Certificate::from_pem(include_str!("../keys/certificate.pem")).unwrap(),
        key: SigningKey::from_pem(include_str!("../keys/rsa-pkcs8.pem")).unwrap(),
    }
}

fn with_certificate() -> MicrosoftOptions {
    let mut options = MicrosoftOptions::default();
    options.clients[0].certificates.push(include_str!("../keys/certificate.pem").into());
    options
}

#[tokio::test]
async fn a_host_connects_and_each_refresh_brings_another_refresh_token() {
    let world = MicrosoftWorld::start().await;
    let oauth = world.oauth();
    for (account, is_personal) in [(ANA, false), (CARLA, true)] {
        let verifier = pkce_verifier([7; 32]);
        let url = oauth.authorize_url("the state", &PkceChallenge::s256(&verifier), None, None);
        let callback = consent(&url, account, "allow").await;
        assert_eq!(callback["state"], "the state");

        let grant = oauth.exchange(&callback["code"], &verifier).await.unwrap();
        assert_eq!(missing_scopes(&grant.scopes), Vec::<&str>::new());
        assert_eq!(grant.is_personal, is_personal);
        let refresh_token = grant.refresh_token.expect("offline access brings a refresh token");
        let access = Access::bearer("account", grant.access_token);
        assert_eq!(world.microsoft.me(&access).await.unwrap().email, account);

        let again = oauth.refresh(&refresh_token).await.unwrap();
        assert_eq!(again.is_personal, is_personal);
        assert!(!again.refresh_token.unwrap().matches(refresh_token.expose()));
        assert!(missing_scopes(&again.scopes).is_empty());
        world.microsoft.list_calendars(&Access::bearer("account", again.access_token)).await.unwrap();
    }
}

#[tokio::test]
async fn a_host_who_cancels_or_needs_an_administrator_comes_back_with_an_error() {
    let mut options = MicrosoftOptions::default();
    options.users[1].admin_consent_needed = true;
    let bound = options.users[1].email.clone();
    let world = MicrosoftWorld::with(options).await;
    let url = world.oauth().authorize_url("s", &PkceChallenge::s256(&pkce_verifier([7; 32])), None, None);
    let told = async |account: &str, decision: &str| {
        let callback = consent(&url, account, decision).await;
        refused(&callback["error"], callback.get("error_description").map(String::as_str))
    };
    assert!(matches!(told(ANA, "cancel").await, OauthError::Denied(_)));
    assert_eq!(told(&bound, "allow").await, OauthError::ConsentNeeded("AADSTS90094".into()));
}

#[tokio::test]
async fn a_code_needs_its_verifier_and_is_good_once() {
    let world = MicrosoftWorld::start().await;
    let oauth = world.oauth();
    let verifier = pkce_verifier([7; 32]);
    let url = oauth.authorize_url("s", &PkceChallenge::s256(&verifier), None, None);
    let stolen = consent(&url, ANA, "allow").await;
    let refused = oauth.exchange(&stolen["code"], &pkce_verifier([8; 32])).await;
    assert!(matches!(refused, Err(OauthError::InvalidGrant(_))), "{refused:?}");
    let callback = consent(&url, ANA, "allow").await;
    oauth.exchange(&callback["code"], &verifier).await.unwrap();
    let twice = oauth.exchange(&callback["code"], &verifier).await;
    assert!(matches!(twice, Err(OauthError::InvalidGrant(_))), "{twice:?}");
}

#[tokio::test]
async fn a_claims_challenge_is_met_by_a_sign_in_with_the_claims() {
    let world = MicrosoftWorld::start().await;
    let claims = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
    world.simulator.require_claims(ANA, Some(claims)).unwrap();
    let Err(ProviderError::Reauth(ReauthReason::ClaimsChallenge(demanded))) = world.microsoft.me(&world.access).await
    else {
        panic!("no challenge");
    };
    let oauth = world.oauth();
    let verifier = pkce_verifier([7; 32]);
    let url = oauth.authorize_url("s", &PkceChallenge::s256(&verifier), Some(ANA), Some(&demanded));
    let callback = consent(&url, ANA, "allow").await;
    let grant = oauth.exchange(&callback["code"], &verifier).await.unwrap();
    world.microsoft.me(&Access::bearer("account", grant.access_token)).await.unwrap();
}

#[tokio::test]
async fn a_dead_grant_is_final_and_is_asked_for_once() {
    let world = MicrosoftWorld::start().await;
    let tokens = world.simulator.issue_tokens(ANA, &["User.Read", "Calendars.ReadWrite"]).unwrap();
    let refresh = async || world.oauth().refresh(&Secret::new(tokens.refresh_token.as_str())).await.map(|_| ());
    world.simulator.expire_refresh_tokens(ANA);
    assert_eq!(refresh().await, Err(OauthError::InvalidGrant("AADSTS700082".into())));
    world.simulator.revoke(ANA);
    world.simulator.clear_exchanges();
    let dead = refresh().await;
    assert!(matches!(dead, Err(OauthError::InvalidGrant(_))), "{dead:?}");
    assert_eq!(world.simulator.exchanges().len(), 1);
}

#[tokio::test]
async fn an_expired_or_wrong_client_secret_is_the_operators_fault() {
    let world = MicrosoftWorld::start().await;
    let tokens = world.simulator.issue_tokens(ANA, &["Calendars.ReadWrite"]).unwrap();
    let refresh_token = Secret::new(tokens.refresh_token);
    let wrong = world.oauth_as("common", ClientCredential::Secret(Secret::new("wrong")));
    let told = wrong.refresh(&refresh_token).await.unwrap_err();
    assert_eq!(told, OauthError::InvalidClient("AADSTS7000215".into()));
    assert!(matches!(ProviderError::from(told), ProviderError::OperatorNeeded(_)));
    world.simulator.add_client(Client {
        client_id: DEMO_CLIENT_ID.into(),
        client_secret: Some(DEMO_CLIENT_SECRET.into()),
        secret_expired: true,
        ..Client::default()
    });
    let told = world.oauth().refresh(&refresh_token).await.unwrap_err();
    assert_eq!(told, OauthError::InvalidClient("AADSTS7000222".into()));
}

#[tokio::test]
async fn a_policy_that_demands_more_asks_the_host() {
    let world = MicrosoftWorld::start().await;
    let tokens = world.simulator.issue_tokens(ANA, &["Calendars.ReadWrite"]).unwrap();
    let fault = SignInFault { code: 50076, ..SignInFault::default() };
    world.fault(Fault { path_pattern: Some("/token".into()), sign_in_error: Some(fault), ..Fault::default() });
    let told = world.oauth().refresh(&Secret::new(tokens.refresh_token)).await.unwrap_err();
    assert_eq!(told, OauthError::InvalidGrant("AADSTS50076".into()));
}

#[tokio::test]
async fn a_refresh_outlives_a_passing_fault_and_an_exchange_is_not_repeated() {
    let world = MicrosoftWorld::start().await;
    let oauth = world.oauth();
    let tokens = world.simulator.issue_tokens(ANA, &["User.Read", "Calendars.ReadWrite"]).unwrap();
    let passing = || Fault { path_pattern: Some("/token".into()), status: Some(503), ..Fault::default() };
    world.fault(passing());
    oauth.refresh(&Secret::new(tokens.refresh_token)).await.unwrap();
    world.fault(passing());
    world.simulator.clear_exchanges();
    let told = oauth.exchange("a code", &pkce_verifier([7; 32])).await;
    assert!(matches!(told, Err(OauthError::Transient(_))), "{told:?}");
    assert_eq!(world.simulator.exchanges().len(), 1);
}

#[tokio::test]
async fn an_application_opens_the_mailboxes_that_it_was_given_by_secret_or_by_certificate() {
    let world = MicrosoftWorld::with(with_certificate()).await;
    for credential in [ClientCredential::Secret(Secret::new(DEMO_CLIENT_SECRET)), key_pair()] {
        let grant = world.oauth_as(CONTOSO_TENANT, credential).application_token().await.unwrap();
        assert!(grant.refresh_token.is_none());
        let access = Access::bearer("application", grant.access_token).to(Target::Mailbox(ANA.into()));
        assert!(!world.microsoft.list_calendars(&access).await.unwrap().is_empty());
    }
    // Of another organization, whose administrator has not installed the application.
    let elsewhere = world.oauth_as("00000000-0000-4000-8000-000000000001", key_pair()).application_token().await;
    assert!(matches!(elsewhere, Err(OauthError::ConsentNeeded(_) | OauthError::InvalidClient(_))), "{elsewhere:?}");
}

#[tokio::test]
async fn a_host_is_refreshed_by_certificate_and_a_certificate_that_is_not_registered_is_the_operators_fault() {
    let world = MicrosoftWorld::with(with_certificate()).await;
    let tokens = world.simulator.issue_tokens(ANA, &["User.Read", "Calendars.ReadWrite"]).unwrap();
    let refresh_token = Secret::new(tokens.refresh_token);
    world.oauth_as("common", key_pair()).refresh(&refresh_token).await.unwrap();
    let bare = MicrosoftWorld::start().await;
    let told = bare.oauth_as("common", key_pair()).refresh(&refresh_token).await.unwrap_err();
    assert!(matches!(told, OauthError::InvalidClient(_)), "{told:?}");
}
