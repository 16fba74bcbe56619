//! Visitors and hosts: each performs one step of the plan.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use chrono::{DateTime, Days, TimeDelta, Utc};
use serde_json::json;

use crate::calendars::{CalendarAt, Event};
use crate::ledger::Standing;
use crate::now;
use crate::plan::{Act, Dice};
use crate::product::Told;
use crate::store::{Appointment, Mapping};
use crate::world::{Host, World};

/// Visitors prefer what is near, so that they meet.
const NEAR: usize = 30;
const DAYS: u64 = 50;
const MINUTES: [i64; 4] = [30, 45, 60, 90];

/// Performs one step; `number` is its place in the plan.
pub async fn perform(world: &World, act: Act, number: usize, dice: Dice) -> Result<()> {
    match act {
        Act::Book => book(world, number, dice).await,
        Act::Contend => contend(world, number, dice).await,
        Act::Reschedule => reschedule(world, dice).await,
        Act::Cancel => cancel(world, dice).await,
        Act::MoveEvent => move_event(world, dice).await,
        Act::DeleteEvent => delete_event(world, dice).await,
        Act::CarryEvent => carry_event(world, dice).await,
        Act::CancelAsHost => cancel_as_host(world, dice).await,
        Act::Decide => decide(world, dice).await,
        Act::AddForeign => add_foreign(world, number, dice).await,
        Act::MoveForeign => move_foreign(world, dice).await,
        Act::DeleteForeign => delete_foreign(world, dice).await,
    }
}

/// A free start: mostly one of the first, which others want too.
async fn free_start(world: &World, event: &str, dice: Dice) -> Option<DateTime<Utc>> {
    let today = now().date_naive();
    let slots = world.product.slots(event, today, today + Days::new(DAYS), dice).await;
    let reach = if dice.below(2, 4) == 0 { slots.len() } else { NEAR.min(slots.len()) };
    dice.choose(3, &slots[..reach]).copied()
}

async fn book(world: &World, number: usize, dice: Dice) -> Result<()> {
    let Some(event) = dice.choose(1, &world.events) else { return Ok(()) };
    let Some(start) = free_start(world, event, dice).await else { return Ok(()) };
    ask(world, &number.to_string(), event, start, dice).await
}

async fn contend(world: &World, number: usize, dice: Dice) -> Result<()> {
    let Some(event) = dice.choose(1, &world.events) else { return Ok(()) };
    let Some(start) = free_start(world, event, dice).await else { return Ok(()) };
    let name = |letter: char| format!("{number}{letter}");
    let (one, other, third) = (name('a'), name('b'), name('c'));
    let dice = |purpose: u64| Dice::new(u64::try_from(dice.below(purpose, usize::MAX)).unwrap_or_default());
    let (one, other, third) = tokio::join!(
        ask(world, &one, event, start, dice(10)),
        ask(world, &other, event, start, dice(11)),
        ask(world, &third, event, start, dice(12))
    );
    one.and(other).and(third)
}

/// A visitor asks for a start until there is an answer.
async fn ask(world: &World, name: &str, event: &str, start: DateTime<Utc>, dice: Dice) -> Result<()> {
    let email = format!("visitor{name}@visitors.example");
    world.ledger.asks(&email, event, start);
    let body = json!({
        "org": crate::product::ORGANIZATION, "event": event, "start": start, "name": format!("Visitor {name}."),
        "email": email, "time_zone": "Europe/Madrid", "locale": "en",
    });
    match world.product.book(&format!("key-of-{email}"), &body, dice).await {
        Ok(Told::Yes(token)) => world.ledger.note(&email, |booking| booking.standing = Standing::Booked { token }),
        Ok(Told::No(status)) => {
            world.ledger.note(&email, |booking| booking.standing = Standing::Refused { status: status.as_u16() });
        }
        Err(error) => {
            world.ledger.note(&email, |booking| booking.timed_out = true);
            return Err(error);
        }
    }
    Ok(())
}

async fn reschedule(world: &World, dice: Dice) -> Result<()> {
    let standing = world.ledger.standing();
    let Some((booking, token)) = dice.choose(1, &standing) else { return Ok(()) };
    let Some(start) = free_start(world, &booking.event, dice).await else { return Ok(()) };
    let moved: Vec<Appointment> = world.reader.those(&format!("visitor_email = '{}'", booking.email)).await?;
    for appointment in moved {
        world.ledger.note_by_hand(&appointment.claim_id, |by_hand| by_hand.asked.extend([start]));
    }
    world.ledger.note(&booking.email, |booking| {
        booking.starts.extend([start]);
        booking.moves.extend([start]);
    });
    world.product.of_visitor(token, "reschedule", &json!({ "start": start }), dice).await.map(drop)
}

async fn cancel(world: &World, dice: Dice) -> Result<()> {
    let standing = world.ledger.standing();
    let Some((booking, token)) = dice.choose(1, &standing) else { return Ok(()) };
    world.ledger.note(&booking.email, |booking| booking.end_was_asked = true);
    let status = world.product.of_visitor(token, "cancel", &json!({}), dice).await?;
    if status.is_success() {
        world.ledger.note(&booking.email, |booking| booking.cancelled = true);
    }
    Ok(())
}

/// One of the events of ours that stand in some host's calendars.
fn event_of_ours(world: &World, dice: Dice) -> Result<Option<(&Host, &CalendarAt, Event, String)>> {
    let Some(host) = dice.choose(1, &world.hosts) else { return Ok(None) };
    let mut ours = Vec::new();
    for calendar in &host.calendars {
        for event in world.calendars.events(calendar)? {
            if let Some(claim) = event.claim.clone() {
                ours.push((calendar, event, claim));
            }
        }
    }
    ours.sort_by_key(|(_, event, _)| (event.start, event.id.clone()));
    Ok(dice.choose(2, &ours).cloned().map(|(calendar, event, claim)| (host, calendar, event, claim)))
}

async fn move_event(world: &World, dice: Dice) -> Result<()> {
    let _hand = world.hand.lock().await;
    let Some((_, calendar, event, claim)) = event_of_ours(world, dice)? else { return Ok(()) };
    let Some(start) = world.evening() else { return Ok(()) };
    world.ledger.note_by_hand(&claim, |by_hand| by_hand.starts.extend([start]));
    // Until the event's id is known here, what the visitor asked for since may win.
    let mappings: Vec<Mapping> = world.reader.those(&format!("claim_id = '{claim}' and deleted_at is null")).await?;
    world.calendars.move_event(calendar, &event, start).await?;
    world.ledger.note_by_hand(&claim, |by_hand| by_hand.moved_to = (!mappings.is_empty()).then_some(start));
    Ok(())
}

async fn delete_event(world: &World, dice: Dice) -> Result<()> {
    let _hand = world.hand.lock().await;
    let Some((_, calendar, event, claim)) = event_of_ours(world, dice)? else { return Ok(()) };
    world.ledger.note_by_hand(&claim, |by_hand| by_hand.deletion_was_tried = true);
    // What is deleted before Cupo has learned that it was made looks as if it never was, and is made once more.
    let mappings: Vec<Mapping> = world.reader.those(&format!("claim_id = '{claim}' and deleted_at is null")).await?;
    world.calendars.delete_event(calendar, &event).await?;
    world.ledger.note_by_hand(&claim, |by_hand| by_hand.deleted = !mappings.is_empty());
    Ok(())
}

async fn carry_event(world: &World, dice: Dice) -> Result<()> {
    let _hand = world.hand.lock().await;
    let Some((host, from, event, _)) = event_of_ours(world, dice)? else { return Ok(()) };
    let others: Vec<&CalendarAt> = host.calendars.iter().filter(|it| it.external_id != from.external_id).collect();
    match dice.choose(4, &others) {
        Some(to) => world.calendars.carry_event(from, &event, to),
        None => Ok(()),
    }
}

/// One of the appointments that stand so, with its host's cookie.
async fn appointment(world: &World, status: &str, dice: Dice) -> Result<Option<(Appointment, String)>> {
    let mut standing: Vec<Appointment> = world.reader.those(&format!("status = '{status}'")).await?;
    standing.sort_by(|one, other| one.visitor_email.cmp(&other.visitor_email));
    let Some(chosen) = dice.choose(1, &standing) else { return Ok(None) };
    let host = world.hosts.iter().find(|host| host.user_id == chosen.host_user_id);
    Ok(Some((chosen.clone(), host.context("an appointment has no host")?.cookie.clone())))
}

async fn cancel_as_host(world: &World, dice: Dice) -> Result<()> {
    let Some((appointment, cookie)) = appointment(world, "confirmed", dice).await? else { return Ok(()) };
    world.ledger.note(&appointment.visitor_email, |booking| booking.end_was_asked = true);
    let form = [("form[id]".to_owned(), appointment.id), ("form[reason]".to_owned(), "Something came up".to_owned())];
    // A host who gets no answer looks at the list and leaves it at that.
    world.product.form(&cookie, "appointment_cancel", &form).await.map(drop)
}

async fn decide(world: &World, dice: Dice) -> Result<()> {
    let Some((appointment, cookie)) = appointment(world, "pending", dice).await? else { return Ok(()) };
    let says_no = dice.below(2, 4) == 0;
    if says_no {
        world.ledger.note(&appointment.visitor_email, |booking| booking.end_was_asked = true);
    }
    let verb = if says_no { "decline" } else { "confirm" };
    world.product.of_host(&cookie, &format!("appointments/{}/{verb}", appointment.id), dice).await.map(drop)
}

/// By day, where it takes slots away.
async fn add_foreign(world: &World, number: usize, dice: Dice) -> Result<()> {
    let Some(host) = dice.choose(1, &world.hosts) else { return Ok(()) };
    let Some(calendar) = dice.choose(2, &host.calendars) else { return Ok(()) };
    let midnight = now().date_naive().and_hms_opt(0, 0, 0).context("a day begins at midnight")?.and_utc();
    let day = i64::try_from(dice.below(3, 40))? + 1;
    let quarter = i64::try_from(dice.below(4, 32))?;
    let start = midnight + TimeDelta::days(day) + TimeDelta::hours(7) + TimeDelta::minutes(15 * quarter);
    let end = start + TimeDelta::minutes(MINUTES[dice.below(5, MINUTES.len())]);
    let takes_time = dice.below(6, 5) > 0;
    world.calendars.add_event(calendar, &format!("own-{number}"), start, end, takes_time).await
}

/// One of the events of a host's own.
fn foreign(world: &World, dice: Dice) -> Result<Option<(&CalendarAt, Event)>> {
    let Some(host) = dice.choose(1, &world.hosts) else { return Ok(None) };
    let Some(calendar) = dice.choose(2, &host.calendars) else { return Ok(None) };
    let events = world.calendars.events(calendar)?;
    let own: BTreeSet<_> =
        events.iter().filter(|event| event.claim.is_none()).map(|event| (event.start, event.id.clone())).collect();
    let own: Vec<_> = own.into_iter().collect();
    let Some((_, id)) = dice.choose(3, &own) else { return Ok(None) };
    Ok(events.iter().find(|event| event.id == *id).map(|event| (calendar, event.clone())))
}

async fn move_foreign(world: &World, dice: Dice) -> Result<()> {
    let Some((calendar, event)) = foreign(world, dice)? else { return Ok(()) };
    let by = TimeDelta::minutes(15 * (i64::try_from(dice.below(4, 96))? + 1));
    world.calendars.move_event(calendar, &event, event.start + by).await
}

async fn delete_foreign(world: &World, dice: Dice) -> Result<()> {
    let Some((calendar, event)) = foreign(world, dice)? else { return Ok(()) };
    world.calendars.delete_event(calendar, &event).await
}
