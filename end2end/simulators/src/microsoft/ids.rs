//! The ids of calendars and events: opaque to clients, case-sensitive, and of two kinds for events.
//!
//! A regular id names the calendar that holds the event, so it changes when the event moves; an immutable id does not.
//! Clients choose by `Prefer: IdType="ImmutableId"`. Calendars have one kind only: theirs are constant anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const REGULAR: &str = "AAMkAG";
const IMMUTABLE: &str = "AAkALg";
const CALENDAR: &str = "AAMkAD";
const TAIL: &str = "AAA=";

/// An event by its key, or one occurrence of it by the day on which it stood by its pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemRef {
    pub event: u64,
    pub original: Option<NaiveDate>,
}

impl ItemRef {
    /// The event itself.
    pub fn event(event: u64) -> Self {
        Self { event, original: None }
    }
}

/// What an event's id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedId {
    pub item: ItemRef,
    /// The calendar of a regular id.
    pub calendar: Option<u64>,
}

/// Which ids a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum IdType {
    #[default]
    Regular,
    Immutable,
}

/// The id of an event in `calendar`.
pub fn event_id(kind: IdType, calendar: u64, item: ItemRef) -> String {
    match kind {
        IdType::Regular => encode(REGULAR, item, calendar),
        IdType::Immutable => encode(IMMUTABLE, item, 0),
    }
}

/// Reads an id of either kind; `None` when it is malformed.
pub fn parse_event_id(id: &str) -> Option<ParsedId> {
    let regular = decode(REGULAR, id).map(|(item, calendar)| ParsedId { item, calendar: Some(calendar) });
    regular.or_else(|| decode(IMMUTABLE, id).map(|(item, _)| ParsedId { item, calendar: None }))
}

/// The id of a calendar.
pub fn calendar_id(calendar: u64) -> String {
    encode(CALENDAR, ItemRef::event(calendar), 0)
}

/// Reads a calendar's id; `None` when it is malformed.
pub fn parse_calendar_id(id: &str) -> Option<u64> {
    decode(CALENDAR, id).map(|(item, _)| item.event)
}

/// 20 bytes of meaning and 4 of checksum, veiled so that neighbours do not look alike.
fn encode(prefix: &str, item: ItemRef, calendar: u64) -> String {
    let mut bytes = Vec::with_capacity(24);
    bytes.extend(item.event.to_be_bytes());
    bytes.extend(calendar.to_be_bytes());
    bytes.extend(item.original.map_or(0, |date| date.num_days_from_ce()).to_be_bytes());
    let sum = Sha256::digest([prefix.as_bytes(), &bytes].concat());
    veil(&mut bytes, &sum[..4]);
    bytes.extend(&sum[..4]);
    format!("{prefix}{}{TAIL}", URL_SAFE_NO_PAD.encode(bytes))
}

fn decode(prefix: &str, id: &str) -> Option<(ItemRef, u64)> {
    let text = id.strip_prefix(prefix)?.strip_suffix(TAIL)?;
    let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    if bytes.len() != 24 {
        return None;
    }
    let sum = bytes.split_off(20);
    veil(&mut bytes, &sum);
    if Sha256::digest([prefix.as_bytes(), &bytes].concat())[..4] != sum[..] {
        return None;
    }
    let number = |range: std::ops::Range<usize>| bytes[range].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let days = i32::try_from(number(16..20)).ok()?;
    let original = if days == 0 { None } else { Some(NaiveDate::from_num_days_from_ce_opt(days)?) };
    Some((ItemRef { event: number(0..8), original }, number(8..16)))
}

fn veil(bytes: &mut [u8], seed: &[u8]) {
    for (byte, mask) in bytes.iter_mut().zip(Sha256::digest(seed)) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_was_made_of_and_is_case_sensitive() {
        let item = ItemRef { event: 7, original: NaiveDate::from_ymd_opt(2026, 11, 23) };
        let regular = event_id(IdType::Regular, 3, item);
        assert_eq!(parse_event_id(&regular), Some(ParsedId { item, calendar: Some(3) }));
        let immutable = event_id(IdType::Immutable, 3, item);
        assert_eq!(parse_event_id(&immutable), Some(ParsedId { item, calendar: None }));
        assert_ne!(regular, event_id(IdType::Regular, 4, item), "another calendar, another id");
        assert_eq!(immutable, event_id(IdType::Immutable, 4, item));
        let swapped: String = regular
            .chars()
            .enumerate()
            .map(|(at, letter)| if at < 10 { letter } else { swapped_case(letter) })
            .collect();
        assert_eq!(parse_event_id(&swapped), None);
        assert_eq!(parse_event_id(&calendar_id(3)), None);
        assert_eq!(parse_calendar_id(&calendar_id(3)), Some(3));
        assert_eq!(parse_event_id("nonsense"), None);
    }

    fn swapped_case(letter: char) -> char {
        if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    }
}
