//! Event types with several hosts: any of them, or all of them.

use chrono::TimeDelta;
use cupo_core::event_type::{Assignment, Options, RulesInput};
use cupo_core::wire::BookingRequest;
use cupo_engine::{EngineError, EventTypeHostInput, EventTypeInput, Principal, SlotsRequest};
use cupo_store::AppointmentFilter;

use crate::world::{CALENDAR, World, at, event, first_visit, hold_request, host, request, slots_request, to};

const START: &str = "2026-11-25T09:00:00Z";
const BENS_CALENDAR: &str = "ben@example.com";

struct Team {
    world: World,
    ben: Principal,
    bens_session: String,
    carla: Principal,
}

impl Team {
    async fn new(
        options: Options,
        hosts: impl FnOnce(&Principal, &Principal, &Principal) -> Vec<EventTypeHostInput>,
    ) -> Self {
        let world = World::new().await;
        let (ben, bens_session) = world.colleague("Ben Mora", "ben@clinic.example").await;
        let (carla, _) = world.colleague("Carla Gil", "carla@clinic.example").await;
        let hosts = hosts(&world.principal, &ben, &carla);
        world.offer(EventTypeInput { rules: RulesInput::default(), options, hosts, ..first_visit() }).await;
        Self { world, ben, bens_session, carla }
    }

    async fn round_robin(options: Options) -> Self {
        let options = Options { assignment: Assignment::RoundRobin, ..options };
        Self::new(options, |ana, ben, carla| [ana, ben, carla].map(host).to_vec()).await
    }

    /// The names of the hosts of the upcoming appointments, by start.
    async fn hosts(&self) -> Vec<String> {
        let page =
            self.world.engine.appointments(&self.world.principal, AppointmentFilter::Upcoming, None).await.unwrap();
        let mut names = Vec::new();
        for item in page.items {
            let detail = self.world.engine.appointment(&self.world.principal, &item.appointment.id).await.unwrap();
            names.push(detail.host_names);
        }
        names
    }
}

#[tokio::test]
async fn a_slot_of_a_round_robin_is_offered_until_its_last_host_is_taken_and_the_work_is_shared() {
    let team = Team::round_robin(Options::default()).await;
    for key in ["a", "b", "c"] {
        assert!(team.world.is_offered(START).await);
        team.world.book(key, START).await;
    }
    assert!(!team.world.is_offered(START).await);
    assert!(matches!(team.world.engine.book("d", request(START)).await, Err(EngineError::SlotTaken)));
    let mut hosts = team.hosts().await;
    hosts.sort_unstable();
    assert_eq!(hosts, ["Ana Ruiz", "Ben Mora", "Carla Gil"]);
}

#[tokio::test]
async fn weight_and_priority_decide_whose_turn_it_is() {
    let options = Options { assignment: Assignment::RoundRobin, ..Options::default() };
    let team = Team::new(options, |ana, ben, carla| {
        vec![
            EventTypeHostInput { weight: 2, ..host(ana) },
            host(ben),
            EventTypeHostInput { priority: 2, weight: 100, ..host(carla) },
        ]
    })
    .await;
    let (mut minute, mut count) = (0, std::collections::BTreeMap::<String, usize>::new());
    for key in 0..6 {
        let start = (at(START) + TimeDelta::minutes(minute)).to_rfc3339();
        team.world.book(&format!("key-{key}"), &start).await;
        team.world.clock.advance(TimeDelta::seconds(1));
        minute += 30;
    }
    for name in team.hosts().await {
        *count.entry(name).or_default() += 1;
    }
    assert_eq!(count.into_iter().collect::<Vec<_>>(), [("Ana Ruiz".to_owned(), 4), ("Ben Mora".to_owned(), 2)]);
    // The second group helps out.
    team.world.book("x", START).await;
    team.world.book("y", START).await;
    assert!(team.hosts().await.contains(&"Carla Gil".to_owned()));
}

#[tokio::test]
async fn a_visitor_chooses_a_host_where_there_is_a_choice() {
    let team = Team::round_robin(Options { host_choice: true, ..Options::default() }).await;
    let view = team.world.engine.event_type_view("ruiz", "first-visit", Default::default(), None).await.unwrap();
    let names: Vec<_> = view.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["Ana Ruiz", "Ben Mora", "Carla Gil"]);
    let carla = team.carla.user_id.as_str();
    let wish = |start| BookingRequest { host: Some(carla.to_owned()), ..request(start) };
    let booked = team.world.engine.book("key", wish(START)).await.unwrap();
    assert_eq!(booked.view.host_name, "Carla Gil");
    let of_carla = SlotsRequest { host: Some(carla), ..slots_request("2026-11-25", "2026-11-25") };
    assert!(!team.world.engine.slots(&of_carla).await.unwrap().starts.contains(&at(START)));
    assert!(team.world.is_offered(START).await, "with the others");
    assert!(matches!(team.world.engine.book("again", wish(START)).await, Err(EngineError::SlotTaken)));
    let nobody = BookingRequest { host: Some("nobody".into()), ..request(START) };
    let refused = team.world.engine.book("nobody", nobody).await;
    assert!(matches!(refused, Err(EngineError::Invalid(errors)) if errors.0[0].field == "host"));
}

#[tokio::test]
async fn the_calendar_of_each_host_counts_for_that_host_and_gets_their_events() {
    let team = Team::round_robin(Options::default()).await;
    let world = &team.world;
    world.connect().await;
    world.connect_as(&team.ben, &team.bens_session, BENS_CALENDAR).await;
    world.google.insert_event(CALENDAR, event("Busy", START, "2026-11-25T10:00:00Z")).unwrap();
    world.run().await;
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    world.google.clear_exchanges();
    // Ana is busy there, and Carla has no calendar: both stand behind Ben's turn only by their load.
    for key in ["a", "b"] {
        world.book(key, START).await;
    }
    assert!(!world.is_offered(START).await);
    world.run().await;
    assert_eq!(world.events_of(BENS_CALENDAR).len(), 1);
    assert!(world.calls("POST", "/freeBusy") <= 2);
    let mut hosts = team.hosts().await;
    hosts.sort_unstable();
    assert_eq!(hosts, ["Ben Mora", "Carla Gil"]);
}

#[tokio::test]
async fn what_only_the_provider_knows_gives_the_slot_to_another_host() {
    let team = Team::round_robin(Options::default()).await;
    let world = &team.world;
    world.connect().await;
    world.run().await;
    // The mirror does not know of it yet.
    world.google.insert_event(CALENDAR, event("Dentist", START, "2026-11-25T10:00:00Z")).unwrap();
    for key in ["a", "b"] {
        world.book(key, START).await;
    }
    let mut hosts = team.hosts().await;
    hosts.sort_unstable();
    assert_eq!(hosts, ["Ben Mora", "Carla Gil"]);
    assert!(matches!(world.engine.book("c", request(START)).await, Err(EngineError::SlotTaken)));
}

#[tokio::test]
async fn a_rescheduled_appointment_stays_with_its_host_unless_it_may_change() {
    let team = Team::round_robin(Options { host_choice: true, ..Options::default() }).await;
    let carla = Some(team.carla.user_id.to_string());
    let view =
        team.world.engine.book("a", BookingRequest { host: carla.clone(), ..request(START) }).await.unwrap().view;
    let next = "2026-11-25T11:00:00Z";
    team.world.engine.book("b", BookingRequest { host: carla, ..request(next) }).await.unwrap();
    let taken = team.world.engine.reschedule_by_token(&view.token, &to(next)).await;
    assert!(matches!(taken, Err(EngineError::SlotTaken)));
    let own = SlotsRequest { reschedule: Some(&view.token), ..slots_request("2026-11-25", "2026-11-25") };
    assert!(!team.world.engine.slots(&own).await.unwrap().starts.contains(&at(next)));
    let moved = team.world.engine.reschedule_by_token(&view.token, &to("2026-11-25T12:00:00Z")).await.unwrap();
    assert_eq!(moved.host_name, "Carla Gil");
}

#[tokio::test]
async fn a_change_of_host_takes_the_event_out_of_one_calendar_and_puts_it_into_the_other() {
    let options = Options { host_choice: true, reschedule_to_any_host: true, ..Options::default() };
    let team = Team::round_robin(options).await;
    let world = &team.world;
    world.connect().await;
    world.connect_as(&team.ben, &team.bens_session, BENS_CALENDAR).await;
    world.run().await;
    let ana = Some(world.principal.user_id.to_string());
    let view = world.engine.book("a", BookingRequest { host: ana.clone(), ..request(START) }).await.unwrap().view;
    world.run().await;
    assert_eq!((world.events().len(), world.events_of(BENS_CALENDAR).len()), (1, 0));
    // Ana and Carla are taken at the wanted time: only Ben is left.
    let next = "2026-11-25T11:00:00Z";
    for (key, who) in [("b", ana), ("c", Some(team.carla.user_id.to_string()))] {
        world.engine.book(key, BookingRequest { host: who, ..request(next) }).await.unwrap();
    }
    world.run().await;
    let moved = world.engine.reschedule_by_token(&view.token, &to(next)).await.unwrap();
    assert_eq!(moved.host_name, "Ben Mora");
    world.run().await;
    let starts = |calendar: &str| {
        let events = world.events_of(calendar);
        events.iter().map(|event| at(event["start"]["dateTime"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(starts(CALENDAR), [at(next)], "of Ana only the other appointment is left");
    assert_eq!(starts(BENS_CALENDAR), [at(next)]);
    // The sync of both calendars finds nothing to change.
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    assert_eq!((world.events().len(), world.events_of(BENS_CALENDAR).len()), (1, 1));
    let view = world.engine.appointment_by_token(&view.token, Default::default()).await.unwrap();
    assert_eq!(view.status.as_str(), "confirmed");
}

#[tokio::test]
async fn a_collective_slot_needs_all_that_are_required_and_takes_along_who_is_free() {
    let options = Options { assignment: Assignment::Collective, ..Options::default() };
    let team = Team::new(options, |ana, ben, carla| {
        vec![host(ana), host(ben), EventTypeHostInput { is_required: false, ..host(carla) }]
    })
    .await;
    let world = &team.world;
    let view = world.book("a", START).await;
    assert_eq!(view.host_name, "Ana Ruiz, Ben Mora, Carla Gil");
    // Each of them is taken for everything else.
    let solo = EventTypeInput {
        slug: "solo".into(),
        rules: RulesInput::default(),
        hosts: vec![host(&team.carla)],
        ..first_visit()
    };
    world.offer(solo).await;
    let of_carla = |start: &str| BookingRequest { event: "solo".into(), ..request(start) };
    assert!(matches!(world.engine.book("b", of_carla(START)).await, Err(EngineError::SlotTaken)));
    // Without the optional one it takes place, without a required one it does not.
    let next = "2026-11-25T11:00:00Z";
    world.engine.book("c", of_carla(next)).await.unwrap();
    assert!(world.is_offered(next).await);
    let view = world.book("d", next).await;
    assert_eq!(view.host_name, "Ana Ruiz, Ben Mora");
    let ben = EventTypeInput {
        slug: "ben".into(),
        rules: RulesInput::default(),
        hosts: vec![host(&team.ben)],
        ..first_visit()
    };
    world.offer(ben).await;
    let third = "2026-11-25T12:00:00Z";
    world.engine.book("e", BookingRequest { event: "ben".into(), ..request(third) }).await.unwrap();
    assert!(!world.is_offered(third).await);
    assert!(matches!(world.engine.hold(hold_request(third)).await, Err(EngineError::SlotTaken)));
}

#[tokio::test]
async fn a_hold_of_a_collective_keeps_everybody_and_one_of_a_round_robin_keeps_whom_the_visitor_gets() {
    let options = Options { assignment: Assignment::Collective, ..Options::default() };
    let team = Team::new(options, |ana, ben, _| vec![host(ana), host(ben)]).await;
    let world = &team.world;
    let input = EventTypeInput {
        slug: "ben".into(),
        rules: RulesInput::default(),
        hosts: vec![host(&team.ben)],
        ..first_visit()
    };
    world.offer(input).await;
    let kept = world.engine.hold(hold_request(START)).await.unwrap();
    let of_ben = BookingRequest { event: "ben".into(), ..request(START) };
    assert!(matches!(world.engine.book("a", of_ben.clone()).await, Err(EngineError::SlotTaken)));
    world.engine.hold_release(&kept.hold).await.unwrap();
    world.engine.book("a", of_ben).await.unwrap();

    let team = Team::round_robin(Options::default()).await;
    let holds = [hold_request(START), hold_request(START), hold_request(START)];
    let mut tokens = Vec::new();
    for hold in holds {
        tokens.push(team.world.engine.hold(hold).await.unwrap().hold);
    }
    assert!(!team.world.is_offered(START).await);
    for (number, hold) in tokens.into_iter().enumerate() {
        let request = BookingRequest { hold: Some(hold), ..request(START) };
        team.world.engine.book(&format!("key-{number}"), request).await.unwrap();
    }
    let mut hosts = team.hosts().await;
    hosts.sort_unstable();
    assert_eq!(hosts, ["Ana Ruiz", "Ben Mora", "Carla Gil"]);
}

#[tokio::test]
async fn a_colleagues_copy_of_the_event_is_no_conflict_of_its_own() {
    let options = Options { assignment: Assignment::Collective, ..Options::default() };
    let team = Team::new(options, |ana, ben, _| vec![host(ana), host(ben)]).await;
    let world = &team.world;
    world.connect().await;
    world.connect_as(&team.ben, &team.bens_session, BENS_CALENDAR).await;
    world.run().await;
    let view = world.book("a", START).await;
    world.run().await;
    let event = world.the_event();
    let guests: Vec<_> = event["attendees"].as_array().unwrap().iter().map(|a| a["email"].as_str().unwrap()).collect();
    assert!(guests.contains(&"ben@clinic.example"), "{guests:?}");
    // Google shows the invitation in Ben's calendar under the same id.
    let copy = serde_json::json!({
        "id": event["id"], "summary": event["summary"], "start": event["start"], "end": event["end"],
    });
    world.google.insert_event(BENS_CALENDAR, copy).unwrap();
    world.pass(TimeDelta::minutes(11));
    world.engine.run_periodic().await.unwrap();
    world.run().await;
    let id = world.event_type("first-visit").await;
    let told = world.engine.explain(&world.principal, &id, at(START), None, None).await.unwrap();
    let ben = told.hosts.iter().find(|host| host.name == "Ben Mora").unwrap();
    let kinds: Vec<_> = ben.reasons.iter().map(|reason| reason.kind.as_str()).collect();
    assert_eq!(kinds, ["appointment"], "the claim alone, not the copy beside it");
    world.engine.reschedule_by_token(&view.token, &to("2026-11-25T09:30:00Z")).await.unwrap();
    assert!(world.is_offered(START).await, "the copy that is still there keeps nobody away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_thirty_bookings_of_three_hosts_exactly_three_win_with_one_host_each() {
    let team = Team::round_robin(Options::default()).await;
    let bookings = (0..30).map(|n| {
        let engine = team.world.engine.clone();
        tokio::spawn(async move { engine.book(&format!("key-{n}"), request(START)).await })
    });
    let answers = futures::future::join_all(bookings).await;
    let won = answers.into_iter().map(Result::unwrap).filter(Result::is_ok).count();
    assert_eq!(won, 3);
    let mut hosts = team.hosts().await;
    hosts.sort_unstable();
    assert_eq!(hosts, ["Ana Ruiz", "Ben Mora", "Carla Gil"]);
}
