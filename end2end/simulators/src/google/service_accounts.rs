//! Service accounts with domain-wide delegation: assertions by which they act for the users of their organisation.
//!
//! The guide "Using OAuth 2.0 for Server to Server Applications" describes the claims and the errors.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::oauth::{OauthError, token_answer};
use super::scopes;
use super::world::World;

/// The grant type of RFC 7523.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion may be good for, from `iat` to `exp`.
const LONGEST_LIFE: TimeDelta = TimeDelta::hours(1);
/// How far the two clocks may be apart.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// A service account, and what the administrator of an organisation delegated to it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Such as `cupo@project.iam.gserviceaccount.com`.
    pub client_email: String,
    /// By their ids (`kid`): public keys or certificates as PEM.
    pub public_keys: BTreeMap<String, String>,
    /// The organisation whose users it may act for; none without delegation.
    #[serde(default)]
    pub delegated_domain: Option<String>,
    /// The scopes that the delegation lists, in full.
    #[serde(default)]
    pub delegated_scopes: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    aud: Value,
    iat: i64,
    exp: i64,
}

const MISSING: OauthError = OauthError::bad_request("invalid_request", "Missing required parameter: assertion");
const MALFORMED: OauthError = OauthError::bad_request("invalid_grant", "Invalid JWT: it cannot be read.");
const UNKNOWN_ACCOUNT: OauthError = OauthError::bad_request("invalid_grant", "Invalid grant: account not found");
const UNKNOWN_USER: OauthError = OauthError::bad_request("invalid_grant", "Invalid email or User ID");
const BAD_SIGNATURE: OauthError = OauthError::bad_request("invalid_grant", "Invalid JWT Signature.");
const BAD_AUDIENCE: OauthError =
    OauthError::bad_request("invalid_grant", "Invalid JWT: Failed audience check. It must be the token endpoint.");
const BAD_TIMES: OauthError = OauthError::bad_request(
    "invalid_grant",
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and \
     exp values in the JWT claim.",
);
const NO_SCOPE: OauthError =
    OauthError::bad_request("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
const NOT_DELEGATED: OauthError = OauthError::unauthorized(
    "unauthorized_client",
    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the \
     scopes requested.",
);

impl ServiceAccount {
    /// Refuses an account whose keys cannot be used.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.client_email.contains('@'), "{:?} is no address", self.client_email);
        anyhow::ensure!(!self.public_keys.is_empty(), "the service account has no key");
        for (id, key) in &self.public_keys {
            anyhow::ensure!(DecodingKey::from_rsa_pem(key.as_bytes()).is_ok(), "the key {id} is no RSA public key");
        }
        if let Some(unknown) = self.delegated_scopes.iter().find(|scope| scopes::description(scope).is_none()) {
            anyhow::bail!("unknown scope {unknown}");
        }
        Ok(())
    }

    /// The claims of an assertion that one of the account's keys signed with RS256.
    fn verified(&self, assertion: &str, key_id: Option<&str>) -> Result<Claims, OauthError> {
        let mut validation = Validation::new(Algorithm::RS256);
        // The times and the audience are checked by the simulated clock and by the simulator's own address.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let named = self.public_keys.iter().filter(|(id, _)| key_id.is_none_or(|wanted| wanted == id.as_str()));
        for key in named.filter_map(|(_, pem)| DecodingKey::from_rsa_pem(pem.as_bytes()).ok()) {
            if let Ok(verified) = jsonwebtoken::decode::<Claims>(assertion, &key, &validation) {
                return Ok(verified.claims);
            }
        }
        Err(BAD_SIGNATURE)
    }

    /// Whether the administrator let this account act for `user` with all of `scopes`.
    fn is_delegated(&self, user: &str, scopes: &BTreeSet<String>) -> bool {
        let domain = user.rsplit('@').next();
        self.delegated_domain.as_deref().is_some_and(|delegated| domain == Some(delegated))
            && scopes.is_subset(&self.delegated_scopes)
    }
}

/// Answers an assertion with an access token for the user that it names, or for the service account itself.
/// `token_url` is the audience that it must have.
pub fn redeem(
    world: &mut World,
    form: &BTreeMap<String, String>,
    token_url: &str,
    now: DateTime<Utc>,
) -> Result<Value, OauthError> {
    let assertion = form.get("assertion").filter(|text| !text.is_empty()).ok_or(MISSING)?;
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| MALFORMED)?;
    // Who signed it decides which keys are tried; until then nothing of it is believed.
    let issuer = unverified_claims(assertion)?.iss;
    let account = world.service_accounts.get(&issuer).ok_or(UNKNOWN_ACCOUNT)?;
    let claims = account.verified(assertion, header.kid.as_deref())?;
    if claims.aud != token_url {
        return Err(BAD_AUDIENCE);
    }
    check_times(&claims, now)?;
    let asked = claims.scope.as_deref().unwrap_or_default().split_whitespace();
    let scopes: BTreeSet<String> = asked.map(str::to_owned).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| scopes::description(scope).is_none()) {
        return Err(NO_SCOPE);
    }
    let user = match claims.sub.map(|user| user.to_lowercase()).filter(|user| *user != issuer) {
        None => issuer.clone(),
        Some(user) if !account.is_delegated(&user, &scopes) => return Err(NOT_DELEGATED),
        Some(user) if !world.users.contains_key(&user) => return Err(UNKNOWN_USER),
        Some(user) => user,
    };
    let access_token = world.tokens.add_access_token(&issuer, &user, scopes.clone(), now);
    let mut answer = token_answer(&access_token, &scopes);
    // Beside an assertion Google answers no scope.
    if let Some(members) = answer.as_object_mut() {
        members.remove("scope");
    }
    Ok(answer)
}

fn unverified_claims(assertion: &str) -> Result<Claims, OauthError> {
    use base64::Engine as _;
    let payload = assertion.split('.').nth(1).ok_or(MALFORMED)?;
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).map_err(|_| MALFORMED)?;
    serde_json::from_slice(&json).map_err(|_| MALFORMED)
}

fn check_times(claims: &Claims, now: DateTime<Utc>) -> Result<(), OauthError> {
    let instant = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or(BAD_TIMES);
    let (issued, expires) = (instant(claims.iat)?, instant(claims.exp)?);
    let is_short = issued <= expires && expires - issued <= LONGEST_LIFE;
    let is_current = issued <= now + CLOCK_SKEW && now < expires;
    if is_short && is_current { Ok(()) } else { Err(BAD_TIMES) }
}

/// What the control API tells of an account.
pub fn to_json(account: &ServiceAccount) -> Value {
    json!({
        "client_email": account.client_email,
        "key_ids": account.public_keys.keys().collect::<Vec<_>>(),
        "delegated_domain": account.delegated_domain,
        "delegated_scopes": account.delegated_scopes,
    })
}
