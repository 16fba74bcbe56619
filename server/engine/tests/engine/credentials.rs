//! What administrators give for all: service accounts, applications, and the mailboxes for which they act.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use cupo_core::{ids::AccountId, parse::FieldErrors};
use cupo_engine::{AccountCondition, CredentialInput, EngineError, MailboxInput, Principal, SignUp};
use cupo_providers::google::oauth::REQUIRED_SCOPES;
use cupo_simulators::{
    google::ServiceAccount,
    microsoft::{
        ApplicationAccess, CONTOSO_TENANT, Client, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, MicrosoftSimulator, UserSeed,
    },
};
use cupo_store::{AuthKind, Provider, Role, account_get, provider_credential_list};
use serde_json::json;

use crate::world::{World, ana, fields};

const KEY: &str = include_str!("../../../providers/tests/keys/rsa-pkcs8.pem");
const OTHER_KEY: &str = include_str!("../../../providers/tests/keys/rsa-other.pem");
const CERTIFICATE: &str = include_str!("../../../providers/tests/keys/certificate.pem");
const SERVICE_ACCOUNT: &str = "cupo@project.iam.gserviceaccount.com";

/// The key file of the service account.
fn key_json(private_key: &str) -> String {
    let file = json!({
        "type": "service_account",
        "private_key_id": "key-1",
        "private_key": private_key,
        "client_email": SERVICE_ACCOUNT,
        "client_id": "104711",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    file.to_string()
}

fn service_account() -> CredentialInput {
    CredentialInput::GoogleServiceAccount { key_json: key_json(KEY) }
}

fn application(client_secret: &str) -> CredentialInput {
    CredentialInput::MicrosoftApplication {
        tenant: CONTOSO_TENANT.to_owned(),
        client_id: DEMO_CLIENT_ID.to_owned(),
        client_secret: client_secret.to_owned(),
        certificate_pem: String::new(),
        private_key_pem: String::new(),
    }
}

/// The administrator of `example.com` lets the service account act with these scopes.
fn delegate(world: &World, scopes: &[&str]) {
    let account = ServiceAccount {
        client_email: SERVICE_ACCOUNT.to_owned(),
        public_keys: BTreeMap::from([("key-1".to_owned(), CERTIFICATE.to_owned())]),
        delegated_domain: Some("example.com".to_owned()),
        delegated_scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect::<BTreeSet<_>>(),
    };
    world.google.add_service_account(account).unwrap();
}

/// The application of the organization at Microsoft, with this secret.
fn register(microsoft: &MicrosoftSimulator, secret: &str, secret_expired: bool) {
    microsoft.add_client(Client {
        client_id: DEMO_CLIENT_ID.to_owned(),
        client_secret: Some(secret.to_owned()),
        secret_expired,
        certificates: vec![CERTIFICATE.to_owned()],
        application: Some(ApplicationAccess {
            tenant: CONTOSO_TENANT.to_owned(),
            permissions: vec!["Calendars.ReadWrite".to_owned(), "User.Read.All".to_owned()],
            mailboxes: vec!["ana@contoso.example".to_owned(), "ben@contoso.example".to_owned()],
        }),
        ..Client::default()
    });
}

/// Ana gives the credential, and a member's mailbox is connected by it.
async fn connect(
    world: &World,
    input: CredentialInput,
    mailbox: &str,
    member: &Principal,
) -> Result<AccountId, EngineError> {
    let credential_id = world.engine.credential_add(&world.principal, input).await.unwrap();
    let input = MailboxInput { credential_id, mailbox: mailbox.to_owned(), user_id: member.user_id.clone() };
    world.engine.connect_mailbox(&world.principal, input).await
}

/// Somebody who runs another organization.
async fn neighbour(world: &World) -> Principal {
    let sign_up = SignUp {
        email: "nora@garage.example".into(),
        organization_slug: "garage".into(),
        organization_name: "Garage".into(),
        ..ana()
    };
    world.engine.sign_up(sign_up).await.unwrap().principal
}

/// The sentence's arguments of the only refused field.
fn problem(error: EngineError) -> (&'static str, Vec<(&'static str, String)>) {
    let EngineError::Invalid(FieldErrors(mut errors)) = error else { panic!("not a refusal of fields: {error:?}") };
    assert_eq!(errors.len(), 1);
    let problem = errors.remove(0).problem;
    (problem.key, problem.args)
}

fn posts(world: &World, end: &str) -> usize {
    world.google.exchanges().iter().filter(|exchange| exchange.method == "POST" && exchange.path.ends_with(end)).count()
}

#[tokio::test]
async fn a_service_account_opens_a_members_mailbox_without_their_consent() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    let (bea, _) = world.colleague("Bea", "bea@clinic.example").await;
    let id = connect(&world, service_account(), "ben@example.com", &bea).await.unwrap();
    let accounts = world.engine.accounts(&bea).await.unwrap();
    let account = &accounts[0].account;
    assert_eq!((&account.id, account.auth_kind), (&id, AuthKind::ServiceAccount));
    assert_eq!((account.email.as_str(), account.token_ciphertext.as_ref()), ("ben@example.com", None));
    assert_eq!(accounts[0].credential_name.as_deref(), Some(SERVICE_ACCOUNT));
    assert!(accounts[0].calendars.iter().any(|calendar| calendar.checks_conflicts && calendar.receives_events));
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty(), "it is the member's");
    let listed = world.engine.credentials(&world.principal).await.unwrap();
    assert_eq!((listed.len(), listed[0].name.as_str(), listed[0].accounts), (1, SERVICE_ACCOUNT, 1));
    assert_eq!((&listed[0].mailboxes[0].account_id, &listed[0].mailboxes[0].user_id), (&id, &bea.user_id));
}

#[tokio::test]
async fn a_minted_token_is_used_until_it_ends() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    let id = connect(&world, service_account(), "ben@example.com", &world.principal).await.unwrap();
    world.google.clear_exchanges();
    let refresh = || world.engine.account_refresh(&world.principal, &id);
    for refreshed in futures::future::join_all((0..8).map(|_| refresh())).await {
        refreshed.unwrap();
    }
    assert_eq!(posts(&world, "/token"), 1);
    world.pass(TimeDelta::hours(1));
    refresh().await.unwrap();
    assert_eq!(posts(&world, "/token"), 2);
    world.google.expire_access_tokens();
    refresh().await.unwrap();
    assert_eq!(posts(&world, "/token"), 3, "one that is refused before its time is replaced too");
}

#[tokio::test]
async fn missing_delegation_is_told_scope_by_scope() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES[..2]);
    let refused = connect(&world, service_account(), "ben@example.com", &world.principal).await.unwrap_err();
    let (key, args) = problem(refused);
    assert_eq!(key, "error.delegation_missing");
    assert_eq!(args, [("client", "104711".to_owned()), ("scopes", REQUIRED_SCOPES[2].to_owned())]);
    assert!(world.engine.accounts(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_delegation_that_is_taken_back_waits_for_the_administrator() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    let id = connect(&world, service_account(), "ben@example.com", &world.principal).await.unwrap();
    delegate(&world, &[]);
    world.pass(TimeDelta::hours(2));
    let refused = world.engine.account_refresh(&world.principal, &id).await;
    assert!(matches!(refused, Err(EngineError::ConsentNeeded(_))), "{refused:?}");
    assert_eq!(world.the_account().await.condition, AccountCondition::ConsentNeeded);
    delegate(&world, &REQUIRED_SCOPES);
    world.engine.account_refresh(&world.principal, &id).await.unwrap();
    assert_eq!(world.the_account().await.account.state_reason, None);
}

#[tokio::test]
async fn wrong_mailboxes_and_keys_are_told_apart() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    for (mailbox, refused) in [("nobody", "mailbox"), ("nobody@example.com", "mailbox")] {
        let outcome = connect(&world, service_account(), mailbox, &world.principal).await;
        assert_eq!(fields(outcome.unwrap_err()), [refused]);
    }
    // Google knows another key of this service account.
    let other = CredentialInput::GoogleServiceAccount { key_json: key_json(OTHER_KEY) };
    let outcome = connect(&world, other, "ben@example.com", &world.principal).await;
    assert_eq!(fields(outcome.unwrap_err()), ["credential_id"]);
    for key_json in ["", "{}", &key_json("no key")] {
        let input = CredentialInput::GoogleServiceAccount { key_json: key_json.to_owned() };
        let refused = world.engine.credential_add(&world.principal, input).await;
        assert_eq!(fields(refused.unwrap_err()), ["key_json"]);
    }
}

#[tokio::test]
async fn an_application_opens_the_mailboxes_that_it_was_given() {
    let world = World::with_microsoft().await;
    let dora = UserSeed {
        email: "dora@contoso.example".to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
        ..UserSeed::default()
    };
    world.microsoft().add_user(&dora).unwrap();
    let secret = || application(DEMO_CLIENT_SECRET);
    let id = connect(&world, secret(), "ben@contoso.example", &world.principal).await.unwrap();
    let overview = world.the_account().await;
    assert_eq!((&overview.account.id, overview.account.auth_kind), (&id, AuthKind::Application));
    assert_eq!(overview.account.email, "ben@contoso.example");
    let test = world.engine.account_test(&world.principal, &id).await.unwrap();
    assert!(test.steps.iter().take(2).all(|step| step.outcome.is_ok()), "{test:?}");
    for refused in ["dora@contoso.example", "nobody@contoso.example"] {
        let outcome = connect(&world, secret(), refused, &world.principal).await;
        assert_eq!(fields(outcome.unwrap_err()), ["mailbox"], "{refused}");
    }
}

#[tokio::test]
async fn an_application_has_one_token_for_all_mailboxes() {
    let world = World::with_microsoft().await;
    let secret = || application(DEMO_CLIENT_SECRET);
    let ana = connect(&world, secret(), "ana@contoso.example", &world.principal).await.unwrap();
    let ben = connect(&world, secret(), "ben@contoso.example", &world.principal).await.unwrap();
    world.microsoft().clear_exchanges();
    let refresh = |id| world.engine.account_refresh(&world.principal, id);
    let (one, two) = tokio::join!(refresh(&ana), refresh(&ben));
    one.and(two).unwrap();
    let asked = world.microsoft().exchanges();
    assert_eq!(asked.iter().filter(|exchange| exchange.path.ends_with("/token")).count(), 1);
}

#[tokio::test]
async fn an_application_may_prove_itself_by_a_certificate() {
    let world = World::with_microsoft().await;
    register(world.microsoft(), "unused", false);
    let by_certificate = |private_key_pem: &str| CredentialInput::MicrosoftApplication {
        tenant: CONTOSO_TENANT.to_owned(),
        client_id: DEMO_CLIENT_ID.to_owned(),
        client_secret: String::new(),
        certificate_pem: CERTIFICATE.to_owned(),
        private_key_pem: private_key_pem.to_owned(),
    };
    connect(&world, by_certificate(KEY), "ben@contoso.example", &world.principal).await.unwrap();
    let mixed_up = world.engine.credential_add(&world.principal, by_certificate(OTHER_KEY)).await;
    assert_eq!(fields(mixed_up.unwrap_err()), ["private_key_pem"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_application_is_told_at_its_field() {
    let world = World::with_microsoft().await;
    let with = |change: fn(&mut [String; 5])| {
        let mut texts = [CONTOSO_TENANT, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, "", ""].map(|text| text.to_owned());
        change(&mut texts);
        let [tenant, client_id, client_secret, certificate_pem, private_key_pem] = texts;
        CredentialInput::MicrosoftApplication { tenant, client_id, client_secret, certificate_pem, private_key_pem }
    };
    for (input, refused) in [
        (with(|texts| texts[0] = "common".into()), "tenant"),
        (with(|texts| texts[0] = "contoso.example/../x".into()), "tenant"),
        (with(|texts| texts[1] = "an id".into()), "client_id"),
        (with(|texts| texts[1] = "00000000-0000-0000-0000-000000000000".into()), "client_id"),
        (with(|texts| texts[2] = String::new()), "client_secret"),
        (with(|texts| texts[2] = "a wrong one".into()), "client_secret"),
        (with(|texts| texts[3] = CERTIFICATE.into()), "client_secret"),
        (with(|texts| (texts[2], texts[3]) = (String::new(), CERTIFICATE.into())), "private_key_pem"),
        (with(|texts| (texts[2], texts[3], texts[4]) = (String::new(), "x".into(), KEY.into())), "certificate_pem"),
    ] {
        let outcome = world.engine.credential_add(&world.principal, input).await;
        assert_eq!(fields(outcome.unwrap_err()), [refused]);
    }
    assert!(world.engine.credentials(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_expired_secret_of_an_organization_is_replaced_by_its_administrators() {
    let world = World::with_microsoft().await;
    let id = connect(&world, application(DEMO_CLIENT_SECRET), "ben@contoso.example", &world.principal).await.unwrap();
    register(world.microsoft(), DEMO_CLIENT_SECRET, true);
    world.pass(TimeDelta::hours(2));
    let refused = world.engine.account_refresh(&world.principal, &id).await;
    assert!(matches!(refused, Err(EngineError::OperatorNeeded(_))), "{refused:?}");
    assert_eq!(world.the_account().await.condition, AccountCondition::OperatorNeeded);
    assert!(world.engine.operator_alerts().await.unwrap().is_empty(), "the operator cannot mend it");

    register(world.microsoft(), "a new secret", false);
    let before = world.engine.credentials(&world.principal).await.unwrap();
    world.engine.credential_add(&world.principal, application("a new secret")).await.unwrap();
    let after = world.engine.credentials(&world.principal).await.unwrap();
    assert_eq!(after, before, "it is the same credential with another secret");
    // What waited is tried at once.
    world.engine.run_periodic().await.unwrap();
    world.pass(TimeDelta::minutes(10));
    world.engine.run_due_jobs().await.unwrap();
    assert_eq!(world.the_account().await.account.state_reason, None);
}

#[tokio::test]
async fn a_secret_that_was_replaced_in_one_process_is_used_at_once_in_another() {
    let world = World::with_microsoft().await;
    let id = connect(&world, application(DEMO_CLIENT_SECRET), "ben@contoso.example", &world.principal).await.unwrap();
    let another = world.another_process().await;
    another.account_refresh(&world.principal, &id).await.unwrap();
    register(world.microsoft(), "a new secret", false);
    world.engine.credential_add(&world.principal, application("a new secret")).await.unwrap();
    world.microsoft().clear_exchanges();
    for _ in 0..2 {
        another.account_refresh(&world.principal, &id).await.unwrap();
    }
    let asked = world.microsoft().exchanges();
    let minted = asked.iter().filter(|exchange| exchange.path.ends_with("/token")).count();
    assert_eq!(minted, 1, "the token of the old secret is forgotten, that of the new one is kept");
}

#[tokio::test]
async fn an_account_that_waits_in_one_process_is_tried_when_it_was_mended_in_another() {
    let world = World::with_microsoft().await;
    let id = connect(&world, application(DEMO_CLIENT_SECRET), "ben@contoso.example", &world.principal).await.unwrap();
    let worker = world.another_process().await;
    worker.run_due_jobs().await.unwrap();
    register(world.microsoft(), DEMO_CLIENT_SECRET, true);
    world.pass(TimeDelta::hours(2));
    let tokens_asked = || {
        let asked = world.microsoft().exchanges();
        asked.iter().filter(|exchange| exchange.path.ends_with("/token")).count()
    };
    worker.run_periodic().await.unwrap();
    for _ in 0..3 {
        world.pass(TimeDelta::minutes(10));
        worker.run_due_jobs().await.unwrap();
    }
    assert!(world.the_account().await.account.state_reason.is_some());
    let before = tokens_asked();
    world.pass(TimeDelta::minutes(10));
    worker.run_due_jobs().await.unwrap();
    assert_eq!(tokens_asked(), before, "it is left alone for an hour");

    register(world.microsoft(), "a new secret", false);
    world.engine.credential_add(&world.principal, application("a new secret")).await.unwrap();
    world.pass(TimeDelta::minutes(6));
    worker.run_due_jobs().await.unwrap();
    assert_eq!(world.the_account().await.account.state_reason, None, "account {id}");
}

#[tokio::test]
async fn a_credential_is_stored_sealed_and_printed_nowhere() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    assert!(!format!("{:?}", service_account()).contains("BEGIN"));
    world.engine.credential_add(&world.principal, service_account()).await.unwrap();
    let tx = &mut world.store.read().await.unwrap();
    let stored = provider_credential_list(tx, &world.principal.organization_id).await.unwrap().remove(0);
    let line = KEY.lines().nth(1).unwrap().as_bytes();
    assert!(!stored.ciphertext.windows(line.len()).any(|window| window == line));
}

#[tokio::test]
async fn credentials_are_for_who_runs_the_organization() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    let credential_id = world.engine.credential_add(&world.principal, service_account()).await.unwrap();
    let (bea, _) = world.colleague("Bea", "bea@clinic.example").await;
    assert_eq!(bea.role, Role::Host);
    let input = MailboxInput {
        credential_id: credential_id.clone(),
        mailbox: "ben@example.com".to_owned(),
        user_id: bea.user_id.clone(),
    };
    let forbidden = [
        world.engine.credentials(&bea).await.err(),
        world.engine.credential_add(&bea, service_account()).await.err(),
        world.engine.credential_delete(&bea, &credential_id).await.err(),
        world.engine.connect_mailbox(&bea, input).await.err(),
    ];
    assert!(forbidden.iter().all(|error| matches!(error, Some(EngineError::Forbidden))), "{forbidden:?}");
}

#[tokio::test]
async fn no_organization_uses_or_sees_the_credential_of_another() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    let id = connect(&world, service_account(), "ben@example.com", &world.principal).await.unwrap();
    let credential_id = world.engine.credentials(&world.principal).await.unwrap().remove(0).id;
    let nora = neighbour(&world).await;
    assert!(world.engine.credentials(&nora).await.unwrap().is_empty());
    let foreign_credential = MailboxInput {
        credential_id: credential_id.clone(),
        mailbox: "ben@example.com".to_owned(),
        user_id: nora.user_id.clone(),
    };
    let refused = world.engine.connect_mailbox(&nora, foreign_credential.clone()).await;
    assert!(matches!(refused, Err(EngineError::NotFound("credential"))));
    let deleted = world.engine.credential_delete(&nora, &credential_id).await;
    assert!(matches!(deleted, Err(EngineError::NotFound("credential"))));
    // Nor is a mailbox given to somebody of another organization.
    let foreign_member = world.engine.connect_mailbox(&world.principal, foreign_credential).await;
    assert!(matches!(foreign_member, Err(EngineError::NotFound("member"))));
    let tested = world.engine.account_test(&nora, &id).await.err();
    let refreshed = world.engine.account_refresh(&nora, &id).await.err();
    let disconnected = world.engine.account_disconnect(&nora, &id).await.err();
    for error in [tested, refreshed, disconnected] {
        assert!(matches!(error, Some(EngineError::NotFound("account"))), "{error:?}");
    }
    assert_eq!(world.engine.credentials(&world.principal).await.unwrap()[0].accounts, 1);
}

#[tokio::test]
async fn a_credential_in_use_stays_until_its_mailboxes_are_disconnected() {
    let world = World::new().await;
    delegate(&world, &REQUIRED_SCOPES);
    let (bea, _) = world.colleague("Bea", "bea@clinic.example").await;
    let id = connect(&world, service_account(), "ben@example.com", &bea).await.unwrap();
    let credential = world.engine.credentials(&world.principal).await.unwrap().remove(0);
    let delete = || world.engine.credential_delete(&world.principal, &credential.id);
    assert!(matches!(delete().await, Err(EngineError::Conflict("error.credential_in_use"))));
    world.engine.account_disconnect(&world.principal, &id).await.unwrap();
    world.engine.run_due_jobs().await.unwrap();
    let row = account_get(&mut world.store.read().await.unwrap(), &bea.organization_id, &id).await;
    assert!(row.unwrap().is_none());
    delete().await.unwrap();
    assert!(world.engine.credentials(&world.principal).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_runs_the_organization_disconnects_no_account_that_a_member_connected_alone() {
    let world = World::new().await;
    let (bea, session) = world.colleague("Bea", "bea@clinic.example").await;
    world.connect_as(&bea, &session, "ben@example.com").await;
    let account = world.engine.accounts(&bea).await.unwrap().remove(0).account;
    assert_eq!(account.provider, Provider::Google);
    let refused = world.engine.account_disconnect(&world.principal, &account.id).await;
    assert!(matches!(refused, Err(EngineError::NotFound("account"))));
}
