//! `/subscriptions`: create with the validation handshake, list, get, renew, reauthorize, delete.

use axum::response::IntoResponse;
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::super::subscriptions::{Resource, Subscription};
use super::super::world::{ChangeKind, User, World};
use super::caller::Need;
use super::error::GraphError;
use super::{Answer, Call, resource};

const SHORTEST: TimeDelta = TimeDelta::minutes(45);
const LONGEST: TimeDelta = TimeDelta::minutes(10_080);
const LONGEST_CLIENT_STATE: usize = 128;
/// For one mailbox.
const MOST: usize = 1_000;

/// Everything under `/subscriptions`.
pub async fn route(call: &Call<'_>, method: &Method, rest: &[&str]) -> Answer {
    match (method.as_str(), rest) {
        ("GET", []) => Ok(list(call)),
        ("POST", []) => create(call).await,
        ("GET", [id]) => {
            let subscription = own(call, &call.microsoft.world(), id)?;
            Ok(resource(StatusCode::OK, told(call, &subscription)))
        }
        ("PATCH", [id]) => renew(call, id).await,
        ("DELETE", [id]) => {
            own(call, &call.microsoft.world(), id)?;
            call.microsoft.change(|world| world.subscriptions.remove(*id));
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        ("POST", [id, "reauthorize"]) => {
            own(call, &call.microsoft.world(), id)?;
            call.microsoft.change(|world| {
                if let Some(subscription) = world.subscriptions.get_mut(*id) {
                    subscription.needs_reauthorization = false;
                }
            });
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(super::unknown_path(call.path)),
    }
}

fn list(call: &Call<'_>) -> axum::response::Response {
    let now = call.now;
    let world = call.microsoft.world();
    let is_own = |it: &&Subscription| it.client_id == call.caller.client_id && it.account == call.caller.account;
    let live = world.subscriptions.values().filter(is_own).filter(|it| it.expiration > now);
    let value: Vec<Value> = live.map(|it| it.to_json(creator(&world, it))).collect();
    let context = format!("{}/v1.0/$metadata#subscriptions", call.microsoft.base_url);
    resource(StatusCode::OK, json!({ "@odata.context": context, "value": value }))
}

async fn create(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let now = call.now;
    let subscription = read(call, &body, now)?;
    check_limits(&call.microsoft.world(), &subscription, now)?;
    validate(call, &subscription.notification_url, "notification").await?;
    if let Some(address) = &subscription.lifecycle_notification_url {
        validate(call, address, "lifecycle notification").await?;
    }
    // Another request may have been faster while the addresses were asked.
    call.microsoft.change(|world| {
        check_limits(world, &subscription, now)?;
        world.subscriptions.insert(subscription.id.clone(), subscription.clone());
        Ok::<_, GraphError>(())
    })?;
    let mut created = told(call, &subscription);
    created["@odata.context"] = json!(format!("{}/v1.0/$metadata#subscriptions/$entity", call.microsoft.base_url));
    Ok(resource(StatusCode::CREATED, created))
}

async fn renew(call: &Call<'_>, id: &str) -> Answer {
    let body = call.json()?;
    let now = call.now;
    own(call, &call.microsoft.world(), id)?;
    if let Some(other) = body.keys().find(|name| !["expirationDateTime", "notificationUrl"].contains(&name.as_str())) {
        return Err(invalid(format!("The property '{other}' can't be updated.")));
    }
    let expiration = body.contains_key("expirationDateTime").then(|| expiration(&body, now)).transpose()?;
    let address =
        body.contains_key("notificationUrl").then(|| address(&body, "notificationUrl")).transpose()?.flatten();
    if let Some(address) = &address {
        validate(call, address, "notification").await?;
    }
    let renewed = call.microsoft.change(|world| {
        let subscription = world.subscriptions.get_mut(id)?;
        if let Some(expiration) = expiration {
            subscription.expiration = expiration;
            subscription.needs_reauthorization = false;
        }
        if let Some(address) = address {
            subscription.notification_url = address;
        }
        Some(subscription.clone())
    });
    Ok(resource(StatusCode::OK, told(call, &renewed.ok_or_else(gone)?)))
}

fn read(call: &Call<'_>, body: &Map<String, Value>, now: DateTime<Utc>) -> Result<Subscription, GraphError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let required = |name: &str| text(name).ok_or_else(|| invalid(format!("The {name} is missing.")));
    let change_types: Result<Vec<ChangeKind>, GraphError> = required("changeType")?
        .split(',')
        .map(|kind| match kind.trim() {
            "created" => Ok(ChangeKind::Created),
            "updated" => Ok(ChangeKind::Updated),
            "deleted" => Ok(ChangeKind::Deleted),
            other => Err(invalid(format!("The change type '{other}' is not supported."))),
        })
        .collect();
    let named = required("resource")?;
    let parsed = Resource::read(named).ok_or_else(|| invalid(format!("The resource '{named}' is not supported.")))?;
    if body.get("includeResourceData").and_then(Value::as_bool) == Some(true) {
        return Err(invalid("Notifications with resource data need an encryption certificate."));
    }
    let client_state = text("clientState").map(str::to_owned);
    if client_state.as_ref().is_some_and(|state| state.chars().count() > LONGEST_CLIENT_STATE) {
        return Err(invalid("The clientState must have at most 128 characters."));
    }
    let notification_url =
        address(body, "notificationUrl")?.ok_or_else(|| invalid("The notificationUrl is missing."))?;
    let world = call.microsoft.world();
    let user: &User = match &parsed.user {
        None => call.caller.me(&world, Need::Read)?,
        Some(name) => call.caller.user(&world, name, Need::Read)?,
    };
    let calendar = parsed.calendar_id.as_deref().map(|id| world.calendar_by_id(&user.email, id)).transpose()?;
    Ok(Subscription {
        id: uuid::Uuid::new_v4().to_string(),
        client_id: call.caller.client_id.clone(),
        account: call.caller.account.clone(),
        mailbox: user.email.clone(),
        calendar: calendar.map(|calendar| calendar.key),
        resource: named.to_owned(),
        change_types: change_types?,
        notification_url,
        lifecycle_notification_url: address(body, "lifecycleNotificationUrl")?,
        client_state,
        expiration: expiration(body, now)?,
        ids: call.prefer.ids,
        needs_reauthorization: false,
    })
}

/// Too short a time is raised, too long a one refused.
fn expiration(body: &Map<String, Value>, now: DateTime<Utc>) -> Result<DateTime<Utc>, GraphError> {
    let text = body.get("expirationDateTime").and_then(Value::as_str).unwrap_or_default();
    let asked = DateTime::parse_from_rfc3339(text).map_err(|_| invalid("The expirationDateTime is invalid."))?.to_utc();
    // The clock runs on while the request is under way.
    if asked > now + LONGEST + TimeDelta::minutes(1) {
        let message = "Subscription expiration can only be 10080 minutes in the future.";
        return Err(invalid(message));
    }
    if asked <= now {
        return Err(invalid("Subscription expiration must be in the future."));
    }
    Ok(asked.max(now + SHORTEST))
}

/// HTTPS only; plain HTTP is let through to loopback, where tests and the demo live.
fn address(body: &Map<String, Value>, name: &str) -> Result<Option<String>, GraphError> {
    let Some(text) = body.get(name).and_then(Value::as_str) else { return Ok(None) };
    let url = url::Url::parse(text).map_err(|_| invalid(format!("The {name} is invalid.")))?;
    if url.scheme() == "https" || (url.scheme() == "http" && crate::http_server::is_loopback(&url)) {
        return Ok(Some(text.to_owned()));
    }
    Err(invalid(format!("The {name} must use the https scheme.")))
}

fn check_limits(world: &World, new: &Subscription, now: DateTime<Utc>) -> Result<(), GraphError> {
    let live: Vec<&Subscription> =
        world.subscriptions.values().filter(|it| it.mailbox == new.mailbox && it.expiration > now).collect();
    let is_same = |it: &&&Subscription| {
        it.client_id == new.client_id
            && it.account == new.account
            && it.calendar == new.calendar
            && it.change_types == new.change_types
            && it.notification_url == new.notification_url
    };
    if live.iter().any(|it| is_same(&it)) {
        let message = "A subscription for this application, resource, change type and address exists already.";
        return Err(GraphError::new(StatusCode::CONFLICT, "Conflict", message));
    }
    if live.len() >= MOST {
        let message = "The mailbox has the most subscriptions that it may have.";
        return Err(GraphError::new(StatusCode::FORBIDDEN, "ExtensionError", message));
    }
    Ok(())
}

async fn validate(call: &Call<'_>, address: &str, what: &str) -> Result<(), GraphError> {
    call.microsoft.validate(address).await.map_err(|reason| {
        let message = format!("Subscription validation request failed for the {what} address. {reason}");
        GraphError::bad_request("ValidationError", message)
    })
}

/// A live subscription of the caller.
fn own(call: &Call<'_>, world: &World, id: &str) -> Result<Subscription, GraphError> {
    let now = call.now;
    let subscription = world.subscriptions.get(id).filter(|it| it.expiration > now);
    let is_own = |it: &&Subscription| it.client_id == call.caller.client_id && it.account == call.caller.account;
    subscription.filter(is_own).cloned().ok_or_else(gone)
}

fn told(call: &Call<'_>, subscription: &Subscription) -> Value {
    let world = call.microsoft.world();
    subscription.to_json(creator(&world, subscription))
}

fn creator<'a>(world: &'a World, subscription: &Subscription) -> Option<&'a str> {
    subscription.account.as_ref().and_then(|account| world.users.get(account)).map(|user| user.id.as_str())
}

fn gone() -> GraphError {
    GraphError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "The object was not found.")
}

fn invalid(message: impl Into<String>) -> GraphError {
    GraphError::bad_request("InvalidRequest", message)
}
