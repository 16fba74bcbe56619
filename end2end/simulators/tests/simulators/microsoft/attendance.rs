use cupo_simulators::microsoft::InvitationKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::microsoft::world::{ANA, BEN, World, event, guest, id, intro, with};

const GUEST: &str = "vera@elsewhere.example";

fn kinds(world: &World) -> Vec<InvitationKind> {
    world.simulator.invitations().iter().map(|invitation| invitation.kind).collect()
}

/// What an event looks like from Ben's side.
fn bens(world: &World) -> Value {
    world.simulator.events(BEN).unwrap().into_iter().next().unwrap_or_default()
}

#[tokio::test]
async fn attendees_are_written_to_at_every_change_and_at_the_end() {
    let world = World::start().await;
    let made = world.create(with(intro(), json!({ "attendees": [guest(GUEST)] }))).await;
    assert_eq!(made["attendees"][0]["status"]["response"], "none");
    let path = format!("/me/events/{}", id(&made));
    world.patch(&path, json!({ "subject": "Other" })).await.ok();
    world.patch(&path, json!({ "attendees": [] })).await.ok();
    world.patch(&path, json!({ "attendees": [guest(GUEST)] })).await.ok();
    world.delete(&path).await.is(204);
    use InvitationKind::{Cancelled, Invited, Updated};
    assert_eq!(kinds(&world), [Invited, Updated, Cancelled, Updated, Cancelled]);
    assert!(world.simulator.invitations().iter().all(|invitation| invitation.to == [GUEST]));
    world.create(intro()).await;
    assert_eq!(kinds(&world).len(), 5, "an event without attendees writes to nobody");
}

#[tokio::test]
async fn an_invited_user_has_a_copy_that_follows_the_event() {
    let world = World::start().await;
    let made = world.create(with(intro(), json!({ "attendees": [guest(BEN), guest(GUEST)] }))).await;
    let copy = bens(&world);
    assert_eq!(copy["iCalUId"], made["iCalUId"]);
    assert_ne!(copy["id"], made["id"]);
    assert_eq!((&copy["isOrganizer"], &copy["showAs"]), (&json!(false), &json!("tentative")));
    assert_eq!(copy["responseStatus"]["response"], "notResponded");
    assert_eq!(copy["organizer"]["emailAddress"]["address"], ANA);
    let later = event("Intro", "2026-11-24T09:00:00", "2026-11-24T10:00:00");
    world.patch(&format!("/me/events/{}", id(&made)), later).await.ok();
    assert_eq!(bens(&world)["start"]["dateTime"], "2026-11-24T09:00:00.0000000");
    let path = format!("/me/events/{}/cancel", id(&made));
    world.post(&path, json!({ "comment": "Sorry" })).await.is(202);
    let copy = bens(&world);
    assert_eq!((&copy["isCancelled"], &copy["subject"]), (&json!(true), &json!("Canceled: Intro")));
    assert_eq!(copy["showAs"], "free");
    assert_eq!(world.simulator.invitations().last().unwrap().comment.as_deref(), Some("Sorry"));
    world.get(&format!("/me/events/{}", id(&made))).await.refused(404, "ErrorItemNotFound");
}

#[tokio::test]
async fn answers_reach_the_organiser_and_end_when_the_time_changes() {
    let mut world = World::start().await;
    let made = world.create(with(intro(), json!({ "attendees": [guest(BEN)] }))).await;
    let ana = world.token.clone();
    let organised = |world: &World| world.simulator.events(ANA).unwrap().remove(0);
    world.sign_in(BEN);
    let path = format!("/me/events/{}", id(&bens(&world)));
    world.post(&format!("{path}/accept"), json!({ "comment": "Yes", "sendResponse": true })).await.is(202);
    assert_eq!(organised(&world)["attendees"][0]["status"]["response"], "accepted");
    assert_eq!(
        (&bens(&world)["showAs"], &bens(&world)["responseStatus"]["response"]),
        (&json!("busy"), &json!("accepted"))
    );
    world.post(&format!("{path}/tentativelyAccept"), json!({ "sendResponse": false })).await.is(202);
    assert_eq!(organised(&world)["attendees"][0]["status"]["response"], "accepted", "nobody was told");
    world.token = ana;
    let later = event("Intro", "2026-11-24T09:00:00", "2026-11-24T10:00:00");
    world.patch(&format!("/me/events/{}", id(&made)), later).await.ok();
    assert_eq!(organised(&world)["attendees"][0]["status"]["response"], "none");
    assert_eq!(bens(&world)["responseStatus"]["response"], "notResponded");
    world.sign_in(BEN);
    world.post(&format!("{path}/decline"), json!({ "comment": "No" })).await.is(202);
    assert_eq!(organised(&world)["attendees"][0]["status"]["response"], "declined");
    assert!(world.simulator.events(BEN).unwrap().is_empty());
}

#[tokio::test]
async fn a_new_time_can_be_proposed_where_that_is_allowed() {
    let mut world = World::start().await;
    let made = world.create(with(intro(), json!({ "attendees": [guest(BEN)] }))).await;
    world.sign_in(BEN);
    let path = format!("/me/events/{}", id(&bens(&world)));
    let time = |hour: &str| json!({ "dateTime": format!("2026-11-25T{hour}:00:00"), "timeZone": "UTC" });
    let proposal = json!({ "proposedNewTime": { "start": time("09"), "end": time("10") } });
    world.post(&format!("{path}/accept"), proposal.clone()).await.refused(400, "ErrorInvalidRequest");
    world.post(&format!("{path}/tentativelyAccept"), proposal).await.is(202);
    let told = world.simulator.events(ANA).unwrap().remove(0);
    assert_eq!(told["id"], made["id"]);
    assert_eq!(told["attendees"][0]["proposedNewTime"]["start"]["dateTime"], "2026-11-25T09:00:00");
}

#[tokio::test]
async fn organisers_cancel_and_attendees_answer_not_the_other_way_round() {
    let mut world = World::start().await;
    let made = world.create(with(intro(), json!({ "attendees": [guest(BEN)] }))).await;
    let path = format!("/me/events/{}/accept", id(&made));
    world.post(&path, json!({})).await.refused(400, "ErrorInvalidRequest");
    world.sign_in(BEN);
    let path = format!("/me/events/{}/cancel", id(&bens(&world)));
    world.post(&path, json!({})).await.refused(400, "ErrorInvalidRequest");
    world.send(world.request(Method::POST, &path.replace("cancel", "snooze"))).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn hidden_attendees_see_only_themselves() {
    let world = World::start().await;
    let wanted = json!({ "attendees": [guest(BEN), guest(GUEST)], "hideAttendees": true });
    let made = world.create(with(intro(), wanted)).await;
    assert_eq!(made["attendees"].as_array().unwrap().len(), 2);
    let copy = bens(&world);
    assert_eq!(copy["attendees"].as_array().unwrap().len(), 1);
    assert_eq!(copy["attendees"][0]["emailAddress"]["address"], BEN);
}

#[tokio::test]
async fn events_of_others_can_be_put_in_by_hand() {
    let world = World::start().await;
    let invited = json!({
        "organizer": { "emailAddress": { "name": "Vera", "address": GUEST } },
        "responseStatus": { "response": "tentativelyAccepted", "time": "2026-11-19T10:00:00Z" },
        "originalStartTimeZone": "tzone://Microsoft/Custom",
        "attendees": [{ "emailAddress": { "address": ANA }, "type": "required", "status": { "response": "declined" } }],
    });
    world.simulator.insert_event(ANA, with(intro(), invited)).unwrap();
    let told = world.get("/me/events").await.ok()["value"][0].clone();
    assert_eq!(
        (&told["isOrganizer"], &told["originalStartTimeZone"]),
        (&json!(false), &json!("tzone://Microsoft/Custom"))
    );
    assert_eq!(told["responseStatus"]["response"], "tentativelyAccepted");
    assert_eq!(told["attendees"][0]["status"]["response"], "declined");
}
