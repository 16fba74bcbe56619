//! The dates of a recurrence rule, by the crate `rrule`, at a bounded effort.

use chrono::{NaiveDate, NaiveTime};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use super::leading_date;
use crate::ics::IcsError;
use crate::ics::effort::Effort;

/// A longer rule is not read.
const LONGEST_RULE: usize = 300;
/// After so many steps without a date the crate gives up.
const STEPS_OF_A_DEAD_RULE: i64 = 100_000;

/// The dates from `earliest` to `last` of a rule that begins on `first`; none where the rule cannot be read.
pub(super) fn starts_of_rule(
    text: &str,
    first: NaiveDate,
    earliest: NaiveDate,
    last: NaiveDate,
    effort: &mut Effort,
) -> Result<Vec<NaiveDate>, IcsError> {
    let mut found = Vec::new();
    let Some(rule) = DailyRule::read(text) else { return Ok(found) };
    let last = rule.until.map_or(last, |until| until.min(last));
    if last < first {
        return Ok(found);
    }
    effort.spend((last - first).num_days() / rule.days_of_a_step + 1)?;
    let start = first.and_time(NaiveTime::MIN).and_utc().with_timezone(&Tz::UTC);
    let Ok(parsed) = rule.text.parse::<RRule<Unvalidated>>() else { return Ok(found) };
    let Ok(validated) = parsed.validate(start) else { return Ok(found) };
    let mut seen = 0;
    for date in &RRuleSet::new(start).rrule(validated).limit() {
        let date = date.date_naive();
        if date > last {
            return Ok(found);
        }
        seen += 1;
        if date >= earliest {
            found.push(date);
        }
    }
    if rule.count != Some(seen) {
        // It ended although it should not: no date comes any more, and to find that out was costly.
        effort.spend(STEPS_OF_A_DEAD_RULE)?;
    }
    Ok(found)
}

/// A rule that repeats on dates. Its end is looked at here: the crate would go on searching behind it.
struct DailyRule {
    text: String,
    until: Option<NaiveDate>,
    count: Option<u32>,
    /// How far one step of the crate reaches.
    days_of_a_step: i64,
}

impl DailyRule {
    fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST_RULE {
            return None;
        }
        let mut rule = Self { text: String::new(), until: None, count: None, days_of_a_step: 0 };
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            match name.as_str() {
                "UNTIL" => {
                    rule.until = Some(leading_date(&value)?);
                    continue;
                }
                // Whole days have no time of day (RFC 5545, section 3.3.10).
                "BYHOUR" | "BYMINUTE" | "BYSECOND" => continue,
                "FREQ" => {
                    rule.days_of_a_step = match value.as_str() {
                        "YEARLY" => 365,
                        "MONTHLY" => 28,
                        "WEEKLY" => 7,
                        "DAILY" => 1,
                        _ => return None,
                    };
                }
                "COUNT" => rule.count = Some(value.parse().ok()?),
                _ => {}
            }
            if !rule.text.is_empty() {
                rule.text.push(';');
            }
            rule.text.extend([&name, "=", &value]);
        }
        // Of other characters the crate takes a part, and panics.
        (rule.days_of_a_step > 0 && !rule.text.contains(':') && rule.text.is_ascii()).then_some(rule)
    }
}
