//! From what a host types in to their calendar home (RFC 6764 §6).
//!
//! An e-mail address leads to its domain, and there to `/.well-known/caldav`. The DNS records of RFC 6764 §3 are not
//! asked for: without DNSSEC they may send the password anywhere, and a host whose domain has nothing else can enter
//! the server.
//!
//! Redirects are followed here and not by the transport, because the password goes along: from a connection that nobody
//! on the way can read only to another such, whoever's server it is; the server that sends us on has the password
//! already.

use std::collections::HashSet;

use http::StatusCode;
use http::header::{LOCATION, WWW_AUTHENTICATE};
use thiserror::Error;
use url::Url;

use super::multistatus::{self, Kind, Multistatus, Principal, Properties};
use super::presets::Preset;
use super::xml::XmlError;
use super::{address, failure, propfind};
use crate::access::Access;
use crate::error::ProviderError;
use crate::public_address::PrivateAddress;
use crate::secret::Secret;
use crate::transport::{ProviderRequest, ProviderResponse, Transport};

const MAX_REDIRECTS: usize = 5;
/// No server has more than one or two.
const MAX_HOMES: usize = 4;

const WHO: &str = "<D:current-user-principal/><C:calendar-home-set/>";
const PRINCIPAL: &str = "<C:calendar-home-set/><C:calendar-user-address-set/><D:displayname/>";
const HOME: &str = "<D:resourcetype/><C:supported-calendar-component-set/>";

/// What a host types in.
#[derive(Debug, Clone)]
pub struct DiscoveryInput {
    /// An address, a host name, or an e-mail address.
    pub server_or_email: String,
    pub username: String,
    pub password: Secret,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Where the calendars are, for [`Access::basic`]. It may be on another host than the one that was typed in.
    pub home: Url,
    pub principal: Url,
    /// The e-mail addresses by which the server knows the host, the preferred one first.
    pub addresses: Vec<String>,
    pub display_name: Option<String>,
}

/// Why no calendars were found, told as what the host must do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DiscoveryError {
    /// What was typed in is neither an address nor an e-mail address: enter one of them.
    #[error("this is no address of a server, nor an e-mail address")]
    InvalidAddress,
    /// The address begins with `http://`: anybody on the way could read the password. Enter one with `https://`.
    #[error("the address is not encrypted: it must begin with https://")]
    InsecureAddress,
    /// The server is not on the public internet, and the operator has not allowed such.
    #[error("the address is not on the public internet")]
    PrivateAddress,
    /// There is no answer: check the address, or try again later.
    #[error("{0} does not answer")]
    Unreachable(String),
    /// There are servers, but none with calendars: enter the address that the server's documentation tells. `tried` has
    /// host and path of each address, for the host to see; paths often hold their name.
    #[error("no calendars were found")]
    NotFound { tried: Vec<String> },
    /// User name and password are not accepted. Most services take nothing but a password made for the app.
    #[error("the user name or the password is not accepted")]
    WrongPassword,
    /// The server does not let anybody sign in with a password as Cupo sends it (HTTP Basic): its operator may allow
    /// it.
    #[error("the server does not offer to sign in by user name and password")]
    UnsupportedSignIn,
    /// The account may not use calendars: ask the server's operator, or look at the plan.
    #[error("the server does not allow it: {0}")]
    Refused(String),
    /// Everything is right, but there is no calendar for events: make one there first.
    #[error("the account has no calendar for events")]
    NoCalendars,
}

/// Finds the calendar home of an account, and proves that its password works and that there is a calendar.
pub async fn discover(transport: &Transport, input: &DiscoveryInput) -> Result<Discovered, DiscoveryError> {
    let candidates = candidates(&input.server_or_email)?;
    let mut search = Search { transport, input, tried: Vec::new() };
    for candidate in candidates {
        if let Some(found) = search.from(candidate).await? {
            return search.calendars_of(found).await;
        }
    }
    Err(search.not_found())
}

/// The addresses at which a server may tell who its user is, most likely first.
fn candidates(typed: &str) -> Result<Vec<Url>, DiscoveryError> {
    let typed = typed.trim();
    let url = if typed.contains("://") {
        Url::parse(typed).map_err(|_| DiscoveryError::InvalidAddress)?
    } else if let Some((_, domain)) = typed.rsplit_once('@').filter(|_| !typed.contains('/')) {
        let server = Preset::of_email(typed).map(|preset| preset.server(typed));
        let server = server.unwrap_or_else(|| format!("https://{domain}/"));
        Url::parse(&server).map_err(|_| DiscoveryError::InvalidAddress)?
    } else {
        let url = Url::parse(&format!("https://{typed}")).map_err(|_| DiscoveryError::InvalidAddress)?;
        let mut plain = url.clone();
        // On this machine nobody listens in, and there is seldom a certificate.
        if address::is_loopback(&url) && plain.set_scheme("http").is_ok() { plain } else { url }
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
        return Err(DiscoveryError::InvalidAddress);
    }
    if !address::is_secure(&url) {
        return Err(DiscoveryError::InsecureAddress);
    }
    let base = address::resolve(&url, url.path()).ok_or(DiscoveryError::InvalidAddress)?;
    let at = |path: &str| address::resolve(&base, path);
    let mut candidates = Vec::new();
    if base.path() != "/" {
        let path = base.path().trim_end_matches('/');
        candidates.push(Some(base.clone()));
        candidates.push(at(&format!("{path}/remote.php/dav/")).filter(|_| !path.contains("/remote.php")));
    }
    // The last is where Nextcloud is when nobody has set up the first.
    candidates.extend([at("/.well-known/caldav"), at("/"), at("/remote.php/dav/")]);
    let mut candidates: Vec<Url> = candidates.into_iter().flatten().collect();
    let mut seen = HashSet::new();
    candidates.retain(|url| seen.insert(url.clone()));
    Ok(candidates)
}

struct Search<'a> {
    transport: &'a Transport,
    input: &'a DiscoveryInput,
    /// Host and path of each address that was asked.
    tried: Vec<String>,
}

/// An answer, and where it came from in the end.
struct Answer {
    url: Url,
    multistatus: Multistatus,
}

/// A user whom the server knows.
struct User {
    principal: Url,
    properties: Properties,
}

impl Search<'_> {
    fn not_found(&self) -> DiscoveryError {
        DiscoveryError::NotFound { tried: self.tried.clone() }
    }

    /// Whom the server at `url` takes us for; `None` when it does not speak CalDAV there.
    async fn from(&mut self, url: Url) -> Result<Option<User>, DiscoveryError> {
        let Some(answer) = self.ask(url, "0", WHO).await? else { return Ok(None) };
        let Some(who) = own_properties(answer.multistatus) else { return Ok(None) };
        let principal = match &who.principal {
            Some(Principal::Unauthenticated) => return Err(DiscoveryError::WrongPassword),
            Some(Principal::At(href)) => address::resolve_anywhere(&answer.url, href),
            // An old server may not tell the principal; but if this is it, it has homes.
            None if !who.homes.is_empty() => Some(answer.url.clone()),
            None => None,
        };
        let Some(principal) = principal else { return Ok(None) };
        check_step(&answer.url, &principal)?;
        let Some(answer) = self.ask(principal, "0", PRINCIPAL).await? else { return Ok(None) };
        let Some(properties) = own_properties(answer.multistatus) else { return Ok(None) };
        Ok(Some(User { principal: answer.url, properties }))
    }

    async fn calendars_of(&mut self, user: User) -> Result<Discovered, DiscoveryError> {
        let mut has_answered = false;
        for href in user.properties.homes.iter().take(MAX_HOMES) {
            let Some(home) = address::resolve_anywhere(&user.principal, href) else { continue };
            check_step(&user.principal, &home)?;
            let Some(answer) = self.ask(address::collection(home), "1", HOME).await? else { continue };
            has_answered = true;
            if answer.multistatus.resources.iter().any(|resource| holds_events(&resource.properties)) {
                return Ok(Discovered {
                    home: answer.url,
                    principal: user.principal,
                    addresses: emails(&user.properties),
                    display_name: user.properties.display_name,
                });
            }
        }
        Err(if has_answered { DiscoveryError::NoCalendars } else { self.not_found() })
    }

    /// A PROPFIND, wherever it leads; `None` when there is no WebDAV in the end.
    async fn ask(
        &mut self,
        mut url: Url,
        depth: &'static str,
        properties: &str,
    ) -> Result<Option<Answer>, DiscoveryError> {
        for _ in 0..=MAX_REDIRECTS {
            let host = url.host_str().unwrap_or_default().to_owned();
            self.tried.push(format!("{host}{}", url.path()));
            let response = match self.transport.send(&self.propfind(&url, depth, properties)).await {
                Ok(response) => response,
                Err(error) if error == ProviderError::Rejected(PrivateAddress.to_string()) => {
                    return Err(DiscoveryError::PrivateAddress);
                }
                Err(ProviderError::Rejected(why)) => return Err(DiscoveryError::Refused(why)),
                Err(_) => return Err(DiscoveryError::Unreachable(host)),
            };
            match response.status {
                StatusCode::MULTI_STATUS => {
                    return match multistatus::parse(&response.body) {
                        Ok(multistatus) => Ok(Some(Answer { url, multistatus })),
                        Err(XmlError::Unreadable) => Ok(None),
                        Err(error @ XmlError::Refused) => Err(DiscoveryError::Refused(error.to_string())),
                    };
                }
                StatusCode::UNAUTHORIZED if offers_basic(&response) => return Err(DiscoveryError::WrongPassword),
                StatusCode::UNAUTHORIZED => return Err(DiscoveryError::UnsupportedSignIn),
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    let location = response.headers.get(LOCATION).and_then(|location| location.to_str().ok());
                    let Some(next) = location.and_then(|location| address::resolve_anywhere(&url, location)) else {
                        return Ok(None);
                    };
                    check_step(&url, &next)?;
                    url = next;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    fn propfind(&self, url: &Url, depth: &'static str, properties: &str) -> ProviderRequest {
        // There is no account yet. Those who try to connect to one server share its limits.
        let account = format!("discovery at {}", url.host_str().unwrap_or_default());
        let access = Access::basic(account, url.clone(), self.input.username.as_str(), self.input.password.clone());
        let request = propfind(&access, "discovery", url.clone(), depth, properties);
        ProviderRequest { classify: passing_failure, ..request }
    }
}

/// What a server says of the one resource that it was asked about.
fn own_properties(multistatus: Multistatus) -> Option<Properties> {
    Some(multistatus.resources.into_iter().next()?.properties)
}

/// A fault that may have passed the next time is one; every other status says something.
fn passing_failure(response: &ProviderResponse) -> Option<ProviderError> {
    failure::failure(response)
        .filter(|error| matches!(error, ProviderError::Transient(_) | ProviderError::Throttled(_)))
}

/// Whether the password may go on from one address to the next.
fn check_step(from: &Url, to: &Url) -> Result<(), DiscoveryError> {
    let stays_readable_to_nobody = to.scheme() == "https" || (from.scheme() == "http" && address::is_secure(to));
    if stays_readable_to_nobody { Ok(()) } else { Err(DiscoveryError::InsecureAddress) }
}

/// Whether the answer to a wrong password says that there is a right one. One that says nothing is taken for a yes.
fn offers_basic(response: &ProviderResponse) -> bool {
    let mut offered = response.headers.get_all(WWW_AUTHENTICATE).iter().peekable();
    let is_basic = |challenge: &http::HeaderValue| {
        challenge.to_str().is_ok_and(|challenge| challenge.to_ascii_lowercase().contains("basic"))
    };
    offered.peek().is_none() || offered.any(is_basic)
}

/// Whether it is a calendar in which events may be.
pub(super) fn holds_events(properties: &Properties) -> bool {
    let is_calendar = properties.kinds.as_ref().is_some_and(|kinds| kinds.contains(&Kind::Calendar));
    // A calendar that does not say what it takes takes everything (RFC 4791 §5.2.3).
    let takes_events = |names: &Vec<String>| names.iter().any(|name| name == "VEVENT");
    is_calendar && properties.components.as_ref().is_none_or(takes_events)
}

/// The e-mail addresses of a principal, the preferred one first.
pub(super) fn emails(properties: &Properties) -> Vec<String> {
    let mut addresses: Vec<_> = properties.addresses.iter().filter(|address| address.email().is_some()).collect();
    addresses.sort_by_key(|address| !address.is_preferred);
    addresses.into_iter().filter_map(|address| address.email().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(typed: &str) -> Vec<String> {
        candidates(typed).unwrap().iter().map(Url::to_string).collect()
    }

    #[test]
    fn an_address_a_host_and_an_e_mail_address_lead_to_where_servers_are() {
        let of_host =
            ["https://dav.example/.well-known/caldav", "https://dav.example/", "https://dav.example/remote.php/dav/"];
        for typed in ["dav.example", " https://dav.example ", "ana@dav.example", "DAV.example/"] {
            assert_eq!(addresses(typed), of_host, "{typed}");
        }
        assert_eq!(
            addresses("dav.example:8443/cloud")[..2],
            ["https://dav.example:8443/cloud".to_owned(), "https://dav.example:8443/cloud/remote.php/dav/".to_owned(),]
        );
        assert_eq!(addresses("https://dav.example/remote.php/dav/").len(), 3);
        assert_eq!(addresses("ana@icloud.com")[0], "https://caldav.icloud.com/.well-known/caldav");
        assert_eq!(addresses("localhost:5232")[0], "http://localhost:5232/.well-known/caldav");
    }

    #[test]
    fn what_is_no_address_is_said_to_be_none_and_what_anybody_could_read_is_refused() {
        for typed in ["", "not an address", "ftp://dav.example", "https://ana:secret@dav.example/", "@", "https://"] {
            assert_eq!(candidates(typed), Err(DiscoveryError::InvalidAddress), "{typed}");
        }
        for typed in ["http://dav.example", "http://192.168.1.2:5232"] {
            assert_eq!(candidates(typed), Err(DiscoveryError::InsecureAddress), "{typed}");
        }
    }

    #[test]
    fn a_password_never_leaves_an_encrypted_connection() {
        let url = |text| Url::parse(text).unwrap();
        let (there, here) = (url("https://dav.example/"), url("http://127.0.0.1:1/"));
        assert_eq!(check_step(&there, &url("https://elsewhere.example/")), Ok(()));
        assert_eq!(check_step(&there, &url("http://dav.example/")), Err(DiscoveryError::InsecureAddress));
        assert_eq!(check_step(&there, &here), Err(DiscoveryError::InsecureAddress));
        assert_eq!(check_step(&here, &url("http://127.0.0.1:2/")), Ok(()));
        assert_eq!(check_step(&here, &url("http://dav.example/")), Err(DiscoveryError::InsecureAddress));
    }
}
