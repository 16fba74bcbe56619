//! One event: PUT, GET and DELETE of its resource (RFC 4791 §5.3.2, RFC 4918 §9).

use chrono::{NaiveDateTime, TimeDelta};
use cupo_core::interval::Interval;
use http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use http::{HeaderName, HeaderValue, Method};
use url::Url;

use super::owner::{Owner, owner};
use super::resource::{Fetched, Reading, says_the_same, unreadable};
use super::{CaldavProvider, address, calendar_url, failure, home, multistatus, propfind, query, request, zone};
use crate::access::Access;
use crate::error::ProviderError;
use crate::event::{CalendarEvent, EventMark, EventStatus, Meeting, MeetingLink};
use crate::ics::{self, AttendeeChange};
use crate::provider::{Expected, PutOutcome};

const PUT: &str = "put";
const CALENDAR: HeaderValue = HeaderValue::from_static("text/calendar; charset=utf-8");
const ANY: &str = "*";
/// RFC 6638 §8.1.
const SCHEDULE_REPLY: HeaderName = HeaderName::from_static("schedule-reply");
/// Names that are tried for one claim before giving up.
const MAX_GENERATIONS: u32 = 8;
/// How far an instance of a recurring event may have been moved.
const FARTHEST_MOVE: TimeDelta = TimeDelta::days(366);

const ETAG: &str = "<D:getetag/>";

pub(super) async fn put(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &str,
    event: &CalendarEvent,
    expected: Expected<'_>,
) -> Result<PutOutcome, ProviderError> {
    let calendar = calendar_url(access, calendar)?;
    let owner = owner(caldav, access).await?;
    let desk = Desk { caldav, access, calendar, owner: &owner };
    match expected {
        Expected::Create => desk.create(event).await,
        Expected::Update { etag } => desk.update(event, etag, AttendeeChange::Keep).await,
        Expected::UpdateAttendees { etag, gone } => {
            let invite = AttendeeChange::Invite { gone, organizer: owner.address.as_deref() };
            desk.update(event, etag, invite).await
        }
    }
}

/// Where the events of one calendar are written.
struct Desk<'a> {
    caldav: &'a CaldavProvider,
    access: &'a Access,
    calendar: Url,
    owner: &'a Owner,
}

impl Desk<'_> {
    /// Makes the resource that belongs to the claim. The server answers 412 when its name is taken, and names another
    /// resource when the UID is:
    /// - by the event itself, whose answer was lost: it is brought up to date where it differs, and is the outcome; at another
    ///   time it is left alone;
    /// - by what is not ours: the next name is tried.
    ///
    /// Each name follows from the claim and from what the server holds, so a repetition arrives at the same event.
    async fn create(&self, event: &CalendarEvent) -> Result<PutOutcome, ProviderError> {
        let mark = event.mark.as_ref();
        let mark = mark.ok_or_else(|| ProviderError::Rejected("an event to create needs a mark".into()))?;
        for generation in 0..MAX_GENERATIONS {
            let uid = uid(mark, generation);
            let url = address::within(&self.calendar, &file_name(&uid));
            let text = ics::write_event(event, &uid, self.owner.address.as_deref(), self.caldav.clock.now());
            let mut request = request(self.access, PUT, Method::PUT, url.clone());
            request.headers.insert(IF_NONE_MATCH, HeaderValue::from_static(ANY));
            request.headers.insert(CONTENT_TYPE, CALENDAR);
            request.body = text.into();
            request.classify = failure::put_failure;
            let taken = match self.caldav.send(&request).await {
                Ok(response) if failure::bears_known_uid(&response) => {
                    let told = multistatus::conflicting_href(&response.body);
                    match told.and_then(|href| address::resolve(&self.calendar, &href)) {
                        Some(url) => url,
                        // Not every server names the resource that it means.
                        None => match query::url_of_uid(self.caldav, self.access, &self.calendar, &uid).await? {
                            Some(url) => url,
                            None => continue,
                        },
                    }
                }
                Ok(response) => return self.outcome(url, query::header_etag(&response), Some(uid), event).await,
                Err(ProviderError::Conflict) => url,
                Err(error) => return Err(error),
            };
            if let Some(outcome) = self.bring_up_to_date(taken, event, mark).await? {
                return Ok(outcome);
            }
        }
        Err(ProviderError::Rejected(format!("{PUT}: {MAX_GENERATIONS} names are taken")))
    }

    /// `None` when what is there is not the event with this mark.
    async fn bring_up_to_date(
        &self,
        url: Url,
        event: &CalendarEvent,
        mark: &EventMark,
    ) -> Result<Option<PutOutcome>, ProviderError> {
        if !self.is_member(&url) {
            return Ok(None);
        }
        let Some(existing) = self.read(url).await? else { return Ok(None) };
        let Some(found) = self.reading().event(&existing)?.filter(|found| found.mark.as_ref() == Some(mark)) else {
            return Ok(None);
        };
        if !found.is_at_time_of(event) {
            return Ok(Some(PutOutcome::standing(found)));
        }
        if says_the_same(&found, event) {
            return self.outcome(existing.url, existing.etag, found.ical_uid, event).await.map(Some);
        }
        let organizer = self.owner.address.as_deref();
        let invite = AttendeeChange::Invite { gone: &[], organizer };
        self.rewrite(existing, found.ical_uid, event, invite).await.map(Some)
    }

    async fn update(
        &self,
        event: &CalendarEvent,
        expected: Option<&str>,
        attendees: AttendeeChange<'_>,
    ) -> Result<PutOutcome, ProviderError> {
        let url = self.whole_url(&event.id)?;
        let mut existing = self.read(url).await?.ok_or(ProviderError::NotFound)?;
        let found = self.reading().event(&existing)?.filter(|found| found.status != EventStatus::Cancelled);
        let found = found.ok_or(ProviderError::NotFound)?;
        let expected = expected.map(|etag| query::etag(etag.to_owned()));
        match (expected, &existing.etag) {
            (Some(expected), Some(found)) if expected != *found => return Err(ProviderError::Conflict),
            (Some(expected), None) => existing.etag = Some(expected),
            _ => {}
        }
        self.rewrite(existing, found.ical_uid, event, attendees).await
    }

    /// Writes the changed text, if what was read is still there.
    async fn rewrite(
        &self,
        existing: Fetched,
        uid: Option<String>,
        event: &CalendarEvent,
        attendees: AttendeeChange<'_>,
    ) -> Result<PutOutcome, ProviderError> {
        let text = ics::rewrite_event(&existing.text, event, attendees, self.caldav.clock.now()).map_err(unreadable)?;
        let request = request(self.access, PUT, Method::PUT, existing.url.clone());
        let mut request = request.with_if_match(existing.etag.as_deref().unwrap_or(ANY))?;
        request.headers.insert(CONTENT_TYPE, CALENDAR);
        request.body = text.into();
        let response = self.caldav.send(&request).await?;
        self.outcome(existing.url, query::header_etag(&response), uid, event).await
    }

    /// A server that changed what it was given tells no etag with the answer (RFC 4791 §5.3.4): it is asked for.
    async fn outcome(
        &self,
        url: Url,
        etag: Option<String>,
        ical_uid: Option<String>,
        event: &CalendarEvent,
    ) -> Result<PutOutcome, ProviderError> {
        let etag = match etag {
            Some(etag) => Some(etag),
            None => {
                let answer = self.caldav.ask(&propfind(self.access, "propfind.etag", url.clone(), "0", ETAG)).await?;
                answer.resources.into_iter().find_map(|resource| resource.properties.etag).map(query::etag)
            }
        };
        let meeting = match &event.meeting {
            Meeting::None => MeetingLink::None,
            Meeting::Ready { url } => MeetingLink::Ready { url: url.clone() },
            // There is nobody to make one.
            Meeting::Request { .. } | Meeting::Pending | Meeting::Failed => MeetingLink::Failed,
        };
        Ok(PutOutcome { id: url.to_string(), etag, ical_uid, html_link: None, meeting, stands: None })
    }

    /// The resource with its etag; of a server that tells none with GET, by the report that does.
    async fn read(&self, url: Url) -> Result<Option<Fetched>, ProviderError> {
        match query::get(self.caldav, self.access, url).await? {
            Some(Fetched { url, etag: None, .. }) => {
                let asked = query::fetch(self.caldav, self.access, &self.calendar, vec![url]).await?;
                Ok(asked.into_iter().find_map(|asked| asked.resource))
            }
            found => Ok(found),
        }
    }

    /// What is written over is read in the host's zone: nothing of it but its text is kept.
    fn reading(&self) -> Reading<'_> {
        Reading::new(self.owner, zone::of_calendar(self.access, None))
    }

    /// The address in the id of an event that is to be changed. Of a recurring event no single instance is.
    fn whole_url(&self, id: &str) -> Result<Url, ProviderError> {
        if id.contains('#') {
            return Err(ProviderError::Rejected("an instance of a recurring event is not changed".into()));
        }
        self.event_url(id)
    }

    fn event_url(&self, id: &str) -> Result<Url, ProviderError> {
        let url = address::of_id(home(self.access)?, id)?;
        // What is meant for an event must not befall the calendar.
        if self.is_member(&url) {
            Ok(url)
        } else {
            Err(ProviderError::Rejected("the event is not in the calendar".into()))
        }
    }

    fn is_member(&self, url: &Url) -> bool {
        url.path().starts_with(self.calendar.path()) && !url.path().ends_with('/')
    }
}

/// The UID of the event of a claim, which names its resource too. A higher generation is the next to try.
fn uid(mark: &EventMark, generation: u32) -> String {
    let EventMark { claim_id, installation } = mark;
    if generation == 0 {
        format!("cupo-{claim_id}@{installation}")
    } else {
        format!("cupo-{claim_id}-{generation}@{installation}")
    }
}

/// Whether [`uid`] gives the event with this mark this UID, in one generation or another.
pub(super) fn is_uid_of(mark: &EventMark, uid: &str) -> bool {
    let EventMark { claim_id, installation } = mark;
    let of_claim = uid.strip_prefix("cupo-").and_then(|rest| rest.strip_prefix(claim_id.as_str()));
    let Some((generation, at)) = of_claim.and_then(|rest| rest.split_once('@')) else { return false };
    let digits = generation.strip_prefix('-').unwrap_or(generation);
    at == installation && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Not every server takes every character in a name.
fn file_name(uid: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '@');
    let name: String = uid.chars().map(|c| if is_plain(c) { c } else { '-' }).collect();
    format!("{name}.ics")
}

pub(super) async fn get(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &str,
    id: &str,
) -> Result<Option<CalendarEvent>, ProviderError> {
    let calendar = calendar_url(access, calendar)?;
    let owner = owner(caldav, access).await?;
    let desk = Desk { caldav, access, calendar, owner: &owner };
    let Some(resource) = desk.read(desk.event_url(id)?).await? else { return Ok(None) };
    let state = query::state(caldav, access, &desk.calendar).await?;
    let told = zone::told(&state).map_err(|name| zone::unknown(&name))?;
    let mut reading = Reading::new(&owner, zone::of_calendar(access, told));
    let found = match id.split_once('#') {
        Some((_, original)) => {
            let Some(window) = window_around(original) else { return Ok(None) };
            let id = format!("{}#{original}", resource.url);
            reading.instance_at(&resource, &id, window)?
        }
        None => reading.event(&resource)?,
    };
    Ok(found.filter(|event| event.status != EventStatus::Cancelled))
}

/// The event with this UID.
pub(super) async fn find(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &str,
    uid: &str,
) -> Result<Option<CalendarEvent>, ProviderError> {
    match query::url_of_uid(caldav, access, &calendar_url(access, calendar)?, uid).await? {
        Some(url) => get(caldav, access, calendar, url.as_str()).await,
        None => Ok(None),
    }
}

/// Where an instance may be that was to begin then.
fn window_around(original: &str) -> Option<Interval> {
    let original = NaiveDateTime::parse_from_str(original, "%Y%m%dT%H%M%SZ").ok()?.and_utc();
    let (start, end) = (original.checked_sub_signed(FARTHEST_MOVE)?, original.checked_add_signed(FARTHEST_MOVE)?);
    Interval::new(start, end)
}

/// A server with scheduling tells the attendees; most can be asked not to by the header that stops a reply.
pub(super) async fn delete(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &str,
    id: &str,
    notify: bool,
) -> Result<(), ProviderError> {
    let nobody = Owner::default();
    let desk = Desk { caldav, access, calendar: calendar_url(access, calendar)?, owner: &nobody };
    let mut request = request(access, "delete", Method::DELETE, desk.whole_url(id)?);
    if !notify {
        request.headers.insert(SCHEDULE_REPLY, HeaderValue::from_static("F"));
    }
    match caldav.send(&request).await {
        Ok(_) | Err(ProviderError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use cupo_core::ids::ClaimId;

    use super::*;

    #[test]
    fn the_uid_follows_from_the_mark() {
        let mark = EventMark {
            claim_id: ClaimId::parse("018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e").unwrap(),
            installation: "cupo.example".into(),
        };
        assert_eq!(uid(&mark, 0), "cupo-018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e@cupo.example");
        assert_eq!(uid(&mark, 2), "cupo-018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e-2@cupo.example");
        assert!(is_uid_of(&mark, &uid(&mark, 0)) && is_uid_of(&mark, &uid(&mark, 2)));
        let elsewhere = EventMark { installation: "elsewhere.example".to_owned(), ..mark.clone() };
        for foreign in [uid(&elsewhere, 0), "3F2504E0-4F89@copied.example".to_owned(), "cupo-@cupo.example".to_owned()]
        {
            assert!(!is_uid_of(&mark, &foreign), "{foreign}");
        }
    }

    #[test]
    fn the_name_of_a_resource_has_nothing_that_a_server_could_take_for_a_path() {
        assert_eq!(file_name("cupo-1@cupo.example"), "cupo-1@cupo.example.ics");
        assert_eq!(file_name("cupo-1@http://x:80/../y"), "cupo-1@http---x-80-..-y.ics");
    }

    #[test]
    fn an_instance_is_looked_for_around_where_it_was_to_begin() {
        let window = window_around("20261102T080000Z").unwrap();
        assert!(window.contains("2026-11-02T08:00:00Z".parse().unwrap()));
        for wrong in ["", "20261102", "99991399T000000Z", "+2621421231T000000Z"] {
            assert_eq!(window_around(wrong), None, "{wrong}");
        }
    }
}
