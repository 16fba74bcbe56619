//! The pages on which a person chooses an account and consents: `/{tenant}/oauth2/v2.0/authorize`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use http::StatusCode;

use super::super::graph::query::Query;
use super::super::simulation::Microsoft;
use super::super::world::{User, World};
use super::error::SignInError;
use super::scopes;
use super::tenant::Tenant;
use super::tokens::{Authorization, Grant};
use crate::html::{self, escape};
use crate::oauth::{Challenge, is_registered};

const STYLE: &str = include_str!("../../page/authorize.css");
const NOTE: &str = "<p class=\"note\">This is a local simulator. Nothing leaves your machine.</p>";

/// The parameters of an authorization request, checked.
#[derive(Debug)]
struct Request {
    segment: String,
    tenant: Tenant,
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    nonce: Option<String>,
    scopes: BTreeSet<String>,
    challenge: Option<Challenge>,
    claims: Option<String>,
    prompt: Option<String>,
    login_hint: Option<String>,
    /// The query as it came; the pages hand it on.
    query: String,
}

/// `GET .../authorize`: the accounts, or at once the consent when `login_hint` names one.
pub async fn choose_account(
    State(microsoft): State<Arc<Microsoft>>,
    Path(segment): Path<String>,
    uri: http::Uri,
) -> Response {
    let now = microsoft.clock.now();
    let world = microsoft.world();
    let request = match Request::read(&world, &segment, uri.query().unwrap_or_default()) {
        Ok(request) => request,
        Err(error) => return blocked(&error, now),
    };
    let hinted = request.login_hint.as_deref().and_then(|email| world.users.get(email));
    match (request.prompt.as_deref(), hinted) {
        (Some("none"), None) => {
            let error = SignInError::new(50_058, "A silent sign-in request was sent but no user is signed in.");
            request.fail("login_required", &error, now)
        }
        (Some("none"), Some(user)) => {
            let granted = world.tokens.consented(&request.client_id, &user.email);
            if request.scopes.is_subset(&granted) && request.tenant.admits(user).is_ok() {
                let account = user.email.clone();
                drop(world);
                return grant(&microsoft, &request, &account);
            }
            let error = SignInError::new(65_001, "The user or administrator has not consented to use the application.");
            request.fail("interaction_required", &error, now)
        }
        (prompt, Some(user)) if prompt != Some("select_account") => {
            Redirect::to(&request.consent_address(&user.email)).into_response()
        }
        _ => Html(request.accounts_page(&world)).into_response(),
    }
}

/// `GET .../authorize/consent`: what is asked for; or straight back, where all was granted before.
pub async fn consent(State(microsoft): State<Arc<Microsoft>>, Path(segment): Path<String>, uri: http::Uri) -> Response {
    let now = microsoft.clock.now();
    let query = uri.query().unwrap_or_default();
    let account = Query::parse(query).get("account").unwrap_or_default().to_lowercase();
    let page = {
        let world = microsoft.world();
        let (request, user) = match admitted(&world, &segment, query, &account) {
            Ok(found) => found,
            Err(error) => return blocked(&error, now),
        };
        let granted = world.tokens.consented(&request.client_id, &account);
        let asks = request.prompt.as_deref() == Some("consent");
        if user.admin_consent_needed {
            request.admin_page(user)
        } else if asks || !request.scopes.is_subset(&granted) {
            request.consent_page(user)
        } else {
            drop(world);
            return grant(&microsoft, &request, &account);
        }
    };
    Html(page).into_response()
}

/// `POST .../authorize` and `.../authorize/consent`: the person's decision, by the fields `account`, `request` (the
/// query of the authorization request) and `decision` (`allow` or anything else).
pub async fn decide(State(microsoft): State<Arc<Microsoft>>, Path(segment): Path<String>, body: Bytes) -> Response {
    let now = microsoft.clock.now();
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let account = form.get("account").unwrap_or_default().to_lowercase();
    let request = {
        let world = microsoft.world();
        let (request, user) = match admitted(&world, &segment, form.get("request").unwrap_or_default(), &account) {
            Ok(found) => found,
            Err(error) => return blocked(&error, now),
        };
        if user.admin_consent_needed {
            let message = "An administrator of the organisation has set a policy that prevents you from granting the \
                           application the permissions it is requesting.";
            return request.fail("access_denied", &SignInError::new(90_094, message), now);
        }
        request
    };
    if form.get("decision") != Some("allow") {
        let error = SignInError::new(65_004, "User declined to consent to access the app.");
        return request.fail("access_denied", &error, now);
    }
    grant(&microsoft, &request, &account)
}

/// The request, and the account if the tenant lets it in.
fn admitted<'a>(
    world: &'a World,
    segment: &str,
    query: &str,
    account: &str,
) -> Result<(Request, &'a User), SignInError> {
    let request = Request::read(world, segment, query)?;
    let unknown = || SignInError::new(50_034, "The user account does not exist in the directory.");
    let user = world.users.get(account).ok_or_else(unknown)?;
    request.tenant.admits(user)?;
    Ok((request, user))
}

/// Keeps the authorization and sends the browser back with a code.
fn grant(microsoft: &Microsoft, request: &Request, account: &str) -> Response {
    let now = microsoft.clock.now();
    let code = microsoft.change(|world| {
        let grant = Grant {
            client_id: request.client_id.clone(),
            account: Some(account.to_owned()),
            scopes: request.scopes.clone(),
            claims: request.claims.clone(),
        };
        let authorization = Authorization {
            grant,
            redirect_uri: request.redirect_uri.clone(),
            tenant: request.segment.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
        };
        world.tokens.add_code(authorization, now)
    });
    request.redirect(&[("code", &code)])
}

/// What Microsoft shows instead of redirecting: the request, or the account, cannot be.
fn blocked(error: &SignInError, now: DateTime<Utc>) -> Response {
    let body = format!(
        "<main class=\"card\"><p class=\"brand\">Simulated Microsoft</p><h1>Sorry, but we're having trouble signing \
         you in</h1><p class=\"lead\">{}</p><p class=\"code\">AADSTS{}</p></main>",
        escape(&error.description(now)),
        error.code
    );
    (StatusCode::BAD_REQUEST, Html(html::page("en", "Sign in to your account", STYLE, &body))).into_response()
}

impl Request {
    fn read(world: &World, segment: &str, text: &str) -> Result<Self, SignInError> {
        let query = Query::parse(text);
        let tenant = Tenant::read(segment, world)?;
        let required = |name: &'static str| {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            query.get(name).map(str::to_owned).ok_or_else(|| SignInError::new(900_144, message))
        };
        let client_id = required("client_id")?;
        let client = world.clients.get(&client_id).ok_or_else(|| {
            let message = format!("Application with identifier '{client_id}' was not found in the directory.");
            SignInError::new(700_016, message)
        })?;
        let redirect_uri = required("redirect_uri")?;
        if !is_registered(&client.redirect_uris, &redirect_uri) {
            let message = format!(
                "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs \
                 configured for the application '{client_id}'."
            );
            return Err(SignInError::new(50_011, message));
        }
        if required("response_type")? != "code" {
            return Err(SignInError::new(70_005, "The response type is not supported for the application."));
        }
        let scopes = scopes::read(&required("scope")?)?;
        let challenge = Challenge::read(query.get("code_challenge"), query.get("code_challenge_method"));
        let malformed = |_| SignInError::new(501_461, "The code challenge or its method is invalid.");
        let challenge = challenge.map_err(malformed)?;
        let claims = query.get("claims").map(str::to_owned);
        if claims.as_deref().is_some_and(|text| serde_json::from_str::<serde_json::Value>(text).is_err()) {
            return Err(SignInError::new(90_014, "The claims parameter is not JSON."));
        }
        let kept = url::form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| name != "account");
        Ok(Self {
            segment: segment.to_owned(),
            tenant,
            client_id,
            redirect_uri,
            state: query.get("state").map(str::to_owned),
            nonce: query.get("nonce").map(str::to_owned),
            scopes,
            challenge,
            claims,
            prompt: query.get("prompt").map(str::to_owned),
            login_hint: query.get("login_hint").map(str::to_lowercase),
            query: url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish(),
        })
    }

    fn consent_address(&self, account: &str) -> String {
        let account: String = url::form_urlencoded::byte_serialize(account.as_bytes()).collect();
        format!("/{}/oauth2/v2.0/authorize/consent?{}&account={account}", self.segment, self.query)
    }

    fn redirect(&self, parameters: &[(&str, &str)]) -> Response {
        let Ok(mut address) = url::Url::parse(&self.redirect_uri) else {
            let error = SignInError::new(50_011, "The redirect address is no URL.");
            return blocked(&error, DateTime::<Utc>::MIN_UTC);
        };
        let state = self.state.as_deref().map(|state| ("state", state));
        address.query_pairs_mut().extend_pairs(parameters.iter().copied().chain(state));
        Redirect::to(address.as_str()).into_response()
    }

    fn fail(&self, error: &str, detail: &SignInError, now: DateTime<Utc>) -> Response {
        let description = detail.description(now);
        let subcode = ("error_subcode", "cancel");
        let mut parameters = vec![("error", error), ("error_description", description.as_str())];
        if detail.code == 65_004 {
            parameters.push(subcode);
        }
        self.redirect(&parameters)
    }

    fn accounts_page(&self, world: &World) -> String {
        let accounts = world.users.values().map(|user| {
            let kind = if user.is_personal() { "Personal account" } else { "Work or school account" };
            format!(
                "<li><a href=\"{}\" data-testid=\"account-{email}\"><span class=\"avatar\">{}</span>\
                 <span>{}<small>{email}</small><small>{kind}</small></span></a></li>",
                escape(&self.consent_address(&user.email)),
                escape(&initial(&user.name)),
                escape(&user.name),
                email = escape(&user.email),
            )
        });
        let accounts: String = accounts.collect();
        let body = format!(
            "<main class=\"card\"><p class=\"brand\">Simulated Microsoft</p><h1>Pick an account</h1>\
             <p class=\"lead\">to continue to <strong>{}</strong></p>\
             <ul class=\"accounts\">{accounts}</ul>{NOTE}</main>",
            escape(&self.client_id)
        );
        html::page("en", "Pick an account", STYLE, &body)
    }

    fn consent_page(&self, user: &User) -> String {
        // What signing in needs anyway is not listed.
        let listed = self.scopes.iter().filter(|scope| !["openid", "profile", "email"].contains(&scope.as_str()));
        let asked = listed.map(|scope| {
            format!(
                "<li data-testid=\"scope-{name}\"><span>{}<small>{name}</small></span></li>",
                escape(scopes::description(scope)),
                name = escape(scope)
            )
        });
        let asked: String = asked.collect();
        let lead = format!("<p class=\"lead\"><strong>{}</strong> would like to:</p>", escape(&self.client_id));
        let buttons = "<button name=\"decision\" value=\"cancel\" class=\"quiet\" data-testid=\"cancel\">\
                       Cancel</button>\
                       <button name=\"decision\" value=\"allow\" data-testid=\"allow\">Accept</button>";
        self.form("Permissions requested", user, &format!("{lead}<ul class=\"scopes\">{asked}</ul>"), buttons)
    }

    fn admin_page(&self, user: &User) -> String {
        let lead = format!(
            "<p class=\"lead\"><strong>{}</strong> needs permission to access resources in your organisation that only \
             an administrator can grant.</p>",
            escape(&self.client_id)
        );
        let button = "<button name=\"decision\" value=\"cancel\" data-testid=\"cancel\">Return to the application \
                      without granting consent</button>";
        self.form("Need admin approval", user, &lead, button)
    }

    fn form(&self, title: &str, user: &User, content: &str, buttons: &str) -> String {
        let body = format!(
            "<main class=\"card\"><p class=\"brand\">Simulated Microsoft</p><h1>{title}</h1>\
             <p class=\"account\"><span class=\"avatar small\">{initial}</span>{account}</p>\
             <form method=\"post\" action=\"/{segment}/oauth2/v2.0/authorize/consent\">{content}\
             <input type=\"hidden\" name=\"account\" value=\"{account}\">\
             <input type=\"hidden\" name=\"request\" value=\"{request}\">\
             <div class=\"actions\">{buttons}</div></form>{NOTE}</main>",
            initial = escape(&initial(&user.name)),
            account = escape(&user.email),
            segment = escape(&self.segment),
            request = escape(&self.query),
        );
        html::page("en", title, STYLE, &body)
    }
}

fn initial(name: &str) -> String {
    name.chars().next().unwrap_or('?').to_uppercase().to_string()
}
