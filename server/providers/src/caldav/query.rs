//! The reports of RFC 4791 §7: which resources of a calendar touch a window, and what they hold.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::interval::Interval;
use http::{Method, StatusCode};
use url::Url;

use super::multistatus::{Multistatus, Properties, Resource};
use super::resource::Fetched;
use super::{CaldavProvider, address, failure, propfind, read_multistatus, report, request, xml};
use crate::access::Access;
use crate::error::ProviderError;
use crate::transport::ProviderResponse;

/// Servers limit how much they answer at once; with alarms and attendees an event has some kilobytes.
const RESOURCES_A_REQUEST: usize = 100;
const QUERY: &str = "report.calendar-query";
/// A window of this length that still matches too much is not cut any further.
const SHORTEST_WINDOW: TimeDelta = TimeDelta::days(1);

const STATE: &str = "<D:resourcetype/><D:sync-token/><CS:getctag/><D:supported-report-set/><C:calendar-timezone/>\
    <C:calendar-timezone-id/>";

/// What a server says of a calendar as a whole.
pub(super) async fn state(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &Url,
) -> Result<Properties, ProviderError> {
    let request = propfind(access, "propfind.calendar", calendar.clone(), "0", STATE);
    let answer = caldav.ask(&request).await?;
    let own = answer.resources.into_iter().next().ok_or(ProviderError::NotFound)?;
    match own.status {
        Some(StatusCode::NOT_FOUND | StatusCode::GONE) => Err(ProviderError::NotFound),
        _ => Ok(own.properties),
    }
}

/// What the resources that touch the window hold.
pub(super) async fn resources(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &Url,
    window: Interval,
) -> Result<Vec<Fetched>, ProviderError> {
    let found = matching(caldav, access, calendar, window, "<D:getetag/><C:calendar-data/>").await?;
    let (mut fetched, mut without) = (Vec::new(), Vec::new());
    for (url, properties) in found {
        match properties.calendar_data {
            Some(text) => fetched.push(Fetched { url, etag: properties.etag.map(etag), text }),
            None => without.push(url),
        }
    }
    // Some servers leave the data out of a long answer.
    for resource in fetch(caldav, access, calendar, without).await? {
        fetched.extend(resource.resource);
    }
    Ok(fetched)
}

/// The resources that touch the window and their etags, by address.
pub(super) async fn etags(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &Url,
    window: Interval,
) -> Result<Vec<(Url, Option<String>)>, ProviderError> {
    let found = matching(caldav, access, calendar, window, "<D:getetag/>").await?;
    Ok(found.into_iter().map(|(url, properties)| (url, properties.etag.map(etag))).collect())
}

/// A `calendar-query`. When the server finds that too many match, it is asked for the halves of the window.
async fn matching(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &Url,
    window: Interval,
    properties: &str,
) -> Result<BTreeMap<Url, Properties>, ProviderError> {
    let mut found = BTreeMap::new();
    let mut windows = vec![window];
    while let Some(part) = windows.pop() {
        let mut request = report(access, QUERY, calendar.clone(), "1", calendar_query(part, properties));
        request.classify = failure::query_failure;
        let response = caldav.send(&request).await?;
        let answer = match failure::matches_too_many(&response) {
            true => None,
            false => Some(read_multistatus(QUERY, &response)?).filter(|answer| !is_cut_off(answer, calendar)),
        };
        match answer {
            Some(answer) => found.extend(within(answer, calendar)),
            None if part.duration() > SHORTEST_WINDOW => windows.extend(halves(part)),
            None => return Err(ProviderError::Rejected(format!("{QUERY}: too many events match"))),
        }
    }
    Ok(found)
}

fn calendar_query(window: Interval, properties: &str) -> String {
    // All-day events and those of a floating time are placed by the server in a zone that may not be ours.
    let (start, end) = (utc(window.start - TimeDelta::days(1)), utc(window.end + TimeDelta::days(1)));
    query_for_events(properties, &format!(r#"<C:time-range start="{start}" end="{end}"/>"#))
}

fn query_for_events(properties: &str, filter: &str) -> String {
    let events = format!(r#"<C:comp-filter name="VEVENT">{filter}</C:comp-filter>"#);
    let filter = format!(r#"<C:filter><C:comp-filter name="VCALENDAR">{events}</C:comp-filter></C:filter>"#);
    xml::document("C:calendar-query", &format!("<D:prop>{properties}</D:prop>{filter}"))
}

/// The resource that bears the UID, wherever in the calendar it is.
pub(super) async fn url_of_uid(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &Url,
    uid: &str,
) -> Result<Option<Url>, ProviderError> {
    let uid = xml::escape(uid);
    let bears_it =
        format!(r#"<C:prop-filter name="UID"><C:text-match collation="i;octet">{uid}</C:text-match></C:prop-filter>"#);
    let body = query_for_events("<D:getetag/>", &bears_it);
    let answer = caldav.ask(&report(access, QUERY, calendar.clone(), "1", body)).await?;
    Ok(within(answer, calendar).next().map(|(url, _)| url))
}

/// RFC 5545 §3.3.5, form 2.
pub(super) fn utc(instant: DateTime<Utc>) -> String {
    instant.format("%Y%m%dT%H%M%SZ").to_string()
}

fn halves(window: Interval) -> impl Iterator<Item = Interval> {
    let middle = window.start + window.duration() / 2;
    [Interval::new(window.start, middle), Interval::new(middle, window.end)].into_iter().flatten()
}

/// Whether the answer says of the calendar itself that it is not all (RFC 6578 §3.6, which servers follow here too).
pub(super) fn is_cut_off(answer: &Multistatus, calendar: &Url) -> bool {
    answer.resources.iter().any(|resource| {
        resource.status == Some(StatusCode::INSUFFICIENT_STORAGE)
            && address::resolve(calendar, &resource.href).is_some_and(|url| address::collection(url) == *calendar)
    })
}

/// The resources of the calendar that an answer tells of, without the calendar itself and without what is gone.
fn within(answer: Multistatus, calendar: &Url) -> impl Iterator<Item = (Url, Properties)> {
    let there =
        answer.resources.into_iter().filter(|resource| resource.status.is_none_or(|status| status.is_success()));
    there.filter_map(|resource| Some((member(calendar, &resource)?, resource.properties)))
}

/// The address of a resource that is no collection, if it is in the calendar.
pub(super) fn member(calendar: &Url, resource: &Resource) -> Option<Url> {
    let url = address::resolve(calendar, &resource.href)?;
    let is_member = url.path().starts_with(calendar.path()) && !url.path().ends_with('/');
    is_member.then_some(url)
}

/// What was found where a resource was asked for.
pub(super) struct Asked {
    pub(super) url: Url,
    /// `None` when it is gone.
    pub(super) resource: Option<Fetched>,
}

/// The resources at these addresses, by `calendar-multiget`. Those that the answer does not name are asked for one by
/// one: a server may write an address in a way that is not known to be the same.
pub(super) async fn fetch(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &Url,
    urls: Vec<Url>,
) -> Result<Vec<Asked>, ProviderError> {
    let mut asked = Vec::with_capacity(urls.len());
    for batch in urls.chunks(RESOURCES_A_REQUEST) {
        let request = report(access, "report.calendar-multiget", calendar.clone(), "1", calendar_multiget(batch));
        let answer = caldav.ask(&request).await?;
        let mut told: BTreeMap<Url, Resource> = BTreeMap::new();
        for resource in answer.resources {
            told.extend(member(calendar, &resource).map(|url| (url, resource)));
        }
        for url in batch {
            let resource = match told.remove(url) {
                Some(Resource { status: Some(StatusCode::NOT_FOUND | StatusCode::GONE), .. }) => None,
                Some(Resource { properties: Properties { calendar_data: Some(text), etag, .. }, .. }) => {
                    Some(Fetched { url: url.clone(), etag: etag.map(self::etag), text })
                }
                _ => get(caldav, access, url.clone()).await?,
            };
            asked.push(Asked { url: url.clone(), resource });
        }
    }
    Ok(asked)
}

fn calendar_multiget(urls: &[Url]) -> String {
    let hrefs: String = urls.iter().map(|url| format!("<D:href>{}</D:href>", xml::escape(url.path()))).collect();
    let properties = "<D:prop><D:getetag/><C:calendar-data/></D:prop>";
    xml::document("C:calendar-multiget", &format!("{properties}{hrefs}"))
}

/// One resource; `None` when it is gone.
pub(super) async fn get(caldav: &CaldavProvider, access: &Access, url: Url) -> Result<Option<Fetched>, ProviderError> {
    const GET: &str = "get";
    let response = match caldav.send(&request(access, GET, Method::GET, url.clone())).await {
        Err(ProviderError::NotFound) => return Ok(None),
        response => response?,
    };
    let text = String::from_utf8(response.body.to_vec())
        .map_err(|_| ProviderError::Rejected(format!("{GET}: the event is not UTF-8")))?;
    Ok(Some(Fetched { url, etag: header_etag(&response), text }))
}

/// The `ETag` of an answer.
pub(super) fn header_etag(response: &ProviderResponse) -> Option<String> {
    let etag = response.headers.get(http::header::ETAG)?.to_str().ok()?.trim();
    (!etag.is_empty()).then(|| self::etag(etag.to_owned()))
}

/// An etag in one form. A weak one comes from a proxy that re-encodes what the server sent; it never matches (RFC 9110
/// §13.1.1), while the strong one does. Some servers leave out the quotes.
pub(super) fn etag(told: String) -> String {
    let strong = told.strip_prefix("W/").unwrap_or(&told);
    if strong.starts_with('"') { strong.to_owned() } else { format!("\"{strong}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_has_one_form() {
        for told in ["\"a\"", "W/\"a\"", "a"] {
            assert_eq!(etag(told.to_owned()), "\"a\"");
        }
    }

    #[test]
    fn the_halves_of_a_window_are_the_window() {
        let window =
            Interval::new("2026-01-01T00:00:00Z".parse().unwrap(), "2026-01-04T00:00:01Z".parse().unwrap()).unwrap();
        let halves: Vec<_> = halves(window).collect();
        assert_eq!((halves.len(), cupo_core::interval::normalize(halves)), (2, vec![window]));
    }

    #[test]
    fn only_what_is_in_the_calendar_is_of_the_calendar() {
        let calendar = Url::parse("https://dav.example/ana/work/").unwrap();
        let of = |href: &str| member(&calendar, &Resource { href: href.into(), ..Resource::default() });
        assert!(of("/ana/work/1.ics").is_some());
        assert!(of("1.ics").is_some());
        for other in ["/ana/work/", "/ana/work", "/ana/home/1.ics", "https://elsewhere.example/ana/work/1.ics", ""] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
