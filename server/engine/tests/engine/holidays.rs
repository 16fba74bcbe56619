//! Holiday calendars, subscribed to at a real server or uploaded.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use cupo_engine::EngineError;
use serde_json::json;

use crate::world::{World, fields, first_visit};

/// A server with one file, and the statuses that it gave.
#[derive(Clone, Default)]
struct Town(Arc<Mutex<Notices>>);

#[derive(Default)]
struct Notices {
    /// The file, by its version; `None` while the town hall is closed.
    file: Option<String>,
    answers: Vec<u16>,
}

impl Town {
    async fn open() -> (Self, String) {
        let town = Self::default();
        let answering = town.clone();
        let server = Router::new().fallback(async move |headers: HeaderMap| answering.answer(&headers));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/holidays.ics", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
        (town, address)
    }

    fn publish(&self, dates: &[&str]) {
        self.0.lock().unwrap().file = Some(calendar_of(dates));
    }

    fn close(&self) {
        self.0.lock().unwrap().file = None;
    }

    fn answers(&self) -> Vec<u16> {
        std::mem::take(&mut self.0.lock().unwrap().answers)
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let mut notices = self.0.lock().unwrap();
        let response = match &notices.file {
            None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Some(file) => {
                let etag = format!("\"{}\"", file.len());
                let known = headers.get("if-none-match").is_some_and(|known| *known == *etag);
                if known {
                    StatusCode::NOT_MODIFIED.into_response()
                } else {
                    ([("etag", etag)], file.clone()).into_response()
                }
            }
        };
        notices.answers.push(response.status().as_u16());
        response
    }
}

/// An iCalendar file with a holiday on each of the dates, written `20261125`.
fn calendar_of(dates: &[&str]) -> String {
    let event =
        |date| format!("BEGIN:VEVENT\r\nUID:{date}\r\nDTSTART;VALUE=DATE:{date}\r\nSUMMARY:Fair\r\nEND:VEVENT\r\n");
    let events: String = dates.iter().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
}

impl World {
    async fn a_day_later(&self) {
        self.clock.advance(TimeDelta::days(1));
        self.engine.run_periodic().await.unwrap();
        self.engine.run_due_jobs().await.unwrap();
    }

    async fn starts_on(&self, date: &str) -> usize {
        self.starts(date, date).await.len()
    }
}

#[tokio::test]
async fn a_subscribed_calendar_closes_its_dates_where_a_schedule_names_it() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let (town, address) = Town::open().await;
    town.publish(&["20261125"]);
    let made = world.engine.holiday_calendar_subscribe(&world.principal, "Madrid", &address).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let read = world.engine.holiday_calendars(&world.principal).await.unwrap();
    assert_eq!((read[0].holidays.len(), read[0].holidays[0].name.as_str(), &read[0].error), (1, "Fair", &None));
    assert_eq!(world.starts_on("2026-11-25").await, 16);
    world.reschedule(json!({"holiday_calendar_ids": [made.id]})).await;
    assert_eq!(world.starts_on("2026-11-25").await, 0);
    assert_eq!(world.starts_on("2026-11-26").await, 16);
}

#[tokio::test]
async fn a_calendar_is_asked_each_day_and_sent_only_when_it_has_changed() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let (town, address) = Town::open().await;
    town.publish(&["20261125"]);
    let made = world.engine.holiday_calendar_subscribe(&world.principal, "Madrid", &address).await.unwrap();
    world.reschedule(json!({"holiday_calendar_ids": [made.id]})).await;
    world.engine.run_due_jobs().await.unwrap();
    world.engine.run_periodic().await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(town.answers(), [200]);
    world.a_day_later().await;
    assert_eq!(town.answers(), [304]);
    town.publish(&["20261126", "20261127"]);
    world.a_day_later().await;
    assert_eq!(town.answers(), [200]);
    assert_eq!((world.starts_on("2026-11-26").await, world.starts_on("2026-11-27").await), (0, 0));
    // What was known on Monday evening: the twenty-sixth was open.
    assert_eq!(world.starts_at("2026-11-23T20:00:00Z", "2026-11-26").await, 16);
    assert_eq!(world.starts_at("2026-11-25T08:00:00Z", "2026-11-26").await, 0);
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_keeps_its_dates_and_tells_why() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let (town, address) = Town::open().await;
    town.publish(&["20261125"]);
    let made = world.engine.holiday_calendar_subscribe(&world.principal, "Madrid", &address).await.unwrap();
    world.reschedule(json!({"holiday_calendar_ids": [made.id]})).await;
    world.engine.run_due_jobs().await.unwrap();
    let error = async || world.engine.holiday_calendars(&world.principal).await.unwrap()[0].error.clone();
    town.close();
    world.a_day_later().await;
    assert_eq!(error().await.as_deref(), Some("error.feed_unreachable"));
    assert_eq!(world.starts_on("2026-11-25").await, 0);
    // It is tried again before tomorrow.
    town.publish(&["20261125"]);
    world.clock.advance(TimeDelta::minutes(1));
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(error().await, None);
    town.0.lock().unwrap().file = Some("<html>Please sign in</html>".to_owned());
    world.a_day_later().await;
    assert_eq!(error().await.as_deref(), Some("error.ics_unreadable"));
    assert_eq!(world.starts_on("2026-11-25").await, 0);
}

#[tokio::test]
async fn the_same_file_is_read_anew_when_the_year_has_changed() {
    let world = World::new().await;
    let (town, address) = Town::open().await;
    town.publish(&["20261125"]);
    world.engine.holiday_calendar_subscribe(&world.principal, "Madrid", &address).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    world.clock.advance(TimeDelta::days(40));
    world.a_day_later().await;
    assert_eq!(town.answers(), [200, 200]);
}

#[tokio::test]
async fn an_uploaded_file_is_read_at_once() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let yearly = calendar_of(&["20201125"]).replace("SUMMARY", "RRULE:FREQ=YEARLY\r\nSUMMARY");
    let made = world.engine.holiday_calendar_upload(&world.principal, "Ours", &yearly).await.unwrap();
    assert!(made.holidays.len() > 10);
    world.reschedule(json!({"holiday_calendar_ids": [made.id]})).await;
    assert_eq!(world.starts_on("2026-11-25").await, 0);
    let refused = world.engine.holiday_calendar_upload(&world.principal, " ", "no calendar").await;
    assert_eq!(fields(refused.unwrap_err()), ["name", "ics"]);
}

#[tokio::test]
async fn only_addresses_of_the_web_are_subscribed_to() {
    let world = World::new().await;
    for wrong in ["", "file:///etc/passwd", "madrid.example"] {
        let refused = world.engine.holiday_calendar_subscribe(&world.principal, "Madrid", wrong).await;
        assert_eq!(fields(refused.unwrap_err()), ["url"], "{wrong}");
    }
    let made = world.engine.holiday_calendar_subscribe(&world.principal, "A", "webcal://madrid.example/a.ics").await;
    assert_eq!(made.unwrap().source_url.unwrap().as_str(), "https://madrid.example/a.ics");
}

#[tokio::test]
async fn a_forgotten_calendar_closes_nothing_and_no_schedule_names_it() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let file = calendar_of(&["20261125"]);
    let made = world.engine.holiday_calendar_upload(&world.principal, "Ours", &file).await.unwrap();
    world.reschedule(json!({"holiday_calendar_ids": [made.id]})).await;
    assert_eq!(world.starts_on("2026-11-25").await, 0);
    world.clock.advance(TimeDelta::minutes(1));
    world.engine.holiday_calendar_delete(&world.principal, &made.id).await.unwrap();
    assert_eq!(world.starts_on("2026-11-25").await, 16);
    let schedule = &world.engine.schedules(&world.principal).await.unwrap()[0].schedule;
    assert!(schedule.holiday_calendar_ids.is_empty());
    // Before, it was closed.
    world.clock.advance(TimeDelta::minutes(1));
    assert_eq!(world.starts_at("2026-11-23T08:00:30Z", "2026-11-25").await, 0);
    let again = world.engine.holiday_calendar_delete(&world.principal, &made.id).await;
    assert!(matches!(again, Err(EngineError::NotFound("holiday calendar"))));
}

#[tokio::test]
async fn a_member_has_only_so_many_holiday_calendars() {
    let world = World::new().await;
    let file = calendar_of(&["20261125"]);
    for number in 0..20 {
        world.engine.holiday_calendar_upload(&world.principal, &format!("Number {number}"), &file).await.unwrap();
    }
    let refused = world.engine.holiday_calendar_upload(&world.principal, "One more", &file).await;
    assert_eq!(fields(refused.unwrap_err()), ["name"]);
    assert_eq!(world.engine.holiday_calendars(&world.principal).await.unwrap().len(), 20);
}
