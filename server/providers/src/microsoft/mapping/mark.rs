//! The mark of Cupo's own events. One text says it all, and is written twice: as the `transactionId`, which makes a
//! repeated create find the event and which every answer tells, and as an extended property, which can be searched for.

use cupo_core::ids::ClaimId;

use super::wire;
use crate::event::EventMark;

/// The id of the extended property: a named text in a set of Cupo's own.
pub(in crate::microsoft) const MARK: &str = "String {5d3fa2b6-90c1-4f3e-8a55-6f0d5e1c7b92} Name CupoMark";

const PREFIX: &str = "cupo";

/// The text of the mark. A higher generation is the next to try when a `transactionId` is taken for good: by an event
/// that was deleted.
pub(in crate::microsoft) fn transaction_id(mark: &EventMark, generation: u32) -> String {
    format!("{PREFIX}:{}:{generation}:{}", mark.claim_id.as_str(), mark.installation)
}

/// A mark that cannot be read is none: whoever can write events can write properties.
pub(super) fn of_event(event: &wire::Event) -> Option<EventMark> {
    let properties = event.single_value_extended_properties.iter().flatten();
    // Graph may write the set's id in capitals.
    let is_mark = |id: &Option<String>| id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(MARK));
    let property = properties.filter(|property| is_mark(&property.id)).find_map(|property| property.value.as_deref());
    property.or(event.transaction_id.as_deref()).and_then(read)
}

fn read(text: &str) -> Option<EventMark> {
    let mut parts = text.splitn(4, ':');
    if parts.next()? != PREFIX {
        return None;
    }
    let claim_id = ClaimId::parse(parts.next()?).ok()?;
    parts.next()?.parse::<u32>().ok()?;
    Some(EventMark { claim_id, installation: parts.next()?.to_owned() })
}
