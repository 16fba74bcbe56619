#[path = "../../../../providers/tests/providers/radicale.rs"]
#[expect(dead_code, reason = "the providers' tests ask it more")]
mod radicale;

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use cupo_core::{appointment::AppointmentStatus, text::Locale};
use cupo_engine::CaldavInput;
use cupo_store::AppointmentFilter;
use radicale::{ANA, PASSWORD, Radicale};

use super::{HOST, Outside, START, Standing, VISITOR, Which, booked, detail, lines, no_job_failed, sync};
use crate::world::{World, body};

/// A real CalDAV server.
pub(super) struct Caldav {
    world: World,
    server: Radicale,
    main: String,
    second: String,
    /// How often the password was changed.
    changes: AtomicU32,
}

impl Caldav {
    fn id(&self, which: Which) -> &str {
        match which {
            Which::Main => &self.main,
            Which::Second => &self.second,
        }
    }

    fn password(&self) -> String {
        match self.changes.load(Ordering::Relaxed) {
            0 => PASSWORD.to_owned(),
            times => format!("{PASSWORD}-{times}"),
        }
    }

    /// The addresses and texts of a calendar's events that take place, by start.
    async fn events(&self, which: Which) -> Vec<(String, String)> {
        let mut events = Vec::new();
        let calendar = self.id(which);
        let (status, _) = self.server.ask(ANA, "PROPFIND", calendar, &[("depth", "0")], "").await;
        if status == http::StatusCode::NOT_FOUND {
            return events;
        }
        for name in self.server.names(calendar).await {
            if name.ends_with(".ics") {
                let url = format!("{calendar}{name}");
                let text = self.server.read(&url).await;
                if !text.contains("STATUS:CANCELLED") {
                    events.push((url, text));
                }
            }
        }
        events.sort_by_key(|(_, text)| start_of(text));
        events
    }

    /// Changes the lines of the first event itself.
    async fn rewrite(&self, change: impl Fn(&str) -> String) {
        let (url, text) = self.events(Which::Second).await.remove(0);
        let mut is_within = false;
        let mut written = String::new();
        for line in text.lines() {
            is_within |= line == "BEGIN:VEVENT";
            written.push_str(&if is_within { change(line) } else { line.to_owned() });
            written.push_str("\r\n");
            is_within &= line != "END:VEVENT";
        }
        let (status, told) = self.server.ask(ANA, "PUT", &url, &[("content-type", "text/calendar")], written).await;
        assert!(status.is_success(), "{status} {told}");
    }
}

/// The start of the event in a file, which is of UTC or of Madrid.
fn start_of(text: &str) -> DateTime<Utc> {
    let event = text.split("BEGIN:VEVENT").nth(1).unwrap();
    let line = event.lines().find(|line| line.starts_with("DTSTART")).unwrap();
    let (name, value) = line.split_once(':').unwrap();
    let local = NaiveDateTime::parse_from_str(value.trim_end_matches('Z'), "%Y%m%dT%H%M%S").unwrap();
    if value.ends_with('Z') {
        return local.and_utc();
    }
    assert_eq!(name, "DTSTART;TZID=Europe/Madrid");
    chrono_tz::Europe::Madrid.from_local_datetime(&local).unwrap().to_utc()
}

impl Outside for Caldav {
    async fn start() -> Self {
        let (world, server) = (World::new().await, Radicale::start());
        let main = server.make_calendar(ANA, "Personal", Some("Europe/Madrid"), &["VEVENT"]).await;
        let second = server.make_calendar(ANA, "Work", Some("Europe/Madrid"), &["VEVENT"]).await;
        Self { world, server, main, second, changes: AtomicU32::new(0) }
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn connect(&self) {
        let input = CaldavInput {
            preset: "generic".to_owned(),
            server: self.server.url().to_string(),
            username: ANA.to_owned(),
            password: self.password(),
        };
        self.world.engine.connect_caldav(&self.world.principal, input).await.unwrap();
    }

    fn name(&self, which: Which) -> &'static str {
        match which {
            Which::Main => "Personal",
            Which::Second => "Work",
        }
    }

    async fn standing(&self, which: Which) -> Vec<Standing> {
        let standing = |(_, text): &(String, String)| Standing {
            start: start_of(text),
            recurs: text.lines().any(|line| line.starts_with("RRULE") && line.contains("WEEKLY")),
        };
        self.events(which).await.iter().map(standing).collect()
    }

    async fn move_event(&self, start: &str, end: &str) {
        let written = |text: &str| text.replace(['-', ':'], "");
        self.rewrite(|line| match line.split_once([';', ':']) {
            Some(("DTSTART", _)) => format!("DTSTART:{}", written(start)),
            Some(("DTEND", _)) => format!("DTEND:{}", written(end)),
            _ => line.to_owned(),
        })
        .await;
    }

    async fn cancel_event(&self) {
        self.rewrite(|line| if line.starts_with("STATUS:") { "STATUS:CANCELLED".to_owned() } else { line.to_owned() })
            .await;
    }

    async fn delete_event(&self) {
        let (url, _) = self.events(Which::Second).await.remove(0);
        self.server.delete(&url).await;
    }

    async fn answer(&self, declines: bool) {
        let response = if declines { "PARTSTAT=DECLINED" } else { "PARTSTAT=ACCEPTED" };
        self.rewrite(|line| {
            if !(line.starts_with("ATTENDEE") && line.contains(VISITOR)) {
                return line.to_owned();
            }
            let parts = line.split(';').map(|part| if part.starts_with("PARTSTAT=") { response } else { part });
            parts.collect::<Vec<_>>().join(";")
        })
        .await;
    }

    async fn make_recur(&self) {
        self.rewrite(|line| {
            let rule = if line.starts_with("DTEND") { "\r\nRRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3" } else { "" };
            format!("{line}{rule}")
        })
        .await;
    }

    async fn drop_first_date(&self) {
        self.rewrite(|line| {
            let left_out = if line.starts_with("RRULE") { "\r\nEXDATE:20261125T090000Z" } else { "" };
            format!("{line}{left_out}")
        })
        .await;
    }

    async fn change_calendar(&self, from: Which, to: Which) {
        let (url, _) = self.events(from).await.remove(0);
        self.server.move_to(&url, self.id(to)).await;
    }

    async fn delete_calendar(&self) {
        self.server.delete(&self.second).await;
    }

    async fn revoke(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.server.change_password(&self.password());
    }
}

#[tokio::test]
async fn where_no_calendar_is_left_the_appointments_stand_and_the_mail_says_so() {
    let (outside, view) = Box::pin(booked::<Caldav>()).await;
    outside.delete_calendar().await;
    outside.server.delete(&outside.main).await;
    sync(&outside).await;
    let world = outside.world();
    let stands = world.engine.appointment_by_token(&view.token, Locale::En).await.unwrap();
    assert_eq!((stands.status, stands.start), (AppointmentStatus::Confirmed, crate::world::at(START)));
    let kept = detail(&outside, AppointmentFilter::Upcoming).await;
    assert_eq!(kept.calendar_name, None);
    assert!(lines(&kept.audit, "appointment.event_lost")[0].detail["to"].is_null());
    let mails = world.mails_to(HOST);
    let of_second: Vec<_> = mails.iter().filter(|mail| mail.subject.contains("Work")).collect();
    assert_eq!(of_second.len(), 1);
    assert!(body(of_second[0]).contains("no hay ningún calendario"), "{}", body(of_second[0]));
    no_job_failed(&outside).await;
}
