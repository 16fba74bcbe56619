use cupo_core::ids::CredentialId;
use cupo_store::*;

use crate::world::{Tenant, account, at, id, on_both, taken};

fn credential(tenant: &Tenant, name: &str) -> ProviderCredential {
    ProviderCredential {
        id: CredentialId::parse(&id()).unwrap(),
        organization_id: tenant.id().clone(),
        provider: Provider::Google,
        name: name.to_owned(),
        ciphertext: b"sealed".to_vec(),
        created_at: at(0),
    }
}

/// A mailbox for which the credential acts.
fn mailbox(tenant: &Tenant, credential: &ProviderCredential) -> CalendarProviderAccount {
    CalendarProviderAccount {
        auth_kind: AuthKind::ServiceAccount,
        impersonated_email: Some("ana@acme.example".to_owned()),
        credential_id: Some(credential.id.clone()),
        token_ciphertext: None,
        ..account(tenant.id(), &tenant.user.id, "ana@acme.example")
    }
}

on_both! {
    async fn a_credential_is_read_as_it_was_written_until_it_is_deleted(world: World) {
        let tenant = world.tenant("acme").await;
        let stored = credential(&tenant, "cupo@project.iam.gserviceaccount.com");
        world.write(async |tx| provider_credential_insert(tx, &stored).await).await.unwrap();
        let read = world.read(async |tx| provider_credential_get(tx, tenant.id(), &stored.id).await).await.unwrap();
        assert_eq!((read.provider, read.name.as_str()), (Provider::Google, "cupo@project.iam.gserviceaccount.com"));
        assert_eq!((read.ciphertext, read.created_at), (b"sealed".to_vec(), at(0)));

        let replace = async |tx: &mut Tx| provider_credential_update(tx, tenant.id(), &stored.id, b"anew").await;
        assert!(world.write(replace).await.unwrap());
        let listed = world.read(async |tx| provider_credential_list(tx, tenant.id()).await).await;
        assert_eq!((listed.len(), listed[0].ciphertext.as_slice()), (1, &b"anew"[..]));

        let delete = async |tx: &mut Tx| provider_credential_delete(tx, tenant.id(), &stored.id).await;
        assert!(world.write(delete).await.unwrap());
        assert!(!world.write(delete).await.unwrap());
        assert!(!world.write(replace).await.unwrap());
    }

    async fn an_organization_has_one_credential_of_a_name_at_a_provider(world: World) {
        let tenant = world.tenant("acme").await;
        let add = async |credential: ProviderCredential| {
            world.write(async |tx| provider_credential_insert(tx, &credential).await).await
        };
        add(credential(&tenant, "one")).await.unwrap();
        assert_eq!(taken(add(credential(&tenant, "one")).await), "provider_credential.name");
        add(credential(&tenant, "two")).await.unwrap();
        add(ProviderCredential { provider: Provider::Outlook, ..credential(&tenant, "one") }).await.unwrap();
        add(credential(&world.tenant("other").await, "one")).await.unwrap();
    }

    async fn a_credential_knows_the_accounts_for_which_it_acts(world: World) {
        let tenant = world.tenant("acme").await;
        let (used, unused) = (credential(&tenant, "used"), credential(&tenant, "unused"));
        let mailbox = mailbox(&tenant, &used);
        world
            .write(async |tx| {
                provider_credential_insert(tx, &used).await?;
                provider_credential_insert(tx, &unused).await?;
                account_insert(tx, &mailbox).await
            })
            .await
            .unwrap();
        let accounts_of = async |credential: &ProviderCredential| {
            world.read(async |tx| account_list_by_credential(tx, tenant.id(), &credential.id).await).await
        };
        let accounts = accounts_of(&used).await;
        assert_eq!(accounts.len(), 1);
        assert_eq!(accounts[0].id, mailbox.id);
        assert_eq!(accounts[0].impersonated_email.as_deref(), Some("ana@acme.example"));
        assert_eq!(accounts[0].credential_id.as_ref(), Some(&used.id));
        assert!(accounts_of(&unused).await.is_empty());
    }

    async fn no_tenant_sees_or_changes_the_credential_of_another(world: World) {
        let (ours, theirs) = (world.tenant("ours").await, world.tenant("theirs").await);
        let credential = credential(&ours, "one");
        let mailbox = mailbox(&ours, &credential);
        world
            .write(async |tx| {
                provider_credential_insert(tx, &credential).await?;
                account_insert(tx, &mailbox).await
            })
            .await
            .unwrap();
        let foreign = theirs.id();
        world
            .read(async |tx| {
                assert!(provider_credential_get(tx, foreign, &credential.id).await?.is_none());
                assert!(provider_credential_list(tx, foreign).await?.is_empty());
                assert!(account_list_by_credential(tx, foreign, &credential.id).await?.is_empty());
                Ok(())
            })
            .await;
        let changed = world
            .write(async |tx| {
                let reconnected = CalendarProviderAccount { organization_id: foreign.clone(), ..mailbox.clone() };
                Ok([
                    provider_credential_update(tx, foreign, &credential.id, b"theirs").await?,
                    provider_credential_delete(tx, foreign, &credential.id).await?,
                    account_reconnect(tx, &reconnected, at(1)).await?,
                    account_set_claims_challenge(tx, foreign, &mailbox.id, "{}", at(1)).await?,
                ])
            })
            .await
            .unwrap();
        assert_eq!(changed, [false; 4]);
    }
}
