//! The people of an organization.

use cupo_engine::{EngineError, MemberInput};
use cupo_store::Role;

use crate::world::{World, fields, first_visit};

fn newcomer(name: &str) -> MemberInput {
    MemberInput {
        name: name.to_owned(),
        email: format!("{name}@clinic.example"),
        password: "correct horse".into(),
        time_zone: "Atlantic/Canary".into(),
    }
}

#[tokio::test]
async fn a_new_member_signs_in_as_a_host_with_office_hours_of_their_own() {
    let world = World::new().await;
    world.engine.member_add(&world.principal, newcomer("bea")).await.unwrap();
    let bea = world.engine.sign_in("bea@clinic.example", "correct horse").await.unwrap().principal;
    assert_eq!((bea.role, bea.organization_slug.as_str()), (Role::Host, "ruiz"));
    let schedules = world.engine.schedules(&bea).await.unwrap();
    assert_eq!((schedules.len(), schedules[0].schedule.time_zone.as_str()), (1, "Atlantic/Canary"));
    assert!(schedules[0].schedule.is_default);
    world.engine.event_type_save(&bea, None, first_visit()).await.unwrap();
    assert_eq!(world.starts("2026-11-25", "2026-11-25").await[0].to_rfc3339(), "2026-11-25T09:00:00+00:00");
}

#[tokio::test]
async fn who_runs_the_organization_sees_everybody_and_a_host_themselves() {
    let world = World::new().await;
    world.connect().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    let seen = world.engine.members(&world.principal).await.unwrap();
    let told: Vec<_> = seen.iter().map(|member| (member.name.as_str(), member.role)).collect();
    assert_eq!(told, [("Ana Ruiz", Role::Owner), ("bea", Role::Host)]);
    assert_eq!(seen[0].schedules.len(), 1);
    assert!(seen[0].calendars.len() > 1, "those that are not in use too: an event type may look at them");
    assert!(seen[1].calendars.is_empty());
    let seen = world.engine.members(&bea).await.unwrap();
    assert_eq!((seen.len(), &seen[0].user_id), (1, &bea.user_id));
}

#[tokio::test]
async fn only_who_runs_the_organization_takes_in_members() {
    let world = World::new().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    assert!(matches!(world.engine.member_add(&bea, newcomer("carl")).await, Err(EngineError::Forbidden)));
}

#[tokio::test]
async fn every_wrong_field_of_a_new_member_is_named() {
    let world = World::new().await;
    let refused = world.engine.member_add(&world.principal, MemberInput::default()).await;
    assert_eq!(fields(refused.unwrap_err()), ["name", "email", "password", "time_zone"]);
    let taken = MemberInput { email: "Ana@clinic.example".into(), ..newcomer("ana") };
    assert_eq!(fields(world.engine.member_add(&world.principal, taken).await.unwrap_err()), ["email"]);
}
