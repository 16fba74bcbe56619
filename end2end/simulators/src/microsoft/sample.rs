//! A believable week for the demo: what the first user's calendars hold before anybody books.

use chrono::{DateTime, Utc};
use serde_json::{Map, json};

use super::event_writes::Write;
use super::ids::IdType;
use super::world::World;
use crate::sample_week;

/// Adds the sample to the calendars of `email`, in the week of `now` and the next.
pub fn add(world: &mut World, email: &str, now: DateTime<Utc>) -> anyhow::Result<()> {
    let user = world.users.get(email).ok_or_else(|| anyhow::anyhow!("there is no user {email}"))?;
    let (calendars, zone) = (user.calendars.clone(), user.time_zone);
    for sample in sample_week::events(now, zone) {
        let Some(calendar) = calendars.get(usize::from(sample.is_personal)).copied() else { continue };
        let time = |local: chrono::NaiveDateTime| json!({ "dateTime": local, "timeZone": zone.name() });
        let event = Map::from_iter([
            ("subject".to_owned(), json!(sample.title)),
            ("start".to_owned(), time(sample.start)),
            ("end".to_owned(), time(sample.end)),
        ]);
        Write { calendar, if_match: None, ids: IdType::Regular, now }.create(world, &event)?;
    }
    Ok(())
}
