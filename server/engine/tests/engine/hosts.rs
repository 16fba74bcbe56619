use cupo_core::event_type::RulesInput;
use cupo_engine::{CalendarChoice, EngineError, EventTypeInput, SignUp, SiteInput};

use crate::world::{World, ana, fields, first_visit, slots_request};

#[tokio::test]
async fn who_signed_up_can_sign_in_and_out() {
    let world = World::new().await;
    let signed_in = world.engine.sign_in("ana@clinic.example", "correct horse").await.unwrap();
    let token = signed_in.session_token.expose();
    let principal = world.engine.principal(token).await.unwrap().unwrap();
    assert_eq!((principal.organization_slug.as_str(), principal.name.as_str()), ("ruiz", "Ana Ruiz"));
    world.engine.sign_out(token).await.unwrap();
    assert!(world.engine.principal(token).await.unwrap().is_none());
    assert!(world.engine.principal(&world.session).await.unwrap().is_some());
}

#[tokio::test]
async fn a_session_ends() {
    let world = World::new().await;
    world.clock.advance(chrono::TimeDelta::days(31));
    assert!(world.engine.principal(&world.session).await.unwrap().is_none());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let world = World::new().await;
    for (email, password) in
        [("ana@clinic.example", "wrong horse"), ("nobody@clinic.example", "correct horse"), ("x", "y")]
    {
        let refused = world.engine.sign_in(email, password).await.unwrap_err();
        assert!(matches!(refused, EngineError::WrongCredentials), "{email}");
    }
}

#[tokio::test]
async fn a_sign_up_names_every_field_that_is_wrong() {
    let world = World::new().await;
    let wrong = SignUp {
        email: "x".into(),
        password: "short".into(),
        name: " ".into(),
        organization_slug: "dashboard".into(),
        time_zone: "Mars/Olympus".into(),
        ..ana()
    };
    let refused = fields(world.engine.sign_up(wrong).await.unwrap_err());
    assert_eq!(refused, ["email", "password", "name", "organization_slug", "time_zone"]);
    let taken = world.engine.sign_up(SignUp { organization_slug: "other".into(), ..ana() }).await;
    assert_eq!(fields(taken.unwrap_err()), ["email"]);
    let taken = world.engine.sign_up(SignUp { email: "eva@clinic.example".into(), ..ana() }).await;
    assert_eq!(fields(taken.unwrap_err()), ["organization_slug"]);
}

#[tokio::test]
async fn no_organization_is_called_as_the_path_below_which_cupo_is_shown() {
    let world = World::new().await;
    let below = |path: &str| {
        let public_url = format!("https://example.com/{path}").parse().unwrap();
        world.process_with(cupo_engine::EngineSettings { public_url, ..crate::world::patient() })
    };
    let olga = |slug: &str| SignUp { email: format!("{slug}@example.com"), organization_slug: slug.into(), ..ana() };
    for path in ["book", "book/"] {
        assert_eq!(fields(below(path).sign_up(olga("book")).await.unwrap_err()), ["organization_slug"]);
    }
    below("book").sign_up(olga("booking")).await.unwrap();
    below("").sign_up(olga("book")).await.unwrap();
}

#[tokio::test]
async fn an_event_type_names_its_wrong_fields_and_a_taken_slug() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let taken = world.engine.event_type_save(&world.principal, None, first_visit()).await;
    assert_eq!(fields(taken.unwrap_err()), ["slug"]);
    let wrong = EventTypeInput {
        title: String::new(),
        rules: RulesInput { duration_minutes: 0, ..RulesInput::default() },
        location_kind: "link".into(),
        location_detail: "javascript:alert(1)".into(),
        ..first_visit()
    };
    let refused = world.engine.event_type_save(&world.principal, None, wrong).await;
    assert_eq!(fields(refused.unwrap_err()), ["title", "duration_minutes", "location_detail"]);
}

#[tokio::test]
async fn an_event_type_that_is_switched_off_is_not_found() {
    let world = World::new().await;
    world.offer(first_visit()).await;
    let id = world.engine.event_types(&world.principal).await.unwrap()[0].id.clone();
    let off = EventTypeInput { is_active: false, ..first_visit() };
    world.engine.event_type_save(&world.principal, Some(&id), off).await.unwrap();
    let missing = world.engine.slots(&slots_request("2026-11-25", "2026-11-25")).await.unwrap_err();
    assert!(matches!(missing, EngineError::NotFound("event type")));
}

#[tokio::test]
async fn another_organization_sees_and_changes_nothing() {
    let world = World::open_for_business().await;
    let view = world.book("key", "2026-11-25T09:00:00Z").await;
    let other = SignUp { email: "eva@other.example".into(), organization_slug: "other".into(), ..ana() };
    let eva = world.engine.sign_up(other).await.unwrap().principal;
    let world = &world;
    let listed = |principal: cupo_engine::Principal| async move {
        let filter = cupo_store::AppointmentFilter::Upcoming;
        world.engine.appointments(&principal, filter, None).await.unwrap().items
    };
    assert!(listed(eva.clone()).await.is_empty());
    let id = listed(world.principal.clone()).await[0].appointment.id.clone();
    assert!(matches!(world.engine.appointment(&eva, &id).await, Err(EngineError::NotFound(_))));
    assert!(matches!(world.engine.appointment_cancel(&eva, &id, "").await, Err(EngineError::NotFound(_))));
    let account = &world.engine.accounts(&world.principal).await.unwrap()[0];
    assert!(matches!(world.engine.account_disconnect(&eva, &account.account.id).await, Err(EngineError::NotFound(_))));
    let calendar_id = account.calendars[0].id.clone();
    let choice =
        CalendarChoice { calendar_id, checks_conflicts: false, tentative_blocks: true, unanswered_blocks: true };
    let stolen = world.engine.calendar_choices_save(&eva, vec![choice], None).await;
    assert!(matches!(stolen, Err(EngineError::NotFound(_))));
    let event_type = world.engine.event_types(&world.principal).await.unwrap()[0].id.clone();
    let stolen = world.engine.event_type_save(&eva, Some(&event_type), first_visit()).await;
    assert!(matches!(stolen, Err(EngineError::NotFound(_))));
    assert_eq!(world.engine.appointment_by_token(&view.token, Default::default()).await.unwrap().status, view.status);
}

#[tokio::test]
async fn sites_allow_their_origins_and_no_others() {
    let world = World::new().await;
    assert!(world.engine.allowed_origins("ruiz").await.unwrap().is_empty());
    let input = SiteInput { name: "Shop".into(), origins: "https://shop.example/page\nhttp://127.0.0.1:4003".into() };
    let site = world.engine.site_save(&world.principal, None, input).await.unwrap();
    let allowed = world.engine.allowed_origins("ruiz").await.unwrap();
    let allowed: Vec<_> = allowed.iter().map(|origin| origin.as_str()).collect();
    assert_eq!(allowed, ["http://127.0.0.1:4003", "https://shop.example"]);
    world.engine.site_delete(&world.principal, &site.id).await.unwrap();
    assert!(world.engine.allowed_origins("ruiz").await.unwrap().is_empty());
    let wrong = SiteInput { name: "Shop".into(), origins: " \n".into() };
    assert_eq!(fields(world.engine.site_save(&world.principal, None, wrong).await.unwrap_err()), ["origins"]);
    assert!(matches!(world.engine.allowed_origins("nobody").await, Err(EngineError::NotFound("organization"))));
}
