//! The REST API for hosts.

use chrono::{DateTime, Days, SecondsFormat, Utc};
use cupo_core::event_type::{Options, RulesInput};
use cupo_engine::EventTypeInput;
use cupo_store::AppointmentFilter;
use serde_json::{Value, json};

use crate::world::{FOREIGN, World, problem, refused_fields, starts, today};

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

async fn json_of(world: &World, cookie: &str, path: &str) -> Value {
    let answer = world.ask(cookie, path).await;
    let status = answer.status();
    let body = answer.json().await.unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_finds_what_can_be_booked() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let answer = world.ask(&cookie, "/api/v1/event-types").await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let listed: Value = answer.json().await.unwrap();
    let listed = listed["event_types"].as_array().unwrap();
    let intro = listed.iter().find(|event_type| event_type["slug"] == "intro").unwrap();
    assert_eq!((&intro["title"], &intro["path"]), (&json!("Introduction"), &json!("/demo/intro")));
    assert_eq!(intro["when_stale"], "ask");
    assert!(intro["id"].as_str().unwrap().parse::<cupo_core::ids::EventTypeId>().is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_explained_and_a_day_is_drawn() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let id = world.event_type_id(&cookie, "intro").await;
    let start = world.slots().await[0];
    let path = format!("/api/v1/event-types/{id}/explain?at={}", text(start));
    let free = json_of(&world, &cookie, &path).await;
    assert_eq!((&free["is_offered"], &free["hosts"][0]["is_free"]), (&json!(true), &json!(true)), "{free}");

    world.booked().await;
    let taken = json_of(&world, &cookie, &path).await;
    assert_eq!((&taken["is_offered"], &taken["refusal"]), (&json!(false), &json!("busy")));
    let reasons = taken["hosts"][0]["reasons"].as_array().unwrap();
    let appointment = reasons.iter().find(|reason| reason["kind"] == "appointment").unwrap();
    assert!(appointment["appointment_id"].is_string(), "{appointment}");
    let spanish = json_of(&world, &cookie, &format!("{path}&lang=es")).await;
    assert_ne!(spanish["sentence"], taken["sentence"]);

    let zone = cupo_core::zone::TimeZoneName::parse("Europe/Madrid").unwrap();
    let date = start.with_timezone(&zone.tz()).date_naive();
    let day = json_of(&world, &cookie, &format!("/api/v1/event-types/{id}/day?date={date}")).await;
    assert_eq!((&day["date"], &day["time_zone"]), (&json!(date), &json!("Europe/Madrid")));
    assert!(!starts(&day["offered"]).contains(&start));
    let busy = day["hosts"][0]["busy"].as_array().unwrap();
    assert!(busy.iter().any(|band| band["kind"] == "appointment" && band["from"] == json!(start)), "{busy:?}");
    assert!(day["moments"].as_array().unwrap().len() >= 23 * 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_offered_at_a_past_moment_can_be_told() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    world.settle().await;
    let id = world.event_type_id(&cookie, "intro").await;
    let start = world.slots().await[0];
    let before = world.server.engine.now();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    world.booked().await;
    let replay = async |as_of: DateTime<Utc>| {
        let (date, as_of) = (start.date_naive(), text(as_of));
        let path = format!("/api/v1/event-types/{id}/slots?from={date}&to={date}&as_of={as_of}");
        starts(&json_of(&world, &cookie, &path).await["slots"])
    };
    assert!(replay(before).await.contains(&start));
    assert!(!replay(world.server.engine.now()).await.contains(&start));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_tried_before_it_is_made() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let ana = world.ana().await;
    let slots = world.slots().await;
    let booked = world.booked().await;
    let schedule = world.server.engine.schedules(&ana).await.unwrap().remove(0).schedule;
    let closed = json!({ "name": "Closed", "time_zone": "Europe/Madrid", "weekly_hours": {} });
    let path = format!("/api/v1/schedules/{}/preview", schedule.id);
    let answer = world.send(&cookie, &path, &closed).await;
    assert_eq!(answer.status(), 200);
    let impacts: Value = answer.json().await.unwrap();
    let intro = impacts["impacts"].as_array().unwrap().iter().find(|impact| impact["title"] == "Introduction").unwrap();
    assert!(starts(&intro["lost"]).contains(&slots[1]), "{intro}");
    assert_eq!(intro["outside"][0]["start"], booked["start"]);

    let id = world.event_type_id(&cookie, "intro").await;
    let path = format!("/api/v1/event-types/{id}/preview");
    let narrow = json!({
        "title": "Introduction", "slug": "intro", "location_kind": "meet",
        "rules": { "duration_minutes": 30, "increment_minutes": 60, "notice_minutes": 60 },
    });
    let impact: Value = world.send(&cookie, &path, &narrow).await.json().await.unwrap();
    assert!(starts(&impact["gained"]).is_empty() && !starts(&impact["lost"]).is_empty(), "{impact}");
    assert!(world.slots().await.contains(&slots[1]), "nothing has changed");

    let mut with_choice = narrow.clone();
    with_choice["options"] = json!({ "when_stale": "approve" });
    assert_eq!(world.send(&cookie, &path, &with_choice).await.status(), 200);
    with_choice["options"]["when_stale"] = json!("sometimes");
    assert!(world.send(&cookie, &path, &with_choice).await.status().is_client_error());

    let wrong = json!({ "title": "", "slug": "Not A Slug", "rules": { "duration_minutes": 1 } });
    let told = problem(world.send(&cookie, &path, &wrong).await, 422, "invalid-input").await;
    assert_eq!(refused_fields(&told), ["title", "slug", "duration_minutes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_clock_change_is_told_on_both_clocks() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let id = world.event_type_id(&cookie, "intro").await;
    let path = format!("/api/v1/event-types/{id}/clock-change");
    let view = json_of(&world, &cookie, &format!("{path}?zone=America/New_York")).await;
    assert_eq!((&view["host_zone"], &view["visitor_zone"]), (&json!("Europe/Madrid"), &json!("America/New_York")));
    // From the week before the first change to the week after the second, which follows one to three weeks later.
    let days = view["days"].as_array().unwrap().len();
    assert!((21..=42).contains(&days) && days % 7 == 0, "{days}");
    let wrong = world.ask(&cookie, &format!("{path}?zone=Mars/Olympus")).await;
    assert_eq!(refused_fields(&problem(wrong, 422, "invalid-input").await), ["zone"]);
    let missing = problem(world.ask(&cookie, &path).await, 400, "malformed-query").await;
    assert_eq!(refused_fields(&missing), ["zone"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_agrees_to_a_request_or_does_not() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let options = Options { needs_approval: true, ..Options::default() };
    let rules = RulesInput::default();
    world.offer("on-request", EventTypeInput { rules, options, ..EventTypeInput::default() }).await;
    let slots = world.slots_of("on-request", "").await;
    let mut requests = Vec::new();
    for (key, start) in [("to-be-confirmed", slots[0]), ("to-be-declined", slots[2])] {
        let view = world.booked_with(key, "on-request", start, json!({})).await;
        assert_eq!((&view["status"], view["expires_at"].is_string()), (&json!("pending"), true));
        requests.push(view["token"].as_str().unwrap().to_owned());
    }
    assert!(!world.slots_of("on-request", "").await.contains(&slots[0]), "a request keeps its time");
    let engine = &world.server.engine;
    let pending = engine.appointments(&world.ana().await, AppointmentFilter::Pending, None).await.unwrap().items;
    let path =
        |number: usize, action: &str| format!("/api/v1/appointments/{}/{action}", pending[number].appointment.id);
    let read =
        async |token: &str| world.get(&format!("/embed/v1/appointments/{token}")).await.json::<Value>().await.unwrap();
    assert_eq!(world.send(&cookie, &path(0, "confirm"), &json!({})).await.status(), 204);
    assert_eq!(read(&requests[0]).await["status"], "confirmed");
    let again = problem(world.send(&cookie, &path(0, "confirm"), &json!({})).await, 409, "conflict").await;
    assert!(again["title"].as_str().unwrap().contains("confirmed already"), "{again}");

    let long = json!({ "reason": "x".repeat(501) });
    let long = problem(world.send(&cookie, &path(1, "decline"), &long).await, 422, "invalid-input").await;
    assert_eq!(refused_fields(&long), ["reason"]);
    let reason = json!({ "reason": "We are away." });
    assert_eq!(world.send(&cookie, &path(1, "decline"), &reason).await.status(), 204);
    let declined = read(&requests[1]).await;
    assert_eq!((&declined["status"], &declined["cancel_reason"]), (&json!("declined"), &json!("We are away.")));
    assert!(world.slots_of("on-request", "").await.contains(&slots[2]), "the time is free again");
    problem(world.send(&cookie, &path(1, "confirm"), &json!({})).await, 409, "conflict").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_without_a_session_or_from_another_site() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let id = world.event_type_id(&cookie, "intro").await;
    let (event_type, tomorrow) = (format!("/api/v1/event-types/{id}"), today() + Days::new(1));
    let reading = [
        "/api/v1/event-types".to_owned(),
        format!("{event_type}/explain?at={tomorrow}T09:00:00Z"),
        format!("{event_type}/day?date={tomorrow}"),
        format!("{event_type}/slots?from={tomorrow}&to={tomorrow}&as_of=2026-01-01T00:00:00Z"),
        format!("{event_type}/clock-change?zone=UTC"),
    ];
    for path in &reading {
        problem(world.get(path).await, 401, "unauthenticated").await;
        problem(world.ask("cupo_session=guessed", path).await, 401, "unauthenticated").await;
    }
    let writing = [
        format!("{event_type}/preview"),
        format!("/api/v1/schedules/{id}/preview"),
        format!("/api/v1/appointments/{id}/confirm"),
        format!("/api/v1/appointments/{id}/decline"),
    ];
    for path in &writing {
        problem(world.send("", path, &json!({})).await, 401, "unauthenticated").await;
        let from = |origin: Option<&str>| {
            let mut request = world.client.post(world.url(path)).header("cookie", &cookie).json(&json!({}));
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            request.send()
        };
        problem(from(Some(FOREIGN)).await.unwrap(), 403, "cross-site").await;
        problem(from(None).await.unwrap(), 403, "cross-site").await;
    }
    for path in ["/api/v1/nothing", "/api/v1/event-types/no-id/day?date=2026-11-23"] {
        let answer = world.ask(&cookie, path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_told() {
    let world = World::start().await;
    let cookie = world.sign_in().await;
    let id = world.event_type_id(&cookie, "intro").await;
    let path = |rest: &str| format!("/api/v1/event-types/{id}/{rest}");
    for (rest, fields) in [
        ("explain", &["at"][..]),
        ("explain?at=soon&duration=long&as_of=once", &["at", "duration", "as_of"]),
        ("day?date=2026-02-30", &["date"]),
        ("slots?from=2026-01-01", &["to", "as_of"]),
    ] {
        let told = problem(world.ask(&cookie, &path(rest)).await, 400, "malformed-query").await;
        let mut refused = refused_fields(&told);
        refused.sort_unstable();
        let mut fields = fields.to_vec();
        fields.sort_unstable();
        assert_eq!(refused, fields, "{rest}");
    }
    let future = text(world.server.engine.now() + chrono::TimeDelta::days(1));
    let future = world.ask(&cookie, &path(&format!("slots?from=2026-01-01&to=2026-01-01&as_of={future}"))).await;
    assert_eq!(refused_fields(&problem(future, 422, "invalid-input").await), ["as_of"]);
    let length = world.ask(&cookie, &path("explain?at=2026-11-23T09:00:00Z&duration=50")).await;
    assert_eq!(refused_fields(&problem(length, 422, "invalid-input").await), ["duration"]);

    let post = || world.client.post(world.url(&path("preview"))).header("cookie", &cookie);
    let post = || post().header("origin", &world.server.base_url);
    let form = post().header("content-type", "application/x-www-form-urlencoded").body("title=x");
    problem(form.send().await.unwrap(), 415, "unsupported-media-type").await;
    let large = post().header("content-type", "application/json").body(format!("\"{}\"", "x".repeat(70_000)));
    problem(large.send().await.unwrap(), 413, "body-too-large").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_limited_like_pages() {
    let world = World::with_limits("pages_per_minute = 2").await;
    for _ in 0..2 {
        problem(world.get("/api/v1/event-types").await, 401, "unauthenticated").await;
    }
    let limited = world.get("/api/v1/event-types").await;
    assert!(limited.headers().contains_key("retry-after"));
    problem(limited, 429, "rate-limited").await;
}
