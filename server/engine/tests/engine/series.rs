//! Several dates at once.

use cupo_core::{
    appointment::AppointmentStatus,
    event_type::{Limit, Limits, Options, RulesInput, Window},
    text::Locale,
    wire::{AppointmentView, BookingRequest, CancelRequest, RecurrenceRequest, RescheduleRequest, SeriesScope},
};
use cupo_engine::{EngineError, EventTypeInput, SeriesRequest};

use crate::world::{World, at, body, first_visit, request};

const START: &str = "2026-11-25T09:00:00Z";

async fn world() -> World {
    let world = World::new().await;
    world.connect().await;
    world.offer(course()).await;
    world.run().await;
    world
}

fn course() -> EventTypeInput {
    EventTypeInput {
        rules: RulesInput { window: Window::RollingDays { days: 365 }, ..RulesInput::default() },
        options: Options { most_occurrences: 24, ..Options::default() },
        ..first_visit()
    }
}

fn weekly(count: u32, skip_taken: bool) -> BookingRequest {
    let recurrence = RecurrenceRequest { frequency: "weekly".into(), count, skip_taken };
    BookingRequest { recurrence: Some(recurrence), ..request(START) }
}

fn ask<'a>(frequency: &'a str, count: u32) -> SeriesRequest<'a> {
    SeriesRequest {
        org: "ruiz",
        event: "first-visit",
        start: at(START),
        duration: None,
        frequency,
        count,
        host: None,
        hold: None,
        link: None,
    }
}

fn dates(view: &AppointmentView) -> Vec<String> {
    let all = std::iter::once(view.start).chain(view.series.iter().map(|entry| entry.start));
    all.map(|start| start.format("%m-%d %H:%M").to_string()).collect()
}

#[tokio::test]
async fn a_series_stands_in_the_calendar_date_by_date_and_one_mail_tells_of_it() {
    let world = world().await;
    let view = world.engine.book("key", weekly(4, false)).await.unwrap().view;
    assert_eq!(dates(&view), ["11-25 09:00", "12-02 09:00", "12-09 09:00", "12-16 09:00"]);
    assert!(world.engine.book("key", weekly(4, false)).await.unwrap().replayed);
    let replayed = world.engine.book("key", weekly(4, false)).await.unwrap().view;
    assert_eq!(replayed, view, "every secret link is put back");
    world.run().await;
    assert_eq!(world.events().len(), 4);
    let mails = world.mails_to("leo@visitor.example");
    assert_eq!(mails.len(), 1);
    assert!(body(&mails[0]).contains("Further dates"), "{}", body(&mails[0]));
}

#[tokio::test]
async fn the_local_time_is_kept_over_a_clock_change() {
    let world = world().await;
    let start = "2027-03-22T08:00:00Z";
    let recurrence = RecurrenceRequest { frequency: "weekly".into(), count: 2, skip_taken: false };
    let view =
        world.engine.book("key", BookingRequest { recurrence: Some(recurrence), ..request(start) }).await.unwrap().view;
    assert_eq!(dates(&view), ["03-22 08:00", "03-29 07:00"], "09:00 in Madrid both times");
}

#[tokio::test]
async fn dates_that_are_taken_are_told_before_and_left_out_on_wish() {
    let world = world().await;
    world.book("other", "2026-12-02T09:00:00Z").await;
    let told = world.engine.series(&ask("weekly", 3), Locale::En).await.unwrap();
    let free: Vec<_> = told.dates.iter().map(|date| date.is_free).collect();
    assert_eq!(free, [true, false, true]);
    assert!(told.dates[1].reason.as_ref().unwrap().contains("taken"));
    let all = world.engine.book("all", weekly(3, false)).await;
    assert!(matches!(all, Err(EngineError::Invalid(errors)) if errors.0[0].field == "recurrence"));
    assert!(world.is_offered(START).await, "nothing of it was written");
    let view = world.engine.book("free", weekly(3, true)).await.unwrap().view;
    assert_eq!(dates(&view), ["11-25 09:00", "12-09 09:00"]);
}

#[tokio::test]
async fn a_series_counts_against_the_limits_as_it_grows() {
    let world = world().await;
    let limits = Limits { month: Limit { count: Some(2), minutes: None }, ..Limits::default() };
    let rules = RulesInput { limits, ..course().rules };
    world.change(EventTypeInput { rules, ..course() }).await;
    let told = world.engine.series(&ask("weekly", 4), Locale::En).await.unwrap();
    let free: Vec<_> = told.dates.iter().map(|date| date.is_free).collect();
    assert_eq!(free, [true, true, true, false], "one in November, two in December");
    let view = world.engine.book("key", weekly(4, true)).await.unwrap().view;
    assert_eq!(dates(&view), ["11-25 09:00", "12-02 09:00", "12-09 09:00"]);
}

#[tokio::test]
async fn one_of_a_series_goes_alone_or_with_those_after_it() {
    let world = world().await;
    let first = world.engine.book("key", weekly(4, false)).await.unwrap().view;
    let token = |number: usize| first.series[number].manage_url.rsplit_once('/').unwrap().1.to_owned();
    let (second, third) = (token(0), token(1));
    let alone = CancelRequest { reason: None, scope: SeriesScope::This };
    world.engine.cancel_by_token(&second, &alone).await.unwrap();
    let left = world.engine.appointment_by_token(&first.token, Locale::En).await.unwrap();
    assert_eq!(dates(&left), ["11-25 09:00", "12-09 09:00", "12-16 09:00"]);
    world.run().await;
    let mails = world.mails_to("ana@clinic.example").len();
    let following = CancelRequest { reason: None, scope: SeriesScope::Following };
    let ended = world.engine.cancel_by_token(&third, &following).await.unwrap();
    assert_eq!(ended.status, AppointmentStatus::Cancelled);
    let left = world.engine.appointment_by_token(&first.token, Locale::En).await.unwrap();
    assert_eq!(dates(&left), ["11-25 09:00"]);
    world.run().await;
    assert_eq!(world.events().len(), 1);
    let mail = &world.mails_to("ana@clinic.example")[mails];
    assert_eq!(world.mails_to("ana@clinic.example").len(), mails + 1, "one mail tells of both");
    assert!(body(mail).contains("16 de diciembre"), "{}", body(mail));
}

#[tokio::test]
async fn a_series_moves_from_one_date_on_and_keeps_its_distance() {
    let world = world().await;
    let first = world.engine.book("key", weekly(4, false)).await.unwrap().view;
    let second = first.series[0].manage_url.rsplit_once('/').unwrap().1;
    // A week later: each comes to stand where the next one was.
    let request = RescheduleRequest { start: at("2026-12-09T09:00:00Z"), scope: SeriesScope::Following };
    world.engine.reschedule_by_token(second, &request).await.unwrap();
    let view = world.engine.appointment_by_token(&first.token, Locale::En).await.unwrap();
    assert_eq!(dates(&view), ["11-25 09:00", "12-09 09:00", "12-16 09:00", "12-23 09:00"]);
    // And a day and an hour earlier.
    let request = RescheduleRequest { start: at("2026-12-08T08:00:00Z"), scope: SeriesScope::Following };
    world.engine.reschedule_by_token(second, &request).await.unwrap();
    let view = world.engine.appointment_by_token(&first.token, Locale::En).await.unwrap();
    assert_eq!(dates(&view), ["11-25 09:00", "12-08 08:00", "12-15 08:00", "12-22 08:00"]);
    world.run().await;
    assert_eq!(world.events().len(), 4);
    // Where one of them cannot follow, none goes.
    world.book("other", "2026-12-17T09:00:00Z").await;
    let request = RescheduleRequest { start: at("2026-12-10T09:00:00Z"), scope: SeriesScope::Following };
    let refused = world.engine.reschedule_by_token(second, &request).await;
    assert!(matches!(refused, Err(EngineError::Invalid(errors)) if errors.0[0].field == "scope"));
    let view = world.engine.appointment_by_token(&first.token, Locale::En).await.unwrap();
    assert_eq!(dates(&view), ["11-25 09:00", "12-08 08:00", "12-15 08:00", "12-22 08:00"]);
}

#[tokio::test]
async fn a_rhythm_or_a_number_that_is_not_offered_is_named() {
    let world = world().await;
    let field = |request| async {
        match world.engine.book("key", request).await {
            Err(EngineError::Invalid(errors)) => errors.0[0].field.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let with = |frequency: &str, count| {
        let recurrence = RecurrenceRequest { frequency: frequency.into(), count, skip_taken: false };
        BookingRequest { recurrence: Some(recurrence), ..request(START) }
    };
    assert_eq!(field(with("daily", 3)).await, "recurrence.frequency");
    assert_eq!(field(with("weekly", 25)).await, "recurrence.count");
    world.change(EventTypeInput { options: Options::default(), ..course() }).await;
    assert_eq!(field(with("weekly", 2)).await, "recurrence");
}
