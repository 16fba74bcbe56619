//! What is wrong with a request is told, each in its own way, and nothing half-written stays behind.

use chrono::{Days, TimeDelta};
use cupo_core::parse::Slug;
use cupo_store::{calendar_list_by_user, calendar_update_sync, memberships_of_organization, organization_get_by_slug};
use serde_json::{Value, json};

use crate::world::{World, booking, problem, slots_path, today};

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_has_its_own_status_code_and_sentence() {
    let world = World::start().await;
    let from = today();
    // One that another follows, so that a start between the two lies within the hours.
    let offered = world.slots().await;
    let start = *offered.iter().find(|start| offered.contains(&(**start + TimeDelta::minutes(30)))).unwrap();
    let mut told: Vec<(&str, Value)> = Vec::new();

    let slots = |query: &str| world.url(&format!("/embed/v1/slots?{query}"));
    let get = async |url: String| world.client.get(url).send().await.unwrap();
    let unknown = get(slots(&format!("org=nobody&event=intro&from={from}&to={from}"))).await;
    told.push(("an unknown organization", problem(unknown, 404, "not-found").await));
    let unknown = get(slots(&format!("org=demo&event=nothing&from={from}&to={from}"))).await;
    told.push(("an unknown event type", problem(unknown, 404, "not-found").await));
    let unknown = world.get("/embed/v1/event-types/demo/nothing").await;
    told.push(("an unknown event type's description", problem(unknown, 404, "not-found").await));
    let long = world.get(&slots_path("intro", from, from + Days::new(62))).await;
    told.push(("a range of 63 days", problem(long, 400, "range-too-long").await));
    let malformed = get(slots("org=demo&event=intro&from=2026-02-30&to=soon")).await;
    told.push(("two malformed dates", problem(malformed, 400, "malformed-query").await));
    let missing = get(slots("")).await;
    told.push(("no query at all", problem(missing, 400, "malformed-query").await));
    let order = get(slots("org=demo&event=intro&from=2026-03-02&to=2026-03-01")).await;
    told.push(("dates the wrong way round", problem(order, 400, "malformed-query").await));

    let never_offered = world.book("never-offered", &booking(start + TimeDelta::minutes(7))).await;
    told.push(("a slot that was never offered", problem(never_offered, 422, "slot-refused").await));
    let mut typo = booking(start);
    typo["email"] = json!("vera(at)example.com");
    typo["name"] = json!("  ");
    typo["time_zone"] = json!("Mars/Olympus");
    let invalid = world.book("invalid-fields", &typo).await;
    told.push(("fields that are none", problem(invalid, 422, "invalid-input").await));
    let mut unknown_field = booking(start);
    unknown_field["colour"] = json!("red");
    let refused = world.book("unknown-field", &unknown_field).await;
    let detail = problem(refused, 400, "malformed-json").await["detail"].to_string();
    assert!(detail.contains("colour"), "{detail}");

    let url = world.url("/embed/v1/appointments");
    let post = || world.client.post(&url).header("idempotency-key", "some-key-or-other");
    let json_post = || post().header("content-type", "application/json");
    told.push((
        "broken JSON",
        problem(json_post().body("{\"org\":").send().await.unwrap(), 400, "malformed-json").await,
    ));
    let keyless = world.client.post(&url).json(&booking(start)).send().await.unwrap();
    told.push(("no idempotency key", problem(keyless, 400, "missing-header").await));
    let form =
        post().header("content-type", "application/x-www-form-urlencoded").body("org=demo").send().await.unwrap();
    told.push(("a form instead of JSON", problem(form, 415, "unsupported-media-type").await));
    let large = json_post().body(format!("\"{}\"", "x".repeat(70_000))).send().await.unwrap();
    told.push(("a body over the limit", problem(large, 413, "body-too-large").await));
    let method = world.client.put(&url).send().await.unwrap();
    let allow = method.headers()["allow"].to_str().unwrap().to_owned();
    assert!(allow.contains("POST"), "{allow}");
    told.push(("a method that is not known", problem(method, 405, "method-not-allowed").await));
    let nowhere = world.get("/embed/v1/nothing-here").await;
    told.push(("an address that leads nowhere", problem(nowhere, 404, "unknown-address").await));
    let unknown_link = world.get("/embed/v1/appointments/no-such-token").await;
    told.push(("an unknown visitor's link", problem(unknown_link, 404, "not-found").await));

    insta::assert_json_snapshot!(told);
    assert!(world.events().is_empty(), "nothing was written");
    assert!(world.slots().await.contains(&start), "the slot is still free");
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_speak_the_readers_language() {
    let world = World::start().await;
    let url = world.url("/embed/v1/event-types/demo/nothing");
    let spanish = world.client.get(&url).header("accept-language", "es-MX, en;q=0.5").send().await.unwrap();
    let spanish = problem(spanish, 404, "not-found").await;
    let english = problem(world.client.get(format!("{url}?lang=en")).send().await.unwrap(), 404, "not-found").await;
    assert_ne!(spanish["title"], english["title"]);
    let chosen = world.client.get(format!("{url}?lang=es")).header("accept-language", "en").send().await.unwrap();
    assert_eq!(problem(chosen, 404, "not-found").await["title"], spanish["title"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_used_again_with_another_body_is_refused_and_with_the_same_is_answered_again() {
    let world = World::start().await;
    let slots = world.slots().await;
    let first = world.book("the-same-key", &booking(slots[0])).await;
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();

    let again = world.book("the-same-key", &booking(slots[0])).await;
    assert_eq!(again.status(), 201);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.json::<Value>().await.unwrap()["token"], first["token"]);

    let other = world.book("the-same-key", &booking(slots[3])).await;
    problem(other, 422, "idempotency-key-reused").await;
    assert!(world.slots().await.contains(&slots[3]), "the other slot was not booked");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_provider_with_a_stale_mirror_stops_a_booking_before_anything_is_written() {
    let world = World::start().await;
    world.settle().await;
    let start = world.slots().await[0];
    let fault = json!({ "path_pattern": "/freeBusy", "times": 1000, "status": 503 });
    world.google.add_fault(serde_json::from_value(fault).unwrap()).unwrap();
    make_mirrors_stale(&world).await;

    problem(world.book("provider-is-down", &booking(start)).await, 503, "calendar-unreachable").await;
    let asked = world.get(&slots_path("intro", today(), today() + Days::new(28))).await;
    problem(asked, 503, "calendar-unreachable").await;
    assert!(world.events().is_empty());
    world.google.clear_faults();
    let booked = world.book("provider-is-back", &booking(start)).await;
    assert_eq!(booked.status(), 201, "nothing was booked meanwhile");
}

/// As after a long outage: the last synchronization is hours old and ended in an error.
pub async fn make_mirrors_stale(world: &World) {
    let mut tx = world.server.store.write().await.unwrap();
    let organization = organization_get_by_slug(&mut tx, &Slug::parse("demo").unwrap()).await.unwrap().unwrap();
    for member in memberships_of_organization(&mut tx, &organization.id).await.unwrap() {
        for calendar in calendar_list_by_user(&mut tx, &organization.id, &member.user_id).await.unwrap() {
            let synced_at = calendar.synced_at.map(|at| at - TimeDelta::hours(3));
            let (id, until) = (&calendar.id, calendar.mirror_until);
            calendar_update_sync(&mut tx, &organization.id, id, None, synced_at, until, Some("unreachable"))
                .await
                .unwrap();
        }
    }
    tx.commit().await.unwrap();
    world.server.engine.invalidate(&organization.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_the_dashboard_takes_a_calendar_of_holidays_but_not_everything() {
    let world = World::start().await;
    let calendar = "x".repeat(900_000);
    let upload = "/dashboard/api/holiday_calendar_upload";
    let answer = world.form(upload, &[("form[name]", "Ours"), ("form[ics]", &calendar)]).await;
    assert_ne!(answer.status(), 413);
    // What is too long is refused before it has been sent whole: the client may find the door shut.
    let refused = async |path: &str, body: String| {
        let form = world.client.post(world.url(path)).header("origin", world.url("").trim_end_matches('/'));
        let sent = form.header("content-type", "application/x-www-form-urlencoded").body(body).send().await;
        assert!(sent.is_err() || sent.is_ok_and(|answer| answer.status() == 413), "{path}");
    };
    refused(upload, format!("form[name]=Ours&form[ics]={}", "x".repeat(5 << 20))).await;
    // Who signs in or up has less to say.
    refused("/dashboard/api/sign_up", format!("form[password]={calendar}")).await;
}
