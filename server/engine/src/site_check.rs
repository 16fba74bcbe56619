//! Whether a page of a site shows the widget.
//!
//! Whoever asks chooses the address, and this machine may reach what they may not. So it goes to the public internet by the two
//! ports of the web only, unless the operator trusts every host; and why nothing was found there is not told in detail, or
//! the findings would draw a map of the network around Cupo.

mod policy;

use std::cell::RefCell;

use cupo_core::parse::{FieldError, FieldErrors, FieldProblem, Origin, Slug};
use cupo_providers::{FeedConfig, FeedError, FeedReader, WebPage};
use cupo_store::origins_of_organization;
use lol_html::{RewriteStrSettings, element, rewrite_str};
use url::{Host, Url};

use self::policy::{Needs, Tag, policies};
use crate::{Engine, EngineError, Principal};

/// A page with more HTML than this is not read.
const MOST_BYTES: usize = 2_000_000;
/// Of more event types than this the others are left out.
const MOST_EVENTS: usize = 5;
/// Of an address no more is repeated.
const MOST_OF_ADDRESS: usize = 200;

/// What was found at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteCheck {
    /// Where the page was found in the end, after redirects; what was typed where it was not found. Cut off where it is long.
    pub address: String,
    /// In the order in which they matter; the widget works where every one is good.
    pub findings: Vec<SiteFinding>,
}

/// One thing that was found out about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteFinding {
    /// The address itself says that it does not lead to the public internet.
    Private,
    /// Nothing was found there; why is not told.
    NoAnswer,
    /// The site answered with a status by which it shows no page.
    Status(u16),
    /// The page is too large to look at.
    TooLarge,
    /// The page loads this installation's script.
    Script,
    /// It does not, as far as its HTML tells.
    NoScript,
    /// It loads scripts by a tag manager, and what that adds is not in its HTML.
    TagManager,
    /// The event type stands on it.
    Event,
    /// Other event types do; some of them, as `org/slug`.
    OtherEvents(Vec<String>),
    /// The script is there, but nothing says what it is for.
    NoEvent,
    /// Its origin may show the widget.
    Allowed,
    /// Its origin is not among the organization's sites.
    NotAllowed(String),
    /// Its policy lacks something that the widget needs; directive and source.
    Policy(&'static str, String),
}

impl SiteFinding {
    /// Whether the widget can work where this was found.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Script | Self::Event | Self::Allowed | Self::TagManager)
    }
}

/// What the HTML of a page says of the widget.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    has_tag_manager: bool,
    /// The tags by which it is loaded.
    tags: Vec<Tag>,
    /// As they stand there; hopefully as `org/slug`.
    events: Vec<String>,
    /// Policies that stand in the page itself.
    policies: Vec<String>,
}

impl Engine {
    /// Looks whether the page at an address shows the widget of an event type, given as `org/slug`.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `address` or `event`; what keeps the page from being read is a finding.
    pub async fn site_check(
        &self,
        principal: &Principal,
        event: &str,
        address: &str,
    ) -> Result<SiteCheck, EngineError> {
        if !is_event(event) {
            return Err(refused(FieldProblem::new("error.slug").at("event")));
        }
        let address = read_address(address).ok_or_else(|| refused(FieldProblem::new("error.url").at("address")))?;
        let feeds = &self.0.settings.feeds;
        let config =
            FeedConfig { max_bytes: MOST_BYTES, usual_ports_only: !feeds.allows_private_addresses, ..feeds.clone() };
        let reader = FeedReader::new(config).map_err(|error| EngineError::Internal {
            context: "making the reader of pages",
            source: Box::new(error),
        })?;
        let page = match reader.page(address.as_str()).await {
            Ok(page) => page,
            Err(error) => return Ok(SiteCheck { findings: vec![unread(&error, &address)], address: shown(&address) }),
        };
        let cupo = self.0.settings.public_url.as_str().trim_end_matches('/');
        let mut findings = findings(&page, cupo, event);
        let allowed = origins_of_organization(&mut self.0.store.read().await?, &principal.organization_id).await?;
        if let Ok(origin) = Origin::parse(page.address.as_str()) {
            findings.push(if allowed.contains(&origin) {
                SiteFinding::Allowed
            } else {
                SiteFinding::NotAllowed(origin.to_string())
            });
        }
        Ok(SiteCheck { address: shown(&page.address), findings })
    }
}

fn refused(error: FieldError) -> EngineError {
    EngineError::Invalid(FieldErrors(vec![error]))
}

/// Whether it is `org/slug`.
fn is_event(text: &str) -> bool {
    text.split_once('/').is_some_and(|(org, slug)| Slug::parse(org).is_ok() && Slug::parse(slug).is_ok())
}

/// The address of a page as people type it.
fn read_address(typed: &str) -> Option<Url> {
    let typed = typed.trim();
    let address = if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
    let url = Url::parse(&address).ok()?;
    Origin::parse(url.as_str()).is_ok().then_some(url)
}

fn shown(address: &Url) -> String {
    let mut shown: String = address.as_str().chars().take(MOST_OF_ADDRESS).collect();
    if shown.len() < address.as_str().len() {
        shown.push('…');
    }
    shown
}

fn unread(error: &FeedError, address: &Url) -> SiteFinding {
    match error {
        // Of a name, that it leads to the private network would tell what is there.
        FeedError::PrivateAddress if is_of_this_network(address) => SiteFinding::Private,
        FeedError::TooLarge => SiteFinding::TooLarge,
        FeedError::Throttled(_) => SiteFinding::Status(429),
        FeedError::PrivateAddress => SiteFinding::NoAnswer,
        FeedError::Refused(why) | FeedError::Transient(why) => {
            why.parse().map_or(SiteFinding::NoAnswer, SiteFinding::Status)
        }
    }
}

/// Whether an address that is not public says so itself.
fn is_of_this_network(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        host => host.is_some(),
    }
}

fn findings(page: &WebPage, cupo: &str, event: &str) -> Vec<SiteFinding> {
    let seen = see(page, cupo);
    let mut findings = Vec::new();
    match (!seen.tags.is_empty(), seen.has_tag_manager) {
        (true, _) => findings.push(SiteFinding::Script),
        (false, true) => return vec![SiteFinding::TagManager],
        (false, false) => return vec![SiteFinding::NoScript],
    }
    findings.push(if seen.events.iter().any(|there| there == event) {
        SiteFinding::Event
    } else {
        let mut others: Vec<_> = seen.events.into_iter().filter(|other| is_event(other)).collect();
        others.dedup();
        others.truncate(MOST_EVENTS);
        if others.is_empty() { SiteFinding::NoEvent } else { SiteFinding::OtherEvents(others) }
    });
    let Some(needs) = Needs::of(cupo, event) else { return findings };
    for policy in page.policies.iter().chain(&seen.policies).flat_map(|header| policies(header)) {
        for lack in policy.lacks(&needs, &page.address, &seen.tags) {
            if !findings.contains(&lack) {
                findings.push(lack);
            }
        }
    }
    findings
}

/// Reads the page's tags. `cupo` is this installation's address without a slash at its end.
fn see(page: &WebPage, cupo: &str) -> Seen {
    let loader = format!("{cupo}/embed.js");
    let is_loader = |source: &str| {
        let address = page.address.join(source);
        address.is_ok_and(|url| url.as_str().split(['?', '#']).next() == Some(loader.as_str()))
    };
    let seen = RefCell::new(Seen::default());
    let settings = RewriteStrSettings {
        element_content_handlers: vec![
            element!("script[src]", |script| {
                let seen = &mut *seen.borrow_mut();
                if script.get_attribute("src").is_some_and(|source| is_loader(&source)) {
                    let told = |name| script.get_attribute(name).unwrap_or_default();
                    seen.tags.push(Tag { nonce: told("nonce"), integrity: told("integrity") });
                    seen.events
                        .extend(["data-event", "data-floating"].into_iter().filter_map(|it| script.get_attribute(it)));
                }
                Ok(())
            }),
            element!("cupo-booking[event]", |widget| {
                seen.borrow_mut().events.extend(widget.get_attribute("event"));
                Ok(())
            }),
            element!("[data-cupo-popup]", |opener| {
                seen.borrow_mut().events.extend(opener.get_attribute("data-cupo-popup"));
                Ok(())
            }),
            element!("meta[http-equiv]", |meta| {
                let kind = meta.get_attribute("http-equiv").unwrap_or_default();
                if kind.eq_ignore_ascii_case("content-security-policy") {
                    seen.borrow_mut().policies.extend(meta.get_attribute("content"));
                }
                Ok(())
            }),
        ],
        ..RewriteStrSettings::new()
    };
    // What cannot be read to its end counts as far as it was read.
    let _unreadable = rewrite_str(&page.html, settings);
    let mut seen = seen.into_inner();
    // A tag manager's own snippet is inline, and names its address in a text.
    seen.has_tag_manager = page.html.contains("googletagmanager.com");
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUPO: &str = "https://book.example.com/cupo";

    fn found(html: &str, policies: &[&str]) -> Vec<SiteFinding> {
        let page = WebPage {
            address: "https://www.example.org/visit".parse().unwrap(),
            policies: policies.iter().map(|&policy| policy.to_owned()).collect(),
            html: html.to_owned(),
        };
        findings(&page, CUPO, "acme/visit")
    }

    #[test]
    fn a_page_with_the_script_and_the_event_type_shows_it_whichever_way_it_is_embedded() {
        for html in [
            "<script async src='https://book.example.com/cupo/embed.js'></script><cupo-booking event=acme/visit></cupo-booking>",
            "<script async src=\"https://book.example.com/cupo/embed.js\" data-event=\"acme/visit\"></script>",
            "<script src=//book.example.com/cupo/embed.js?v=2 data-floating=acme/visit></script>",
            "<script src=https://book.example.com/cupo/embed.js></script><a href=# data-cupo-popup='acme/visit'>Book</a>",
        ] {
            assert_eq!(found(html, &[]), [SiteFinding::Script, SiteFinding::Event], "{html}");
        }
    }

    #[test]
    fn what_is_missing_on_a_page_is_told() {
        assert_eq!(found("<p>book.example.com/cupo/embed.js</p>", &[]), [SiteFinding::NoScript]);
        let other = "<script src=https://elsewhere.example/embed.js></script>";
        assert_eq!(found(other, &[]), [SiteFinding::NoScript]);
        let commented = "<!-- <script src=https://book.example.com/cupo/embed.js></script> -->";
        assert_eq!(found(commented, &[]), [SiteFinding::NoScript]);
        let script = "<script src=https://book.example.com/cupo/embed.js></script>";
        assert_eq!(found(script, &[]), [SiteFinding::Script, SiteFinding::NoEvent]);
        let others = format!("{script}<cupo-booking event=acme/other></cupo-booking>");
        let named = SiteFinding::OtherEvents(vec!["acme/other".to_owned()]);
        assert_eq!(found(&others, &[]), [SiteFinding::Script, named]);
        let manager = "<script async src='https://www.googletagmanager.com/gtm.js?id=GTM-1'></script>";
        assert_eq!(found(manager, &[]), [SiteFinding::TagManager]);
    }

    #[test]
    fn policies_of_the_page_itself_and_of_each_header_count() {
        let lacks = |html: &str, headers: &[&str]| found(html, headers).split_off(2);
        let script = "<script nonce=n0nce src=https://book.example.com/cupo/embed.js data-event=acme/visit></script>";
        let connections = SiteFinding::Policy("connect-src", "https://book.example.com".to_owned());
        assert_eq!(lacks(script, &["script-src 'nonce-n0nce' 'wasm-unsafe-eval'", "connect-src *"]), []);
        assert_eq!(
            lacks(script, &["connect-src *", "img-src *, connect-src 'self'"]),
            std::slice::from_ref(&connections)
        );
        let meta = "<meta http-equiv=content-security-policy content=\"connect-src 'self'\">";
        assert_eq!(lacks(&format!("{meta}{script}"), &["connect-src 'none'"]), [connections]);
    }

    #[test]
    fn of_what_stands_on_a_page_only_event_types_are_repeated_and_few_of_them() {
        let widgets: String =
            (0..99).map(|it| format!("<cupo-booking event=acme/e{}></cupo-booking>", it / 2)).collect();
        let script = "<script src=https://book.example.com/cupo/embed.js></script>";
        let others = (0..5).map(|it| format!("acme/e{it}")).collect();
        assert_eq!(found(&format!("{script}{widgets}"), &[])[1], SiteFinding::OtherEvents(others));
        let long = "x".repeat(100_000);
        for none in ["visit", "acme/visit/x", "acme/vi sit", "\u{202e}/x", &format!("acme/{long}")] {
            let page = format!("{script}<cupo-booking event=\"{none}\"></cupo-booking>");
            assert_eq!(found(&page, &[])[1], SiteFinding::NoEvent);
        }
    }
}
