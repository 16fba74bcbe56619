use cupo_simulators::microsoft::{CalendarSeed, MicrosoftOptions, UserSeed};
use reqwest::Method;

use crate::microsoft::world::{ANA, CARLA, World, all, id};

#[tokio::test]
async fn a_mailbox_has_a_default_calendar_others_and_one_to_read_only() {
    let world = World::start().await;
    let list = world.get("/me/calendars").await.ok();
    assert_eq!(all(&list, "name"), ["Calendar", "Personal", "Birthdays"]);
    let calendars = list["value"].as_array().unwrap();
    assert_eq!(calendars[0]["isDefaultCalendar"], true);
    assert_eq!(calendars[0]["allowedOnlineMeetingProviders"][0], "teamsForBusiness");
    assert_eq!(calendars[0]["owner"]["address"], ANA);
    assert_eq!(calendars[2]["canEdit"], false);
    let default = world.get("/me/calendar").await.ok();
    assert_eq!(default["id"], calendars[0]["id"]);
    assert_eq!(world.get(&format!("/me/calendars/{}", id(&calendars[1]))).await.ok()["name"], "Personal");
    assert_eq!(world.simulator.calendar_id("ana@contoso.example/Personal").unwrap(), calendars[1]["id"]);
    world.get("/me/calendars/nonsense").await.refused(400, "ErrorInvalidIdMalformed");
}

#[tokio::test]
async fn calendars_come_in_pages_of_ten() {
    let calendars = (0..12).map(|number| CalendarSeed::named(&format!("Number {number}"))).collect();
    let user =
        UserSeed { email: ANA.to_owned(), time_zone: "Europe/Madrid".to_owned(), calendars, ..UserSeed::default() };
    let world = World::start_with(MicrosoftOptions { users: vec![user], ..MicrosoftOptions::default() }).await;
    let first = world.get("/me/calendars").await.ok();
    assert_eq!(all(&first, "id").len(), 10);
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert!(next.starts_with(&format!("{}/v1.0/me/calendars?", world.simulator.base_url())), "{next}");
    let second = world.get(next).await.ok();
    assert_eq!(all(&second, "name"), ["Number 9", "Number 10", "Number 11"]);
    assert!(second.get("@odata.nextLink").is_none());
    assert_eq!(all(&world.get("/me/calendars?$top=50").await.ok(), "id").len(), 13);
    world.get("/me/calendars?$top=none").await.refused(400, "ErrorInvalidUrlQuery");
}

#[tokio::test]
async fn the_profile_tells_who_signed_in_and_a_personal_one_has_no_mail() {
    let mut world = World::start().await;
    let ana = world.get("/me").await.ok();
    assert_eq!((&ana["mail"], &ana["displayName"]), (&ANA.into(), &"Ana Ruiz".into()));
    let own = world.get(&format!("/users/{ANA}")).await.ok();
    assert_eq!(own["id"], ana["id"]);
    assert_eq!(world.get(&format!("/users/{}", id(&ana))).await.ok()["id"], ana["id"]);
    let selected = world.get("/me?$select=displayName,mail").await.ok();
    assert!(selected.get("userPrincipalName").is_none() && selected["mail"] == ANA);
    world.sign_in(CARLA);
    let carla = world.get("/me").await.ok();
    assert!(carla["mail"].is_null());
    assert_eq!(carla["userPrincipalName"], CARLA);
    assert_eq!(world.get("/me/calendar").await.ok()["allowedOnlineMeetingProviders"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_person_opens_their_own_mailbox_only_and_by_scope() {
    let mut world = World::start().await;
    world.get("/users/ben@contoso.example/calendars").await.refused(403, "ErrorAccessDenied");
    world.get("/users/nobody@contoso.example/calendars").await.refused(404, "ErrorInvalidUser");
    world.token = world.simulator.issue_tokens(ANA, &["Calendars.Read"]).unwrap().access_token;
    world.get("/me").await.refused(403, "Authorization_RequestDenied");
    world.get("/me/calendars").await.ok();
    world.post("/me/events", crate::microsoft::world::intro()).await.refused(403, "ErrorAccessDenied");
    world.token = world.simulator.issue_tokens(ANA, &["User.Read"]).unwrap().access_token;
    world.get("/me/calendars").await.refused(403, "ErrorAccessDenied");
}

#[tokio::test]
async fn without_a_good_token_nothing_is_told() {
    let mut world = World::start().await;
    let answer = world.send(world.http.get(format!("{}/v1.0/me", world.simulator.base_url()))).await;
    assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
    answer.refused(401, "InvalidAuthenticationToken");
    world.token = "stranger".to_owned();
    world.get("/me/calendars").await.refused(401, "InvalidAuthenticationToken");
}

#[tokio::test]
async fn an_unknown_path_is_refused_and_every_answer_has_a_request_id() {
    let world = World::start().await;
    let answer = world.get("/me/nothing").await;
    assert!(answer.headers.contains_key("request-id"));
    answer.refused(400, "BadRequest");
    let request = world.request(Method::GET, "/me/calendar").header("client-request-id", "the-clients-own");
    assert_eq!(world.send(request).await.headers["client-request-id"], "the-clients-own");
}
