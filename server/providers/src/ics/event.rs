//! What an event says beside its times (RFC 5545, section 3.6.1).

use chrono::NaiveDate;
use cupo_core::ids::ClaimId;
use url::Url;

use super::lines::{Component, Line};
use super::time::Lasting;
use super::{CLAIM, CONFERENCES, INSTALLATION};
use crate::event::{
    Attendee, CalendarEvent, EventKind, EventMark, EventStatus, EventTime, Meeting, Reminder, ReminderMethod,
    Reminders, ResponseStatus, Transparency, Visibility,
};

/// Longer texts are cut, in bytes: they come back with each instance of a series.
const LONGEST_TITLE: usize = 1_000;
const LONGEST_TEXT: usize = 16_000;
/// A longer address is none.
const LONGEST_ADDRESS: usize = 2_000;
/// More attendees, or reminders, are not read, but for the owner of the calendar.
const MOST_ATTENDEES: usize = 300;
const MOST_REMINDERS: usize = 20;
/// Hosts of the programs whose links stand in `URL` when an event is a meeting by video.
const MEETING_HOSTS: [&str; 8] = [
    "meet.google.com",
    "teams.microsoft.com",
    "teams.live.com",
    "zoom.us",
    "webex.com",
    "whereby.com",
    "meet.jit.si",
    "gotomeeting.com",
];

/// The event with neither an id nor its times.
pub(super) fn describe(event: &Component<'_>, own_address: Option<&str>) -> CalendarEvent {
    let text = |name: &str, longest| {
        let text = event.one(name).map(Line::text_value);
        text.map(|text| cut(text.trim(), longest)).filter(|text| !text.is_empty())
    };
    let nowhere = EventTime::Day(NaiveDate::MIN);
    let url = event.one("URL").and_then(|line| web_address(line.value()));
    let mut conferences = CONFERENCES.iter().flat_map(|name| event.all(name));
    let conference = conferences.find_map(|line| web_address(line.value()));
    let meeting = conference.or_else(|| url.clone().filter(is_of_meeting));
    CalendarEvent {
        ical_uid: text("UID", LONGEST_TITLE),
        description: text("DESCRIPTION", LONGEST_TEXT),
        location: text("LOCATION", LONGEST_TITLE),
        status: status(event),
        transparency: transparency(event),
        kind: kind(event),
        visibility: visibility(event),
        attendees: attendees(event, own_address),
        guests_see_each_other: !event.all("ATTENDEE").any(|line| line.has_parameter("SCHEDULE-AGENT", "NONE")),
        reminders: reminders(event),
        meeting: meeting.map_or(Meeting::None, |url| Meeting::Ready { url: url.into() }),
        mark: mark(event),
        html_link: url.map(String::from),
        ..CalendarEvent::draft(text("SUMMARY", LONGEST_TITLE).unwrap_or_default(), nowhere.clone(), nowhere)
    }
}

/// What an event holds in memory, about.
pub(super) fn weight(event: &CalendarEvent) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let attendees = event.attendees.iter().map(|attendee| 64 + attendee.email.len() + text(&attendee.name));
    let texts = [&event.description, &event.location, &event.ical_uid, &event.html_link].map(text);
    let meeting = if let Meeting::Ready { url } = &event.meeting { url.len() } else { 0 };
    let mark = event.mark.as_ref().map_or(0, |mark| mark.installation.len());
    512 + event.title.len() + texts.iter().sum::<usize>() + meeting + mark + attendees.sum::<usize>()
}

pub(super) fn is_cancelled(event: &Component<'_>) -> bool {
    event.says("STATUS", "CANCELLED")
}

fn status(event: &Component<'_>) -> EventStatus {
    let is_tentative = event.says("STATUS", "TENTATIVE") || event.says(BUSY_STATUS, "TENTATIVE");
    match (is_cancelled(event), is_tentative) {
        (true, _) => EventStatus::Cancelled,
        (_, true) => EventStatus::Tentative,
        _ => EventStatus::Confirmed,
    }
}

/// What Outlook calls "show as" (MS-OXCICAL, section 2.1.3.1.1.20.31).
const BUSY_STATUS: &str = "X-MICROSOFT-CDO-BUSYSTATUS";

fn transparency(event: &Component<'_>) -> Transparency {
    let is_free = event.says("TRANSP", "TRANSPARENT") || event.says(BUSY_STATUS, "FREE");
    if is_free { Transparency::Transparent } else { Transparency::Opaque }
}

fn kind(event: &Component<'_>) -> EventKind {
    if event.says(BUSY_STATUS, "OOF") {
        EventKind::OutOfOffice
    } else if event.says(BUSY_STATUS, "WORKINGELSEWHERE") {
        EventKind::WorkingLocation
    } else {
        EventKind::Default
    }
}

/// What is not known counts as private (section 3.8.1.3).
fn visibility(event: &Component<'_>) -> Visibility {
    match event.one("CLASS").map(|line| line.value().to_ascii_uppercase()).as_deref() {
        None | Some("") => Visibility::Default,
        Some("PUBLIC") => Visibility::Public,
        Some("CONFIDENTIAL") => Visibility::Confidential,
        Some(_) => Visibility::Private,
    }
}

/// The e-mail address of an `ATTENDEE` or `ORGANIZER`; empty where there is none.
pub(super) fn address(line: &Line<'_>) -> String {
    let value = line.value();
    let mailto = value.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:"));
    match (line.parameter("EMAIL"), mailto) {
        (Some(email), _) => email.trim().to_owned(),
        (None, Some(_)) => value[7..].trim().to_owned(),
        (None, None) if value.contains('@') && !value.contains(':') => value.to_owned(),
        _ => String::new(),
    }
}

fn attendees(event: &Component<'_>, own_address: Option<&str>) -> Vec<Attendee> {
    let organizer = event.one("ORGANIZER").map(address).unwrap_or_default();
    let is = |email: &str, other: &str| !email.is_empty() && email.eq_ignore_ascii_case(other);
    let mut attendees: Vec<Attendee> = Vec::new();
    for line in event.all("ATTENDEE") {
        let email = address(line);
        let is_self = own_address.is_some_and(|own| is(&email, own));
        if attendees.len() >= MOST_ATTENDEES && !is_self {
            continue;
        }
        let name = line.parameter("CN").map(|name| cut(name.trim(), LONGEST_TITLE)).filter(|name| !name.is_empty());
        attendees.push(Attendee {
            is_organizer: is(&email, &organizer),
            is_self,
            name,
            response: response(line),
            email,
        });
    }
    attendees
}

/// Who has delegated does not come; what is not known is no answer (section 3.2.12).
fn response(line: &Line<'_>) -> ResponseStatus {
    match line.parameter("PARTSTAT").map(|status| status.to_ascii_uppercase()).as_deref() {
        Some("ACCEPTED") => ResponseStatus::Accepted,
        Some("TENTATIVE") => ResponseStatus::Tentative,
        Some("DECLINED" | "DELEGATED") => ResponseStatus::Declined,
        _ => ResponseStatus::NeedsAction,
    }
}

/// Alarms before the start. Others, at an instant or after the end, are not told.
fn reminders(event: &Component<'_>) -> Reminders {
    let read = event.parts("VALARM").filter_map(|alarm| {
        let trigger = alarm.one("TRIGGER").filter(|trigger| !trigger.has_parameter("RELATED", "END"))?;
        let before = -Lasting::read(trigger.value())?.total();
        let method = if alarm.says("ACTION", "EMAIL") { ReminderMethod::Email } else { ReminderMethod::Popup };
        Some(Reminder { method, minutes_before: u32::try_from(before.num_minutes()).ok()? })
    });
    let read: Vec<_> = read.take(MOST_REMINDERS).collect();
    if read.is_empty() { Reminders::Default } else { Reminders::Own(read) }
}

fn mark(event: &Component<'_>) -> Option<EventMark> {
    Some(EventMark {
        claim_id: ClaimId::parse(event.one(CLAIM)?.value()).ok()?,
        installation: event.one(INSTALLATION).map(Line::text_value).filter(|text| text.len() <= LONGEST_ADDRESS)?,
    })
}

fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST_ADDRESS)?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn is_of_meeting(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        MEETING_HOSTS
            .iter()
            .any(|known| host.strip_suffix(known).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')))
    })
}

fn cut(text: &str, longest: usize) -> String {
    text[..text.floor_char_boundary(longest)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ics::lines::Unfolded;

    fn read(lines: &str) -> CalendarEvent {
        let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR");
        let unfolded = Unfolded::new(&text);
        let calendars = unfolded.read().unwrap();
        describe(&calendars[0].components[0], Some("ana@example.com"))
    }

    #[test]
    fn texts_are_unfolded_and_unescaped() {
        let event =
            read("SUMMARY;LANGUAGE=es:Comida\\, con \n Luis\\; y más\nDESCRIPTION:a\\nb\\\\n\nLOCATION:Sala \\\"1\\\"");
        assert_eq!(event.title, "Comida, con Luis; y más");
        assert_eq!(event.description.as_deref(), Some("a\nb\\n"));
        assert_eq!(event.location.as_deref(), Some("Sala \"1\""));
        let event = read("SUMMARY:\nDESCRIPTION:\n");
        assert_eq!((event.title.as_str(), event.description), ("", None));
    }

    #[test]
    fn what_is_shown_as_free_is_transparent_and_what_is_shown_as_busy_is_not() {
        for (lines, transparency) in [
            ("", Transparency::Opaque),
            ("TRANSP:OPAQUE", Transparency::Opaque),
            ("TRANSP:transparent", Transparency::Transparent),
            ("X-MICROSOFT-CDO-BUSYSTATUS:FREE", Transparency::Transparent),
            ("TRANSP:OPAQUE\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY", Transparency::Opaque),
            ("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", Transparency::Opaque),
            ("X-MICROSOFT-CDO-BUSYSTATUS:OOF", Transparency::Opaque),
        ] {
            assert_eq!(read(lines).transparency, transparency, "{lines}");
        }
        assert_eq!(read("X-MICROSOFT-CDO-BUSYSTATUS:OOF").kind, EventKind::OutOfOffice);
        assert_eq!(read("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE").kind, EventKind::WorkingLocation);
        assert_eq!(read("X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE").status, EventStatus::Tentative);
        assert_eq!(read("STATUS:TENTATIVE").status, EventStatus::Tentative);
        assert_eq!(read("STATUS:cancelled").status, EventStatus::Cancelled);
        assert_eq!(read("STATUS:NEEDS-ACTION").status, EventStatus::Confirmed);
    }

    #[test]
    fn the_owner_is_known_among_the_attendees() {
        let event = read(
            "ORGANIZER;CN=Ben:MAILTO:ben@example.com\n\
             ATTENDEE;CN=\"Sánchez, Ana\";PARTSTAT=DECLINED:mailto:Ana@Example.com\n\
             ATTENDEE;PARTSTAT=accepted:mailto:ben@example.com\n\
             ATTENDEE;EMAIL=eve@example.com:urn:uuid:1\n\
             ATTENDEE;PARTSTAT=DELEGATED:https://example.com/principals/carla",
        );
        let told: Vec<_> =
            event.attendees.iter().map(|a| (a.email.as_str(), a.response, a.is_self, a.is_organizer)).collect();
        assert_eq!(
            told,
            [
                ("Ana@Example.com", ResponseStatus::Declined, true, false),
                ("ben@example.com", ResponseStatus::Accepted, false, true),
                ("eve@example.com", ResponseStatus::NeedsAction, false, false),
                ("", ResponseStatus::Declined, false, false),
            ]
        );
        assert_eq!(event.attendees[0].name.as_deref(), Some("Sánchez, Ana"));
    }

    #[test]
    fn the_owner_is_found_behind_however_many_others() {
        let mut lines: String = (0..1_000).map(|n| format!("ATTENDEE:mailto:{n}@example.com\n")).collect();
        lines.push_str("ATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.com");
        let event = read(&lines);
        assert_eq!(event.attendees.len(), MOST_ATTENDEES + 1);
        assert!(event.attendees[MOST_ATTENDEES].is_self);
    }

    #[test]
    fn alarms_before_the_start_are_reminders() {
        let alarm = |action: &str, trigger: &str| format!("BEGIN:VALARM\nACTION:{action}\n{trigger}\nEND:VALARM\n");
        let lines = [
            alarm("DISPLAY", "TRIGGER:-PT15M"),
            alarm("EMAIL", "TRIGGER;RELATED=START:-P1D"),
            alarm("AUDIO", "TRIGGER:PT0S"),
            alarm("DISPLAY", "TRIGGER;RELATED=END:-PT5M"),
            alarm("DISPLAY", "TRIGGER:PT5M"),
            alarm("DISPLAY", "TRIGGER;VALUE=DATE-TIME:20261123T080000Z"),
        ];
        let Reminders::Own(read) = read(&lines.concat()).reminders else { panic!("no reminders") };
        let told: Vec<_> = read.iter().map(|reminder| (reminder.method, reminder.minutes_before)).collect();
        assert_eq!(told, [(ReminderMethod::Popup, 15), (ReminderMethod::Email, 1_440), (ReminderMethod::Popup, 0)]);
    }

    #[test]
    fn the_link_to_a_meeting_is_one_of_the_web() {
        let meeting = |lines: &str| read(lines).meeting;
        let ready = |url: &str| Meeting::Ready { url: url.to_owned() };
        assert_eq!(meeting("CONFERENCE;VALUE=URI:https://example.com/1"), ready("https://example.com/1"));
        assert_eq!(meeting("X-GOOGLE-CONFERENCE:https://meet.google.com/abc"), ready("https://meet.google.com/abc"));
        assert_eq!(meeting("URL:https://us02web.zoom.us/j/1"), ready("https://us02web.zoom.us/j/1"));
        for none in [
            "URL:https://example.com",
            "URL:https://notzoom.us/",
            "CONFERENCE:javascript:alert(1)",
            "CONFERENCE:tel:+34",
        ] {
            assert_eq!(meeting(none), Meeting::None, "{none}");
        }
        assert_eq!(read("URL:https://example.com/a").html_link.as_deref(), Some("https://example.com/a"));
    }

    #[test]
    fn an_unknown_class_is_private() {
        let visibility = |lines: &str| read(lines).visibility;
        assert_eq!(visibility(""), Visibility::Default);
        assert_eq!(visibility("CLASS:public"), Visibility::Public);
        assert_eq!(visibility("CLASS:CONFIDENTIAL"), Visibility::Confidential);
        assert_eq!(visibility("CLASS:X-SECRET"), Visibility::Private);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let event = read(&format!("SUMMARY:{}", "ñ".repeat(LONGEST_TITLE)));
        assert!(event.title.len() <= LONGEST_TITLE && event.title.chars().all(|c| c == 'ñ'));
    }
}
