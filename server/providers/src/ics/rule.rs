//! The local times of a recurrence rule (RFC 5545, section 3.3.10), by the crate `rrule`, at a bounded effort.
//!
//! A rule repeats by the clock on the wall, so it is followed in local time without any zone: what 9:00 means on each date is
//! found out afterwards.

use chrono::{NaiveDateTime, TimeDelta};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use super::IcsError;
use super::effort::Effort;
use super::time::Written;

/// A longer rule is not read.
const LONGEST_RULE: usize = 500;
/// What a rule costs on which no date comes any more: the crate gives up after 100,000 costly steps. A file may have a few.
const STEPS_OF_A_DEAD_RULE: i64 = 300_000;

/// A rule that can be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Without its end: the crate would go on searching behind it.
    text: String,
    pub(super) until: Option<Written>,
    count: Option<u32>,
    /// How far one step of the crate reaches at least.
    step: TimeDelta,
    /// How far a repetition lies from the one before, where that is always the same.
    stride: Option<TimeDelta>,
    /// How many times of day one date may have.
    times_a_day: i64,
}

impl Rule {
    /// `None` where the rule cannot be read, or repeats more often than each hour. Of whole days the times of day are no part.
    pub(super) fn read(text: &str, is_of_days: bool) -> Option<Self> {
        if text.len() > LONGEST_RULE {
            return None;
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
        let mut rule = Self {
            text: String::new(),
            until: None,
            count: None,
            step: TimeDelta::zero(),
            stride: None,
            times_a_day: 1,
        };
        let mut interval = 1_i32;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            match name {
                "UNTIL" => {
                    rule.until = Some(Written::read(value)?);
                    continue;
                }
                // RFC 7529: the calendar that everybody uses.
                "RSCALE" if value == "GREGORIAN" => continue,
                "SKIP" if value == "OMIT" => continue,
                "BYHOUR" | "BYMINUTE" | "BYSECOND" if is_of_days => continue,
                "BYHOUR" | "BYMINUTE" | "BYSECOND" => {
                    rule.times_a_day *= i64::try_from(value.split(',').count()).ok()?;
                }
                "FREQ" => {
                    rule.step = match value {
                        "YEARLY" => TimeDelta::days(365),
                        "MONTHLY" => TimeDelta::days(28),
                        "WEEKLY" => TimeDelta::weeks(1),
                        "DAILY" => TimeDelta::days(1),
                        "HOURLY" if !is_of_days => TimeDelta::hours(1),
                        _ => return None,
                    };
                }
                "INTERVAL" => interval = value.parse::<u16>().ok().filter(|interval| *interval > 0)?.into(),
                "COUNT" => rule.count = Some(value.parse().ok().filter(|count| *count > 0)?),
                _ => {}
            }
            if !rule.text.is_empty() {
                rule.text.push(';');
            }
            rule.text.extend([name, "=", value]);
        }
        // Of other characters the crate takes a part, and panics.
        if rule.step.is_zero() || rule.text.contains(':') || !rule.text.is_ascii() {
            return None;
        }
        if rule.step <= TimeDelta::weeks(1) {
            rule.stride = Some(rule.step * interval);
        }
        // What the crate does not accept for any beginning it does not accept for this one.
        let any = Written::read("20240101T000000Z")?.naive();
        rule.set(any).map(|_| rule)
    }

    fn set(&self, first: NaiveDateTime) -> Option<RRuleSet> {
        let first = first.and_utc().with_timezone(&Tz::UTC);
        let rule = self.text.parse::<RRule<Unvalidated>>().ok()?.validate(first).ok()?;
        Some(RRuleSet::new(first).rrule(rule).limit())
    }

    /// The local times from `earliest` to `last` of the rule that begins at `first`. `until` is the rule's end by the same
    /// clock.
    pub(super) fn starts(
        &self,
        first: NaiveDateTime,
        until: Option<NaiveDateTime>,
        earliest: NaiveDateTime,
        last: NaiveDateTime,
        effort: &mut Effort,
    ) -> Result<Vec<NaiveDateTime>, IcsError> {
        let last = until.map_or(last, |until| until.min(last));
        let first = self.near(first, earliest);
        if last < first {
            return Ok(Vec::new());
        }
        let steps = (last - first).num_seconds() / self.step.num_seconds() + 1;
        let dates_a_step = if self.times_a_day > 1 { self.step.num_days().max(1) } else { 1 };
        effort.spend(steps.saturating_mul(self.times_a_day).saturating_mul(dates_a_step))?;
        let Some(set) = self.set(first) else { return Err(IcsError::TooMany) };
        let mut found = Vec::new();
        let mut seen = 0;
        for at in &set {
            let at = at.naive_utc();
            if at > last {
                return Ok(found);
            }
            seen += 1;
            effort.spend(1)?;
            if at >= earliest {
                found.push(at);
            }
        }
        if self.count != Some(seen) {
            // It ended although it should not: no date comes any more, and to find that out was costly.
            effort.spend(STEPS_OF_A_DEAD_RULE)?;
        }
        Ok(found)
    }

    /// A beginning from which the rule goes on as from `first` and which lies not long before `earliest`: nobody walks through
    /// the years of a daily meeting.
    fn near(&self, first: NaiveDateTime, earliest: NaiveDateTime) -> NaiveDateTime {
        let Some(stride) = self.stride.filter(|_| self.count.is_none()) else { return first };
        let strides = (earliest - first).num_seconds() / stride.num_seconds() - 2;
        match i32::try_from(strides) {
            Ok(strides) if strides > 0 => first + stride * strides,
            _ => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate, Weekday};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn starts(rule: &str, first: &str, from: &str, to: &str) -> Vec<String> {
        let rule = Rule::read(rule, false).unwrap();
        let until = rule.until.map(Written::naive);
        let found = rule.starts(at(first), until, at(from), at(to), &mut Effort::default()).unwrap();
        found.iter().map(|at| at.format("%m-%dT%H:%M").to_string()).collect()
    }

    #[test]
    fn a_rule_of_other_characters_is_none() {
        for rule in ["FREQ=WEEKLY;BYDAY=éO", "FREQ=WEEKLY;BYDAY=1\u{fffd}O", "FREQ=WEEKLY;WKST=é"] {
            assert!(Rule::read(rule, false).is_none(), "{rule}");
        }
    }

    #[test]
    fn a_rule_that_began_long_ago_goes_on_in_step() {
        let (first, from, to) = ("1990-01-01T09:00:00", "2026-11-02T00:00:00", "2026-11-16T23:59:59");
        assert_eq!(starts("FREQ=WEEKLY;INTERVAL=2", first, from, to), ["11-02T09:00", "11-16T09:00"]);
        let days = starts("FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU", first, from, to);
        assert_eq!(days, ["11-02T09:00", "11-04T09:00", "11-09T09:00", "11-11T09:00", "11-16T09:00"]);
        assert_eq!(
            starts("FREQ=MONTHLY;BYDAY=-1MO", first, from, "2026-12-31T00:00:00"),
            ["11-30T09:00", "12-28T09:00"]
        );
        assert_eq!(starts("FREQ=DAILY;COUNT=3", first, from, to), [""; 0]);
        assert_eq!(starts("FREQ=HOURLY;INTERVAL=100", first, from, "2026-11-10T00:00:00").len(), 2);
    }

    #[test]
    fn a_rule_that_is_not_understood_is_not_read() {
        for wrong in [
            "",
            "FREQ=SECONDLY",
            "FREQ=MINUTELY",
            "FREQ=FORTNIGHTLY",
            "INTERVAL=2",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;UNTIL=soon",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=YEARLY;RSCALE=HEBREW",
            "daily",
        ] {
            assert_eq!(Rule::read(wrong, false), None, "{wrong}");
        }
        assert!(Rule::read("freq=weekly; byday=mo, we;", false).is_some());
        assert!(Rule::read("RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=OMIT", false).is_some());
        assert!(Rule::read("FREQ=DAILY;BYHOUR=9", true).is_some());
        assert_eq!(Rule::read("FREQ=HOURLY", true), None);
    }

    #[test]
    fn a_rule_may_not_cost_too_much() {
        let many = |rule: &str| {
            let rule = Rule::read(rule, false).unwrap();
            let mut effort = Effort::default();
            let (first, last) = (at("2000-01-01T00:00:00"), at("2030-01-01T00:00:00"));
            (0..20).try_for_each(|_| rule.starts(first, None, first, last, &mut effort).map(|_| ()))
        };
        let minutes: Vec<_> = (0..60).map(|minute: u32| minute.to_string()).collect();
        for costly in [
            "FREQ=HOURLY".to_owned(),
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31".to_owned(),
            format!("FREQ=YEARLY;BYDAY=MO,TU;BYHOUR=1,2,3,4,5;BYMINUTE={}", minutes.join(",")),
        ] {
            assert_eq!(many(&costly), Err(IcsError::TooMany), "{costly}");
        }
        assert_eq!(many("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"), Ok(()));
    }

    const WEEKDAYS: [(&str, Weekday); 7] = [
        ("MO", Weekday::Mon),
        ("TU", Weekday::Tue),
        ("WE", Weekday::Wed),
        ("TH", Weekday::Thu),
        ("FR", Weekday::Fri),
        ("SA", Weekday::Sat),
        ("SU", Weekday::Sun),
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Against a walk over all days that counts days and weeks from the beginning.
        #[test]
        fn daily_and_weekly_rules_are_those_of_a_walk_day_by_day(
            year in 2019_i32..2027, ordinal in 1_u32..366, is_weekly in any::<bool>(), interval in 1_i64..5,
            days in proptest::collection::btree_set(0_usize..7, 0..4), end in 0_u32..3, length in 1_i64..500,
        ) {
            let first_day = NaiveDate::from_yo_opt(year, ordinal).unwrap();
            let first = first_day.and_hms_opt(9, 30, 0).unwrap();
            let last_day = first_day + TimeDelta::days(length);
            let mut text = format!("FREQ={};INTERVAL={interval}", if is_weekly { "WEEKLY" } else { "DAILY" });
            if !days.is_empty() {
                let names: Vec<_> = days.iter().map(|day| WEEKDAYS[*day].0).collect();
                text.push_str(&format!(";BYDAY={}", names.join(",")));
            }
            match end {
                1 => text.push_str(&format!(";COUNT={}", length / 10 + 1)),
                2 => text.push_str(&format!(";UNTIL={}T093000", last_day.format("%Y%m%d"))),
                _ => {}
            }
            let (from, to) = (at("2026-01-01T00:00:00"), at("2027-12-31T00:00:00"));

            let weekdays: Vec<_> = match (days.is_empty(), is_weekly) {
                (false, _) => days.iter().map(|day| WEEKDAYS[*day].1).collect(),
                (true, true) => vec![first.weekday()],
                (true, false) => WEEKDAYS.iter().map(|day| day.1).collect(),
            };
            let monday = first_day - TimeDelta::days(first_day.weekday().num_days_from_monday().into());
            let walk = (0..4_000).map(|days| first + TimeDelta::days(days)).filter(|day| {
                let (days, weeks) = ((day.date() - first_day).num_days(), (day.date() - monday).num_days() / 7);
                (if is_weekly { weeks % interval == 0 } else { days % interval == 0 }) && weekdays.contains(&day.weekday())
            });
            let ended: Vec<_> = match end {
                1 => walk.take(usize::try_from(length / 10 + 1).unwrap()).collect(),
                2 => walk.filter(|day| day.date() <= last_day).collect(),
                _ => walk.collect(),
            };
            let expected: Vec<_> = ended.into_iter().filter(|day| (from..=to).contains(day)).collect();

            let rule = Rule::read(&text, false).unwrap();
            let until = rule.until.map(Written::naive);
            let found = rule.starts(first, until, from, to, &mut Effort::default()).unwrap();
            prop_assert_eq!(found, expected, "{}", text);
        }
    }
}
