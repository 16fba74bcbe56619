//! What the first user's calendars hold before anybody books, for the demo.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, json};

use super::event_writes::{SendUpdates, Write};
use super::world::World;
use crate::sample_week;

/// Adds the sample to the calendars of `account`, in the week of `now` and the next.
pub fn add(world: &mut World, account: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let user = world.users.get(account).ok_or_else(|| anyhow::anyhow!("there is no user {account}"))?;
    let calendars: Vec<String> = user.calendar_list.iter().map(|entry| entry.calendar_id.clone()).collect();
    let zone = user.time_zone;
    for sample in sample_week::events(now, zone) {
        let Some(calendar_id) = calendars.get(usize::from(sample.is_personal)) else { continue };
        let time = |local: NaiveDateTime| json!({ "dateTime": local, "timeZone": zone.name() });
        let event = Map::from_iter([
            ("summary".to_owned(), json!(sample.title)),
            ("start".to_owned(), time(sample.start)),
            ("end".to_owned(), time(sample.end)),
        ]);
        let send_updates = SendUpdates::None;
        let write = Write { calendar_id, author: account, send_updates, conferences: false, if_match: None, now };
        write.insert(world, &event)?;
    }
    Ok(())
}
