use serde_json::{Value, json};

use crate::world::{ANA, World, event, ids};

const EVENTS: &str = "/calendars/primary/events";

async fn insert_days(world: &World, count: u32) {
    for day in 1..=count {
        let (start, end) = (format!("2026-12-{day:02}T09:00:00Z"), format!("2026-12-{day:02}T10:00:00Z"));
        world.insert(event(&format!("Day {day}"), &start, &end)).await;
    }
}

fn sync_token(list: &Value) -> String {
    list["nextSyncToken"].as_str().expect("a sync token").to_owned()
}

#[tokio::test]
async fn a_list_comes_in_pages_and_only_the_last_has_a_sync_token() {
    let world = World::start().await;
    insert_days(&world, 5).await;
    let mut seen = Vec::new();
    let mut page_token = String::new();
    let mut pages = 0;
    loop {
        let page = world.get(&format!("{EVENTS}?maxResults=2{page_token}")).await.ok();
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        pages += 1;
        let Some(next) = page["nextPageToken"].as_str() else {
            sync_token(&page);
            break;
        };
        assert!(page.get("nextSyncToken").is_none());
        page_token = format!("&pageToken={next}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), pages), (5, 3));
}

#[tokio::test]
async fn a_sync_tells_what_changed_since_and_nothing_else() {
    let world = World::start().await;
    insert_days(&world, 3).await;
    let full = world.get(EVENTS).await.ok();
    let [first, second, _] = ids(&full)[..] else { panic!("three events") };
    world.patch(&format!("{EVENTS}/{first}"), json!({ "summary": "Changed" })).await.ok();
    assert_eq!(world.delete(&format!("{EVENTS}/{second}")).await.status, 204);
    let delta = world.get(&format!("{EVENTS}?syncToken={}", sync_token(&full))).await.ok();
    assert_eq!(ids(&delta), {
        let mut both = vec![first, second];
        both.sort_unstable();
        both
    });
    let cancelled = delta["items"].as_array().unwrap().iter().find(|item| item["id"] == second).unwrap();
    let members: Vec<_> = cancelled.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["etag", "id", "kind", "status"], "a cancelled event tells no more than its id");
    let nothing = world.get(&format!("{EVENTS}?syncToken={}", sync_token(&delta))).await.ok();
    assert!(ids(&nothing).is_empty());
}

#[tokio::test]
async fn what_changes_between_two_pages_comes_with_the_next_sync() {
    let world = World::start().await;
    insert_days(&world, 3).await;
    let first = world.get(&format!("{EVENTS}?maxResults=2")).await.ok();
    let told = ids(&first)[0].to_owned();
    world.patch(&format!("{EVENTS}/{told}"), json!({ "summary": "Meanwhile" })).await.ok();
    let page_token = first["nextPageToken"].as_str().unwrap();
    let last = world.get(&format!("{EVENTS}?maxResults=2&pageToken={page_token}")).await.ok();
    let delta = world.get(&format!("{EVENTS}?syncToken={}", sync_token(&last))).await.ok();
    assert_eq!(ids(&delta), [told]);
}

#[tokio::test]
async fn an_incremental_sync_comes_in_pages_too() {
    let world = World::start().await;
    let token = sync_token(&world.get(EVENTS).await.ok());
    insert_days(&world, 3).await;
    let first = world.get(&format!("{EVENTS}?syncToken={token}&maxResults=2")).await.ok();
    let page_token = first["nextPageToken"].as_str().unwrap();
    let last = world.get(&format!("{EVENTS}?syncToken={token}&maxResults=2&pageToken={page_token}")).await.ok();
    assert_eq!((ids(&first).len(), ids(&last).len()), (2, 1));
    sync_token(&last);
}

#[tokio::test]
async fn an_expired_sync_token_asks_for_a_full_sync() {
    let world = World::start().await;
    let token = sync_token(&world.get(EVENTS).await.ok());
    world.simulator.expire_sync_tokens();
    world.get(&format!("{EVENTS}?syncToken={token}")).await.refused(410, "fullSyncRequired");
    sync_token(&world.get(EVENTS).await.ok());
    world.get("/users/me/calendarList?syncToken=eA").await.refused(400, "invalid");
}

#[tokio::test]
async fn a_sync_token_refuses_what_it_cannot_be_combined_with() {
    let world = World::start().await;
    let token = sync_token(&world.get(EVENTS).await.ok());
    let combinations = [
        "timeMin=2026-11-01T00:00:00Z",
        "timeMax=2026-12-01T00:00:00Z",
        "q=intro",
        "orderBy=updated",
        "iCalUID=x",
        "updatedMin=2026-11-19T00:00:00Z",
        "privateExtendedProperty=a%3Db",
        "showDeleted=false",
    ];
    for combination in combinations {
        let answer = world.get(&format!("{EVENTS}?syncToken={token}&{combination}")).await;
        answer.refused(400, "invalidParameter");
    }
    let other_shape = world.get(&format!("{EVENTS}?syncToken={token}&singleEvents=true")).await;
    other_shape.refused(400, "invalidParameter");
    world.get(&format!("{EVENTS}?syncToken=garbage")).await.refused(400, "invalid");
}

#[tokio::test]
async fn a_window_holds_what_overlaps_it_and_the_sync_after_it_tells_every_change() {
    let world = World::start().await;
    insert_days(&world, 4).await;
    let window = "timeMin=2026-12-02T09:30:00Z&timeMax=2026-12-03T09:00:00Z";
    let list = world.get(&format!("{EVENTS}?{window}")).await.ok();
    assert_eq!(list["items"][0]["summary"], "Day 2");
    assert_eq!(ids(&list).len(), 1);
    let moved = ids(&list)[0];
    let times =
        json!({ "start": { "dateTime": "2026-12-20T09:00:00Z" }, "end": { "dateTime": "2026-12-20T10:00:00Z" } });
    world.patch(&format!("{EVENTS}/{moved}"), times).await.ok();
    let delta = world.get(&format!("{EVENTS}?syncToken={}", sync_token(&list))).await.ok();
    assert_eq!(ids(&delta), [moved]);
}

#[tokio::test]
async fn filters_narrow_a_list_which_then_has_no_sync_token() {
    let world = World::start().await;
    insert_days(&world, 3).await;
    let mut marked = event("Marked", "2026-12-09T09:00:00Z", "2026-12-09T10:00:00Z");
    marked["extendedProperties"] = json!({ "private": { "cupo": "a1" } });
    let marked = world.insert(marked).await;
    let by_mark = world.get(&format!("{EVENTS}?privateExtendedProperty=cupo%3Da1")).await.ok();
    assert_eq!(ids(&by_mark), [marked["id"].as_str().unwrap()]);
    assert!(by_mark.get("nextSyncToken").is_none());
    let by_text = world.get(&format!("{EVENTS}?q=day%202")).await.ok();
    assert_eq!(by_text["items"][0]["summary"], "Day 2");
    let uid = marked["iCalUID"].as_str().unwrap();
    assert_eq!(ids(&world.get(&format!("{EVENTS}?iCalUID={uid}")).await.ok()), ids(&by_mark));
    let ordered = world.get(&format!("{EVENTS}?singleEvents=true&orderBy=startTime")).await.ok();
    let titles: Vec<_> = ordered["items"].as_array().unwrap().iter().map(|item| &item["summary"]).collect();
    assert_eq!(titles, ["Day 1", "Day 2", "Day 3", "Marked"]);
}

#[tokio::test]
async fn malformed_list_parameters_are_refused() {
    let world = World::start().await;
    let wrong = [
        "timeMin=2026-11-01",
        "maxResults=0",
        "singleEvents=yes",
        "orderBy=startTime",
        "timeZone=Nowhere",
        "privateExtendedProperty=novalue",
        "pageToken=garbage",
    ];
    for query in wrong {
        let answer = world.get(&format!("{EVENTS}?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    world.get(&format!("{EVENTS}?updatedMin=2026-09-01T00:00:00Z")).await.refused(410, "updatedMinTooLongAgo");
    let window = "timeMin=2026-12-02T00:00:00Z&timeMax=2026-12-01T00:00:00Z";
    world.get(&format!("{EVENTS}?{window}")).await.refused(400, "timeRangeEmpty");
}

#[tokio::test]
async fn deleted_events_show_only_when_asked_for() {
    let world = World::start().await;
    insert_days(&world, 2).await;
    let list = world.get(EVENTS).await.ok();
    world.delete(&format!("{EVENTS}/{}", ids(&list)[0])).await;
    assert_eq!(ids(&world.get(EVENTS).await.ok()).len(), 1);
    assert_eq!(ids(&world.get(&format!("{EVENTS}?showDeleted=true")).await.ok()).len(), 2);
    assert_eq!(world.simulator.events(ANA).unwrap().len(), 2);
}

#[tokio::test]
async fn a_page_holds_2500_events_at_most_and_250_by_default() {
    let world = World::start().await;
    let body = event("One of many", "2026-12-01T09:00:00Z", "2026-12-01T10:00:00Z");
    for _ in 0..2_501 {
        world.simulator.insert_event(ANA, body.clone()).unwrap();
    }
    assert_eq!(ids(&world.get(EVENTS).await.ok()).len(), 250);
    let page = world.get(&format!("{EVENTS}?maxResults=9999")).await.ok();
    assert_eq!(ids(&page).len(), 2_500);
    let page_token = page["nextPageToken"].as_str().unwrap();
    let last = world.get(&format!("{EVENTS}?maxResults=9999&pageToken={page_token}")).await.ok();
    assert_eq!(ids(&last).len(), 1);
}

#[tokio::test]
async fn a_sync_of_the_calendar_list_names_no_least_role() {
    let world = World::start().await;
    let token = sync_token(&world.get("/users/me/calendarList").await.ok());
    assert!(ids(&world.get(&format!("/users/me/calendarList?syncToken={token}")).await.ok()).is_empty());
    let both = world.get(&format!("/users/me/calendarList?syncToken={token}&minAccessRole=writer")).await;
    both.refused(400, "invalidParameter");
    world.simulator.expire_sync_tokens();
    world.get(&format!("/users/me/calendarList?syncToken={token}")).await.refused(410, "fullSyncRequired");
}
