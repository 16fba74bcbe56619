//! What the folded parts of the form are set to, in a few words.

use cupo_engine::Member;

use super::{EventTypeForm, EventTypeStates, convert};
use crate::text::{locale, t, tf};
use crate::time;

pub(super) fn of(form: &EventTypeForm, members: &[Member]) -> EventTypeStates {
    EventTypeStates {
        times: times(form),
        limits: limits(form),
        seats: seats(form),
        approval: if form.needs_approval == "on" {
            tf("dashboard.state_approval", &[("hours", &form.approval_hours)])
        } else {
            t("dashboard.state_approval_none").to_owned()
        },
        freshness: match form.when_stale.as_str() {
            "offer" => t("dashboard.when_stale_offer"),
            "approve" => t("dashboard.when_stale_approve"),
            _ => t("dashboard.when_stale_ask"),
        }
        .to_owned(),
        listing: match form.listing.as_str() {
            "unlisted" => t("dashboard.listing_unlisted"),
            "link_only" => t("dashboard.listing_link_only"),
            _ => t("dashboard.listing_public"),
        }
        .to_owned(),
        deadlines: deadlines(form),
        hosts: hosts(form, members),
        questions: match form.questions.len() {
            0 => t("dashboard.state_questions_none").to_owned(),
            1 => t("dashboard.state_question").to_owned(),
            count => tf("dashboard.state_questions", &[("count", &count)]),
        },
    }
}

/// Parts of a sentence, or `none` where there is nothing to say.
fn joined(parts: impl IntoIterator<Item = Option<String>>, none: &'static str) -> String {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { t(none).to_owned() } else { parts.join(" · ") }
}

fn times(form: &EventTypeForm) -> String {
    let others = (!form.other_durations.is_empty())
        .then(|| tf("dashboard.state_other_durations", &[("minutes", &form.other_durations)]));
    let hour = (form.alignment == "hour").then(|| t("dashboard.alignment_hour").to_owned());
    let daily = match form.daily.as_str() {
        "first_free" => Some(t("dashboard.daily_first_free").to_owned()),
        "first_only" => Some(t("dashboard.daily_first_only").to_owned()),
        _ => None,
    };
    joined([others, hour, daily], "dashboard.state_times_none")
}

fn limits(form: &EventTypeForm) -> String {
    let told = |count: &str, minutes: &str, period: &'static str| {
        let minutes = minutes.parse().ok().map(|minutes| time::duration(minutes, locale()));
        let most = match (count.is_empty(), minutes) {
            (true, None) => return None,
            (true, Some(minutes)) => minutes,
            (false, None) => count.to_owned(),
            (false, Some(minutes)) => format!("{count} / {minutes}"),
        };
        Some(tf(period, &[("most", &most)]))
    };
    joined(
        [
            told(&form.limit_day_count, &form.limit_day_minutes, "dashboard.state_limit_day"),
            told(&form.limit_week_count, &form.limit_week_minutes, "dashboard.state_limit_week"),
            told(&form.limit_month_count, &form.limit_month_minutes, "dashboard.state_limit_month"),
        ],
        "dashboard.state_limits_none",
    )
}

fn seats(form: &EventTypeForm) -> String {
    let seats = (form.seats != "1").then(|| tf("dashboard.state_seats", &[("count", &form.seats)]));
    let series =
        (form.most_occurrences != "1").then(|| tf("dashboard.state_series", &[("count", &form.most_occurrences)]));
    joined([seats, series], "dashboard.state_seats_none")
}

fn deadlines(form: &EventTypeForm) -> String {
    let told = |notice: &str, unit: &str, key: &'static str| {
        let minutes = notice.parse::<u32>().ok()?.saturating_mul(convert::minutes_in(unit));
        let told = if unit == "days" {
            format!("{notice} {}", t("dashboard.days"))
        } else {
            time::duration(minutes, locale())
        };
        (minutes > 0).then(|| tf(key, &[("time", &told)]))
    };
    joined(
        [
            told(&form.cancel_notice, &form.cancel_notice_unit, "dashboard.state_cancel"),
            told(&form.reschedule_notice, &form.reschedule_notice_unit, "dashboard.state_reschedule"),
        ],
        "dashboard.state_deadlines_none",
    )
}

fn hosts(form: &EventTypeForm, members: &[Member]) -> String {
    let members: Vec<_> = members.iter().cloned().map(convert::member).collect();
    let name = |key: &str| members.iter().find(|member| member.key == key).map(|member| member.name.clone());
    let count = form.hosts.values().filter(|row| row.takes_part == "on").count();
    match form.assignment.as_str() {
        "round_robin" => tf("dashboard.state_round_robin", &[("count", &count)]),
        "collective" => tf("dashboard.state_collective", &[("count", &count)]),
        _ => name(&form.single_host).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_most_people_leave_it_is_told_so() {
        let states = of(&EventTypeForm::default(), &[]);
        assert_eq!(states.limits, t("dashboard.state_limits_none"));
        assert_eq!(states.seats, t("dashboard.state_seats_none"));
        assert_eq!(states.deadlines, t("dashboard.state_deadlines_none"));
        assert_eq!(states.freshness, t("dashboard.when_stale_ask"));
    }

    #[test]
    fn limits_are_told_by_their_period() {
        let form = EventTypeForm {
            limit_day_count: "3".to_owned(),
            limit_week_minutes: "600".to_owned(),
            ..EventTypeForm::default()
        };
        let told = limits(&form);
        assert!(told.contains('3') && told.contains("10 h") && told.contains(" · "), "{told}");
    }
}
