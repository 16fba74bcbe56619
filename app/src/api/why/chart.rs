//! A day as bands of a drawing.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use cupo_core::text::Locale;
use cupo_core::wire::{BandView, DayView, HostDayView};

use super::view::address;
use super::{ChartBand, ChartMoment, ChartRow, ChartView};
use crate::text::tf;
use crate::time;

/// What is drawn of a day.
struct Frame {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    tz: Tz,
    locale: Locale,
}

impl Frame {
    /// The hours in which something happens, with one around them; the whole day where nothing does.
    fn of(day: &DayView, whole: bool, tz: Tz, locale: Locale) -> Self {
        let all = Self { start: day.start, end: day.end, tz, locale };
        let hours = day.hosts.iter().flat_map(|host| &host.hours);
        let taken = day.hosts.iter().flat_map(|host| &host.busy).filter(|band| band.kind != "calendar");
        let bands: Vec<_> = hours.chain(taken).collect();
        let (first, last) = (bands.iter().map(|band| band.from).min(), bands.iter().map(|band| band.to).max());
        match (first, last) {
            (Some(first), Some(last)) if !whole => Self {
                start: all.full_hour(first - TimeDelta::hours(1)).max(day.start),
                end: all.full_hour(last + TimeDelta::minutes(119)).min(day.end),
                ..all
            },
            _ => all,
        }
    }

    /// The last full hour of the local clock at or before an instant.
    fn full_hour(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let local = at.with_timezone(&self.tz);
        at - TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()))
    }

    #[expect(clippy::cast_precision_loss, reason = "a day has few enough minutes")]
    fn hours(&self) -> f64 {
        (self.end - self.start).num_minutes() as f64 / 60.0
    }

    #[expect(clippy::cast_precision_loss, reason = "a day has few enough seconds")]
    fn place(&self, at: DateTime<Utc>) -> f64 {
        let (passed, all) = ((at - self.start).num_seconds(), (self.end - self.start).num_seconds());
        let hundredths = passed.clamp(0, all) as f64 * 100.0 / all as f64;
        (hundredths * 1000.0).round() / 1000.0
    }

    fn holds(&self, at: DateTime<Utc>) -> bool {
        self.start <= at && at < self.end
    }

    fn clock(&self, at: DateTime<Utc>) -> String {
        time::clock(at, self.tz, self.locale)
    }

    /// The full hours.
    fn ticks(&self) -> Vec<(f64, String)> {
        let hours = std::iter::successors(Some(self.full_hour(self.start + TimeDelta::minutes(59))), |at| {
            Some(*at + TimeDelta::hours(1))
        });
        let short = |at: DateTime<Utc>| match self.locale.dashboard() {
            Locale::Es => at.with_timezone(&self.tz).format("%-H:%M").to_string(),
            _ => at.with_timezone(&self.tz).format("%-I %p").to_string(),
        };
        hours.take_while(|at| *at < self.end).map(|at| (self.place(at), short(at))).collect()
    }

    fn band(&self, band: &BandView) -> Option<ChartBand> {
        let (from, to) = (band.from.max(self.start), band.to.min(self.end));
        let label = if band.kind == "hours" {
            let span = format!("{} – {}", self.clock(band.from), self.clock(band.to));
            tf("dashboard.band_hours", &[("time", &span)])
        } else {
            band.label.clone()
        };
        (from < to).then(|| ChartBand {
            kind: band.kind.clone(),
            place: self.place(from),
            width: self.place(to) - self.place(from),
            label,
        })
    }
}

/// The drawing of a day. `whole` draws all of it; `now` is marked.
pub(super) fn chart(day: &DayView, whole: bool, now: DateTime<Utc>, tz: Tz, locale: Locale) -> ChartView {
    let frame = Frame::of(day, whole, tz, locale);
    let row = |host: &HostDayView| ChartRow {
        name: host.name.clone(),
        is_required: host.is_required,
        bands: host.hours.iter().chain(&host.busy).filter_map(|band| frame.band(band)).collect(),
    };
    let duration = TimeDelta::minutes(i64::from(day.duration));
    let offered = day.offered.iter().enumerate().filter(|(_, at)| frame.holds(**at)).map(|(number, at)| {
        // A slot is drawn until the next one starts, so that each can be seen.
        let end = day.offered.get(number + 1).map_or(*at + duration, |next| (*at + duration).min(*next));
        (frame.place(*at), frame.place(end) - frame.place(*at), frame.clock(*at))
    });
    ChartView {
        hours: frame.hours(),
        ticks: frame.ticks(),
        now: frame.holds(now).then(|| frame.place(now)),
        offered: offered.collect(),
        rows: day.hosts.iter().map(row).collect(),
        moments: day
            .moments
            .iter()
            .filter(|moment| frame.holds(moment.at))
            .map(|moment| ChartMoment {
                place: frame.place(moment.at),
                time: frame.clock(moment.at),
                at: address(moment.at),
                is_offered: moment.is_offered,
                sentence: moment.sentence.clone(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(hours: &[(&str, &str)], busy: &[(&str, &str, &str)]) -> DayView {
        let band = |from: &str, to: &str, kind: &str| BandView {
            from: at(from),
            to: at(to),
            kind: kind.to_owned(),
            label: String::new(),
        };
        DayView {
            date: "2026-11-23".parse().unwrap(),
            time_zone: "Europe/Madrid".to_owned(),
            start: at("2026-11-22T23:00:00Z"),
            end: at("2026-11-23T23:00:00Z"),
            duration: 30,
            offered: vec![at("2026-11-23T08:00:00Z"), at("2026-11-23T08:15:00Z"), at("2026-11-23T10:00:00Z")],
            hosts: vec![HostDayView {
                id: String::new(),
                name: "Ana".to_owned(),
                is_required: true,
                hours: hours.iter().map(|(from, to)| band(from, to, "hours")).collect(),
                busy: busy.iter().map(|(from, to, kind)| band(from, to, kind)).collect(),
            }],
            moments: Vec::new(),
        }
    }

    fn drawn(day: &DayView, whole: bool) -> ChartView {
        chart(day, whole, at("2026-11-23T12:00:00Z"), chrono_tz::Europe::Madrid, Locale::Es)
    }

    #[test]
    fn only_the_hours_in_which_something_happens_are_drawn() {
        let day = day(
            &[("2026-11-23T08:00:00Z", "2026-11-23T16:00:00Z")],
            &[("2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z", "calendar")],
        );
        let chart = drawn(&day, false);
        assert_eq!((chart.hours, chart.ticks[0].1.as_str()), (10.0, "8:00"));
        assert_eq!(chart.rows[0].bands[0].place, 10.0);
        assert_eq!(chart.rows[0].bands[1].width, 100.0);
        assert_eq!(drawn(&day, true).hours, 24.0);
    }

    #[test]
    fn a_day_on_which_nothing_happens_is_drawn_whole() {
        assert_eq!(drawn(&day(&[], &[]), false).hours, 24.0);
    }

    #[test]
    fn a_slot_is_drawn_until_the_next_one() {
        let chart = drawn(&day(&[("2026-11-23T08:00:00Z", "2026-11-23T16:00:00Z")], &[]), false);
        let widths: Vec<_> = chart.offered.iter().map(|(_, width, _)| *width).collect();
        assert_eq!(widths, [2.5, 5.0, 5.0]);
    }
}
