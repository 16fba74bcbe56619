use std::collections::HashMap;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::*;
use crate::transport::TransportConfig;

const KEY: &str = include_str!("../../../tests/keys/rsa-pkcs8.pem");
const CERTIFICATE: &str = include_str!("../../../tests/keys/certificate.pem");

fn oauth(tenant: &str, credential: ClientCredential) -> MicrosoftOauth {
    let url = |text: &str| Url::parse(text).unwrap();
    let client = MicrosoftClient {
        client_id: "client".into(),
        credential,
        tenant: tenant.into(),
        login_url: url("https://login.microsoftonline.com"),
        redirect_url: url("https://cupo.example/oauth/microsoft/callback"),
    };
    let now: DateTime<Utc> = "2026-11-02T09:00:00Z".parse().unwrap();
    MicrosoftOauth::new(Transport::new(TransportConfig::default()).unwrap(), client, Clock::new(move || now))
}

fn with_secret() -> MicrosoftOauth {
    oauth("common", ClientCredential::Secret(Secret::new("client-secret")))
}

fn id_token(claims: &Value) -> String {
    format!("e30.{}.signature", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn the_authorize_url_asks_for_the_minimal_scopes_with_pkce() {
    let challenge = PkceChallenge::s256(&Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    let url = with_secret().authorize_url("st/te", &challenge, None, None);
    assert!(url.as_str().starts_with("https://login.microsoftonline.com/common/oauth2/v2.0/authorize?"));
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("response_mode", "query"),
        ("client_id", "client"),
        ("redirect_uri", "https://cupo.example/oauth/microsoft/callback"),
        ("state", "st/te"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
        ("scope", "openid offline_access User.Read Calendars.ReadWrite"),
    ] {
        assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(query.len(), 9, "{url}");
    assert!(!url.as_str().contains("client-secret"));
}

#[test]
fn a_claims_challenge_goes_with_the_sign_in_of_the_same_person() {
    let challenge = PkceChallenge::s256(&Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    let claims = r#"{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}"#;
    let url = with_secret().authorize_url("s", &challenge, Some("ana@contoso.example"), Some(claims));
    let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(query.get("claims").map(String::as_str), Some(claims));
    assert_eq!(query.get("login_hint").map(String::as_str), Some("ana@contoso.example"));
    assert_eq!(query.get("prompt"), None);
}

#[test]
fn an_administrator_is_led_to_where_one_can_say_yes() {
    let address = |tenant: &str| {
        let oauth = oauth(tenant, ClientCredential::Secret(Secret::new("client-secret")));
        oauth.admin_consent_url().map(|url| url.to_string())
    };
    let asked = "v2.0/adminconsent?client_id=client&scope=https%3A%2F%2Fgraph.microsoft.com%2FUser.Read+\
                 https%3A%2F%2Fgraph.microsoft.com%2FCalendars.ReadWrite&\
                 redirect_uri=https%3A%2F%2Fcupo.example%2Foauth%2Fmicrosoft%2Fcallback";
    assert_eq!(address("common").unwrap(), format!("https://login.microsoftonline.com/organizations/{asked}"));
    assert_eq!(
        address("contoso.example").unwrap(),
        format!("https://login.microsoftonline.com/contoso.example/{asked}")
    );
    assert_eq!(address("consumers"), None);
}

#[test]
fn a_grant_is_read_with_its_rotated_refresh_token() {
    let body = json!({
        "token_type": "Bearer", "scope": "https://graph.microsoft.com/Calendars.ReadWrite profile openid email",
        "expires_in": 4711, "ext_expires_in": 4711, "access_token": "a", "refresh_token": "r",
        "id_token": id_token(&json!({"tid": "72f988bf-86f1-41af-91ab-2d7cd011db47"})),
    });
    let grant = read_grant(body.to_string().as_bytes()).unwrap();
    assert!(grant.access_token.matches("a") && grant.refresh_token.unwrap().matches("r"));
    assert_eq!((grant.expires_in, grant.is_personal), (Duration::from_secs(4711), false));
    assert_eq!(missing_scopes(&grant.scopes), ["User.Read"]);
}

#[test]
fn scopes_are_compared_without_their_resource_and_case() {
    let granted = ["openid", "user.read", "https://graph.microsoft.com/Calendars.ReadWrite"].map(str::to_owned);
    assert!(missing_scopes(&granted).is_empty());
    assert_eq!(missing_scopes(&["Calendars.Read".to_owned()]), REQUIRED_SCOPES);
}

#[test]
fn a_personal_account_is_known_by_the_tenant_of_its_id_token() {
    let grant = |id_token: Option<String>| {
        read_grant(json!({"access_token": "a", "id_token": id_token}).to_string().as_bytes()).unwrap()
    };
    assert!(grant(Some(id_token(&json!({"tid": PERSONAL_TENANT})))).is_personal);
    for other in [None, Some(String::new()), Some("a.b.c".into()), Some(id_token(&json!({})))] {
        assert!(!grant(other).is_personal);
    }
}

#[test]
fn an_answer_without_a_token_is_refused_and_not_quoted() {
    let told = read_grant(br#"{"access_token": 5, "refresh_token": "hush"}"#).unwrap_err();
    assert_eq!(told, OauthError::Rejected("field `access_token` cannot be read".into()));
    assert!(matches!(read_grant(b"<html>"), Err(OauthError::Transient(_))));
}

#[test]
fn a_certificate_signs_an_assertion_for_the_token_endpoint() {
    let credential = ClientCredential::Certificate {
        certificate: Certificate::from_pem(CERTIFICATE).unwrap(),
        key: SigningKey::from_pem(KEY).unwrap(),
    };
    let oauth = oauth("contoso.example", credential.clone());
    let ClientCredential::Certificate { certificate, key } = &credential else { unreachable!() };
    let assertion = oauth.assertion(&oauth.endpoint("token"), certificate, key);
    let public = DecodingKey::from_rsa_pem(CERTIFICATE.as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::PS256);
    validation.validate_exp = false;
    validation.set_audience(&["https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"]);
    let read = jsonwebtoken::decode::<Value>(assertion.expose(), &public, &validation).unwrap();
    assert_eq!(read.header.x5t_s256.as_deref(), Some(certificate.thumbprint()));
    let claims = read.claims;
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client"), &json!("client")));
    let now = 1_793_610_000;
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 300)));
    let again = oauth.assertion(&oauth.endpoint("token"), certificate, key);
    assert_ne!(again.expose(), assertion.expose(), "each has a `jti` of its own");
}

#[tokio::test]
async fn application_access_needs_one_tenant() {
    let told = with_secret().application_token().await.unwrap_err();
    assert!(matches!(told, OauthError::InvalidClient(_)), "{told:?}");
}
