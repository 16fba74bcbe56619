//! `getSchedule`: free and busy times of several people.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::event::Item;
use super::super::event_time::{EventTime, ShownZone};
use super::super::view::{self, Window};
use super::super::world::{User, World};
use super::error::GraphError;
use super::{Answer, Call, resource};

const DEFAULT_INTERVAL: i64 = 30;
const MOST_SCHEDULES: usize = 20;
const LONGEST_DAYS: i64 = 62;

/// `POST .../calendar/getSchedule`.
pub fn get_schedule(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let query = ScheduleQuery::read(&body)?;
    let failing = call.microsoft.faults().for_schedules();
    let world = call.microsoft.world();
    let owner = call.owner(&world)?;
    if owner.is_personal() {
        return Err(GraphError::new(
            StatusCode::FORBIDDEN,
            "ErrorAccessDenied",
            "This operation is not supported for personal Microsoft accounts.",
        ));
    }
    let shown = call.prefer.zone.clone().unwrap_or_else(|| query.shown.clone());
    let value = query.schedules.iter().map(|address| {
        let lower = address.to_lowercase();
        if let Some((_, code)) = failing.iter().find(|(failing, _)| failing.eq_ignore_ascii_case(address)) {
            return unknown(address, code, "The mailbox is not available at the moment.");
        }
        let user = world.users.get(&lower).filter(|user| user.tenant == owner.tenant);
        match user {
            Some(user) => query.schedule(&world, user, address, &shown, user.email == owner.email),
            None => unknown(address, "ErrorMailRecipientNotFound", "The mailbox was not found in the directory."),
        }
    });
    let value: Vec<Value> = value.collect();
    let context = format!("{}/v1.0/$metadata#Collection(microsoft.graph.scheduleInformation)", call.microsoft.base_url);
    Ok(resource(StatusCode::OK, json!({ "@odata.context": context, "value": value })))
}

struct ScheduleQuery {
    schedules: Vec<String>,
    window: Window,
    interval: TimeDelta,
    /// The zone in which the window was written.
    shown: ShownZone,
}

impl ScheduleQuery {
    /// Member names as the documentation writes them (`schedules`) or as the metadata does (`Schedules`).
    fn read(body: &Map<String, Value>) -> Result<Self, GraphError> {
        let member = |name: &str| body.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let invalid = |message: &str| GraphError::bad_request("ErrorInvalidRequest", message);
        let listed = member("schedules").and_then(Value::as_array).ok_or_else(|| invalid("schedules is missing."))?;
        let schedules: Option<Vec<String>> = listed.iter().map(|it| it.as_str().map(str::to_owned)).collect();
        let schedules = schedules.filter(|it| !it.is_empty()).ok_or_else(|| invalid("schedules is empty."))?;
        if schedules.len() > MOST_SCHEDULES {
            return Err(GraphError::bad_request(
                "ErrorInvalidParameter",
                "At most 20 schedules can be asked for at once.",
            ));
        }
        let bound = |name: &str| {
            let value = member(name).ok_or_else(|| invalid("startTime or endTime is missing."))?;
            Ok::<_, GraphError>((EventTime::parse(value, false, name)?, value))
        };
        let ((start, start_value), (end, _)) = (bound("startTime")?, bound("endTime")?);
        let window = Window { from: start.instant(Tz::UTC), to: end.instant(Tz::UTC) };
        if window.to <= window.from {
            return Err(GraphError::bad_request("ErrorInvalidTimeInterval", "The end must be after the start."));
        }
        if window.to - window.from > TimeDelta::days(LONGEST_DAYS) {
            let message = "The requested time duration specified for FreeBusyViewOptions.TimeWindow is not within the \
                           allowed limits.";
            return Err(GraphError::bad_request("ErrorInvalidTimeInterval", message));
        }
        let minutes = member("availabilityViewInterval").map_or(Some(DEFAULT_INTERVAL), Value::as_i64);
        let minutes = minutes.filter(|minutes| (5..=1_440).contains(minutes));
        let minutes = minutes.ok_or_else(|| {
            let message = "availabilityViewInterval must be from 5 to 1440 minutes.";
            GraphError::bad_request("ErrorInvalidMergedFreeBusyInterval", message)
        })?;
        let name = start_value["timeZone"].as_str().unwrap_or("UTC");
        Ok(Self { schedules, window, interval: TimeDelta::minutes(minutes), shown: ShownZone::named(name)? })
    }

    fn schedule(&self, world: &World, user: &User, address: &str, shown: &ShownZone, is_own: bool) -> Value {
        let calendar = world.calendars_of(&user.email).next();
        let items = calendar.map(|calendar| view::items(calendar, self.window, user.time_zone)).unwrap_or_default();
        let items: Vec<Item> =
            items.into_iter().filter(|item| !item.event.is_cancelled && digit(item) != '0').collect();
        let told = items.iter().map(|item| {
            let event = &item.event;
            let is_private = matches!(event.text("sensitivity"), Some("private" | "confidential"));
            let time = |time: EventTime| {
                // A whole day is told as the instants at which it begins and ends for its owner.
                EventTime::Timed { at: time.instant(user.time_zone), zone: user.time_zone }.to_json(shown)
            };
            let mut told = json!({
                "status": event.text("showAs").unwrap_or("busy"),
                "start": time(event.start),
                "end": time(event.end),
            });
            if is_own {
                told["isPrivate"] = json!(is_private);
                told["subject"] = json!(event.text("subject"));
                told["location"] = event.members["location"]["displayName"].clone();
            }
            told
        });
        let told: Vec<Value> = told.collect();
        json!({
            "scheduleId": address,
            "availabilityView": self.availability_view(&items, user.time_zone),
            "scheduleItems": told,
            "workingHours": {
                "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                "startTime": "08:00:00.0000000",
                "endTime": "17:00:00.0000000",
                "timeZone": { "name": super::super::zones::windows_name(user.time_zone) },
            },
        })
    }

    /// A digit for each interval: the strongest of what overlaps it.
    fn availability_view(&self, items: &[Item], zone: Tz) -> String {
        let mut view = String::new();
        let mut from: DateTime<Utc> = self.window.from;
        while from < self.window.to {
            let slot = Window { from, to: (from + self.interval).min(self.window.to) };
            let overlapping = items.iter().filter(|item| slot.holds(item, zone)).map(digit);
            view.push(overlapping.max_by_key(|digit| strength(*digit)).unwrap_or('0'));
            from += self.interval;
        }
        view
    }
}

/// 0 free, 1 tentative, 2 busy, 3 out of office, 4 working elsewhere.
fn digit(item: &Item) -> char {
    match item.event.text("showAs") {
        // What its owner declined takes no time.
        _ if item.event.response.kind == "declined" => '0',
        Some("free") => '0',
        Some("tentative") => '1',
        Some("oof") => '3',
        Some("workingElsewhere") => '4',
        _ => '2',
    }
}

fn strength(digit: char) -> u8 {
    match digit {
        '4' => 1,
        '1' => 2,
        '2' => 3,
        '3' => 4,
        _ => 0,
    }
}

fn unknown(address: &str, code: &str, message: &str) -> Value {
    json!({
        "scheduleId": address,
        "availabilityView": "",
        "scheduleItems": [],
        "workingHours": null,
        "error": { "message": message, "responseCode": code },
    })
}
