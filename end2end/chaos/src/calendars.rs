//! The calendars as their owners see them: read and changed by hand in the simulators and in the CalDAV server's own
//! files.

use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use cupo_simulators::google::GoogleSimulator;
use cupo_simulators::microsoft::MicrosoftSimulator;
use serde_json::{Value, json};

use crate::plan::Provider;
use crate::radicale::Radicale;

/// A calendar at its provider.
#[derive(Debug, Clone)]
pub struct CalendarAt {
    pub provider: Provider,
    /// What it is called there: an address, or `address/name` at Microsoft, or `user/name` at the CalDAV server.
    pub name: String,
    /// Its id, as the product knows it.
    pub external_id: String,
}

/// An event as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: String,
    /// The claim of which it bears the mark.
    pub claim: Option<String>,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    /// Whether it takes its owner's time.
    pub takes_time: bool,
}

/// Everything at which hosts have calendars.
#[derive(Debug)]
pub struct Calendars {
    pub google: GoogleSimulator,
    pub microsoft: MicrosoftSimulator,
    pub radicale: Option<Radicale>,
}

impl Calendars {
    fn radicale(&self) -> Result<&Radicale> {
        self.radicale.as_ref().context("there is no CalDAV server")
    }

    /// The events that stand in a calendar.
    pub fn events(&self, calendar: &CalendarAt) -> Result<Vec<Event>> {
        let of = |text: &Value| text.as_str().unwrap_or_default().to_owned();
        match calendar.provider {
            Provider::Google => {
                let events = self.google.events(&calendar.name)?;
                let standing = events.iter().filter(|event| event["status"] != "cancelled");
                standing
                    .map(|event| {
                        let at = |time: &Value| {
                            DateTime::parse_from_rfc3339(&of(&time["dateTime"])).map(|at| at.with_timezone(&Utc))
                        };
                        let mark = &event["extendedProperties"]["private"]["cupoAppointment"];
                        Ok(Event {
                            id: of(&event["id"]),
                            claim: mark.as_str().map(str::to_owned),
                            start: at(&event["start"])?,
                            end: at(&event["end"])?,
                            takes_time: event["transparency"] != "transparent",
                        })
                    })
                    .collect()
            }
            Provider::Microsoft => {
                let events = self.microsoft.events(&calendar.name)?;
                let standing = events.iter().filter(|event| event["isCancelled"] != true);
                standing
                    .map(|event| {
                        let at = |time: &Value| {
                            let text = of(&time["dateTime"]);
                            NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc())
                        };
                        let marks = event["singleValueExtendedProperties"].as_array().into_iter().flatten();
                        let mark =
                            marks.filter_map(|mark| mark["value"].as_str()).find(|mark| mark.starts_with("cupo:"));
                        Ok(Event {
                            id: of(&event["id"]),
                            claim: mark.and_then(|mark| mark.split(':').nth(1)).map(str::to_owned),
                            start: at(&event["start"])?,
                            end: at(&event["end"])?,
                            takes_time: event["showAs"] != "free",
                        })
                    })
                    .collect()
            }
            Provider::Caldav => {
                let files = self.radicale()?.files(&calendar.name)?;
                files.into_iter().map(|(name, text)| read_ics(name, &text)).collect()
            }
        }
    }

    /// Moves an event by hand.
    pub async fn move_event(&self, calendar: &CalendarAt, event: &Event, start: DateTime<Utc>) -> Result<()> {
        let end = start + (event.end - event.start);
        match calendar.provider {
            Provider::Google => {
                let patch = json!({ "start": { "dateTime": start }, "end": { "dateTime": end } });
                let moved = self.google.patch_event(&calendar.name, &event.id, patch)?;
                // The simulator changes what is left of a deleted event too.
                ensure!(moved["status"] != "cancelled", "the event {} is gone", event.id);
                Ok(())
            }
            Provider::Microsoft => {
                let patch = json!({ "start": graph_time(start), "end": graph_time(end) });
                self.microsoft.patch_event(&calendar.name, &event.id, patch).map(drop)
            }
            Provider::Caldav => {
                let radicale = self.radicale()?;
                let (text, etag) = radicale.read(&calendar.name, &event.id).await?;
                radicale.rewrite(&calendar.name, &event.id, &moved_ics(&text, start, end), &etag).await
            }
        }
    }

    /// Deletes an event by hand.
    pub async fn delete_event(&self, calendar: &CalendarAt, event: &Event) -> Result<()> {
        match calendar.provider {
            Provider::Google => self.google.delete_event(&calendar.name, &event.id),
            Provider::Microsoft => self.microsoft.delete_event(&calendar.name, &event.id),
            Provider::Caldav => self.radicale()?.delete(&calendar.name, &event.id).await,
        }
    }

    /// Carries an event into another calendar of the same owner, by hand.
    pub fn carry_event(&self, from: &CalendarAt, event: &Event, to: &CalendarAt) -> Result<()> {
        match from.provider {
            Provider::Google => self.google.move_event(&from.name, &event.id, &to.name).map(drop),
            Provider::Microsoft => self.microsoft.move_event(&from.name, &event.id, &to.name).map(drop),
            Provider::Caldav => bail!("every host has one calendar at the CalDAV server"),
        }
    }

    /// Adds an event of the owner's own.
    pub async fn add_event(
        &self,
        calendar: &CalendarAt,
        name: &str,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
        takes_time: bool,
    ) -> Result<()> {
        match calendar.provider {
            Provider::Google => {
                let transparency = if takes_time { "opaque" } else { "transparent" };
                let (from, to) = (json!({ "dateTime": start }), json!({ "dateTime": end }));
                let event = json!({ "summary": name, "start": from, "end": to, "transparency": transparency });
                self.google.insert_event(&calendar.name, event).map(drop)
            }
            Provider::Microsoft => {
                let show = if takes_time { "busy" } else { "free" };
                let (from, to) = (graph_time(start), graph_time(end));
                let event = json!({ "subject": name, "start": from, "end": to, "showAs": show });
                self.microsoft.insert_event(&calendar.name, event).map(drop)
            }
            Provider::Caldav => {
                let transparency = if takes_time { "OPAQUE" } else { "TRANSPARENT" };
                let text = format!(
                    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//host//EN\r\nBEGIN:VEVENT\r\nUID:{name}\r\n\
                     DTSTAMP:20260101T000000Z\r\nDTSTART:{}\r\nDTEND:{}\r\nTRANSP:{transparency}\r\nSUMMARY:{name}\r\n\
                     END:VEVENT\r\nEND:VCALENDAR\r\n",
                    ics_time(start),
                    ics_time(end)
                );
                self.radicale()?.write(&calendar.name, &format!("{name}.ics"), &text).await
            }
        }
    }
}

fn graph_time(at: DateTime<Utc>) -> Value {
    json!({ "dateTime": at.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC" })
}

fn ics_time(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// The lines of a resource, unfolded.
fn lines(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "").lines().map(str::to_owned).collect()
}

/// The name of a line, without its parameters.
fn name_of(line: &str) -> &str {
    line.split([':', ';']).next().unwrap_or_default()
}

/// The one event of a resource.
fn read_ics(id: String, text: &str) -> Result<Event> {
    let lines = lines(text);
    let from = lines.iter().position(|line| line == "BEGIN:VEVENT").context("the resource holds no event")?;
    let lines = &lines[from..];
    let value = |name: &str| {
        let line = lines.iter().find(|line| name_of(line) == name)?;
        Some((line.as_str(), line.split_once(':')?.1))
    };
    let at = |name: &str| -> Result<DateTime<Utc>> {
        let (line, text) = value(name).with_context(|| format!("{id} has no {name}"))?;
        if let Ok(at) = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ") {
            return Ok(at.and_utc());
        }
        let local = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S")?;
        let zone = line.split(';').find_map(|part| part.strip_prefix("TZID=")).and_then(|part| part.split(':').next());
        let zone: Tz = zone.context("a local time without a zone")?.parse().map_err(anyhow::Error::msg)?;
        Ok(local.and_local_timezone(zone).earliest().context("no such local time")?.with_timezone(&Utc))
    };
    let (start, end) = (at("DTSTART")?, at("DTEND")?);
    let claim = value("X-CUPO-CLAIM").map(|(_, claim)| claim.trim().to_owned());
    let takes_time = value("TRANSP").is_none_or(|(_, transparency)| transparency != "TRANSPARENT");
    if value("STATUS").is_some_and(|(_, status)| status == "CANCELLED") {
        bail!("{id} is cancelled and stands there");
    }
    Ok(Event { claim, start, end, takes_time, id })
}

/// The resource with other times.
fn moved_ics(text: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    let mut is_event = false;
    let moved = lines(text).into_iter().map(|line| {
        is_event |= line == "BEGIN:VEVENT";
        match name_of(&line) {
            "DTSTART" if is_event => format!("DTSTART:{}", ics_time(start)),
            "DTEND" if is_event => format!("DTEND:{}", ics_time(end)),
            _ => line,
        }
    });
    moved.map(|line| format!("{line}\r\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nDTSTART:19700101T000000\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nUID:cupo-1@x\r\nX-CUPO-CLAIM:018f4e9e-7a3b-7c2\r\n 1-9d7e-3b1f6a2c4d5e\r\n\
        DTSTART;TZID=Europe/Madrid:20260701T090000\r\nDTEND;TZID=Europe/Madrid:20260701T093000\r\nEND:VEVENT\r\n\
        END:VCALENDAR\r\n";

    #[test]
    fn an_event_of_a_resource_is_read_and_moved() {
        let event = read_ics("a.ics".to_owned(), OURS).unwrap();
        assert_eq!(event.claim.as_deref(), Some("018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e"));
        assert_eq!(event.start.to_rfc3339(), "2026-07-01T07:00:00+00:00");
        let start: DateTime<Utc> = "2026-07-02T18:00:00Z".parse().unwrap();
        let moved = moved_ics(OURS, start, start + (event.end - event.start));
        let moved = read_ics("a.ics".to_owned(), &moved).unwrap();
        assert_eq!((moved.start, moved.end - moved.start), (start, event.end - event.start));
        assert_eq!(moved.claim, event.claim);
    }
}
