//! The part of `$filter`, `$expand` and `$orderby` that calendars are asked with.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use regex::Regex;

use super::super::event::Item;
use super::super::event_fields::extended_id;
use super::super::event_time::parse_local;
use super::error::GraphError;
use super::query::Query;

/// A condition that an event must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Extended { id: String, value: String },
    Start { operator: Operator, at: DateTime<Utc> },
    End { operator: Operator, at: DateTime<Utc> },
    Text { member: &'static str, value: String },
    Cancelled(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter(Vec<Condition>);

static EXTENDED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^singleValueExtendedProperties/any\( \s* (\w+) \s* : \s*
            (\w+)/id \s+ eq \s+ '((?:[^']|'')*)' \s+ and \s+ (\w+)/value \s+ eq \s+ '((?:[^']|'')*)' \s* \)$",
    )
    .expect("the pattern is valid")
});
static COMPARED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(start|end)/dateTime\s+(lt|le|eq|ge|gt)\s+'([^']*)'$").expect("the pattern is valid")
});
static EQUAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(iCalUId|subject|showAs|type)\s+eq\s+'((?:[^']|'')*)'$").expect("the pattern is valid")
});
static CANCELLED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^isCancelled\s+eq\s+(true|false)$").expect("the pattern is valid"));
static EXPANDED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^singleValueExtendedProperties\(\s*\$filter\s*=\s*(.*)\)$").expect("the pattern is valid")
});
static ID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^(?:\w+/)?id\s+eq\s+'((?:[^']|'')*)'$").expect("the pattern is valid"));

impl Filter {
    /// Reads `$filter`; what is not understood is a 400 rather than a filter that holds for everything.
    pub fn read(query: &Query) -> Result<Self, GraphError> {
        let Some(text) = query.get("$filter") else { return Ok(Self::default()) };
        let parts = outside_brackets(text, " and ");
        parts.into_iter().map(condition).collect::<Result<_, _>>().map(Self)
    }

    /// Whether an event meets every condition.
    pub fn holds(&self, item: &Item, mailbox_zone: Tz) -> bool {
        let event = &item.event;
        self.0.iter().all(|condition| match condition {
            Condition::Extended { id, value } => event.extended.get(id) == Some(value),
            Condition::Start { operator, at } => operator.holds(event.start.instant(mailbox_zone), *at),
            Condition::End { operator, at } => operator.holds(event.end.instant(mailbox_zone), *at),
            Condition::Text { member: "iCalUId", value } => event.uid == *value,
            Condition::Text { member: "type", value } => {
                serde_json::to_value(item.kind).is_ok_and(|kind| kind == value.as_str())
            }
            Condition::Text { member, value } => event.text(member) == Some(value),
            Condition::Cancelled(wanted) => event.is_cancelled == *wanted,
        })
    }
}

impl Operator {
    fn holds(self, left: DateTime<Utc>, right: DateTime<Utc>) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::AtLeast => left >= right,
            Self::Greater => left > right,
        }
    }
}

/// The extended properties that `$expand` names.
pub fn expanded(query: &Query) -> Result<Vec<String>, GraphError> {
    let Some(text) = query.get("$expand") else { return Ok(Vec::new()) };
    let refused = || GraphError::bad_query(format!("The $expand '{text}' is not supported here."));
    let captures = EXPANDED.captures(text).ok_or_else(refused)?;
    let ids = outside_brackets(&captures[1], " or ").into_iter().map(|part| {
        let id = ID.captures(part.trim()).ok_or_else(refused)?;
        extended_id(&unquoted(&id[1])).ok_or_else(refused)
    });
    ids.collect()
}

/// Whether `$orderby` asks for descending starts; other orders are refused.
pub fn is_descending(query: &Query) -> Result<bool, GraphError> {
    match query.get("$orderby").map(str::to_lowercase).as_deref() {
        None | Some("start/datetime" | "start/datetime asc") => Ok(false),
        Some("start/datetime desc") => Ok(true),
        Some(other) => Err(GraphError::bad_query(format!("The $orderby '{other}' is not supported here."))),
    }
}

fn condition(text: &str) -> Result<Condition, GraphError> {
    let text = text.trim();
    if let Some(found) = EXTENDED.captures(text).filter(|found| found[1] == found[2] && found[1] == found[4]) {
        let id = extended_id(&unquoted(&found[3])).ok_or_else(|| refused(text))?;
        return Ok(Condition::Extended { id, value: unquoted(&found[5]) });
    }
    if let Some(found) = COMPARED.captures(text) {
        let offset = DateTime::parse_from_rfc3339(&found[3]).ok().map(|instant| instant.to_utc());
        let at = offset.or_else(|| parse_local(&found[3]).map(|local| local.and_utc())).ok_or_else(|| refused(text))?;
        let operator = match found[2].to_lowercase().as_str() {
            "lt" => Operator::Less,
            "le" => Operator::AtMost,
            "eq" => Operator::Equal,
            "ge" => Operator::AtLeast,
            _ => Operator::Greater,
        };
        let is_start = found[1].eq_ignore_ascii_case("start");
        return Ok(if is_start { Condition::Start { operator, at } } else { Condition::End { operator, at } });
    }
    if let Some(found) = EQUAL.captures(text) {
        let members = ["iCalUId", "subject", "showAs", "type"];
        let member = members.into_iter().find(|member| member.eq_ignore_ascii_case(&found[1]));
        return Ok(Condition::Text { member: member.ok_or_else(|| refused(text))?, value: unquoted(&found[2]) });
    }
    if let Some(found) = CANCELLED.captures(text) {
        return Ok(Condition::Cancelled(found[1].eq_ignore_ascii_case("true")));
    }
    Err(refused(text))
}

fn refused(text: &str) -> GraphError {
    GraphError::bad_request(
        "ErrorInvalidUrlQueryFilter",
        format!("The query filter contains an unsupported part: {text}"),
    )
}

/// Splits at `separator` where no bracket and no quote is open.
fn outside_brackets<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut from, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        let here = text.get(at..at + separator.len());
        if depth == 0 && !quoted && at >= from && here.is_some_and(|it| it.eq_ignore_ascii_case(separator)) {
            parts.push(&text[from..at]);
            from = at + separator.len();
        }
    }
    parts.push(&text[from..]);
    parts
}

fn unquoted(text: &str) -> String {
    text.replace("''", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID_TEXT: &str = "String {66F5A359-4659-4830-9070-00047EC6AC6E} Name CupoClaim";

    fn filter(text: &str) -> Result<Filter, GraphError> {
        Filter::read(&Query(vec![("$filter".to_owned(), text.to_owned())]))
    }

    #[test]
    fn a_mark_is_found_by_the_filter_that_the_documentation_shows() {
        let text = format!("singleValueExtendedProperties/Any(ep: ep/id eq '{ID_TEXT}' and ep/value eq 'it''s')");
        let id = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name CupoClaim".to_owned();
        assert_eq!(filter(&text).unwrap().0, [Condition::Extended { id, value: "it's".to_owned() }]);
    }

    #[test]
    fn conditions_are_joined_by_and_outside_of_brackets() {
        let text = "start/dateTime ge '2026-11-23T00:00:00' and isCancelled eq false";
        assert_eq!(filter(text).unwrap().0.len(), 2);
        assert!(filter("startswith(subject,'A')").is_err());
    }

    #[test]
    fn the_properties_of_an_expand_are_named() {
        let query = |text: &str| Query(vec![("$expand".to_owned(), text.to_owned())]);
        let text = format!("singleValueExtendedProperties($filter=id eq '{ID_TEXT}' or id eq '{ID_TEXT}2')");
        assert_eq!(expanded(&query(&text)).unwrap().len(), 2);
        assert!(expanded(&query("attachments")).is_err());
    }
}
