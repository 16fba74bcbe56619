//! A calendar in words.

use chrono::{DateTime, Utc};
use cupo_store::Calendar;

use super::{CalendarView, services};
use crate::text::{locale, t, text_of, tf};
use crate::time;

pub(super) fn calendar(calendar: Calendar, now: DateTime<Utc>) -> CalendarView {
    let synced = match calendar.synced_at {
        Some(at) => tf("dashboard.synced", &[("ago", &time::ago(at, now, locale()))]),
        None if calendar.checks_conflicts || calendar.receives_events => t("dashboard.not_synced_yet").to_owned(),
        None => t("dashboard.not_followed").to_owned(),
    };
    let services: Vec<_> = calendar.meetings.iter().filter_map(|kind| services::meeting_service(kind)).collect();
    CalendarView {
        id: calendar.id.to_string(),
        color: calendar.color.filter(|color| is_hex_color(color)),
        is_primary: calendar.is_primary,
        can_write: calendar.can_write,
        meetings: (calendar.can_write && !services.is_empty()).then(|| services.join(", ")),
        checks_conflicts: calendar.checks_conflicts,
        tentative_blocks: calendar.tentative_blocks,
        unanswered_blocks: calendar.unanswered_blocks,
        receives_events: calendar.receives_events,
        problem: calendar.sync_error.map(|code| problem(&code)),
        name: calendar.name,
        synced,
    }
}

/// Why a calendar could not be read, as a sentence.
pub(super) fn problem(code: &str) -> String {
    text_of("dashboard.trouble_", code)
        .map(|why| format!("{why} {}", t("dashboard.keeps_trying")))
        .unwrap_or_else(|| t("dashboard.sync_problem").to_owned())
}

fn is_hex_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}
