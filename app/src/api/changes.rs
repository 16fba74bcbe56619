//! What a change would bring, before it is saved.

use serde::{Deserialize, Serialize};

/// What a change would bring for one event type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangesView {
    /// The event type's title.
    pub title: String,
    /// The days that were looked at, and their zone.
    pub range: String,
    /// What would be offered and is not now.
    pub gained: SlotsView,
    /// What is offered now and would not be.
    pub lost: SlotsView,
    /// Appointments that would lie outside the hours.
    pub outside: Vec<OutsideRow>,
}

/// Slots by day, the first ones of many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotsView {
    /// How many there are in all.
    pub count: usize,
    /// Each day with its times.
    pub days: Vec<(String, Vec<String>)>,
    /// How many are not among them.
    pub more: usize,
}

/// An appointment that would lie outside the hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideRow {
    /// Its id.
    pub id: String,
    /// Its date, start and end.
    pub when: String,
    /// Who booked it.
    pub visitor: String,
}

#[cfg(feature = "ssr")]
pub(super) mod convert {
    use chrono::{DateTime, NaiveDate, Utc};
    use chrono_tz::Tz;
    use cupo_core::text::Locale;
    use cupo_core::wire::ImpactView;
    use cupo_core::zone::TimeZoneName;

    use super::{ChangesView, OutsideRow, SlotsView};
    use crate::text::{locale, tf};
    use crate::time;

    const SHOWN_DAYS: usize = 3;
    const SHOWN_TIMES: usize = 8;

    pub(in crate::api) fn changes(impact: ImpactView) -> ChangesView {
        let locale = locale();
        let tz = TimeZoneName::parse(&impact.time_zone).map_or(Tz::UTC, TimeZoneName::tz);
        let outside = impact.outside.into_iter().map(|appointment| OutsideRow {
            when: time::span(appointment.start, appointment.end, tz, locale),
            id: appointment.id,
            visitor: appointment.visitor_name,
        });
        ChangesView {
            title: impact.title,
            range: tf(
                "dashboard.changes_range",
                &[
                    ("from", &time::date(impact.from, locale)),
                    ("to", &time::date(impact.to, locale)),
                    ("zone", &tz.name().replace('_', " ")),
                ],
            ),
            gained: slots(&impact.gained, tz, locale),
            lost: slots(&impact.lost, tz, locale),
            outside: outside.collect(),
        }
    }

    fn slots(starts: &[DateTime<Utc>], tz: Tz, locale: Locale) -> SlotsView {
        let mut days: Vec<(NaiveDate, Vec<String>)> = Vec::new();
        let mut shown = 0;
        for start in starts {
            let date = time::date_in(*start, tz);
            if days.last().is_none_or(|(last, _)| *last != date) {
                if days.len() == SHOWN_DAYS {
                    break;
                }
                days.push((date, Vec::new()));
            }
            if let Some((_, times)) = days.last_mut().filter(|(_, times)| times.len() < SHOWN_TIMES) {
                times.push(time::clock(*start, tz, locale).replace(' ', "\u{a0}"));
                shown += 1;
            }
        }
        SlotsView {
            count: starts.len(),
            days: days.into_iter().map(|(date, times)| (time::date(date, locale), times)).collect(),
            more: starts.len() - shown,
        }
    }

    #[cfg(test)]
    mod tests {
        use chrono::TimeDelta;

        use super::*;

        #[test]
        fn the_first_slots_are_told_by_day_and_the_rest_is_counted() {
            let first: DateTime<Utc> = "2026-11-23T22:30:00Z".parse().unwrap();
            let starts: Vec<_> = (0..400).map(|number| first + TimeDelta::minutes(30 * number)).collect();
            let view = slots(&starts, chrono_tz::Europe::Madrid, Locale::En);
            assert_eq!(view.days[0], ("Monday, November 23, 2026".to_owned(), vec!["11:30\u{a0}PM".to_owned()]));
            assert_eq!(view.days.iter().map(|(_, times)| times.len()).collect::<Vec<_>>(), [1, 8, 8]);
            assert_eq!((view.count, view.more), (400, 383));
        }
    }
}
