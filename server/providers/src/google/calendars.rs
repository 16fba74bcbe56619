//! `calendarList.list`.

use http::Method;

use super::{GoogleProvider, MAX_PAGES, wire};
use crate::access::Access;
use crate::error::ProviderError;
use crate::event::MeetingKind;
use crate::provider::ProviderCalendar;

const LIST: &str = "calendarList.list";

pub(super) async fn list(google: &GoogleProvider, access: &Access) -> Result<Vec<ProviderCalendar>, ProviderError> {
    let mut calendars = Vec::new();
    let mut page_token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut request = google.request(access, LIST, Method::GET, "users/me/calendarList", &[])?;
        request.url.query_pairs_mut().append_pair("maxResults", "250");
        if let Some(token) = &page_token {
            request.url.query_pairs_mut().append_pair("pageToken", token);
        }
        let page: wire::CalendarList = google.call(request).await?;
        for (index, entry) in page.items.unwrap_or_default().into_iter().enumerate() {
            if !entry.deleted.unwrap_or_default() {
                calendars.push(calendar(entry).ok_or_else(|| wire::unreadable(LIST, &format!("items[{index}].id")))?);
            }
        }
        page_token = page.next_page_token;
        if page_token.is_none() {
            return Ok(calendars);
        }
    }
    Err(ProviderError::Rejected(format!("{LIST}: more than {MAX_PAGES} pages")))
}

fn calendar(entry: wire::CalendarListEntry) -> Option<ProviderCalendar> {
    let id = entry.id.filter(|id| !id.is_empty())?;
    let name = entry.summary_override.or(entry.summary).filter(|name| !name.trim().is_empty());
    Some(ProviderCalendar {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        time_zone: entry.time_zone,
        // It ends up in a style attribute.
        color: entry.background_color.filter(|color| is_hexadecimal_color(color)),
        can_write: matches!(entry.access_role.as_deref(), Some("owner" | "writer")),
        is_primary: entry.primary.unwrap_or_default(),
        meetings: meetings(entry.conference_properties),
    })
}

fn meetings(properties: Option<wire::ConferenceProperties>) -> Vec<MeetingKind> {
    let allowed = properties.and_then(|properties| properties.allowed_conference_solution_types).unwrap_or_default();
    let meet = allowed.iter().any(|kind| kind == "hangoutsMeet");
    if meet { vec![MeetingKind::GoogleMeet] } else { Vec::new() }
}

fn is_hexadecimal_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entry: serde_json::Value) -> Option<ProviderCalendar> {
        calendar(wire::parse(LIST, entry.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn the_name_that_the_host_gave_wins_and_the_role_decides_what_may_be_written() {
        let shared = read(json!({
            "kind": "calendar#calendarListEntry", "id": "team@example.com", "summary": "Team", "summaryOverride": "Our team",
            "timeZone": "Europe/Madrid", "backgroundColor": "#0088aa", "accessRole": "freeBusyReader", "unheardOf": [1],
        }));
        let shared = shared.unwrap();
        assert_eq!((shared.name.as_str(), shared.can_write, shared.is_primary), ("Our team", false, false));
        assert_eq!(shared.color.as_deref(), Some("#0088aa"));
        let own = read(json!({"id": "ana@example.com", "accessRole": "owner", "primary": true})).unwrap();
        assert_eq!((own.name.as_str(), own.can_write, own.is_primary), ("ana@example.com", true, true));
    }

    #[test]
    fn a_color_that_is_none_is_dropped() {
        assert_eq!(read(json!({"id": "a", "backgroundColor": "red;background:url(x)"})).unwrap().color, None);
    }

    #[test]
    fn a_calendar_without_an_id_is_an_error() {
        assert_eq!(read(json!({"summary": "Team"})), None);
    }
}
