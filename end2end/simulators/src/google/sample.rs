//! A believable week for the demo: what the first user's calendars hold before anybody books.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::event_writes::{SendUpdates, Write};
use super::world::World;

/// Day of the week (Monday is 0), start and end as minutes of the day, title, and whether it is of the second calendar.
type Sample = (u64, u32, u32, &'static str, bool);

const WEEK: [Sample; 8] = [
    (0, 570, 600, "Plan the week", false),
    (0, 840, 900, "Follow-up: Mr Olsen", false),
    (1, 690, 750, "Supplier visit", false),
    (1, 1_110, 1_170, "Pilates", true),
    (2, 600, 690, "Workshop: back pain", false),
    (3, 780, 840, "Lunch with Marta", true),
    (3, 960, 1_020, "Case review", false),
    (4, 540, 585, "Invoices", false),
];

/// Adds the sample to the calendars of `account`, in the week of `now` and the next.
pub fn add(world: &mut World, account: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let user = world.users.get(account).ok_or_else(|| anyhow::anyhow!("there is no user {account}"))?;
    let calendars: Vec<String> = user.calendar_list.iter().map(|entry| entry.calendar_id.clone()).collect();
    let zone = user.time_zone;
    let today = now.with_timezone(&zone).date_naive();
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    for (day, start, end, summary, personal) in WEEK {
        let Some(calendar_id) = calendars.get(usize::from(personal)) else { continue };
        for week in 0..2 {
            let date = monday + Days::new(day + 7 * week);
            let event = event(summary, date, start, end, zone);
            let send_updates = SendUpdates::None;
            let write = Write { calendar_id, author: account, send_updates, conferences: false, if_match: None, now };
            write.insert(world, &event)?;
        }
    }
    Ok(())
}

fn event(summary: &str, date: NaiveDate, start: u32, end: u32, zone: Tz) -> Map<String, Value> {
    let time = |minutes: u32| {
        let time = NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap_or_default();
        json!({ "dateTime": date.and_time(time), "timeZone": zone.name() })
    };
    Map::from_iter([
        ("summary".to_owned(), json!(summary)),
        ("start".to_owned(), time(start)),
        ("end".to_owned(), time(end)),
    ])
}
