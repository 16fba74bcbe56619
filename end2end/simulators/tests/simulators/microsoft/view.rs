use serde_json::json;

use crate::microsoft::world::{World, all, event, with};

const WEEK: &str = "startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-30T00:00:00Z";

async fn filled() -> World {
    let world = World::start().await;
    for (day, subject) in [(23, "Monday"), (24, "Tuesday"), (25, "Wednesday"), (26, "Thursday"), (30, "Next week")] {
        let (start, end) = (format!("2026-11-{day}T09:00:00"), format!("2026-11-{day}T10:00:00"));
        world.create(event(subject, &start, &end)).await;
    }
    world
}

#[tokio::test]
async fn a_window_shows_what_overlaps_it_by_start() {
    let world = filled().await;
    let view = world.get(&format!("/me/calendarView?{WEEK}")).await.ok();
    assert_eq!(all(&view, "subject"), ["Monday", "Tuesday", "Wednesday", "Thursday"]);
    let reversed = world.get(&format!("/me/calendarView?{WEEK}&$orderby=start/dateTime%20desc&$top=1")).await.ok();
    assert_eq!(all(&reversed, "subject"), ["Thursday"]);
    let edge = "/me/calendarView?startDateTime=2026-11-23T10:00:00Z&endDateTime=2026-11-24T09:00:00Z";
    assert!(all(&world.get(edge).await.ok(), "subject").is_empty(), "touching is no overlap");
}

#[tokio::test]
async fn pages_lead_to_the_next_until_the_last() {
    let world = filled().await;
    let first = world.get(&format!("/me/calendarView?{WEEK}&$top=3&$count=true")).await.ok();
    assert_eq!((all(&first, "subject").len(), &first["@odata.count"]), (3, &json!(4)));
    let second = world.get(first["@odata.nextLink"].as_str().unwrap()).await.ok();
    assert_eq!(all(&second, "subject"), ["Thursday"]);
    assert!(second.get("@odata.nextLink").is_none());
}

#[tokio::test]
async fn only_the_selected_members_come() {
    let world = filled().await;
    let view = world.get(&format!("/me/calendarView?{WEEK}&$select=subject,showAs")).await.ok();
    let event = view["value"][0].as_object().unwrap();
    let mut names: Vec<&str> = event.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["@odata.etag", "id", "showAs", "subject"]);
}

#[tokio::test]
async fn conditions_narrow_a_view() {
    let world = filled().await;
    let path = format!("/me/calendarView?{WEEK}&$filter=start/dateTime%20ge%20'2026-11-25T00:00:00'");
    assert_eq!(all(&world.get(&path).await.ok(), "subject"), ["Wednesday", "Thursday"]);
}

#[tokio::test]
async fn a_window_must_be_whole() {
    let world = World::start().await;
    for path in [
        "/me/calendarView",
        "/me/calendarView?startDateTime=2026-11-23T00:00:00Z",
        "/me/calendarView?startDateTime=tomorrow&endDateTime=2026-11-30T00:00:00Z",
        "/me/calendarView?startDateTime=2026-11-30T00:00:00Z&endDateTime=2026-11-23T00:00:00Z",
    ] {
        world.get(path).await.refused(400, "ErrorInvalidParameter");
    }
}

#[tokio::test]
async fn each_calendar_has_a_view_of_its_own() {
    let world = filled().await;
    let personal = world.simulator.calendar_id("ana@contoso.example/Personal").unwrap();
    let private = with(event("Dentist", "2026-11-23T15:00:00", "2026-11-23T16:00:00"), json!({ "showAs": "oof" }));
    world.post(&format!("/me/calendars/{personal}/events"), private).await.ok();
    let view = world.get(&format!("/me/calendars/{personal}/calendarView?{WEEK}")).await.ok();
    assert_eq!(all(&view, "subject"), ["Dentist"]);
    assert_eq!(all(&world.get(&format!("/me/calendar/calendarView?{WEEK}")).await.ok(), "subject").len(), 4);
}
