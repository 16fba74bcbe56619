//! The calendars of a mailbox, and whose it is.

use chrono::TimeDelta;
use chrono_tz::Tz;
use cupo_core::interval::Interval;
use http::Method;

use super::{MicrosoftProvider, free_busy, wire};
use crate::access::{Access, Target};
use crate::error::ProviderError;
use crate::event::MeetingKind;
use crate::provider::ProviderCalendar;

const LIST: &str = "calendars.list";
const ME: &str = "me";
/// Ten are told otherwise.
const PAGE_SIZE: &str = "100";

/// Who owns an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The address of the mailbox; the name by which the owner signs in where there is none.
    pub email: String,
    pub name: Option<String>,
}

pub(super) async fn me(microsoft: &MicrosoftProvider, access: &Access) -> Result<Owner, ProviderError> {
    let mut request = microsoft.service_request(access, ME, Method::GET, "me", &[])?;
    request.url.query_pairs_mut().append_pair("$select", "displayName,mail,userPrincipalName");
    let user: wire::User = microsoft.call(request).await?;
    let address = user.mail.filter(|address| !address.is_empty()).or(user.user_principal_name);
    let email = address.filter(|address| !address.is_empty()).ok_or_else(|| wire::unreadable(ME, "mail"))?;
    Ok(Owner { email, name: user.display_name.filter(|name| !name.trim().is_empty()) })
}

pub(super) async fn list(
    microsoft: &MicrosoftProvider,
    access: &Access,
) -> Result<Vec<ProviderCalendar>, ProviderError> {
    let mut request = microsoft.request(access, LIST, Method::GET, "calendars", &[])?;
    request.url.query_pairs_mut().append_pair("$top", PAGE_SIZE);
    let listed: Vec<wire::Calendar> = microsoft.all_pages(request).await?;
    let default = listed.iter().find(|calendar| calendar.is_default_calendar.unwrap_or_default());
    let owner = default.and_then(|calendar| owner_of(calendar)).map(str::to_owned);
    let zone = match &owner {
        Some(owner) if !is_personal(access) => mailbox_zone(microsoft, access, owner).await,
        _ => None,
    };
    let read = |(index, calendar): (usize, wire::Calendar)| {
        let is_own = owner_of(&calendar).is_some() && owner_of(&calendar) == owner.as_deref();
        let zone = zone.filter(|_| is_own);
        self::calendar(calendar, zone, is_personal(access))
            .ok_or_else(|| wire::unreadable(LIST, &format!("value[{index}].id")))
    };
    listed.into_iter().enumerate().map(read).collect()
}

pub(super) fn is_personal(access: &Access) -> bool {
    matches!(access.target(), Target::Personal)
}

fn owner_of(calendar: &wire::Calendar) -> Option<&str> {
    calendar.owner.as_ref()?.address.as_deref().filter(|address| !address.is_empty())
}

/// The mailbox's zone. Calendars have none in Graph and the mailbox's settings need a permission of their own, but its
/// free/busy answer tells the zone of its working hours. Without it all-day events are read in the host's zone: no
/// reason to fail.
async fn mailbox_zone(microsoft: &MicrosoftProvider, access: &Access, owner: &str) -> Option<Tz> {
    let now = microsoft.clock.now();
    let range = Interval::new(now, now + TimeDelta::hours(1))?;
    match free_busy::schedule(microsoft, access, owner, range).await {
        Ok(schedule) => free_busy::zone_of(&schedule),
        Err(error) => {
            tracing::info!(%error, "the zone of a mailbox is not told");
            None
        }
    }
}

fn calendar(calendar: wire::Calendar, zone: Option<Tz>, is_personal: bool) -> Option<ProviderCalendar> {
    let id = calendar.id.filter(|id| !id.is_empty())?;
    let allowed = calendar.allowed_online_meeting_providers.unwrap_or_default();
    Some(ProviderCalendar {
        name: calendar.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.clone()),
        id,
        time_zone: zone.map(|zone| zone.name().to_owned()),
        // It ends up in a style attribute. That of an automatic color is empty.
        color: calendar.hex_color.filter(|color| is_hexadecimal_color(color)),
        can_write: calendar.can_edit.unwrap_or_default(),
        is_primary: calendar.is_default_calendar.unwrap_or_default(),
        meetings: meetings(&allowed, is_personal),
    })
}

/// Whether Teams may make the meetings of a calendar that allows these providers. Of a personal account it makes none.
pub(super) fn meetings(allowed: &[String], is_personal: bool) -> Vec<MeetingKind> {
    let teams = !is_personal && allowed.iter().any(|provider| provider == "teamsForBusiness");
    if teams { vec![MeetingKind::MicrosoftTeams] } else { Vec::new() }
}

fn is_hexadecimal_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entry: serde_json::Value, is_personal: bool) -> Option<ProviderCalendar> {
        calendar(wire::parse(LIST, entry.to_string().as_bytes()).unwrap(), None, is_personal)
    }

    #[test]
    fn a_calendar_tells_what_may_be_written_and_which_meetings_it_has() {
        let entry = json!({
            "id": "AAMkAGI2TGuLAAA=", "name": "Calendar", "color": "lightBlue", "hexColor": "#0088aa", "canEdit": true,
            "isDefaultCalendar": true, "allowedOnlineMeetingProviders": ["teamsForBusiness"], "unheardOf": [1],
            "owner": {"name": "Ana", "address": "ana@contoso.example"},
        });
        let own = read(entry.clone(), false).unwrap();
        assert_eq!((own.name.as_str(), own.can_write, own.is_primary), ("Calendar", true, true));
        assert_eq!((own.color.as_deref(), own.meetings), (Some("#0088aa"), vec![MeetingKind::MicrosoftTeams]));
        assert_eq!(read(entry, true).unwrap().meetings, []);
        let shared =
            json!({"id": "b", "canEdit": false, "hexColor": "", "allowedOnlineMeetingProviders": ["skypeForConsumer"]});
        let shared = read(shared, false).unwrap();
        assert_eq!((shared.name.as_str(), shared.can_write, shared.is_primary), ("b", false, false));
        assert_eq!((shared.color, shared.meetings), (None, vec![]));
    }

    #[test]
    fn a_calendar_without_an_id_is_an_error() {
        assert_eq!(read(json!({"name": "Calendar"}), false), None);
    }
}
