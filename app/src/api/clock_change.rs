//! The weeks around the next clock change.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChangeView {
    /// The event type's title.
    pub title: String,
    /// The event type's zone.
    pub host_zone: String,
    /// The visitor's zone, an IANA name.
    pub visitor_zone: String,
    /// The visitor's zone in words.
    pub visitor_zone_name: String,
    /// What changes, each as a sentence; empty where neither zone changes within a year.
    pub changes: Vec<String>,
    /// The days, week by week.
    pub weeks: Vec<Vec<ZonedDayRow>>,
    /// Every zone that can be chosen.
    pub time_zones: Vec<String>,
}

/// A day in two zones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonedDayRow {
    /// The date in the event type's zone.
    pub date: String,
    /// Whether a clock of either zone changes on it.
    pub changes: bool,
    /// The hours by the host's clock.
    pub host: ZonedHours,
    /// The same hours by the visitor's clock.
    pub visitor: ZonedHours,
}

/// The hours of a day by one clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZonedHours {
    /// The hours; empty where nobody can be booked.
    pub text: String,
    /// Whether they are other than a week before.
    pub differs: bool,
}

/// The weeks around the next change of the clocks of the event type's zone or of `zone`.
#[server(prefix = "/dashboard/api", endpoint = "clock_change")]
pub async fn clock_change(id: String, #[server(default)] zone: String) -> Result<ClockChangeView, AppError> {
    use super::request::{answer, host};
    use cupo_core::zone::TimeZoneName;

    let (engine, principal) = host()?;
    let id = super::request::id(&id, "event type")?;
    let event_type = answer(engine.event_type(&principal, &id).await)?;
    // Without a choice, the first zone that shows how two clocks part.
    let zone = match TimeZoneName::parse(&zone) {
        Ok(zone) => zone.as_str(),
        Err(_) => view::far_from(super::request::zone(&engine, &principal).await?),
    };
    let preview = answer(engine.clock_change_preview(&principal, &id, zone).await)?;
    Ok(view::of(preview, event_type.title))
}

#[cfg(feature = "ssr")]
mod view {
    use chrono::NaiveTime;
    use chrono_tz::Tz;
    use cupo_core::text::Locale;
    use cupo_core::wire::{self, ZoneChange};
    use cupo_core::zone::TimeZoneName;

    use super::{ClockChangeView, ZonedDayRow, ZonedHours};
    use crate::text::{locale, tf};
    use crate::time;

    const WEEK: usize = 7;

    /// A zone whose clocks change on other days.
    pub(super) fn far_from(tz: Tz) -> &'static str {
        if tz.name().starts_with("America/") { "Europe/London" } else { "America/New_York" }
    }

    fn words(zone: &str) -> String {
        zone.replace('_', " ")
    }

    pub(super) fn of(preview: wire::ClockChangeView, title: String) -> ClockChangeView {
        let locale = locale();
        let before = |number: usize| number.checked_sub(WEEK).map(|before| &preview.days[before]);
        let rows: Vec<_> = preview
            .days
            .iter()
            .enumerate()
            .map(|(number, day)| ZonedDayRow {
                date: time::date(day.date, locale),
                changes: day.changes,
                host: hours(&day.host_hours, before(number).map(|day| &day.host_hours), locale),
                visitor: hours(&day.visitor_hours, before(number).map(|day| &day.visitor_hours), locale),
            })
            .collect();
        ClockChangeView {
            title,
            host_zone: words(&preview.host_zone),
            visitor_zone_name: words(&preview.visitor_zone),
            visitor_zone: preview.visitor_zone,
            changes: preview.changes.iter().map(|change| sentence(change, locale)).collect(),
            weeks: rows.chunks(WEEK).map(<[_]>::to_vec).collect(),
            time_zones: TimeZoneName::all().map(str::to_owned).collect(),
        }
    }

    fn hours(of: &[String], before: Option<&Vec<String>>, locale: Locale) -> ZonedHours {
        let text = of.iter().map(|span| told(span, locale)).collect::<Vec<_>>().join(", ");
        ZonedHours { text, differs: before.is_some_and(|before| before != of) }
    }

    /// `09:00–17:00 +1` as the reader writes times.
    fn told(span: &str, locale: Locale) -> String {
        let one = |text: &str| {
            let (time, day) = text.split_at_checked(5)?;
            let time = NaiveTime::parse_from_str(time, "%H:%M").ok()?;
            Some(format!("{}{day}", time::local_clock(time, locale)).replace(' ', "\u{a0}"))
        };
        let told: Option<Vec<_>> = span.split('–').map(one).collect();
        told.map_or_else(|| span.to_owned(), |times| times.join(" – "))
    }

    fn sentence(change: &ZoneChange, locale: Locale) -> String {
        let tz = TimeZoneName::parse(&change.time_zone).map_or(Tz::UTC, TimeZoneName::tz);
        let by = change.after_minutes - change.before_minutes;
        let key = if by > 0 { "dashboard.clock_forward" } else { "dashboard.clock_back" };
        tf(
            key,
            &[
                ("zone", &words(&change.time_zone)),
                ("date", &time::date(time::date_in(change.at, tz), locale)),
                ("by", &time::duration(by.unsigned_abs(), locale)),
            ],
        )
    }

    #[cfg(test)]
    mod tests {
        use cupo_core::wire::ZonedDay;

        use super::*;

        #[test]
        fn hours_are_told_as_the_reader_writes_times() {
            let plain = |span| told(span, Locale::En).replace('\u{a0}', " ");
            assert_eq!(plain("09:00–17:00"), "9:00 AM – 5:00 PM");
            assert_eq!(plain("22:00 -1–01:00"), "10:00 PM -1 – 1:00 AM");
            assert_eq!(told("soon", Locale::En), "soon");
        }

        #[test]
        fn a_day_whose_hours_are_not_those_of_the_week_before_is_marked() {
            let day = |number: u32, visitor: &str| ZonedDay {
                date: chrono::NaiveDate::from_ymd_opt(2027, 3, number).unwrap(),
                changes: number == 14,
                host_hours: vec!["09:00–17:00".to_owned()],
                visitor_hours: vec![visitor.to_owned()],
            };
            let days = (7..=20).map(|number| day(number, if number < 14 { "03:00–11:00" } else { "04:00–12:00" }));
            let preview = wire::ClockChangeView {
                host_zone: "Europe/Madrid".to_owned(),
                visitor_zone: "America/New_York".to_owned(),
                changes: vec![ZoneChange {
                    time_zone: "America/New_York".to_owned(),
                    at: "2027-03-14T07:00:00Z".parse().unwrap(),
                    before_minutes: -300,
                    after_minutes: -240,
                }],
                days: days.collect(),
            };
            let view = of(preview, String::new());
            assert!(view.weeks[0].iter().all(|day| !day.visitor.differs));
            assert!(view.weeks[1].iter().all(|day| day.visitor.differs && !day.host.differs));
            assert!(
                view.changes[0].contains("America/New York") && view.changes[0].contains("1 h"),
                "{:?}",
                view.changes
            );
        }
    }
}
