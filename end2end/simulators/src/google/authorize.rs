//! The pages on which a person chooses an account and grants scopes: `/o/oauth2/v2/auth`.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;

use super::oauth::Authorization;
use super::scopes;
use super::simulation::Google;
use super::wire::Query;
use super::world::World;
use crate::html::{self, escape};
use crate::oauth::{Challenge, is_registered};

const STYLE: &str = include_str!("../page/authorize.css");

/// The parameters of an authorization request, checked.
#[derive(Debug)]
struct Request {
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    scopes: Vec<String>,
    challenge: Option<Challenge>,
    offline: bool,
    prompts: Vec<String>,
    login_hint: Option<String>,
    include_granted: bool,
    /// The query as it came; the pages hand it on.
    query: String,
}

/// What Google shows instead of redirecting, when the request itself cannot be trusted.
#[derive(Debug)]
struct Refused {
    code: &'static str,
    sentence: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = format!(
            "<main class=\"card\"><p class=\"brand\">Simulated Google</p><h1>Access blocked</h1>\
             <p class=\"lead\">{}</p><p class=\"code\">Error 400: {}</p></main>",
            escape(&self.sentence),
            escape(self.code)
        );
        (StatusCode::BAD_REQUEST, Html(html::page("en", "Access blocked", STYLE, &body))).into_response()
    }
}

fn refused(code: &'static str, sentence: impl Into<String>) -> Refused {
    Refused { code, sentence: sentence.into() }
}

/// `GET /o/oauth2/v2/auth`: the accounts, or at once the consent when `login_hint` names one.
pub async fn choose_account(State(google): State<Arc<Google>>, uri: http::Uri) -> Response {
    let world = google.world();
    let request = match Request::read(&world, uri.query().unwrap_or_default()) {
        Ok(request) => request,
        Err(refused) => return refused.into_response(),
    };
    if request.prompts.iter().any(|prompt| prompt == "none") {
        return request.redirect(&[("error", "interaction_required")]);
    }
    if let Some(email) = request.login_hint.as_deref().filter(|email| world.users.contains_key(*email)) {
        return Redirect::to(&request.consent_address(email)).into_response();
    }
    let accounts = world.users.values().map(|user| {
        let initial = user.email.chars().next().unwrap_or('?').to_uppercase();
        format!(
            "<li><a href=\"{}\" data-testid=\"account-{}\"><span class=\"avatar\">{initial}</span>\
             <span>{}<small>{}</small></span></a></li>",
            escape(&request.consent_address(&user.email)),
            escape(&user.email),
            escape(&user.email),
            escape(user.time_zone.name()),
        )
    });
    let accounts: String = accounts.collect();
    let body = format!(
        "<main class=\"card\"><p class=\"brand\">Simulated Google</p><h1>Choose an account</h1>\
         <p class=\"lead\">to continue to <strong>{}</strong></p><ul class=\"accounts\">{accounts}</ul>{}</main>",
        escape(&request.client_id),
        NOTE
    );
    Html(html::page("en", "Choose an account", STYLE, &body)).into_response()
}

const RESTRICTED: &str =
    "The Google Account is unable to authorize one or more scopes requested due to the policies of its administrator.";
const NOTE: &str = "<p class=\"note\">This is a local simulator. Nothing leaves your machine.</p>";

/// `GET /o/oauth2/v2/auth/consent`: each scope with its box; or straight back, where all was granted before.
pub async fn consent(State(google): State<Arc<Google>>, uri: http::Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let account = Query::parse(query).get("account").unwrap_or_default().to_owned();
    let page = {
        let world = google.world();
        let request = match Request::read(&world, query) {
            Ok(request) => request,
            Err(refused) => return refused.into_response(),
        };
        if !world.users.contains_key(&account) {
            return refused("invalid_account", "Couldn't find this account.").into_response();
        }
        if world.tokens.is_restricted(&account, &request.scopes) {
            return refused("admin_policy_enforced", RESTRICTED).into_response();
        }
        let granted = world.tokens.consented(&request.client_id, &account);
        let asks = request.prompts.iter().any(|prompt| prompt == "consent");
        if asks || !request.scopes.iter().all(|scope| granted.contains(scope)) {
            consent_page(&request, &account)
        } else {
            drop(world);
            let scopes = request.scopes.iter().cloned().collect();
            return grant(&google, &request, &account, scopes, false);
        }
    };
    Html(page).into_response()
}

/// `POST /o/oauth2/v2/auth/consent`: the person's decision.
pub async fn decide(State(google): State<Arc<Google>>, body: Bytes) -> Response {
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let request = match Request::read(&google.world(), form.get("request").unwrap_or_default()) {
        Ok(request) => request,
        Err(refused) => return refused.into_response(),
    };
    let account = form.get("account").unwrap_or_default();
    if !google.world().users.contains_key(account) {
        return refused("invalid_account", "Couldn't find this account.").into_response();
    }
    if google.world().tokens.is_restricted(account, &request.scopes) {
        return refused("admin_policy_enforced", RESTRICTED).into_response();
    }
    let ticked = form.all("scope");
    let scopes: BTreeSet<String> =
        request.scopes.iter().filter(|scope| ticked.contains(&scope.as_str())).cloned().collect();
    if form.get("decision") != Some("allow") || scopes.is_empty() {
        return request.redirect(&[("error", "access_denied")]);
    }
    grant(&google, &request, account, scopes, true)
}

/// Keeps the authorization and sends the browser back with a code. `asked` says whether a person just consented.
fn grant(google: &Google, request: &Request, account: &str, mut scopes: BTreeSet<String>, asked: bool) -> Response {
    let now = google.clock.now();
    let (code, scope) = google.change(|world| {
        if request.include_granted {
            scopes.extend(world.tokens.consented(&request.client_id, account));
        }
        let scope = scopes.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let authorization = Authorization {
            client_id: request.client_id.clone(),
            account: account.to_owned(),
            redirect_uri: request.redirect_uri.clone(),
            scopes,
            challenge: request.challenge.clone(),
            offline: request.offline && asked,
        };
        (world.tokens.add_code(authorization, now), scope)
    });
    request.redirect(&[("code", &code), ("scope", &scope), ("authuser", "0"), ("prompt", "consent")])
}

impl Request {
    fn read(world: &World, text: &str) -> Result<Self, Refused> {
        let query = Query::parse(text);
        let required = |name: &'static str| {
            let missing = || refused("invalid_request", format!("Required parameter is missing: {name}"));
            query.get(name).map(str::to_owned).ok_or_else(missing)
        };
        let client_id = required("client_id")?;
        let unknown = || refused("invalid_client", "The OAuth client was not found.");
        let client = world.clients.get(&client_id).ok_or_else(unknown)?;
        let redirect_uri = required("redirect_uri")?;
        if !is_registered(&client.redirect_uris, &redirect_uri) {
            let sentence = format!("This app's request is invalid: redirect_uri={redirect_uri} is not registered.");
            return Err(refused("redirect_uri_mismatch", sentence));
        }
        if required("response_type")? != "code" {
            return Err(refused("unsupported_response_type", "Only the authorization code flow is supported."));
        }
        let scopes: Vec<String> = required("scope")?.split_whitespace().map(str::to_owned).collect();
        if let Some(unknown) = scopes.iter().find(|scope| scopes::description(scope).is_none()) {
            return Err(refused("invalid_scope", format!("Some requested scopes were invalid: {unknown}")));
        }
        let challenge = Challenge::read(query.get("code_challenge"), query.get("code_challenge_method"));
        let malformed = |_| refused("invalid_request", "The code challenge or its method is invalid.");
        let challenge = challenge.map_err(malformed)?;
        let kept = url::form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| name != "account");
        Ok(Self {
            client_id,
            redirect_uri,
            state: query.get("state").map(str::to_owned),
            scopes,
            challenge,
            offline: query.get("access_type") == Some("offline"),
            prompts: query.get("prompt").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            login_hint: query.get("login_hint").map(str::to_lowercase),
            include_granted: query.get("include_granted_scopes") == Some("true"),
            query: url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish(),
        })
    }

    fn consent_address(&self, account: &str) -> String {
        let account: String = url::form_urlencoded::byte_serialize(account.as_bytes()).collect();
        format!("/o/oauth2/v2/auth/consent?{}&account={account}", self.query)
    }

    fn redirect(&self, parameters: &[(&str, &str)]) -> Response {
        let Ok(mut address) = url::Url::parse(&self.redirect_uri) else {
            return refused("redirect_uri_mismatch", "The redirect address is no URL.").into_response();
        };
        let state = self.state.as_deref().map(|state| ("state", state));
        address.query_pairs_mut().extend_pairs(state.into_iter().chain(parameters.iter().copied()));
        Redirect::to(address.as_str()).into_response()
    }
}

fn consent_page(request: &Request, account: &str) -> String {
    let boxes = request.scopes.iter().map(|scope| {
        let short = scope.strip_prefix(scopes::PREFIX).unwrap_or(scope);
        format!(
            "<li><label><span>{}<small>{}</small></span><input type=\"checkbox\" name=\"scope\" value=\"{}\" \
             data-testid=\"scope-{}\" checked></label></li>",
            escape(scopes::description(scope).unwrap_or(short)),
            escape(short),
            escape(scope),
            escape(short),
        )
    });
    let boxes: String = boxes.collect();
    let body = format!(
        "<main class=\"card\"><p class=\"brand\">Simulated Google</p>\
         <h1><span>{client}</span> wants access to your Google Account</h1>\
         <p class=\"account\"><span class=\"avatar small\">{initial}</span>{account}</p>\
         <form method=\"post\" action=\"/o/oauth2/v2/auth/consent\">\
         <p class=\"lead\">Select what <strong>{client}</strong> can access</p>\
         <ul class=\"scopes\">{boxes}</ul>\
         <input type=\"hidden\" name=\"account\" value=\"{account}\">\
         <input type=\"hidden\" name=\"request\" value=\"{request}\">\
         <div class=\"actions\">\
         <button name=\"decision\" value=\"cancel\" class=\"quiet\" data-testid=\"cancel\">Cancel</button>\
         <button name=\"decision\" value=\"allow\" data-testid=\"allow\">Allow</button></div></form>{NOTE}</main>",
        client = escape(&request.client_id),
        initial = account.chars().next().unwrap_or('?').to_uppercase(),
        account = escape(account),
        request = escape(&request.query),
    );
    html::page("en", "Grant access", STYLE, &body)
}
