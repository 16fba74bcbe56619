//! Rounds of changes, by whichever means the server has.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use cupo_core::interval::Interval;
use http::StatusCode;
use url::Url;

use super::cursor::{Cursor, Position, digest};
use super::multistatus::Properties;
use super::owner::owner;
use super::resource::Reading;
use super::{CaldavProvider, calendar_url, failure, query, report, xml, zone};
use crate::access::Access;
use crate::error::ProviderError;
use crate::provider::{Changes, EventChange, SyncCursor};

const SYNC: &str = "report.sync-collection";
/// No calendar has more pages; a server that pages for ever is stopped.
const MAX_PAGES: u32 = 1000;

pub(super) async fn changes(
    caldav: &CaldavProvider,
    access: &Access,
    calendar: &str,
    cursor: Option<&SyncCursor>,
    window: Interval,
) -> Result<Changes, ProviderError> {
    let cursor = cursor.map(Cursor::parse).transpose()?;
    let calendar = calendar_url(access, calendar)?;
    // The position is asked for before the events: what changes in between is then told again, and not lost.
    let state = query::state(caldav, access, &calendar).await?;
    let told = zone::told(&state).map_err(|name| zone::unknown(&name))?;
    let owner = owner(caldav, access).await?;
    let reading = Reading::new(&owner, zone::of_calendar(access, told));
    let mut round =
        Round { caldav, access, calendar, window: cursor.as_ref().map_or(window, |c| c.window), reading, told };
    let position = position(&state);
    match cursor.map(|cursor| cursor.at) {
        None => round.whole(position).await,
        Some(Position::SyncToken(since)) => match position {
            Some(Position::SyncToken(now)) if now == since => Ok(round.nothing(Position::SyncToken(since))),
            _ => round.since(since).await,
        },
        Some(at @ Position::Ctag(_)) if position.as_ref() == Some(&at) => Ok(round.nothing(at)),
        Some(Position::Ctag(_)) => round.whole(position).await,
        Some(Position::Etags(then)) => match position {
            // The server has learnt something better.
            Some(better) => round.whole(Some(better)).await,
            None => {
                let now = query::etags(caldav, access, &round.calendar, round.window).await?;
                let now = digest(now.iter().map(|(url, etag)| (url, etag.as_deref())));
                if now.as_ref() == Some(&then) {
                    return Ok(round.nothing(Position::Etags(then)));
                }
                round.whole(None).await
            }
        },
    }
}

/// How far the calendar is, as the server itself tells it.
fn position(state: &Properties) -> Option<Position> {
    let syncs = state.reports.as_ref().is_none_or(|reports| reports.iter().any(|report| report == "sync-collection"));
    let token = state.sync_token.clone().filter(|_| syncs).map(Position::SyncToken);
    token.or_else(|| state.ctag.clone().map(Position::Ctag))
}

struct Round<'a> {
    caldav: &'a CaldavProvider,
    access: &'a Access,
    calendar: Url,
    window: Interval,
    reading: Reading<'a>,
    /// The calendar's zone, where the server tells it.
    told: Option<Tz>,
}

impl Round<'_> {
    fn outcome(&self, events: Vec<EventChange>, is_whole: bool, at: Position) -> Changes {
        let cursor = Cursor { window: self.window, at }.to_sync_cursor();
        Changes {
            events,
            series: Vec::new(),
            is_whole,
            cursor,
            time_zone: self.told.map(|zone| zone.name().to_owned()),
        }
    }

    fn nothing(&self, at: Position) -> Changes {
        self.outcome(Vec::new(), false, at)
    }

    /// Everything in the window.
    async fn whole(&mut self, position: Option<Position>) -> Result<Changes, ProviderError> {
        let resources = query::resources(self.caldav, self.access, &self.calendar, self.window).await?;
        let at = match position {
            Some(position) => position,
            None => {
                let etags = resources.iter().map(|resource| (&resource.url, resource.etag.as_deref()));
                // An empty digest is that of no calendar, so that the next round is whole again.
                Position::Etags(digest(etags).unwrap_or_default())
            }
        };
        let mut events = Vec::with_capacity(resources.len());
        for resource in resources {
            // Many may take a while, and others wait for this thread.
            tokio::task::yield_now().await;
            match self.reading.change(&resource, self.window)? {
                // The server looks a day further than the window.
                EventChange::Removed { .. } => {}
                change => events.push(change),
            }
        }
        Ok(self.outcome(events, true, at))
    }

    /// What changed since the token, all pages.
    async fn since(&mut self, mut token: String) -> Result<Changes, ProviderError> {
        let mut changed = BTreeSet::new();
        let mut removed = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let mut request = report(self.access, SYNC, self.calendar.clone(), "0", sync_collection(&token));
            request.classify = failure::sync_failure;
            let page = self.caldav.ask(&request).await?;
            let is_last = !query::is_cut_off(&page, &self.calendar);
            for resource in &page.resources {
                let Some(url) = query::member(&self.calendar, resource) else { continue };
                // Of two changes of one resource the later holds.
                let is_gone = matches!(resource.status, Some(StatusCode::NOT_FOUND | StatusCode::GONE));
                let (here, there) = if is_gone { (&mut removed, &mut changed) } else { (&mut changed, &mut removed) };
                there.remove(&url);
                here.insert(url);
            }
            let next = page
                .sync_token
                .ok_or_else(|| ProviderError::Rejected(format!("{SYNC}: the answer has no sync token")))?;
            if is_last {
                return self.told(changed, removed, next).await;
            }
            if next == token {
                return Err(ProviderError::CursorExpired);
            }
            token = next;
        }
        Err(ProviderError::Rejected(format!("{SYNC}: more than {MAX_PAGES} pages")))
    }

    async fn told(
        &mut self,
        changed: BTreeSet<Url>,
        removed: BTreeSet<Url>,
        token: String,
    ) -> Result<Changes, ProviderError> {
        let mut events: Vec<EventChange> =
            removed.iter().map(|url| EventChange::Removed { id: url.to_string() }).collect();
        let changed = changed.into_iter().collect();
        for asked in query::fetch(self.caldav, self.access, &self.calendar, changed).await? {
            tokio::task::yield_now().await;
            events.push(match asked.resource {
                Some(resource) => self.reading.change(&resource, self.window)?,
                None => EventChange::Removed { id: asked.url.to_string() },
            });
        }
        Ok(self.outcome(events, false, Position::SyncToken(token)))
    }
}

fn sync_collection(token: &str) -> String {
    let token = format!("<D:sync-token>{}</D:sync-token>", xml::escape(token));
    let inside = "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop>";
    xml::document("D:sync-collection", &format!("{token}{inside}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_use_only_where_the_report_is_supported() {
        let state = |token: Option<&str>, ctag: Option<&str>, reports: Option<&[&str]>| Properties {
            sync_token: token.map(str::to_owned),
            ctag: ctag.map(str::to_owned),
            reports: reports.map(|reports| reports.iter().map(|&report| report.to_owned()).collect()),
            ..Properties::default()
        };
        let token = Some(Position::SyncToken("t".into()));
        let ctag = Some(Position::Ctag("c".into()));
        assert_eq!(position(&state(Some("t"), Some("c"), Some(&["sync-collection"]))), token);
        assert_eq!(position(&state(Some("t"), Some("c"), None)), token);
        assert_eq!(position(&state(Some("t"), Some("c"), Some(&["calendar-query"]))), ctag);
        assert_eq!(position(&state(None, None, None)), None);
    }
}
