//! The bodies that the widget sends and the addresses that it asks, as `cupo_core::wire` has them.

use crate::calendar::{Instant, Month, format_instant};
use crate::json::ObjectWriter;
use crate::model::{EventType, Field};

/// What `POST /embed/v1/appointments` needs.
pub struct Booking<'a> {
    pub event: &'a EventType,
    pub start: Instant,
    pub details: &'a [String; Field::COUNT],
    pub time_zone: &'a str,
    pub language: &'a str,
    pub hold: Option<&'a str>,
}

/// `cupo_core::wire::BookingRequest`. A telephone number goes along only where it is asked for.
pub fn booking(booking: &Booking) -> String {
    let text = |field: Field| booking.details[field.index()].trim();
    let filled = |field: Field| Some(text(field)).filter(|text| !text.is_empty());
    let mut body = slot(booking.event, booking.start);
    body.text("name", text(Field::Name))
        .text("email", text(Field::Email))
        .optional("phone", filled(Field::Phone).filter(|_| booking.event.location.needs_phone))
        .optional("notes", filled(Field::Notes))
        .text("time_zone", booking.time_zone)
        .text("locale", booking.language)
        .optional("hold", booking.hold);
    body.finish()
}

/// `cupo_core::wire::HoldRequest`.
pub fn hold(event: &EventType, start: Instant, replaces: Option<&str>) -> String {
    let mut body = slot(event, start);
    body.optional("replaces", replaces);
    body.finish()
}

fn slot(event: &EventType, start: Instant) -> ObjectWriter {
    let mut body = ObjectWriter::begin();
    body.text("org", &event.org).text("event", &event.slug).text("start", &format_instant(start));
    body
}

/// The slots of a month: the answer reaches far enough at both ends for every zone.
pub fn slots_path(event: &EventType, month: Month) -> String {
    let (first, last) = (month.first().iso(), month.last().iso());
    ["/embed/v1/slots?org=", &event.org, "&event=", &event.slug, "&from=", &first, "&to=", &last].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::parse_instant;
    use crate::model::Location;
    use cupo_core::wire::{BookingRequest, HoldRequest};

    fn event(needs_phone: bool) -> EventType {
        EventType {
            org: "clinic".to_owned(),
            slug: "first-visit".to_owned(),
            organization_name: "Clinic".to_owned(),
            host_name: "Ana".to_owned(),
            title: "First visit".to_owned(),
            description: String::new(),
            duration_minutes: 30,
            location: Location { kind: "phone".to_owned(), detail: None, needs_phone },
            window_end: 0,
        }
    }

    fn read_back(needs_phone: bool, hold: Option<&str>) -> BookingRequest {
        let details = [" Zoë \"Z\" O'Hara ", "zoe@example.com", "+34 600 123 456", "one\ntwo\t\\"].map(str::to_owned);
        let body = booking(&Booking {
            event: &event(needs_phone),
            start: parse_instant("2026-11-23T09:00:00Z").unwrap(),
            details: &details,
            time_zone: "Europe/Madrid",
            language: "es-MX",
            hold,
        });
        serde_json::from_str(&body).unwrap()
    }

    #[test]
    fn a_booking_is_what_the_server_reads() {
        let request = read_back(true, Some("secret"));
        assert_eq!((request.org.as_str(), request.event.as_str()), ("clinic", "first-visit"));
        assert_eq!(request.start.to_rfc3339(), "2026-11-23T09:00:00+00:00");
        assert_eq!(request.name, "Zoë \"Z\" O'Hara");
        assert_eq!(request.phone.as_deref(), Some("+34 600 123 456"));
        assert_eq!(request.notes.as_deref(), Some("one\ntwo\t\\"));
        assert_eq!(request.locale.as_deref(), Some("es-MX"));
        assert_eq!(request.hold.as_deref(), Some("secret"));
        assert_eq!(request.duration, None);
    }

    #[test]
    fn a_telephone_number_that_nobody_asked_for_is_not_sent() {
        let request = read_back(false, None);
        assert_eq!(request.phone, None);
        assert_eq!(request.hold, None);
    }

    #[test]
    fn a_hold_is_what_the_server_reads() {
        let body = hold(&event(false), parse_instant("2026-11-23T09:00:00Z").unwrap(), Some("before"));
        let request: HoldRequest = serde_json::from_str(&body).unwrap();
        assert_eq!(request.start.to_rfc3339(), "2026-11-23T09:00:00+00:00");
        assert_eq!(request.replaces.as_deref(), Some("before"));
    }

    #[test]
    fn the_slots_of_a_month_are_asked_by_its_first_and_last_day() {
        let path = slots_path(&event(false), Month(2028 * 12 + 1));
        assert_eq!(path, "/embed/v1/slots?org=clinic&event=first-visit&from=2028-02-01&to=2028-02-29");
    }
}
