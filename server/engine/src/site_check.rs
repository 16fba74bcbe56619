//! Whether a page of a site shows the widget.

use std::cell::RefCell;

use cupo_core::parse::{FieldProblem, Origin};
use cupo_providers::{FeedConfig, FeedError, FeedReader, WebPage};
use cupo_store::origins_of_organization;
use lol_html::{RewriteStrSettings, element, rewrite_str};

use crate::{Engine, EngineError, Principal};

/// A page with more HTML than this is not read.
const MOST_BYTES: usize = 2_000_000;

/// What was found at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteCheck {
    /// Where the page was found in the end, after redirects; what was typed where it was not found.
    pub address: String,
    /// In the order in which they matter; the widget works where every one is good.
    pub findings: Vec<SiteFinding>,
}

/// One thing that was found out about a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteFinding {
    /// The address does not lead to the public internet.
    Private,
    /// Nothing was found there; the text says why.
    Unreachable(String),
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
    /// Other event types do; as `org/slug`.
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
    has_script: bool,
    has_tag_manager: bool,
    /// As `org/slug`.
    events: Vec<String>,
    /// Policies that stand in the page itself.
    policies: Vec<String>,
}

impl Engine {
    /// Looks whether the page at an address shows the widget of an event type, given as `org/slug`.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] with `address`; what keeps the page from being read is a finding.
    pub async fn site_check(
        &self,
        principal: &Principal,
        event: &str,
        address: &str,
    ) -> Result<SiteCheck, EngineError> {
        let typed = address.trim();
        let address = if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
        let origin = Origin::parse(&address)
            .map_err(|_| EngineError::Invalid(FieldProblem::new("error.url").at("address").into()))?;
        let reader = FeedReader::new(FeedConfig { max_bytes: MOST_BYTES, ..self.0.settings.feeds.clone() }).map_err(
            |error| EngineError::Internal { context: "making the reader of pages", source: Box::new(error) },
        )?;
        let page = match reader.page(&address).await {
            Ok(page) => page,
            Err(error) => return Ok(SiteCheck { address, findings: vec![unread(error)] }),
        };
        let origin = Origin::parse(page.address.as_str()).unwrap_or(origin);
        let allowed = origins_of_organization(&mut self.0.store.read().await?, &principal.organization_id).await?;
        let cupo = self.0.settings.public_url.as_str().trim_end_matches('/');
        let mut findings = findings(&page, cupo, event);
        findings.push(if allowed.contains(&origin) {
            SiteFinding::Allowed
        } else {
            SiteFinding::NotAllowed(origin.to_string())
        });
        Ok(SiteCheck { address: page.address.into(), findings })
    }
}

fn unread(error: FeedError) -> SiteFinding {
    match error {
        FeedError::PrivateAddress => SiteFinding::Private,
        FeedError::TooLarge => SiteFinding::TooLarge,
        FeedError::Refused(why) | FeedError::Transient(why) => SiteFinding::Unreachable(why),
        FeedError::Throttled(_) => SiteFinding::Unreachable("429".to_owned()),
    }
}

fn findings(page: &WebPage, cupo: &str, event: &str) -> Vec<SiteFinding> {
    let seen = see(page, cupo);
    let mut findings = Vec::new();
    match (seen.has_script, seen.has_tag_manager) {
        (true, _) => findings.push(SiteFinding::Script),
        (false, true) => return vec![SiteFinding::TagManager],
        (false, false) => return vec![SiteFinding::NoScript],
    }
    findings.push(if seen.events.iter().any(|there| there == event) {
        SiteFinding::Event
    } else if seen.events.is_empty() {
        SiteFinding::NoEvent
    } else {
        SiteFinding::OtherEvents(seen.events)
    });
    let origin = url::Url::parse(cupo).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    for policy in page.policies.iter().chain(&seen.policies) {
        for lack in lacks(policy, &origin) {
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
                    seen.has_script = true;
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

/// What a policy (CSP level 3) lacks for the widget of `origin`. Where WebAssembly alone is forbidden, the public page in a
/// frame does in its place; then that must be allowed.
fn lacks(policy: &str, origin: &str) -> Vec<SiteFinding> {
    let directives: Vec<(String, Vec<&str>)> = policy
        .split([';', ','])
        .filter_map(|directive| {
            let mut words = directive.split_ascii_whitespace();
            Some((words.next()?.to_ascii_lowercase(), words.collect()))
        })
        .collect();
    let sources = |names: &[&str]| {
        names.iter().find_map(|name| directives.iter().find(|(directive, _)| directive == name).map(|(_, it)| it))
    };
    let allows_origin = |sources: &Vec<&str>| {
        let scheme = origin.split(':').next().unwrap_or_default();
        let host = origin.split("://").nth(1).unwrap_or_default();
        sources.iter().any(|source| {
            let source = source.trim_end_matches('/');
            let of_host = source.split("://").nth(1).unwrap_or(source);
            let wild = of_host.strip_prefix('*').is_some_and(|rest| rest.starts_with('.') && host.ends_with(rest));
            source == "*" || source.strip_suffix(':') == Some(scheme) || of_host == host || wild
        })
    };
    let mut lacks = Vec::new();
    let scripts = sources(&["script-src-elem", "script-src", "default-src"]);
    let by_nonce = |sources: &Vec<&str>| sources.iter().any(|source| source.starts_with("'nonce-"));
    if scripts.is_some_and(|sources| !allows_origin(sources) && !by_nonce(sources)) {
        lacks.push(SiteFinding::Policy("script-src", origin.to_owned()));
    }
    if sources(&["connect-src", "default-src"]).is_some_and(|sources| !allows_origin(sources)) {
        lacks.push(SiteFinding::Policy("connect-src", origin.to_owned()));
    }
    let compiles =
        |sources: &Vec<&str>| sources.iter().any(|source| matches!(*source, "'wasm-unsafe-eval'" | "'unsafe-eval'"));
    let frames = sources(&["frame-src", "child-src", "default-src"]).is_none_or(allows_origin);
    if sources(&["script-src", "default-src"]).is_some_and(|sources| !compiles(sources)) && !frames {
        lacks.push(SiteFinding::Policy("script-src", "'wasm-unsafe-eval'".to_owned()));
    }
    lacks
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
    fn what_a_policy_lacks_is_told_by_directive_and_source() {
        let html = "<script src=https://book.example.com/cupo/embed.js data-event=acme/visit></script>";
        let lacks = |policies: &[&str]| found(html, policies).split_off(2);
        let origin = || "https://book.example.com".to_owned();
        let wasm = SiteFinding::Policy("script-src", "'wasm-unsafe-eval'".to_owned());
        assert_eq!(lacks(&["img-src 'self'"]), []);
        assert_eq!(lacks(&["script-src https://book.example.com 'wasm-unsafe-eval'; connect-src *.example.com"]), []);
        assert_eq!(lacks(&["script-src 'nonce-x' 'wasm-unsafe-eval'"]), []);
        assert_eq!(
            lacks(&["default-src 'self'"]),
            [SiteFinding::Policy("script-src", origin()), SiteFinding::Policy("connect-src", origin()), wasm.clone()]
        );
        // A frame does where WebAssembly is forbidden.
        assert_eq!(lacks(&["script-src https:; connect-src https:; frame-src https:"]), []);
        assert_eq!(lacks(&["script-src https:; connect-src https:; frame-src 'none'"]), [wasm]);
        let meta = "<meta http-equiv=content-security-policy content=\"connect-src 'self'\">";
        let page = format!("{meta}{html}");
        assert_eq!(found(&page, &[]).split_off(2), [SiteFinding::Policy("connect-src", origin())]);
    }
}
