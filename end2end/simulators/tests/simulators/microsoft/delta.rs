use cupo_simulators::microsoft::{Fault, MicrosoftOptions, MicrosoftSimulator};
use serde_json::{Value, json};

use crate::microsoft::world::{ANA, MARK, World, all, event, id, in_zone, intro, with};

const START: &str = "/me/calendarView/delta?startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-30T00:00:00Z";

/// Follows the pages to the end: every entry, and the delta link.
async fn round(world: &World, first: &str) -> (Vec<Value>, String) {
    let (mut entries, mut next) = (Vec::new(), first.to_owned());
    loop {
        let page = world.get_preferring(&next, "odata.maxpagesize=2").await.ok();
        entries.extend(page["value"].as_array().unwrap().iter().cloned());
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(link), None) => next = link.to_owned(),
            (None, Some(link)) => return (entries, link.to_owned()),
            links => panic!("a page has one link: {links:?}"),
        }
    }
}

fn named(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["subject"].as_str().unwrap_or("removed")).collect()
}

async fn on(world: &World, subject: &str, day: u32) -> Value {
    world.create(event(subject, &format!("2026-11-{day}T09:00:00"), &format!("2026-11-{day}T10:00:00"))).await
}

#[tokio::test]
async fn a_first_round_tells_the_window_and_the_next_only_changes() {
    let world = World::start().await;
    for (subject, day) in [("One", 23), ("Two", 24), ("Three", 25), ("Outside", 30)] {
        on(&world, subject, day).await;
    }
    let (entries, link) = round(&world, START).await;
    assert_eq!(named(&entries), ["One", "Two", "Three"]);
    let base = format!("{}/v1.0/me/calendarView/delta?", world.simulator.base_url());
    assert!(link.starts_with(&base) && link.contains("$deltatoken=") && !link.contains("startDateTime"), "{link}");
    let (nothing, link) = round(&world, &link).await;
    assert!(nothing.is_empty());
    on(&world, "Four", 26).await;
    world.patch(&format!("/me/events/{}", id(&entries[0])), json!({ "subject": "Won" })).await.ok();
    let (news, again) = round(&world, &link).await;
    assert_eq!(named(&news), ["Won", "Four"]);
    assert_eq!(named(&round(&world, &link).await.0), ["Won", "Four"], "a link can be followed twice");
    assert!(round(&world, &again).await.0.is_empty());
}

#[tokio::test]
async fn what_was_deleted_and_what_left_the_window_are_both_removed() {
    let world = World::start().await;
    let (deleted, moved, kept) = (on(&world, "A", 23).await, on(&world, "B", 24).await, on(&world, "C", 25).await);
    let (_, link) = round(&world, START).await;
    world.delete(&format!("/me/events/{}", id(&deleted))).await.is(204);
    let later = event("B", "2026-12-24T09:00:00", "2026-12-24T10:00:00");
    world.patch(&format!("/me/events/{}", id(&moved)), later).await.ok();
    let (news, link) = round(&world, &link).await;
    let mut removed: Vec<&Value> = news.iter().map(|entry| &entry["id"]).collect();
    removed.sort_by_key(|id| id.as_str());
    let mut expected = [&deleted["id"], &moved["id"]];
    expected.sort_by_key(|id| id.as_str());
    assert_eq!(removed, expected);
    assert!(news.iter().all(|entry| entry["@removed"] == json!({ "reason": "deleted" })));
    world.get(&format!("/me/events/{}", id(&moved))).await.ok();
    let back = event("B", "2026-11-24T09:00:00", "2026-11-24T10:00:00");
    world.patch(&format!("/me/events/{}", id(&moved)), back).await.ok();
    assert_eq!(named(&round(&world, &link).await.0), ["B"]);
    world.get(&format!("/me/events/{}", id(&kept))).await.ok();
}

#[tokio::test]
async fn a_series_is_told_whole_and_its_occurrences_by_their_place() {
    let world = World::start().await;
    let recurrence = json!({
        "pattern": { "type": "daily", "interval": 1 },
        "range": { "type": "numbered", "startDate": "2026-11-22", "numberOfOccurrences": 4 },
    });
    let first = in_zone("Daily", "2026-11-22T10:00:00", "2026-11-22T11:00:00", "Romance Standard Time");
    let series = world.create(with(first, json!({ "recurrence": recurrence }))).await;
    let (entries, link) = round(&world, START).await;
    assert_eq!(named(&entries), ["Daily", "removed", "removed", "removed"], "occurrences have no subject");
    assert_eq!(entries[0]["type"], "seriesMaster");
    let mut names: Vec<&str> = entries[1].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["@odata.etag", "@odata.type", "end", "id", "seriesMasterId", "start", "type"]);
    assert_eq!(entries[1]["start"]["dateTime"], "2026-11-23T09:00:00.0000000");
    assert_eq!(entries[1]["seriesMasterId"], series["id"]);
    let change = json!({ "subject": "Once", "showAs": "free" });
    world.patch(&format!("/me/events/{}", id(&entries[1])), change).await.ok();
    let (news, link) = round(&world, &link).await;
    assert_eq!((news.len(), &news[0]["type"], &news[0]["subject"]), (1, &json!("exception"), &json!("Once")));
    world.delete(&format!("/me/events/{}", id(&entries[2]))).await.is(204);
    let (news, link) = round(&world, &link).await;
    let removed: Vec<&Value> = news.iter().filter(|entry| entry.get("@removed").is_some()).collect();
    assert_eq!((removed.len(), &removed[0]["id"]), (1, &entries[2]["id"]));
    world.delete(&format!("/me/events/{}", id(&series))).await.is(204);
    let (news, _) = round(&world, &link).await;
    assert_eq!(news.len(), 3, "the series and the two occurrences that were left");
}

#[tokio::test]
async fn extended_properties_are_not_told_but_the_transaction_id_is() {
    let world = World::start().await;
    let marked = json!({
        "singleValueExtendedProperties": [{ "id": MARK, "value": "claim-1" }],
        "transactionId": "installation.claim-1",
    });
    world.create(with(intro(), marked)).await;
    let (entries, _) = round(&world, START).await;
    assert!(entries[0].get("singleValueExtendedProperties").is_none());
    assert_eq!(entries[0]["transactionId"], "installation.claim-1");
}

#[tokio::test]
async fn preferences_hold_for_each_call() {
    let world = World::start().await;
    on(&world, "One", 23).await;
    let prefer = "outlook.timezone=\"Romance Standard Time\", IdType=\"ImmutableId\"";
    let page = world.get_preferring(START, prefer).await.ok();
    assert_eq!(page["value"][0]["start"]["dateTime"], "2026-11-23T10:00:00.0000000");
    let regular = world.get(START).await.ok();
    assert_ne!(regular["value"][0]["id"], page["value"][0]["id"]);
    assert_eq!(regular["value"][0]["start"]["timeZone"], "UTC");
}

#[tokio::test]
async fn an_expired_link_must_be_replaced_by_a_full_round() {
    let world = World::start().await;
    on(&world, "One", 23).await;
    let (_, link) = round(&world, START).await;
    world.simulator.expire_sync_tokens();
    world.get(&link).await.refused(410, "SyncStateNotFound");
    assert_eq!(named(&round(&world, START).await.0), ["One"]);
    world.get("/me/calendarView/delta?$deltatoken=nonsense").await.refused(400, "SyncStateInvalid");
}

#[tokio::test]
async fn what_delta_does_not_support_is_refused() {
    let world = World::start().await;
    for parameter in
        ["$select=subject", "$expand=attachments", "$filter=type%20eq%20'x'", "$orderby=start/dateTime", "$search=x"]
    {
        world.get(&format!("{START}&{parameter}")).await.refused(400, "ErrorInvalidUrlQuery");
    }
    world.get("/me/calendarView/delta").await.refused(400, "ErrorInvalidParameter");
    let (_, link) = round(&world, START).await;
    let window = "&startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-30T00:00:00Z";
    world.get(&format!("{link}{window}")).await.refused(400, "ErrorInvalidUrlQuery");
}

#[tokio::test]
async fn an_event_can_come_twice_and_the_last_is_the_true_one() {
    let world = World::start().await;
    on(&world, "One", 23).await;
    world.simulator.add_fault(Fault { double_delta_events: true, ..Fault::default() }).unwrap();
    let (entries, link) = round(&world, START).await;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["id"], entries[1]["id"]);
    assert_eq!((&entries[0]["showAs"], &entries[1]["subject"]), (&json!("free"), &json!("One")));
    assert!(round(&world, &link).await.0.is_empty());
}

#[tokio::test]
async fn each_calendar_has_rounds_of_its_own() {
    let world = World::start().await;
    on(&world, "Default", 23).await;
    let personal = world.simulator.calendar_id("ana@contoso.example/Personal").unwrap();
    let start = START.replace("/me/", &format!("/me/calendars/{personal}/"));
    let (entries, link) = round(&world, &start).await;
    assert!(entries.is_empty());
    let token = link.split_once('?').unwrap().1;
    world.get(&format!("/me/calendarView/delta?{token}")).await.refused(400, "SyncStateInvalid");
    world.simulator.insert_event("ana@contoso.example/Personal", intro()).unwrap();
    assert_eq!(named(&round(&world, &link).await.0), ["Intro"]);
}

#[tokio::test]
async fn a_round_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let options =
        MicrosoftOptions { state_file: Some(directory.path().join("microsoft.json")), ..MicrosoftOptions::default() };
    let first = MicrosoftSimulator::start(options.clone()).await.unwrap();
    let token = first.issue_tokens(ANA, &["Calendars.ReadWrite"]).unwrap().access_token;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    first.insert_event(ANA, intro()).unwrap();
    let address = format!("{}/v1.0{START}", first.base_url());
    let page: Value = http.get(address).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(all(&page, "subject"), ["Intro"]);
    let query = page["@odata.deltaLink"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
    first.stop().await;
    let second = MicrosoftSimulator::start(options).await.unwrap();
    let address = format!("{}/v1.0/me/calendarView/delta?{query}", second.base_url());
    let page: Value = http.get(address).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert!(all(&page, "id").is_empty(), "{page}");
    second.stop().await;
}
