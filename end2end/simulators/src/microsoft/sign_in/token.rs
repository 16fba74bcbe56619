//! `POST /{tenant}/oauth2/v2.0/token`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use serde_json::{Value, json};

use super::super::options::Client;
use super::super::simulation::Microsoft;
use super::super::world::World;
use super::assertion::{self, Audience};
use super::error::SignInError;
use super::tenant::Tenant;
use super::tokens::{ACCESS_TOKEN_LIFETIME, Grant};
use super::{id_token, scopes};
use crate::oauth::basic_credentials;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request to the token endpoint, with what it stands among.
struct Request<'a> {
    form: BTreeMap<String, String>,
    /// The tenant's segment of the address.
    segment: &'a str,
    tenant: Tenant,
    base_url: &'a str,
    now: DateTime<Utc>,
}

/// The handler.
pub async fn token(
    State(microsoft): State<Arc<Microsoft>>,
    Path(segment): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = microsoft.clock.now();
    let mut form: BTreeMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    if let Some((id, secret)) = basic_credentials(&headers) {
        form.insert("client_id".to_owned(), id);
        form.insert("client_secret".to_owned(), secret);
    }
    let answer = microsoft.change(|world| {
        let tenant = Tenant::read(&segment, world)?;
        let request = Request { form, segment: &segment, tenant, base_url: &microsoft.base_url, now };
        request.answer(world)
    });
    match answer {
        Ok(answer) => ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(error) => error.answer(now),
    }
}

impl Request<'_> {
    fn answer(&self, world: &mut World) -> Result<Value, SignInError> {
        let grant_type = self.required("grant_type")?;
        let client_id = self.required("client_id")?;
        let client = world.clients.get(client_id).cloned();
        let client = client.ok_or_else(|| {
            let message = format!("Application with identifier '{client_id}' was not found in the directory.");
            SignInError::new(700_016, message)
        })?;
        self.authenticate(&client, world)?;
        match grant_type {
            "authorization_code" => self.redeem(&client, world),
            "refresh_token" => self.refresh(&client, world),
            "client_credentials" => self.client_credentials(&client, world),
            other => {
                let message = format!("The app requested an unsupported grant type '{other}'.");
                Err(SignInError::new(70_003, message))
            }
        }
    }

    fn required(&self, name: &str) -> Result<&str, SignInError> {
        let value = self.form.get(name).map(String::as_str).filter(|value| !value.is_empty());
        value.ok_or_else(|| {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            SignInError::new(900_144, message)
        })
    }

    /// By secret, or by an assertion that the application signed.
    fn authenticate(&self, client: &Client, world: &mut World) -> Result<(), SignInError> {
        if let Some(assertion) = self.form.get("client_assertion") {
            if self.form.get("client_assertion_type").map(String::as_str) != Some(ASSERTION_TYPE) {
                let message = "The request body must contain the following parameter: 'client_assertion_type'.";
                return Err(SignInError::new(900_144, message));
            }
            let accepted = self.audiences();
            let audience = Audience { accepted: &accepted, now: self.now };
            return assertion::verify(assertion, client, &audience, &mut world.tokens.assertions);
        }
        let message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        let given = self.form.get("client_secret").ok_or_else(|| SignInError::new(7_000_218, message))?;
        if client.client_secret.as_deref() != Some(given) {
            let message = "Invalid client secret provided. Ensure the secret being sent in the request is the client \
                           secret value, not the client secret ID.";
            return Err(SignInError::new(7_000_215, message));
        }
        if client.secret_expired {
            let message = format!("The provided client secret keys for app '{}' are expired.", client.client_id);
            return Err(SignInError::new(7_000_222, message));
        }
        Ok(())
    }

    /// The address of this endpoint, with the tenant as it was written and by its id.
    fn audiences(&self) -> Vec<String> {
        let mut segments = vec![self.segment];
        if let Tenant::One(id) = &self.tenant {
            segments.push(id);
        }
        let address = |segment: &&str| format!("{}/{segment}/oauth2/v2.0/token", self.base_url);
        segments.iter().map(address).collect()
    }

    fn redeem(&self, client: &Client, world: &mut World) -> Result<Value, SignInError> {
        let code = self.required("code")?;
        let authorization = world.tokens.redeem(code, self.now)?;
        let mut grant = authorization.grant;
        if grant.client_id != client.client_id {
            return Err(SignInError::new(70_000, "The provided value for the 'code' parameter is not valid."));
        }
        if authorization.tenant != self.segment {
            let message = "Provided Authorization Code is intended to use against other tenant, thus rejected.";
            return Err(SignInError::new(700_005, message));
        }
        if self.form.get("redirect_uri") != Some(&authorization.redirect_uri) {
            let message =
                "The reply address does not match the reply address provided when requesting Authorization code.";
            return Err(SignInError::new(500_112, message));
        }
        if let Some(challenge) = &authorization.challenge {
            let verifier = self.form.get("code_verifier").map(String::as_str).unwrap_or_default();
            if !challenge.is_met_by(verifier) {
                let message =
                    "The Code_Verifier does not match the code_challenge supplied in the authorization request.";
                return Err(SignInError::new(501_481, message));
            }
        }
        self.narrow(&mut grant)?;
        self.issue(world, grant, authorization.nonce.as_deref())
    }

    fn refresh(&self, client: &Client, world: &mut World) -> Result<Value, SignInError> {
        let token = self.required("refresh_token")?;
        let used_ones_work = world.behaviour.used_refresh_tokens_work;
        let mut grant = world.tokens.refresh(token, &client.client_id, used_ones_work, self.now)?;
        self.narrow(&mut grant)?;
        self.issue(world, grant, None)
    }

    /// A `scope` in the token request can only narrow what was granted.
    fn narrow(&self, grant: &mut Grant) -> Result<(), SignInError> {
        let Some(text) = self.form.get("scope") else { return Ok(()) };
        let asked = scopes::read(text)?;
        let graph_scopes = asked.iter().filter(|scope| !scopes::OPENID.contains(&scope.as_str()));
        if let Some(missing) = graph_scopes.into_iter().find(|scope| !grant.scopes.contains(*scope)) {
            let message = format!(
                "The user or administrator has not consented to use the application with the scope '{missing}'."
            );
            return Err(SignInError {
                suberror: Some("consent_required".to_owned()),
                ..SignInError::new(65_001, message)
            });
        }
        grant.scopes.retain(|scope| asked.contains(scope) || scopes::OPENID.contains(&scope.as_str()));
        Ok(())
    }

    fn issue(&self, world: &mut World, grant: Grant, nonce: Option<&str>) -> Result<Value, SignInError> {
        let account = grant.account.clone().unwrap_or_default();
        let user = world.users.get(&account).cloned();
        let user = user.ok_or_else(|| SignInError::new(50_034, "The user account does not exist in the directory."))?;
        self.tenant.admits(&user)?;
        let mut answer = json!({
            "token_type": "Bearer",
            "scope": scopes::told(&grant.scopes, user.is_personal()),
            "expires_in": ACCESS_TOKEN_LIFETIME.num_seconds(),
            "ext_expires_in": ACCESS_TOKEN_LIFETIME.num_seconds(),
            "access_token": world.tokens.add_access_token(grant.clone(), self.now),
        });
        if grant.scopes.contains("openid") {
            answer["id_token"] = json!(id_token::issue(&user, &grant.client_id, nonce, self.base_url, self.now));
        }
        if grant.scopes.contains("offline_access") {
            answer["refresh_token"] = json!(world.tokens.add_refresh_token(grant, self.now));
        }
        Ok(answer)
    }

    fn client_credentials(&self, client: &Client, world: &mut World) -> Result<Value, SignInError> {
        let tenant = match &self.tenant {
            Tenant::One(tenant) => tenant,
            Tenant::Organizations => {
                let message = "No tenant-identifying information found in either the request or implied by any provided \
                               credentials.";
                return Err(SignInError::new(50_059, message));
            }
            Tenant::Common | Tenant::Consumers => {
                let message = "The grant type is not supported over the /common or /consumers endpoints. Please use \
                               the /organizations or tenant-specific endpoint.";
                return Err(SignInError::new(9_001_023, message));
            }
        };
        let scope = self.required("scope")?;
        if scope != format!("{}.default", scopes::GRAPH) {
            let message = format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value \
                 with /.default suffixed to the resource identifier (application ID URI)."
            );
            return Err(SignInError::new(1_002_012, message));
        }
        if client.application.as_ref().is_none_or(|application| application.tenant != *tenant) {
            let message = format!(
                "The client application {} is missing service principal in the tenant {tenant}.",
                client.client_id
            );
            return Err(SignInError::new(7_000_229, message));
        }
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_LIFETIME.num_seconds(),
            "ext_expires_in": ACCESS_TOKEN_LIFETIME.num_seconds(),
            "access_token": world.tokens.add_access_token(application_grant(client), self.now),
        }))
    }
}

/// The grant of an application of its own. Its permissions are looked up at every request.
pub fn application_grant(client: &Client) -> Grant {
    Grant {
        client_id: client.client_id.clone(),
        account: None,
        scopes: std::collections::BTreeSet::new(),
        claims: None,
    }
}
