//! Who the owner of an account is to the server: the address by which they invite and are invited.
//!
//! An account stores its home only, so the principal is asked once in the life of the process (RFC 5397, RFC 6638
//! §2.4.1).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::discovery::emails;
use super::multistatus::{Principal, Properties};
use super::{CaldavProvider, address, home, propfind};
use crate::access::{Access, Authorization};
use crate::error::ProviderError;
use crate::event::CalendarEvent;

const WHO: &str = "<D:current-user-principal/><C:calendar-user-address-set/>";

/// More than this are forgotten, and asked for again.
const MOST_OWNERS: usize = 10_000;

/// The owner of an account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// The address to invite from: the user name where it is one of the owner's addresses, else the one that the server
    /// prefers. Absent where neither is an e-mail address; then nobody can be invited in a way that reaches them.
    pub(super) address: Option<String>,
    /// Every address of the owner.
    addresses: Vec<String>,
}

impl Owner {
    fn new(username: &str, mut addresses: Vec<String>) -> Self {
        let username = Some(username.to_owned()).filter(|name| is_email(name));
        let is_known = |name: &String| addresses.iter().any(|address| address.eq_ignore_ascii_case(name));
        let address = match username {
            Some(name) if addresses.is_empty() || is_known(&name) => Some(name),
            _ => addresses.first().cloned(),
        };
        if addresses.is_empty() {
            addresses.extend(address.clone());
        }
        Self { address, addresses }
    }

    /// Says of every attendee who is the owner that they are, whichever of the addresses was invited.
    pub(super) fn find_among_attendees(&self, event: &mut CalendarEvent) {
        for attendee in &mut event.attendees {
            attendee.is_self |= self.addresses.iter().any(|own| own.eq_ignore_ascii_case(&attendee.email));
        }
    }
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.') && !domain.contains('@'))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The owners that are known, by account, home and user name.
#[derive(Default)]
pub(super) struct Owners(Mutex<HashMap<Key, Arc<Owner>>>);

type Key = (Arc<str>, Url, Arc<str>);

impl fmt::Debug for Owners {
    /// Addresses are nobody's business.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Owners")
    }
}

/// The owner of the account.
pub(super) async fn owner(caldav: &CaldavProvider, access: &Access) -> Result<Arc<Owner>, ProviderError> {
    let known = || caldav.owners.0.lock().unwrap_or_else(PoisonError::into_inner);
    let username: Arc<str> = match access.authorization() {
        Authorization::Basic { username, .. } => username.clone(),
        Authorization::Bearer(_) | Authorization::Anonymous => Arc::from(""),
    };
    let key = (access.account().clone(), home(access)?.clone(), username.clone());
    if let Some(owner) = known().get(&key) {
        return Ok(owner.clone());
    }
    let owner = Arc::new(Owner::new(&username, addresses(caldav, access).await?));
    let mut known = known();
    if known.len() >= MOST_OWNERS {
        known.clear();
    }
    known.insert(key, owner.clone());
    Ok(owner)
}

/// The e-mail addresses that the server tells; none where it does not tell the principal or keeps it on another host.
async fn addresses(caldav: &CaldavProvider, access: &Access) -> Result<Vec<String>, ProviderError> {
    let home = home(access)?;
    let Some(of_home) = ask(caldav, access, home.clone()).await? else { return Ok(Vec::new()) };
    let told = emails(&of_home);
    let principal = match of_home.principal {
        Some(Principal::At(href)) if told.is_empty() => address::resolve(home, &href),
        _ => None,
    };
    let Some(principal) = principal else { return Ok(told) };
    Ok(ask(caldav, access, principal).await?.map(|properties| emails(&properties)).unwrap_or_default())
}

async fn ask(caldav: &CaldavProvider, access: &Access, url: Url) -> Result<Option<Properties>, ProviderError> {
    match caldav.ask(&propfind(access, "propfind.principal", url, "0", WHO)).await {
        Ok(answer) => Ok(answer.resources.into_iter().next().map(|resource| resource.properties)),
        // A server without principals is one without addresses.
        Err(ProviderError::NotFound | ProviderError::Rejected(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Attendee, EventTime};

    fn addresses(list: &[&str]) -> Vec<String> {
        list.iter().map(|&address| address.to_owned()).collect()
    }

    #[test]
    fn invitations_come_from_the_user_name_where_it_is_an_address_of_theirs() {
        let of = |username, list: &[&str]| Owner::new(username, addresses(list)).address;
        assert_eq!(of("ana@example.com", &[]).as_deref(), Some("ana@example.com"));
        assert_eq!(of("ana@example.com", &["a@x.example", "Ana@example.com"]).as_deref(), Some("ana@example.com"));
        assert_eq!(of("ana@example.com", &["a@x.example", "b@x.example"]).as_deref(), Some("a@x.example"));
        assert_eq!(of("ana", &["a@x.example"]).as_deref(), Some("a@x.example"));
        for no_address in ["ana", "ana@", "@example.com", "ana@localhost", "ana @example.com", "a@b@c.d"] {
            assert_eq!(of(no_address, &[]), None, "{no_address}");
        }
    }

    #[test]
    fn the_owner_is_known_by_every_address_of_theirs() {
        let at = |text: &str| EventTime::Instant { at: text.parse().unwrap(), time_zone: None };
        let mut event = CalendarEvent::draft("x", at("2026-11-02T09:00:00Z"), at("2026-11-02T10:00:00Z"));
        event.attendees =
            ["B@x.example", "guest@example.net"].map(|email| Attendee::invited(email, None)).into_iter().collect();
        Owner::new("ana", addresses(&["a@x.example", "b@x.example"])).find_among_attendees(&mut event);
        assert_eq!(event.attendees.iter().map(|attendee| attendee.is_self).collect::<Vec<_>>(), [true, false]);
    }
}
