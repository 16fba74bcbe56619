//! What a record holds of secrets and of visitors stays out of logs.

use cupo_core::ids::{BookingLinkId, CredentialId, EventTypeId, OrganizationId};
use cupo_core::question::Answer;
use cupo_store::*;

use crate::world::{account, appointment, at, hold, id, on_both, subscription, user};

/// Every secret byte string of these tests is this text, so that neither the text nor the bytes may show.
const SECRET: &str = "zebra-secret";

fn assert_hides(record: &impl std::fmt::Debug, names: &str) {
    for shown in [format!("{record:?}"), format!("{record:#?}").split_whitespace().collect::<Vec<_>>().join(" ")] {
        assert!(!shown.contains(SECRET), "{shown}");
        let bytes = format!("{:?}", SECRET.as_bytes());
        assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "{shown}");
        assert!(shown.contains(names), "{shown}");
    }
}

#[test]
fn debug_output_holds_no_secret() {
    let secret = || SECRET.as_bytes().to_vec();
    let organization_id = OrganizationId::parse(&id()).unwrap();
    let mut host = user("ana@example.com");
    host.password_hash = SECRET.to_owned();
    assert_hides(&host, "User");
    let mut mailbox = account(&organization_id, &host.id, "ana@example.com");
    mailbox.token_ciphertext = Some(secret());
    assert_hides(&mailbox, "CalendarProviderAccount");
    let credential = ProviderCredential {
        id: CredentialId::parse(&id()).unwrap(),
        organization_id: organization_id.clone(),
        provider: Provider::Outlook,
        name: "application".to_owned(),
        ciphertext: secret(),
        created_at: at(0),
    };
    assert_hides(&credential, "ProviderCredential");
    let session = Session {
        token_hash: secret(),
        user_id: host.id.clone(),
        organization_id: organization_id.clone(),
        created_at: at(0),
        expires_at: at(0),
    };
    assert_hides(&session, "Session");
    let state = OauthState {
        state_hash: secret(),
        organization_id: organization_id.clone(),
        user_id: host.id.clone(),
        provider: Provider::Google,
        session_token_hash: secret(),
        pkce_verifier_ciphertext: secret(),
        created_at: at(0),
        expires_at: at(0),
    };
    assert_hides(&state, "OauthState");
    let answer = IdempotencyKey {
        organization_id,
        key: "key".to_owned(),
        request_hash: secret(),
        status: 201,
        body: SECRET.to_owned(),
        created_at: at(0),
    };
    assert_hides(&answer, "IdempotencyKey");
    let link = BookingLink {
        id: BookingLinkId::parse(&id()).unwrap(),
        organization_id: answer.organization_id,
        event_type_id: EventTypeId::parse(&id()).unwrap(),
        token_hash: secret(),
        created_by: host.id,
        created_at: at(0),
        expires_at: None,
        used_at: None,
        appointment_id: None,
    };
    assert_hides(&link, "BookingLink");
}

on_both! {
    async fn debug_output_of_a_booking_holds_neither_its_token_nor_its_visitor(world: World) {
        let tenant = world.tenant("acme").await;
        let mut booked = appointment(&tenant, 60);
        booked.manage_token_hash = SECRET.as_bytes().to_vec();
        booked.visitor_name = SECRET.to_owned();
        booked.visitor_notes = Some(SECRET.to_owned());
        booked.answers =
            vec![Answer { id: "why".to_owned(), label: "Why?".to_owned(), values: vec![SECRET.to_owned()] }];
        booked.tracking = [("utm_term".to_owned(), SECRET.to_owned())].into();
        assert_hides(&booked, "Appointment");
        assert!(!format!("{booked:?}").contains("vera@example.org"));
        let mut kept = hold(&tenant, 60, 10);
        kept.token_hash = SECRET.as_bytes().to_vec();
        assert_hides(&kept, "Hold");
        let mut channel = subscription(&tenant, 10);
        channel.token_hash = SECRET.as_bytes().to_vec();
        assert_hides(&channel, "ProviderSubscription");
    }
}
