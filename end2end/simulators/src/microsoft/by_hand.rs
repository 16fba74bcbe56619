//! What the owner of a calendar does by hand in Outlook: no request, no token, no limit.
//!
//! A calendar is named by its Graph id, by its owner's address (the default calendar), or by `address/name`.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::IssuedTokens;
use super::event::{Attendee, Item, Person, Response};
use super::event_writes::Write;
use super::graph::error::GraphError;
use super::graph::render::Rendering;
use super::ids::{self, IdType, ItemRef};
use super::sign_in::scopes;
use super::sign_in::token::application_grant;
use super::sign_in::tokens::Grant;
use super::simulation::Microsoft;
use super::subscriptions::Subscription;
use super::world::{Calendar, ChangeKind, World};

/// The calendar that is called `name`.
pub fn calendar<'a>(world: &'a World, name: &str) -> Result<&'a Calendar, GraphError> {
    if let Some(key) = ids::parse_calendar_id(name) {
        return world.calendar(key);
    }
    let (email, calendar) = name.split_once('/').unwrap_or((name, ""));
    let mut calendars = world.calendars_of(email);
    let found = if calendar.is_empty() { calendars.next() } else { calendars.find(|it| it.name == calendar) };
    found.ok_or_else(GraphError::not_found)
}

/// Every stored event: series unexpanded, each followed by its exceptions. Extended properties are told, all of them.
pub fn stored_events(microsoft: &Microsoft, name: &str) -> Result<Vec<Value>, GraphError> {
    let world = microsoft.world();
    let calendar = calendar(&world, name)?;
    let mut told = Vec::new();
    for event in calendar.events.values() {
        told.push(whole(microsoft, calendar, &event.item()));
        let exceptions = event.exceptions.keys().filter_map(|date| event.occurrence(*date));
        told.extend(exceptions.map(|item| whole(microsoft, calendar, &item)));
    }
    Ok(told)
}

/// Inserts an event. Beside what the API takes, `organizer`, `responseStatus`, `isCancelled`, `originalStartTimeZone`,
/// `originalEndTimeZone`, and the `status` of attendees are taken as they are: so come the events of others.
pub fn insert(microsoft: &Arc<Microsoft>, name: &str, event: &Map<String, Value>) -> Result<Value, GraphError> {
    let key = calendar(&microsoft.world(), name)?.key;
    let (asked, of_others) = apart(event);
    let write = hand(microsoft, key);
    let made = microsoft.write(|world| {
        let made = write.create(world, &asked)?;
        overlay(world, key, ItemRef::event(made), &of_others);
        Ok(made)
    })?;
    shown(microsoft, key, ItemRef::event(made))
}

/// Changes an event or an occurrence.
pub fn patch(
    microsoft: &Arc<Microsoft>,
    name: &str,
    id: &str,
    change: &Map<String, Value>,
) -> Result<Value, GraphError> {
    let (key, item) = place(microsoft, name, id)?;
    let (asked, of_others) = apart(change);
    let write = hand(microsoft, key);
    microsoft.write(|world| {
        write.update(world, item, &asked)?;
        overlay(world, key, item, &of_others);
        Ok(())
    })?;
    shown(microsoft, key, item)
}

/// Deletes an event or an occurrence.
pub fn delete(microsoft: &Arc<Microsoft>, name: &str, id: &str) -> Result<(), GraphError> {
    let (key, item) = place(microsoft, name, id)?;
    let write = hand(microsoft, key);
    microsoft.write(|world| write.delete(world, item, None))
}

/// Moves an event or a series into another calendar of the same mailbox: its regular id changes.
pub fn move_to(microsoft: &Arc<Microsoft>, name: &str, id: &str, to: &str) -> Result<Value, GraphError> {
    let (from, item) = place(microsoft, name, id)?;
    let to = calendar(&microsoft.world(), to)?.key;
    microsoft.write(|world| {
        if world.calendar(from)?.owner != world.calendar(to)?.owner {
            return Err(GraphError::access_denied());
        }
        let mut event = world.calendar_mut(from)?.events.remove(&item.event).ok_or_else(GraphError::not_found)?;
        event.change = world.next_change();
        let change = event.change;
        world.calendar_mut(to)?.events.insert(item.event, event);
        world.wrote(from, ItemRef::event(item.event), ChangeKind::Deleted, change);
        world.wrote(to, ItemRef::event(item.event), ChangeKind::Created, change);
        Ok(())
    })?;
    shown(microsoft, to, ItemRef::event(item.event))
}

/// Deletes a calendar with everything in it, unless it is the default one; its subscriptions end.
pub fn delete_calendar(microsoft: &Arc<Microsoft>, name: &str) -> Result<(), GraphError> {
    microsoft.change(|world| {
        let found = calendar(world, name)?;
        if found.is_default {
            return Err(GraphError::access_denied());
        }
        let key = found.key;
        world.calendars.remove(&key);
        for user in world.users.values_mut() {
            user.calendars.retain(|of_user| *of_user != key);
        }
        world.subscriptions.retain(|_, subscription| subscription.calendar != Some(key));
        Ok(())
    })
}

impl Microsoft {
    /// A token pair for `account`, without the authorize page.
    pub fn issue_tokens(&self, account: &str, asked: &[&str]) -> anyhow::Result<IssuedTokens> {
        let now = self.clock.now();
        let mut granted: BTreeSet<String> =
            scopes::read(&asked.join(" ")).map_err(|error| anyhow::anyhow!(error.message))?;
        granted.extend(["openid", "offline_access"].map(str::to_owned));
        self.change(|world| {
            anyhow::ensure!(world.users.contains_key(account), "there is no user {account}");
            let client_id = world.clients.keys().next().cloned().unwrap_or_default();
            let grant = Grant { client_id, account: Some(account.to_owned()), scopes: granted, claims: None };
            let access_token = world.tokens.add_access_token(grant.clone(), now);
            Ok(IssuedTokens { access_token, refresh_token: world.tokens.add_refresh_token(grant, now) })
        })
    }

    /// An access token of the first application that has access of its own.
    pub fn issue_application_token(&self) -> anyhow::Result<String> {
        let now = self.clock.now();
        self.change(|world| {
            let client = world.clients.values().find(|client| client.application.is_some());
            let grant =
                application_grant(client.ok_or_else(|| anyhow::anyhow!("no application has access of its own"))?);
            Ok(world.tokens.add_access_token(grant, now))
        })
    }

    /// From now on Graph refuses tokens of `account` that were not issued for these claims.
    pub fn require_claims(&self, account: &str, claims: Option<&str>) -> anyhow::Result<()> {
        self.change(|world| {
            let user = world.users.get_mut(account).ok_or_else(|| anyhow::anyhow!("there is no user {account}"))?;
            user.required_claims = claims.map(str::to_owned);
            Ok(())
        })
    }

    /// The subscriptions that were made and neither deleted nor expired.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let now = self.clock.now();
        self.world().subscriptions.values().filter(|it| it.expiration > now).cloned().collect()
    }
}

fn hand(microsoft: &Microsoft, calendar: u64) -> Write<'static> {
    Write { calendar, if_match: None, ids: IdType::Regular, now: microsoft.clock.now() }
}

fn place(microsoft: &Microsoft, name: &str, id: &str) -> Result<(u64, ItemRef), GraphError> {
    let world = microsoft.world();
    let calendar = calendar(&world, name)?;
    let parsed = ids::parse_event_id(id).ok_or_else(GraphError::malformed_id)?;
    calendar.item(parsed.item).ok_or_else(GraphError::not_found)?;
    Ok((calendar.key, parsed.item))
}

fn shown(microsoft: &Microsoft, calendar: u64, item: ItemRef) -> Result<Value, GraphError> {
    let world = microsoft.world();
    let calendar = world.calendar(calendar)?;
    Ok(whole(microsoft, calendar, &calendar.item(item).ok_or_else(GraphError::not_found)?))
}

fn whole(microsoft: &Microsoft, calendar: &Calendar, item: &Item) -> Value {
    let extended = item.event.extended.keys().cloned().collect();
    let rendering = Rendering { extended, now: microsoft.clock.now(), ..Rendering::default() };
    rendering.event(calendar, item)
}

/// Members that only others, or Outlook itself, can set.
const OF_OTHERS: [&str; 5] =
    ["organizer", "responseStatus", "isCancelled", "originalStartTimeZone", "originalEndTimeZone"];

/// What the API takes, and the rest.
fn apart(event: &Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut of_others, asked): (Map<_, _>, Map<_, _>) =
        event.clone().into_iter().partition(|(name, _)| OF_OTHERS.contains(&name.as_str()));
    if let Some(attendees) = asked.get("attendees") {
        of_others.insert("attendees".to_owned(), attendees.clone());
    }
    (asked, of_others)
}

fn overlay(world: &mut World, calendar: u64, item: ItemRef, given: &Map<String, Value>) {
    let event = world.calendars.get_mut(&calendar).and_then(|calendar| calendar.events.get_mut(&item.event));
    let event = event.and_then(|event| match item.original {
        None => Some(event),
        Some(date) => event.exceptions.get_mut(&date),
    });
    let Some(event) = event else { return };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(address) = given.get("organizer").and_then(|it| text(&it["emailAddress"]["address"])) {
        let name =
            given.get("organizer").and_then(|it| text(&it["emailAddress"]["name"])).unwrap_or_else(|| address.clone());
        event.organizer = Person { name, address };
        event.is_organizer = false;
        event.response = Response::unset("notResponded");
    }
    if let Some(response) = given.get("responseStatus").and_then(response) {
        event.response = response;
    }
    if let Some(cancelled) = given.get("isCancelled").and_then(Value::as_bool) {
        event.is_cancelled = cancelled;
    }
    if let Some(name) = given.get("originalStartTimeZone").and_then(text) {
        event.start_zone_name = name;
    }
    if let Some(name) = given.get("originalEndTimeZone").and_then(text) {
        event.end_zone_name = name;
    }
    for guest in given.get("attendees").and_then(Value::as_array).into_iter().flatten() {
        let address = guest["emailAddress"]["address"].as_str().unwrap_or_default();
        let known: Option<&mut Attendee> = event.attendees.iter_mut().find(|it| it.person.is(address));
        if let (Some(known), Some(response)) = (known, response(&guest["status"])) {
            known.response = response;
        }
    }
}

fn response(value: &Value) -> Option<Response> {
    let kind = value["response"].as_str()?.to_owned();
    let time = value["time"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    Some(Response { kind, time })
}
