//! Replacing the key that seals what accounts and organizations have been given, on both stores.

use chrono::TimeDelta;
use cupo_core::ids::{AccountId, CredentialId};
use cupo_engine::{Engine, EngineError, KeyUse, clock::Clock, keyring::*, random::OsRandom};
use cupo_simulators::microsoft::Fault;
use cupo_store::{
    Provider, ProviderCredential, SealedIn, SealedText, account_get, account_insert, lease_get,
    provider_credential_insert, provider_credential_list, sealed_list, sealed_replace,
};

use crate::replicas::{on_a_postgres, on_both, refresh_calendars, until, with_outlook};
use crate::world::World;

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [8; 32];
const FOREIGN: [u8; 32] = [9; 32];
const SECRET: &[u8] = b"the application's secret";

/// Ana's account at Microsoft, and the secret of an application of her organization.
async fn with_secrets(database: Option<&str>) -> World {
    let world = with_outlook(database).await;
    let id = CredentialId::parse("00000000-0000-7000-8000-00000000000c").unwrap();
    let organization_id = &world.principal.organization_id;
    let row = RowReference { table: "provider_credential", id: id.as_str(), organization_id };
    let credential = ProviderCredential {
        organization_id: organization_id.clone(),
        provider: Provider::Outlook,
        name: "an application".to_owned(),
        ciphertext: Keyring::new(&[OLD]).unwrap().seal(&OsRandom, row, SECRET),
        created_at: world.clock.now(),
        id: id.clone(),
    };
    let mut tx = world.store.write().await.unwrap();
    provider_credential_insert(&mut tx, &credential).await.unwrap();
    tx.commit().await.unwrap();
    world
}

fn used(key: [u8; 32], accounts: u64, credentials: u64) -> KeyUse {
    let key_id = Keyring::new(&[key]).unwrap().ids().remove(0);
    KeyUse { key_id, accounts, credentials, sign_ins: 0 }
}

async fn sealed(world: &World, within: SealedIn) -> Vec<SealedText> {
    sealed_list(&mut world.store.read().await.unwrap(), within, "", 1_000).await.unwrap()
}

/// The process can use the account: it reads its tokens, and gets new ones with them.
async fn can_refresh(engine: &Engine, world: &World) -> Result<(), EngineError> {
    world.pass(TimeDelta::hours(2));
    refresh_calendars(engine, world).await
}

/// What is sealed in the organization's credential.
fn credential(keys: &[[u8; 32]], text: &SealedText) -> Result<Vec<u8>, KeyringError> {
    let row = RowReference { table: "provider_credential", id: &text.id, organization_id: &text.organization_id };
    Keyring::new(keys).unwrap().open(row, &text.ciphertext)
}

on_both! {
    async fn after_a_rotation_the_old_key_can_be_removed(world in with_secrets) {
        let rotating = world.process_with_keys(&[NEW, OLD]);
        let before = rotating.key_status().await.unwrap();
        assert_eq!(before.configured, [used(NEW, 0, 0), used(OLD, 1, 1)]);
        assert_eq!((before.left(), before.unknown.len(), before.damaged.len()), (2, 0, 0));

        let report = rotating.rotate_keys().await.unwrap();
        assert_eq!((report.accounts, report.credentials, report.status.left()), (1, 1, 0));
        assert_eq!(report.status.configured, [used(NEW, 1, 1), used(OLD, 0, 0)]);
        assert!(report.status.configured[1].is_unused());

        let alone = world.process_with_keys(&[NEW]);
        can_refresh(&alone, &world).await.unwrap();
        let credential_of = sealed(&world, SealedIn::Credentials).await.remove(0);
        assert_eq!(credential(&[NEW], &credential_of).unwrap(), SECRET);

        let again = alone.rotate_keys().await.unwrap();
        assert_eq!((again.accounts, again.credentials, again.status.left()), (0, 0, 0));
        assert!(can_refresh(&world.engine, &world).await.is_err(), "the old key alone opens nothing any more");
    }

    async fn a_key_that_was_replaced_still_opens(world in with_secrets) {
        can_refresh(&world.process_with_keys(&[NEW, OLD]), &world).await.unwrap();
        let status = world.process_with_keys(&[NEW, OLD]).key_status().await.unwrap();
        assert_eq!(status.configured, [used(NEW, 1, 0), used(OLD, 0, 1)], "a refreshed token is sealed with the new key");
        can_refresh(&world.process_with_keys(&[FOREIGN, NEW]), &world).await.unwrap();
    }

    async fn what_no_configured_key_opens_is_told_and_left_as_it_is(world in with_secrets) {
        let before = (sealed(&world, SealedIn::Accounts).await, sealed(&world, SealedIn::Credentials).await);
        let wrong = world.process_with_keys(&[FOREIGN]);
        let report = wrong.rotate_keys().await.unwrap();
        assert_eq!((report.accounts, report.credentials, report.status.left()), (0, 0, 2));
        assert_eq!(report.status.unknown, [used(OLD, 1, 1)]);
        assert_eq!(report.status.configured, [used(FOREIGN, 0, 0)]);
        let failed = can_refresh(&wrong, &world).await.unwrap_err();
        let reason = std::error::Error::source(&failed).map(ToString::to_string).unwrap_or_default();
        assert!(reason.contains("a key that is not configured"), "{failed:?}");
        assert_eq!((sealed(&world, SealedIn::Accounts).await, sealed(&world, SealedIn::Credentials).await), before);
        can_refresh(&world.engine, &world).await.unwrap();
    }

    async fn an_altered_ciphertext_is_told_by_its_row_and_keeps_nothing_else_back(world in with_secrets) {
        let credential = sealed(&world, SealedIn::Credentials).await.remove(0);
        let mut altered = credential.ciphertext.clone();
        *altered.last_mut().unwrap() ^= 1;
        let mut tx = world.store.write().await.unwrap();
        assert!(sealed_replace(&mut tx, SealedIn::Credentials, &credential, &altered).await.unwrap());
        tx.commit().await.unwrap();
        let report = world.process_with_keys(&[NEW, OLD]).rotate_keys().await.unwrap();
        assert_eq!((report.accounts, report.credentials, report.status.left()), (1, 0, 1));
        let damaged = &report.status.damaged[0];
        assert_eq!((damaged.table, damaged.id.as_str()), ("provider_credential", credential.id.as_str()));
        let kept = provider_credential_list(&mut world.store.read().await.unwrap(), &credential.organization_id).await;
        assert_eq!(kept.unwrap()[0].ciphertext, altered);
    }

    async fn a_token_that_was_refreshed_while_it_was_sealed_anew_stays(world in with_secrets) {
        let old = sealed(&world, SealedIn::Accounts).await.remove(0);
        can_refresh(&world.engine, &world).await.unwrap();
        let refreshed = sealed(&world, SealedIn::Accounts).await;
        let mut tx = world.store.write().await.unwrap();
        assert!(!sealed_replace(&mut tx, SealedIn::Accounts, &old, b"what was sealed anew").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(sealed(&world, SealedIn::Accounts).await, refreshed);
    }

    /// The refresh has used up the old refresh token: what it got must find its place.
    async fn a_refresh_that_is_under_way_during_a_rotation_can_store_its_token(world in with_secrets) {
        let rotating = world.process_with_keys(&[NEW, OLD]);
        let account = world.the_account().await.account;
        let slow = Fault { path_pattern: Some("/token$".to_owned()), delay_ms: 1_500, ..Fault::default() };
        world.microsoft().add_fault(slow).unwrap();
        world.pass(TimeDelta::hours(2));
        let rotation = async {
            let name = format!("refresh:{}", account.id);
            let begun = async || {
                let lease = lease_get(&mut world.store.read().await.unwrap(), &name, world.clock.now()).await;
                lease.unwrap().is_some()
            };
            until("the refresh", begun).await;
            rotating.rotate_keys().await.unwrap()
        };
        let (refreshed, report) = tokio::join!(refresh_calendars(&rotating, &world), rotation);
        refreshed.unwrap();
        assert_eq!(report.accounts, 1, "the rotation came first");
        let now = account_get(&mut world.store.read().await.unwrap(), &account.organization_id, &account.id).await;
        assert_eq!(now.unwrap().unwrap().token_version, account.token_version + 1);
        // Microsoft takes no refresh token twice here: the newest one was stored.
        can_refresh(&world.process_with_keys(&[NEW]), &world).await.unwrap();
    }

    async fn many_accounts_are_sealed_anew_in_batches(world in with_secrets) {
        let model = world.the_account().await.account;
        let keyring = Keyring::new(&[OLD]).unwrap();
        let mut tx = world.store.write().await.unwrap();
        for number in 0..230 {
            let id = AccountId::parse(&format!("00000000-0000-7000-8000-{number:012}")).unwrap();
            let row = RowReference {
                table: "calendar_provider_account",
                id: id.as_str(),
                organization_id: &model.organization_id,
            };
            let mut account = model.clone();
            account.token_ciphertext =
                (number % 23 != 0).then(|| keyring.seal(&OsRandom, row, format!("token {number}").as_bytes()));
            account.email = format!("{number}@example.com");
            account.id = id;
            account_insert(&mut tx, &account).await.unwrap();
        }
        tx.commit().await.unwrap();
        let report = world.process_with_keys(&[NEW, OLD]).rotate_keys().await.unwrap();
        assert_eq!((report.accounts, report.credentials, report.status.left()), (220 + 1, 1, 0));
        let keyring = Keyring::new(&[NEW]).unwrap();
        for text in sealed(&world, SealedIn::Accounts).await.iter().filter(|it| it.id != model.id.as_str()) {
            let row = RowReference {
                table: "calendar_provider_account",
                id: &text.id,
                organization_id: &text.organization_id,
            };
            let number: u64 = text.id[24..].parse().unwrap();
            assert_eq!(keyring.open(row, &text.ciphertext).unwrap(), format!("token {number}").into_bytes());
        }
    }
}
