//! How the widgets of an organization look.

use cupo_core::theme::Theme;
use cupo_engine::{EngineError, ThemeInput};
use cupo_store::audit_list;

use crate::world::{World, fields};

fn dark() -> ThemeInput {
    ThemeInput { accent: "#7A1FA2".to_owned(), scheme: "dark".to_owned(), radius: "4".to_owned() }
}

#[tokio::test]
async fn a_theme_is_told_to_widgets_until_it_is_taken_back() {
    let world = World::new().await;
    assert_eq!(world.engine.theme_of("ruiz").await.unwrap(), None);
    world.engine.theme_save(&world.principal, &dark()).await.unwrap();
    let told = world.engine.theme_of("ruiz").await.unwrap().unwrap();
    assert_eq!((told.scheme.as_str(), told.style["--cupo-accent"].as_str()), ("dark", "#7a1fa2"));
    let none = ThemeInput { scheme: "auto".to_owned(), ..ThemeInput::default() };
    world.engine.theme_save(&world.principal, &none).await.unwrap();
    assert_eq!(world.engine.theme_of("ruiz").await.unwrap(), None);
    assert!(matches!(world.engine.theme_of("nobody").await, Err(EngineError::NotFound(_))));
}

#[tokio::test]
async fn who_changed_the_theme_and_to_what_is_kept() {
    let world = World::new().await;
    world.engine.theme_save(&world.principal, &dark()).await.unwrap();
    let (tx, organization_id) = (&mut world.store.read().await.unwrap(), &world.principal.organization_id);
    let entries = audit_list(tx, organization_id, "organization", organization_id.as_str()).await.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].action.as_str(), &entries[0].actor),
        ("organization.theme", &format!("user:{}", world.principal.user_id))
    );
    assert_eq!(
        entries[0].detail,
        serde_json::json!({ "theme": { "accent": "#7a1fa2", "scheme": "dark", "radius": 4 } })
    );
}

#[tokio::test]
async fn only_who_runs_the_organization_changes_it_and_wrong_fields_are_named() {
    let world = World::new().await;
    let bea = world.colleague("bea", "bea@clinic.example").await.0;
    assert!(matches!(world.engine.theme_save(&bea, &dark()).await, Err(EngineError::Forbidden)));
    let wrong = ThemeInput { accent: "teal".to_owned(), ..dark() };
    assert_eq!(fields(world.engine.theme_save(&world.principal, &wrong).await.unwrap_err()), ["accent"]);
    assert_eq!(world.engine.theme(&bea).await.unwrap(), Theme::default());
}
