//! What a calendar shows within a window.

use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::event::{EventKind, Item};
use super::world::Calendar;

/// An instant range, `from` inclusive and `to` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl Window {
    /// Whether `item` overlaps it. An event without length belongs to the window that has its start.
    pub fn holds(self, item: &Item, mailbox_zone: Tz) -> bool {
        let (start, end) = (item.event.start.instant(mailbox_zone), item.event.end.instant(mailbox_zone));
        start < self.to && (end > self.from || start >= self.from)
    }
}

/// Single events, occurrences and exceptions that overlap `window`, by start.
pub fn items(calendar: &Calendar, window: Window, mailbox_zone: Tz) -> Vec<Item> {
    let mut items: Vec<Item> = calendar
        .events
        .values()
        .flat_map(|event| {
            if event.recurrence.is_none() {
                return vec![event.item()];
            }
            // The days of a series are counted in its own zone.
            let last = window.to.with_timezone(&event.start.zone()).date_naive();
            event.occurrences_until(last.checked_add_days(Days::new(1)).unwrap_or(last))
        })
        .filter(|item| window.holds(item, mailbox_zone))
        .collect();
    items.sort_by_key(|item| (item.event.start.instant(mailbox_zone), item.id));
    items
}

/// As [`items`], with the series themselves whose occurrences or exceptions are among them.
pub fn items_with_series(calendar: &Calendar, window: Window, mailbox_zone: Tz) -> Vec<Item> {
    let shown = items(calendar, window, mailbox_zone);
    let has_occurrence =
        |key: u64| shown.iter().any(|item| item.id.event == key && item.kind != EventKind::SingleInstance);
    let series = calendar.events.values().filter(|event| event.recurrence.is_some() && has_occurrence(event.key));
    let mut all: Vec<Item> = series.map(|event| event.item()).collect();
    all.extend(shown);
    all
}
