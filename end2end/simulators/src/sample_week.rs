//! A believable week of appointments for the demo, which every simulated calendar can start with.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

/// An appointment in wall-clock time.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub title: &'static str,
    pub start: NaiveDateTime,
    pub end: NaiveDateTime,
    /// Whether it belongs into the second calendar.
    pub is_personal: bool,
}

/// Day of the week (Monday is 0), start and end as minutes of the day, title, and whether it is of the second calendar.
const WEEK: [(u64, u32, u32, &str, bool); 8] = [
    (0, 570, 600, "Plan the week", false),
    (0, 840, 900, "Follow-up: Mr Olsen", false),
    (1, 690, 750, "Supplier visit", false),
    (1, 1_110, 1_170, "Pilates", true),
    (2, 600, 690, "Workshop: back pain", false),
    (3, 780, 840, "Lunch with Marta", true),
    (3, 960, 1_020, "Case review", false),
    (4, 540, 585, "Invoices", false),
];

/// The appointments of the week of `now` in `zone`, and of the next.
pub fn events(now: DateTime<Utc>, zone: Tz) -> impl Iterator<Item = Sample> {
    let today = now.with_timezone(&zone).date_naive();
    let monday = today - Days::new(u64::from(today.weekday().num_days_from_monday()));
    WEEK.into_iter().flat_map(move |(day, start, end, title, is_personal)| {
        (0..2).map(move |week| {
            let date = monday + Days::new(day + 7 * week);
            Sample { title, start: at(date, start), end: at(date, end), is_personal }
        })
    })
}

fn at(date: NaiveDate, minutes: u32) -> NaiveDateTime {
    date.and_time(NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap_or_default())
}
