use cupo_core::parse::{EmailAddress, Slug};
use cupo_core::text::Locale;
use cupo_core::theme::{Color, MOST_RADIUS, Scheme, Theme};
use cupo_store::*;

use crate::world::{at, id, on_both, taken, user};

on_both! {
    async fn an_organization_is_found_by_its_id_and_by_its_slug(world: World) {
        let tenant = world.tenant("acme").await;
        let by_id = world.read(async |tx| organization_get(tx, tenant.id()).await).await.unwrap();
        assert_eq!((by_id.slug.as_str(), by_id.name.as_str(), by_id.created_at), ("acme", "ACME", at(0)));
        let slug = Slug::parse("acme").unwrap();
        let by_slug = world.read(async |tx| organization_get_by_slug(tx, &slug).await).await.unwrap();
        assert_eq!(by_slug.id, by_id.id);
        let other = Slug::parse("other").unwrap();
        assert!(world.read(async |tx| organization_get_by_slug(tx, &other).await).await.is_none());
    }

    async fn an_organization_keeps_how_its_widgets_look(world: World) {
        let tenant = world.tenant("acme").await;
        let stored = async || world.read(async |tx| organization_get(tx, tenant.id()).await).await.unwrap().theme;
        assert_eq!(stored().await, Theme::default());
        let theme =
            Theme { accent: Some(Color::parse("#7a1fa2").unwrap()), scheme: Scheme::Dark, radius: Some(MOST_RADIUS) };
        assert!(world.write(async |tx| organization_set_theme(tx, tenant.id(), &theme).await).await.unwrap());
        assert_eq!(stored().await, theme);
        let nobody = cupo_core::ids::OrganizationId::parse(&id()).unwrap();
        assert!(!world.write(async |tx| organization_set_theme(tx, &nobody, &theme).await).await.unwrap());
    }

    async fn a_slug_names_one_organization(world: World) {
        let mut again = world.tenant("acme").await.organization;
        again.id = cupo_core::ids::OrganizationId::parse(&id()).unwrap();
        assert_eq!(taken(world.write(async |tx| organization_insert(tx, &again).await).await), "organization.slug");
    }

    async fn an_email_address_signs_in_one_user_whatever_its_case(world: World) {
        let ana = user("Ana@example.com");
        world.write(async |tx| user_insert(tx, &ana).await).await.unwrap();
        let other = user("ANA@example.com");
        assert_eq!(taken(world.write(async |tx| user_insert(tx, &other).await).await), "user.email");
        let email = EmailAddress::parse("ana@example.com").unwrap();
        let found = world.read(async |tx| user_get_by_email(tx, &email).await).await.unwrap();
        assert_eq!((found.id, found.password_hash.as_str()), (ana.id, "$argon2id$the-password-hash"));
    }

    async fn a_user_changes_language(world: World) {
        let ana = user("ana@example.com");
        world.write(async |tx| user_insert(tx, &ana).await).await.unwrap();
        assert!(world.write(async |tx| user_update_locale(tx, &ana.id, Locale::En).await).await.unwrap());
        assert_eq!(world.read(async |tx| user_get(tx, &ana.id).await).await.unwrap().locale, Locale::En);
        let nobody = user("nobody@example.com");
        assert!(!world.write(async |tx| user_update_locale(tx, &nobody.id, Locale::En).await).await.unwrap());
    }

    async fn a_member_of_two_organizations_is_led_to_the_older_one(world: World) {
        let (older, newer) = (world.tenant("older").await, world.tenant("newer").await);
        let second =
            Membership { organization_id: newer.id().clone(), user_id: older.user.id.clone(), role: Role::Host };
        world.write(async |tx| membership_insert(tx, &second).await).await.unwrap();
        let first = world.read(async |tx| membership_get(tx, &older.user.id).await).await.unwrap();
        assert_eq!((&first.organization_id, first.role), (older.id(), Role::Owner));
        assert_eq!(world.read(async |tx| memberships_of_organization(tx, newer.id()).await).await.len(), 2);
        assert_eq!(taken(world.write(async |tx| membership_insert(tx, &second).await).await), "membership.user_id");
    }

    async fn a_session_ends_at_its_expiry_and_when_it_is_deleted(world: World) {
        let tenant = world.tenant("acme").await;
        let session = |hash: &[u8], expires| Session {
            token_hash: hash.to_vec(),
            user_id: tenant.user.id.clone(),
            organization_id: tenant.id().clone(),
            created_at: at(0),
            expires_at: at(expires),
        };
        let (short, long) = (session(b"short", 10), session(b"long", 20));
        world
            .write(async |tx| {
                session_insert(tx, &short).await?;
                session_insert(tx, &long).await
            })
            .await
            .unwrap();
        let found = world.read(async |tx| session_get(tx, b"short", at(9)).await).await.unwrap();
        assert_eq!((&found.user_id, &found.organization_id), (&tenant.user.id, tenant.id()));
        assert!(world.read(async |tx| session_get(tx, b"short", at(10)).await).await.is_none());
        assert!(world.read(async |tx| session_get(tx, b"unknown", at(0)).await).await.is_none());
        assert_eq!(world.write(async |tx| sessions_delete_expired(tx, at(10), 10).await).await.unwrap(), 1);
        assert!(world.write(async |tx| session_delete(tx, b"long").await).await.unwrap());
        assert!(!world.write(async |tx| session_delete(tx, b"long").await).await.unwrap());
        assert!(world.read(async |tx| session_get(tx, b"long", at(0)).await).await.is_none());
    }
}
