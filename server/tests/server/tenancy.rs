//! An organization cannot see or change anything of another one.

use chrono::Days;
use cupo_core::event_type::Options;
use cupo_core::parse::EmailAddress;
use cupo_core::text::Locale;
use cupo_engine::{EventTypeInput, SignUp};
use cupo_store::{AppointmentFilter, user_get_by_email};
use reqwest::Response;
use serde_json::{Value, json};

use crate::world::{World, booking, problem, today};

/// Another organization with one event type, one pending appointment and its host's schedule.
struct Other {
    event_type: String,
    schedule: String,
    appointment: String,
    token: String,
}

impl Other {
    async fn settled_in(world: &World) -> Self {
        let engine = &world.server.engine;
        let form = SignUp {
            email: "olga@example.com".to_owned(),
            password: "a password of Olga's".to_owned(),
            name: "Olga Other".to_owned(),
            organization_name: "Other".to_owned(),
            organization_slug: "other".to_owned(),
            time_zone: "Europe/Madrid".to_owned(),
            locale: Locale::En,
        };
        let olga = engine.sign_up(form).await.unwrap().principal;
        let input = EventTypeInput {
            title: "Olga's".to_owned(),
            slug: "olgas".to_owned(),
            options: Options { needs_approval: true, ..Options::default() },
            ..EventTypeInput::default()
        };
        let event_type = engine.event_type_save(&olga, None, input).await.unwrap();
        let path = format!("/embed/v1/slots?org=other&event=olgas&from={}&to={}", today(), today() + Days::new(7));
        let slots: Value = world.get(&path).await.json().await.unwrap();
        let mut body = booking(slots["slots"][0].as_str().unwrap().parse().unwrap());
        body["org"] = json!("other");
        body["event"] = json!("olgas");
        let booked: Value = world.book("at-olgas", &body).await.json().await.unwrap();
        let pending = engine.appointments(&olga, AppointmentFilter::Pending, None).await.unwrap().items;
        Self {
            event_type: event_type.id.to_string(),
            schedule: engine.schedules(&olga).await.unwrap()[0].schedule.id.to_string(),
            appointment: pending[0].appointment.id.to_string(),
            token: booked["token"].as_str().unwrap().to_owned(),
        }
    }

    async fn view(&self, world: &World) -> Value {
        world.get(&format!("/embed/v1/appointments/{}", self.token)).await.json().await.unwrap()
    }
}

async fn not_found(answer: Response) {
    problem(answer, 404, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_organization_is_found_by_its_id() {
    let world = World::start().await;
    let other = Other::settled_in(&world).await;
    let ana = world.sign_in().await;
    let Other { event_type, schedule, appointment, .. } = &other;
    let (date, before) = (today() + Days::new(1), other.view(&world).await);

    let listed: Value = world.ask(&ana, "/api/v1/event-types").await.json().await.unwrap();
    let listed = listed["event_types"].as_array().unwrap();
    assert!(!listed.is_empty() && listed.iter().all(|it| it["id"] != json!(event_type)), "{listed:?}");
    for path in [
        format!("explain?at={date}T10:00:00Z"),
        format!("day?date={date}"),
        format!("slots?from={date}&to={date}&as_of={}T00:00:00Z", today()),
        "clock-change?zone=UTC".to_owned(),
    ] {
        not_found(world.ask(&ana, &format!("/api/v1/event-types/{event_type}/{path}")).await).await;
    }
    let form = json!({ "title": "Mine", "slug": "mine", "location_kind": "meet" });
    not_found(world.send(&ana, &format!("/api/v1/event-types/{event_type}/preview"), &form).await).await;
    let form = json!({ "name": "Mine", "time_zone": "UTC", "weekly_hours": {} });
    not_found(world.send(&ana, &format!("/api/v1/schedules/{schedule}/preview"), &form).await).await;
    for action in ["confirm", "decline"] {
        let path = format!("/api/v1/appointments/{appointment}/{action}");
        not_found(world.send(&ana, &path, &json!({})).await).await;
    }
    assert_eq!(other.view(&world).await, before, "nothing has changed");
    assert_eq!(before["status"], "pending");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_member_is_no_host_and_its_schedule_serves_nobody() {
    let world = World::start().await;
    let other = Other::settled_in(&world).await;
    let ana = world.sign_in().await;
    let id = world.event_type_id(&ana, "intro").await;
    let path = format!("/api/v1/event-types/{id}/preview");
    let form =
        |hosts: Value| json!({ "title": "Introduction", "slug": "intro", "location_kind": "meet", "hosts": hosts });
    let user_id = async |email: &str| {
        let email = EmailAddress::parse(email).unwrap();
        user_get_by_email(&mut world.server.store.read().await.unwrap(), &email).await.unwrap().unwrap().id
    };
    let foreign_host = json!([{ "user_id": user_id("olga@example.com").await }]);
    problem(world.send(&ana, &path, &form(foreign_host)).await, 422, "invalid-input").await;
    let foreign_schedule = json!([{ "user_id": user_id("ana@example.com").await, "schedule_id": other.schedule }]);
    problem(world.send(&ana, &path, &form(foreign_schedule)).await, 422, "invalid-input").await;
}
