//! The rules of an event type, from the slots on offer to the booking that is refused with its reason.

use cupo_core::{
    event_type::{DailyOffer, Limit, Limits, Listing, Options, RulesInput, Window},
    question::{Question, QuestionKind},
    slots::{Period, Refusal},
    wire::{AnswerInput, BookingRequest, HoldRequest},
};
use cupo_engine::{EngineError, EventTypeInput, SlotsRequest};

use crate::world::{World, at, because, body, first_visit, hold_request, request, slots_request, to};

const START: &str = "2026-11-25T09:00:00Z";

async fn with(rules: RulesInput, options: Options) -> World {
    let world = World::new().await;
    world.offer(EventTypeInput { rules, options, ..first_visit() }).await;
    world
}

async fn refusal(world: &World, start: &str) -> Refusal {
    match world.engine.book(&format!("key-{start}"), request(start)).await {
        Err(EngineError::SlotRefused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn submit_refuses_with_the_reason() {
    let rules = RulesInput { notice_minutes: 120, window: Window::RollingDays { days: 7 }, ..RulesInput::default() };
    let world = with(rules, Options::default()).await;
    for (start, reason) in [
        ("2026-11-23T09:30:00Z", Refusal::Notice),
        ("2026-11-20T09:30:00Z", Refusal::Notice),
        ("2026-11-30T09:00:00Z", Refusal::Window),
        ("2026-11-25T07:30:00Z", Refusal::OutsideHours),
        ("2026-11-25T15:45:00Z", Refusal::OutsideHours),
        ("2026-11-25T09:10:00Z", Refusal::OffGrid),
    ] {
        assert_eq!(refusal(&world, start).await, reason, "{start}");
        assert!(!world.is_offered(start).await, "{start}");
    }
    assert!(matches!(world.engine.hold(hold_request("2026-11-25T09:10:00Z")).await, Err(EngineError::SlotRefused(_))));
}

#[tokio::test]
async fn a_length_that_is_on_offer_is_booked_and_another_one_is_refused() {
    let options = Options { other_durations: vec![60, 90], ..Options::default() };
    let world = with(RulesInput::default(), options).await;
    let long = SlotsRequest { duration: Some(90), ..slots_request("2026-11-25", "2026-11-25") };
    let starts = world.engine.slots(&long).await.unwrap().starts.clone();
    assert!(starts.contains(&at("2026-11-25T14:30:00Z")), "an hour and a half before 17:00 in Madrid");
    assert!(!starts.contains(&at("2026-11-25T15:00:00Z")));
    let booked = world.engine.book("key", BookingRequest { duration: Some(90), ..request(START) }).await.unwrap();
    assert_eq!(booked.view.end, at("2026-11-25T10:30:00Z"));
    assert!(!world.is_offered("2026-11-25T10:00:00Z").await && world.is_offered("2026-11-25T10:30:00Z").await);
    let other = world.engine.book("other", BookingRequest { duration: Some(45), ..request(START) }).await;
    assert!(matches!(other, Err(EngineError::Invalid(errors)) if errors.0[0].field == "duration"));
    // A moved appointment keeps its length.
    let moved = world.engine.reschedule_by_token(&booked.view.token, &to("2026-11-26T09:00:00Z")).await.unwrap();
    assert_eq!(moved.end, at("2026-11-26T10:30:00Z"));
}

#[tokio::test]
async fn limits_close_their_day_week_or_month_and_say_which() {
    let limit = |count| Limit { count: Some(count), minutes: None };
    let limits = Limits { day: limit(2), week: limit(3), month: Limit { count: None, minutes: Some(120) } };
    let world = with(RulesInput { limits, ..RulesInput::default() }, Options::default()).await;
    world.book("a", START).await;
    let second = world.book("b", "2026-11-25T10:00:00Z").await;
    assert_eq!(refusal(&world, "2026-11-25T11:00:00Z").await, Refusal::Limit(Period::Day));
    assert!(world.starts("2026-11-25", "2026-11-25").await.is_empty());
    world.book("c", "2026-11-26T09:00:00Z").await;
    assert_eq!(refusal(&world, "2026-11-27T09:00:00Z").await, Refusal::Limit(Period::Week));
    world.book("d", "2026-11-30T09:00:00Z").await;
    assert_eq!(refusal(&world, "2026-11-30T10:00:00Z").await, Refusal::Limit(Period::Month), "120 minutes of November");
    assert!(world.is_offered("2026-12-01T09:00:00Z").await, "a week with one, a month with none");
    // What is cancelled counts no more; what moves does not count against itself.
    world.engine.reschedule_by_token(&second.token, &to("2026-11-25T12:00:00Z")).await.unwrap();
    world.engine.cancel_by_token(&second.token, &because("")).await.unwrap();
    assert!(world.is_offered("2026-11-25T10:00:00Z").await);
}

#[tokio::test]
async fn one_slot_a_day_is_the_first_that_is_free() {
    let rules = RulesInput { daily: DailyOffer::FirstFree, ..RulesInput::default() };
    let world = with(rules, Options::default()).await;
    assert_eq!(
        world.starts("2026-11-25", "2026-11-26").await,
        [at("2026-11-25T08:00:00Z"), at("2026-11-26T08:00:00Z")]
    );
    assert_eq!(refusal(&world, START).await, Refusal::NotFirst);
    world.book("key", "2026-11-25T08:00:00Z").await;
    assert_eq!(world.starts("2026-11-25", "2026-11-25").await, [at("2026-11-25T08:30:00Z")]);
    world.book("next", "2026-11-25T08:30:00Z").await;
}

#[tokio::test]
async fn the_first_slot_of_the_day_only_is_not_followed_by_another() {
    let rules = RulesInput { daily: DailyOffer::FirstOnly, ..RulesInput::default() };
    let world = with(rules, Options::default()).await;
    world.book("key", "2026-11-25T08:00:00Z").await;
    assert_eq!(world.starts("2026-11-25", "2026-11-26").await, [at("2026-11-26T08:00:00Z")]);
    assert_eq!(refusal(&world, "2026-11-25T08:30:00Z").await, Refusal::NotFirst);
}

#[tokio::test]
async fn questions_are_judged_and_their_answers_kept() {
    let team = Question {
        id: "team".into(),
        label: "How many are you?".into(),
        help: String::new(),
        is_required: true,
        kind: QuestionKind::Number { least: Some(1), most: Some(9) },
    };
    let terms = Question { id: "terms".into(), label: "I agree".into(), kind: QuestionKind::Checkbox, ..team.clone() };
    let options = Options { questions: vec![team, terms], ..Options::default() };
    let world = with(RulesInput::default(), options).await;
    let answers = |list: &[(&str, AnswerInput)]| list.iter().map(|(id, a)| ((*id).to_owned(), a.clone())).collect();
    let ask = |answers| BookingRequest { answers, ..request(START) };
    let fields = |error| match error {
        Err(EngineError::Invalid(errors)) => errors.0.into_iter().map(|error| error.field.into_owned()).collect(),
        other => panic!("{other:?}"),
    };
    let none: Vec<String> = fields(world.engine.book("a", ask(answers(&[]))).await);
    assert_eq!(none, ["answers.team", "answers.terms"]);
    let wrong = answers(&[("team", AnswerInput::Number(10)), ("terms", AnswerInput::Flag(true))]);
    assert_eq!(fields(world.engine.book("b", ask(wrong)).await), ["answers.team"]);
    let unknown = answers(&[("colour", AnswerInput::Text("red".into()))]);
    assert_eq!(fields(world.engine.book("c", ask(unknown)).await), ["answers.colour"]);
    let right = answers(&[("team", AnswerInput::Text(" 7 ".into())), ("terms", AnswerInput::Flag(true))]);
    let view = world.engine.book("d", ask(right)).await.unwrap().view;
    let kept: Vec<_> = view.answers.iter().map(|answer| (answer.id.as_str(), answer.values[0].as_str())).collect();
    assert_eq!(kept, [("team", "7"), ("terms", "on")]);
    world.run().await;
    let mail = &world.mails_to("ana@clinic.example")[0];
    assert!(body(mail).contains("How many are you?:\n  7"), "{}", body(mail));
    assert!(body(mail).contains("I agree:\n  Sí"), "{}", body(mail));
}

#[tokio::test]
async fn after_its_deadline_an_appointment_can_be_neither_cancelled_nor_moved_by_its_visitor() {
    let options = Options { cancel_notice_minutes: 60, reschedule_notice_minutes: 24 * 60, ..Options::default() };
    let world = with(RulesInput::default(), options).await;
    let view = world.book("key", START).await;
    assert!(view.can_cancel && view.can_reschedule);
    world.clock.set(at("2026-11-24T09:00:01Z"));
    let view = world.engine.appointment_by_token(&view.token, Default::default()).await.unwrap();
    assert!(view.can_cancel && !view.can_reschedule);
    let moved = world.engine.reschedule_by_token(&view.token, &to("2026-11-26T09:00:00Z")).await;
    assert!(matches!(moved, Err(EngineError::Conflict("error.reschedule_deadline"))));
    world.clock.set(at("2026-11-25T08:00:01Z"));
    let cancelled = world.engine.cancel_by_token(&view.token, &because("")).await;
    assert!(matches!(cancelled, Err(EngineError::Conflict("error.cancel_deadline"))));
    // The host still can.
    let id = world.engine.appointments(&world.principal, cupo_store::AppointmentFilter::Upcoming, None).await.unwrap();
    world.engine.appointment_cancel(&world.principal, &id.items[0].appointment.id, "").await.unwrap();
}

#[tokio::test]
async fn a_single_use_link_opens_the_door_once() {
    let options = Options { listing: Listing::LinkOnly, ..Options::default() };
    let world = with(RulesInput::default(), options).await;
    let ask = slots_request("2026-11-25", "2026-11-25");
    assert!(matches!(world.engine.slots(&ask).await, Err(EngineError::NotFound(_))));
    assert!(matches!(
        world.engine.event_type_view("ruiz", "first-visit", Default::default(), None).await,
        Err(EngineError::NotFound(_))
    ));
    assert!(matches!(world.engine.book("key", request(START)).await, Err(EngineError::NotFound(_))));
    let id = world.event_type("first-visit").await;
    let made = world.engine.booking_link_make(&world.principal, &id, Some(7)).await.unwrap();
    let token = made.url.rsplit_once("link=").unwrap().1.to_owned();
    let own = SlotsRequest { link: Some(&token), ..ask };
    assert!(world.engine.slots(&own).await.unwrap().starts.contains(&at(START)));
    let forged = SlotsRequest { link: Some("forged"), ..ask };
    assert!(matches!(world.engine.slots(&forged).await, Err(EngineError::NotFound(_))));
    let hold = HoldRequest { link: Some(token.clone()), ..hold_request(START) };
    let hold = world.engine.hold(hold).await.unwrap().hold;
    let book = |start| BookingRequest { link: Some(token.clone()), hold: Some(hold.clone()), ..request(start) };
    let view = world.engine.book("key", book(START)).await.unwrap().view;
    assert!(world.engine.book("key", book(START)).await.unwrap().replayed, "the same request again");
    let second = world.engine.book("second", book("2026-11-26T09:00:00Z")).await;
    assert!(matches!(second, Err(EngineError::Conflict("error.link_used"))));
    // Who booked by it still manages the appointment.
    world.engine.reschedule_by_token(&view.token, &to("2026-11-26T09:00:00Z")).await.unwrap();
    let over = world.engine.booking_link_make(&world.principal, &id, Some(1)).await.unwrap();
    world.clock.set(at("2026-11-25T08:00:00Z"));
    let token = over.url.rsplit_once("link=").unwrap().1;
    let late = SlotsRequest { link: Some(token), ..slots_request("2026-11-27", "2026-11-27") };
    assert!(matches!(world.engine.slots(&late).await, Err(EngineError::Conflict("error.link_used"))));
}
