//! Two servers and two workers, real processes on one PostgreSQL: it does not matter which of them is asked, one of each kind
//! may die, and nothing is done twice. Left out, and said so, where `CUPO_TEST_POSTGRES_URL` names no server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use cupo_simulators::google::Fault;
use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Row;
use tokio::time::sleep;

use crate::installation::Installation;
use crate::world::{booking, set_cookie, sign_in_fields};

/// So many of the starts, none of which takes another one's time.
fn some_of(starts: Vec<DateTime<Utc>>, count: usize) -> Vec<DateTime<Utc>> {
    let some: Vec<_> = starts.into_iter().step_by(8).take(count).collect();
    assert_eq!(some.len(), count);
    some
}

#[tokio::test(flavor = "multi_thread")]
async fn what_begins_at_one_server_goes_on_at_another() {
    let Some(installation) = Installation::without_limits().await else { return };
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(sign_in_fields(&installation.password))
        .finish();
    let signed_in = installation
        .post(0, "/dashboard/api/sign_in")
        .header("origin", &installation.servers[0])
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form)
        .send()
        .await
        .unwrap();
    let cookie = set_cookie(&signed_in).expect("signing in sets the session's cookie");
    let cookie = cookie.split(';').next().unwrap();
    let dashboard = installation.get(1, "/dashboard").header("accept", "text/html").header("cookie", cookie);
    assert_eq!(dashboard.send().await.unwrap().status(), StatusCode::OK);

    let start = installation.slots(0).await[0];
    let wanted = json!({ "org": "demo", "event": "intro", "start": start });
    let hold = installation.post(0, "/embed/v1/holds").json(&wanted).send().await.unwrap();
    assert_eq!(hold.status(), StatusCode::CREATED);
    let hold: Value = hold.json().await.unwrap();
    let without = installation.book(1, "a-key-without-the-hold", &booking(start)).await;
    assert_eq!(without.status(), StatusCode::CONFLICT, "the other server knows of the hold");
    let mut body = booking(start);
    body["hold"] = hold["hold"].clone();
    let booked = installation.book(1, "a-key-of-this-visitor", &body).await;
    assert_eq!(booked.status(), StatusCode::CREATED);
    let booked: Value = booked.json().await.unwrap();
    for server in [0, 1] {
        let again = installation.book(server, "a-key-of-this-visitor", &body).await;
        assert!(again.status().is_success());
        assert_eq!(again.json::<Value>().await.unwrap()["token"], booked["token"], "the same answer at {server}");
    }
    let link = format!("/embed/v1/appointments/{}", booked["token"].as_str().unwrap());
    assert_eq!(installation.get(0, &link).send().await.unwrap().status(), StatusCode::OK);
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_visitors_at_two_servers_one_gets_the_slot() {
    let Some(mut installation) = Installation::without_limits().await else { return };
    let start = installation.slots(0).await[0];
    let body = &booking(start);
    let visitors = (0..50).map(|number| {
        let installation = &installation;
        async move { installation.book(number % 2, &format!("key-of-visitor-{number}"), body).await.status().as_u16() }
    });
    let mut answers = BTreeMap::<u16, usize>::new();
    for status in join_all(visitors).await {
        *answers.entry(status).or_default() += 1;
    }
    assert_eq!(answers, BTreeMap::from([(201, 1), (409, 49)]));
    installation.until("the event", async || (!installation.events().is_empty()).then_some(())).await;
    installation.settled().await;
    assert_eq!(installation.events().len(), 1);
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_booked_at_one_server_the_other_offers_no_more() {
    let Some(installation) = Installation::without_limits().await else { return };
    // Each waits for what the other server tells, and none for the minute after which answers are void anyway: that ends once
    // at most.
    for (number, start) in some_of(installation.slots(1).await, 3).into_iter().enumerate() {
        assert!(installation.slots(1).await.contains(&start), "it is cached there");
        let booked = installation.book(0, &format!("key-of-booking-{number}"), &booking(start)).await;
        assert_eq!(booked.status(), StatusCode::CREATED);
        installation.soon_without(1, start).await;
    }
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_adds_is_told_to_one_server_and_missing_from_the_slots_of_the_other() {
    let Some(mut installation) = Installation::without_limits().await else { return };
    installation.until("a channel", async || (!installation.google.channels().is_empty()).then_some(())).await;
    installation.settled().await;
    let told = installation.google.channels();
    assert!(told.iter().all(|channel| channel.address.starts_with(&installation.servers[0])), "{told:?}");
    for start in some_of(installation.slots(1).await, 3) {
        assert!(installation.slots(1).await.contains(&start), "it is cached there");
        let event = json!({
            "summary": "Dentist",
            "start": { "dateTime": start.to_rfc3339() },
            "end": { "dateTime": (start + TimeDelta::minutes(5)).to_rfc3339() },
        });
        installation.google.insert_event("ana@example.com", event).unwrap();
        installation.soon_without(1, start).await;
    }
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_left_is_done_by_the_other_and_nothing_is_done_twice() {
    const APPOINTMENTS: usize = 8;
    let Some(mut installation) = Installation::without_limits().await else { return };
    installation.settled().await;
    // Long enough that both workers are in the middle of writing.
    let slow = Fault {
        method: Some("POST".to_owned()),
        path_pattern: Some("/calendars/[^/]+/events$".to_owned()),
        times: 64,
        delay_ms: 1_500,
        ..Fault::default()
    };
    installation.google.add_fault(slow).unwrap();
    let open = some_of(installation.slots(0).await, APPOINTMENTS);
    for (number, start) in open.iter().enumerate() {
        let mut body = booking(*start);
        body["email"] = json!(format!("visitor-{number}@example.com"));
        let booked = installation.book(number % 2, &format!("key-of-booking-{number}"), &body).await;
        assert_eq!(booked.status(), StatusCode::CREATED);
    }

    let running = async |installation: &mut Installation| {
        let jobs = sqlx::query("select id, lease_owner from job where kind = 'push_event' and lease_owner is not null")
            .fetch_all(&mut installation.database)
            .await
            .unwrap();
        let of_row = |row: &sqlx::postgres::PgRow| (row.get::<String, _>("id"), row.get::<String, _>("lease_owner"));
        jobs.iter().map(of_row).collect::<BTreeMap<_, _>>()
    };
    let owners = |jobs: &BTreeMap<String, String>| jobs.values().cloned().collect::<BTreeSet<_>>();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if owners(&running(&mut installation).await).len() == 2 {
            break;
        }
        assert!(Instant::now() < deadline, "both workers should be writing");
        sleep(Duration::from_millis(20)).await;
    }
    installation.workers[0].kill().await;
    let at_the_end = running(&mut installation).await;
    assert_eq!(owners(&at_the_end).len(), 2, "it was in the middle of its work");

    // The other one goes on with what it has; what the dead one had stays leased.
    let left = loop {
        let now = running(&mut installation).await;
        let left: BTreeMap<_, _> = at_the_end.iter().filter(|(id, owner)| now.get(*id) == Some(owner)).collect();
        let owners: BTreeSet<_> = left.values().collect();
        if owners.len() == 1 {
            break left.into_keys().cloned().collect::<Vec<_>>();
        }
        assert!(Instant::now() < deadline, "the worker that lives should end its jobs");
        sleep(Duration::from_millis(50)).await;
    };
    // Their leases end: the three minutes that are left of them pass.
    sqlx::query("update job set leased_until = 0 where id = any($1)")
        .bind(left)
        .execute(&mut installation.database)
        .await
        .unwrap();

    let event_starts = |installation: &Installation| {
        let start = |event: &Value| event["start"]["dateTime"].as_str().unwrap().parse().unwrap();
        installation.events().iter().map(start).collect::<Vec<DateTime<Utc>>>()
    };
    installation.until("the events", async || (event_starts(&installation).len() >= APPOINTMENTS).then_some(())).await;
    installation.settled().await;
    let mut written = event_starts(&installation);
    written.sort();
    assert_eq!(written, open, "one event for each appointment");
    for number in 0..APPOINTMENTS {
        let address = format!("visitor-{number}@example.com");
        let is_told = || installation.mail.messages().iter().any(|mail| mail.to.iter().any(|to| to.contains(&address)));
        installation.until("a mail", async || is_told().then_some(())).await;
    }
    assert_eq!(installation.count("select count(*) from job where state = 'dead'").await, 0);
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_channel_is_opened_and_renewed_by_one_worker() {
    let Some(mut installation) = Installation::without_limits().await else { return };
    let watched = |installation: &Installation| {
        let exchanges = installation.google.exchanges();
        exchanges.iter().filter(|it| it.method == "POST" && it.path.ends_with("/watch") && it.status == 200).count()
    };
    let followed = "select count(distinct calendar_id) from provider_subscription";
    installation.until("a channel", async || (!installation.google.channels().is_empty()).then_some(())).await;
    installation.settled().await;
    let calendars = usize::try_from(installation.count(followed).await).unwrap();
    assert!(calendars > 0);
    assert_eq!(watched(&installation), calendars, "each is opened once");

    // They are about to end, and upkeep is due; what it finds has ten minutes' time, which pass.
    let soon =
        "update provider_subscription set expires_at = (extract(epoch from now()) * 1000000)::bigint + 3600000000";
    sqlx::query(soon).execute(&mut installation.database).await.unwrap();
    sqlx::query("update job set run_at = 0 where kind = 'upkeep'").execute(&mut installation.database).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while watched(&installation) < 2 * calendars {
        let hurry = "update job set run_at = 0 where kind = 'open_channel' and lease_owner is null";
        sqlx::query(hurry).execute(&mut installation.database).await.unwrap();
        assert!(Instant::now() < deadline, "the channels should be renewed");
        sleep(Duration::from_millis(200)).await;
    }
    installation.settled().await;
    assert_eq!(watched(&installation), 2 * calendars, "each is renewed once");
    installation
        .until("the end of the old channels", async || {
            (installation.google.channels().len() == calendars).then_some(())
        })
        .await;
    installation.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_hold_a_limit_together() {
    const SLOTS: usize = 60;
    const ACCOUNTS: usize = 10;
    // Between two requests to the second server: so often it is asked before it has heard of the first one.
    const PAUSE: Duration = Duration::from_millis(100);
    let limits = format!(
        "slots_per_minute = {SLOTS}\nsign_in_per_minute = {ACCOUNTS}\nbookings_per_minute = 0\nholds_per_minute = 0\n\
         webhooks_per_minute = 0\npages_per_minute = 0\ntrust_proxy = true\n"
    );
    let Some(installation) = Installation::start(&limits).await else { return };
    let ask = async |server: usize| {
        let request = installation.get(server, "/embed/v1/event-types/demo/intro");
        let status = request.header("x-forwarded-for", "203.0.113.7").send().await.unwrap().status();
        assert!(matches!(status, StatusCode::OK | StatusCode::TOO_MANY_REQUESTS), "{status}");
        status == StatusCode::OK
    };
    let begun = Instant::now();
    let mut admitted = 0;
    while ask(0).await {
        admitted += 1;
    }
    assert!(admitted >= SLOTS, "{admitted}");
    while ask(1).await {
        admitted += 1;
        sleep(PAUSE).await;
    }
    for number in 0..60 {
        admitted += usize::from(ask(number % 2).await);
        sleep(PAUSE).await;
    }
    // The burst, what the rate admits, and what the servers admit before they have heard of one another; alone, each would
    // give a burst of its own.
    let by_rate = usize::try_from(begun.elapsed().as_secs()).unwrap() * SLOTS / 60 + 1;
    let unheard = SLOTS / 2;
    assert!(admitted <= SLOTS + by_rate + unheard, "{admitted} in {:?}", begun.elapsed());

    // An account is one, whoever asks from wherever.
    let guess = async |server: usize, number: usize| {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(sign_in_fields("not the password"))
            .finish();
        let request = installation.post(server, "/dashboard/api/sign_in").header("origin", &installation.servers[0]);
        let request = request.header("x-forwarded-for", format!("198.51.100.{number}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        request.send().await.unwrap().status() != StatusCode::TOO_MANY_REQUESTS
    };
    for number in 0..ACCOUNTS {
        assert!(guess(0, number).await);
    }
    let mut elsewhere = 0;
    while guess(1, 100 + elsewhere).await {
        elsewhere += 1;
        sleep(PAUSE * 2).await;
    }
    assert!(elsewhere < ACCOUNTS, "the other server gave as many guesses again");
    installation.end().await;
}
