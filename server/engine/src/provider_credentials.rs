//! What an organization's administrators give for all its members: service accounts of Google with domain-wide
//! delegation, applications of Microsoft with access to mailboxes. Sealed when they come in, and never given out again.

use chrono::{DateTime, Utc};
use cupo_core::{
    ids::{AccountId, CredentialId, OrganizationId, UserId},
    parse::{FieldErrors, FieldProblem, required_text},
};
use cupo_providers::{
    OauthError, ProviderError, Secret,
    google::service_account::{GoogleServiceAccount, ServiceAccountKey},
    jwt::{Certificate, KeyError, SigningKey},
    microsoft::oauth::{ClientCredential, MicrosoftOauth},
};
use cupo_store::{
    AccountState, Provider, ProviderCredential, account_list_by_credential, account_update_state,
    provider_credential_delete, provider_credential_get, provider_credential_insert, provider_credential_list,
    provider_credential_update,
};
use serde::{Deserialize, Serialize};

use crate::{Engine, EngineError, Principal, access::mailbox_of, engine::transact, keyring::RowReference};

/// The code of an account whose credential is gone.
pub(crate) const UNUSABLE: &str = "credential_missing";

/// A key file has a few kilobytes.
const LONGEST_TEXT: usize = 32 * 1024;
const LONGEST_ID: usize = 200;
/// What Microsoft takes for a tenant although it is none: an application's access is to one.
const NO_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// What an administrator hands over, as it was typed or pasted in.
#[derive(Clone)]
pub enum CredentialInput {
    /// Acts for the users of a Google Workspace domain.
    GoogleServiceAccount {
        /// The JSON file of its key.
        key_json: String,
    },
    /// Acts for the mailboxes of a Microsoft 365 tenant. Either a secret, or a certificate with its key.
    MicrosoftApplication {
        /// The tenant's id or domain.
        tenant: String,
        /// The application's id.
        client_id: String,
        /// Empty when there is a certificate.
        client_secret: String,
        /// Empty when there is a secret.
        certificate_pem: String,
        /// Of the certificate.
        private_key_pem: String,
    },
}

impl std::fmt::Debug for CredentialInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::GoogleServiceAccount { .. } => "GoogleServiceAccount(..)",
            Self::MicrosoftApplication { .. } => "MicrosoftApplication(..)",
        })
    }
}

/// A credential without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialOverview {
    /// The credential.
    pub id: CredentialId,
    /// Whose it is.
    pub provider: Provider,
    /// Its own name at the provider: the service account's address, the application's id.
    pub name: String,
    /// When it was handed over.
    pub created_at: DateTime<Utc>,
    /// For how many mailboxes it acts.
    pub accounts: usize,
    /// Which these are.
    pub mailboxes: Vec<CredentialMailbox>,
}

/// A mailbox for which a credential acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialMailbox {
    /// The account.
    pub account_id: AccountId,
    /// The member whose calendars these are.
    pub user_id: UserId,
    /// The mailbox's address.
    pub mailbox: String,
}

/// What is sealed in the row of a credential. It has no `Debug`: nothing of it may be printed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum SealedCredential {
    ServiceAccount { key_json: String },
    Application { tenant: String, client_id: String, proof: Proof },
}

/// By which an application proves who it is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Proof {
    Secret(String),
    Certificate { certificate_pem: String, private_key_pem: String },
}

/// Who acts for an account by a credential.
pub(crate) enum Agent {
    ServiceAccount(GoogleServiceAccount),
    Application(MicrosoftOauth),
}

/// What was handed over, checked.
struct Parsed {
    provider: Provider,
    name: String,
    sealed: SealedCredential,
    agent: Agent,
}

impl Engine {
    /// The organization's credentials, the oldest first.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] for who does not run the organization, here and below.
    pub async fn credentials(&self, principal: &Principal) -> Result<Vec<CredentialOverview>, EngineError> {
        principal.require_admin()?;
        let organization_id = &principal.organization_id;
        let tx = &mut self.0.store.read().await?;
        let mut overviews = Vec::new();
        for ProviderCredential { id, provider, name, created_at, .. } in
            provider_credential_list(tx, organization_id).await?
        {
            let mut accounts = account_list_by_credential(tx, organization_id, &id).await?;
            accounts.retain(|account| account.state != AccountState::Disconnected);
            let mailboxes = accounts.iter().map(|account| CredentialMailbox {
                account_id: account.id.clone(),
                user_id: account.user_id.clone(),
                mailbox: mailbox_of(account).to_owned(),
            });
            let (accounts, mailboxes) = (accounts.len(), mailboxes.collect());
            overviews.push(CredentialOverview { id, provider, name, created_at, accounts, mailboxes });
        }
        Ok(overviews)
    }

    /// Keeps a credential. One of a name that is there already replaces its secret, for all mailboxes that use it.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] at `key_json`, `tenant`, `client_id`, `client_secret`, `certificate_pem` or
    /// `private_key_pem`; an application is tried first.
    pub async fn credential_add(
        &self,
        principal: &Principal,
        input: CredentialInput,
    ) -> Result<CredentialId, EngineError> {
        principal.require_admin()?;
        let parsed = self.parse_credential(input)?;
        if let Agent::Application(application) = &parsed.agent {
            application.application_token().await.map_err(|error| refused_application(error, &parsed.sealed))?;
        }
        let organization_id = &principal.organization_id;
        let plain = serde_json::to_vec(&parsed.sealed).map_err(|e| EngineError::internal("writing a credential", e))?;
        let (id, using) = transact!(self, tx => {
            let listed = provider_credential_list(tx, organization_id).await?;
            let old = listed.into_iter().find(|old| old.provider == parsed.provider && old.name == parsed.name);
            let id = old.as_ref().map_or_else(|| self.fresh(), |old| old.id.clone());
            let ciphertext = self.0.keyring.seal(&*self.0.random, row(organization_id, &id), &plain);
            if old.is_some() {
                provider_credential_update(tx, organization_id, &id, &ciphertext).await?;
            } else {
                let credential = ProviderCredential {
                    id: id.clone(),
                    organization_id: organization_id.clone(),
                    provider: parsed.provider,
                    name: parsed.name.clone(),
                    ciphertext,
                    created_at: self.now(),
                };
                provider_credential_insert(tx, &credential).await?;
            }
            let using = account_list_by_credential(tx, organization_id, &id).await?;
            // The mailboxes that waited for it are tried at once, by whichever process.
            for account in &using {
                let (state, reason) = (account.state, account.state_reason.as_deref());
                account_update_state(tx, organization_id, &account.id, state, reason, self.now()).await?;
            }
            (id, using)
        })?;
        self.0.minted.forget(&id);
        using.iter().for_each(|account| self.0.resting.wake(&account.id));
        self.committed(organization_id);
        Ok(id)
    }

    /// Forgets a credential.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] while it acts for a mailbox.
    pub async fn credential_delete(&self, principal: &Principal, id: &CredentialId) -> Result<(), EngineError> {
        principal.require_admin()?;
        let organization_id = &principal.organization_id;
        transact!(self, tx => {
            provider_credential_get(tx, organization_id, id).await?.ok_or(EngineError::NotFound("credential"))?;
            // A disconnected account still needs it to close its channels.
            if !account_list_by_credential(tx, organization_id, id).await?.is_empty() {
                return Err(EngineError::Conflict("error.credential_in_use"));
            }
            provider_credential_delete(tx, organization_id, id).await?;
        })?;
        self.0.minted.forget(id);
        self.committed(organization_id);
        Ok(())
    }

    /// Who acts by the credential.
    pub(crate) fn open_credential(&self, credential: &ProviderCredential) -> Result<Agent, EngineError> {
        let plain = self
            .0
            .keyring
            .open(row(&credential.organization_id, &credential.id), &credential.ciphertext)
            .map_err(|e| EngineError::internal("opening a credential", e))?;
        let unreadable = || EngineError::internal("reading a credential", "not readable");
        let sealed: SealedCredential = serde_json::from_slice(&plain).map_err(|_| unreadable())?;
        self.agent(&sealed).map_err(|_| unreadable())
    }

    fn agent(&self, sealed: &SealedCredential) -> Result<Agent, FieldErrors> {
        match sealed {
            SealedCredential::ServiceAccount { key_json } => self.service_account(key_json).map(Agent::ServiceAccount),
            SealedCredential::Application { tenant, client_id, proof } => {
                self.application(tenant, client_id, proof).map(Agent::Application)
            }
        }
    }

    fn service_account(&self, key_json: &str) -> Result<GoogleServiceAccount, FieldErrors> {
        let key = ServiceAccountKey::parse(key_json);
        let key = key.map_err(|why| FieldProblem::new("error.key_json").with("reason", why).at("key_json"))?;
        Ok(self.0.providers.google.service_accounts.of(key))
    }

    fn application(&self, tenant: &str, client_id: &str, proof: &Proof) -> Result<MicrosoftOauth, FieldErrors> {
        let credential = client_credential(proof)?;
        Ok(self.0.providers.microsoft.applications.of(tenant.to_owned(), client_id.to_owned(), credential))
    }

    fn parse_credential(&self, input: CredentialInput) -> Result<Parsed, FieldErrors> {
        match input {
            CredentialInput::GoogleServiceAccount { key_json } => {
                let key_json = pasted(&key_json).map_err(|problem| problem.at("key_json"))?;
                let service_account = self.service_account(&key_json)?;
                Ok(Parsed {
                    provider: Provider::Google,
                    name: service_account.key().client_email.clone(),
                    sealed: SealedCredential::ServiceAccount { key_json },
                    agent: Agent::ServiceAccount(service_account),
                })
            }
            CredentialInput::MicrosoftApplication {
                tenant,
                client_id,
                client_secret,
                certificate_pem,
                private_key_pem,
            } => {
                let mut errors = FieldErrors::default();
                let tenant = errors.collect("tenant", parse_tenant(&tenant));
                let client_id = errors.collect("client_id", parse_client_id(&client_id));
                let proof = parse_proof(&mut errors, &client_secret, &certificate_pem, &private_key_pem);
                let (Some(tenant), Some(client_id), Some(proof)) = (tenant, client_id, proof) else {
                    return Err(errors);
                };
                Ok(Parsed {
                    provider: Provider::Outlook,
                    name: client_id.clone(),
                    agent: Agent::Application(self.application(&tenant, &client_id, &proof)?),
                    sealed: SealedCredential::Application { tenant, client_id, proof },
                })
            }
        }
    }
}

fn row<'a>(organization_id: &'a OrganizationId, id: &'a CredentialId) -> RowReference<'a> {
    RowReference { table: "provider_credential", id: id.as_str(), organization_id }
}

/// A text of several lines that must be there.
fn pasted(text: &str) -> Result<String, FieldProblem> {
    let text = text.trim();
    if text.is_empty() {
        Err(FieldProblem::new("error.required"))
    } else if text.len() > LONGEST_TEXT {
        Err(FieldProblem::new("error.too_long").with("max", LONGEST_TEXT))
    } else {
        Ok(text.to_owned())
    }
}

/// Either a secret, or a certificate with its key.
fn parse_proof(
    errors: &mut FieldErrors,
    client_secret: &str,
    certificate_pem: &str,
    private_key_pem: &str,
) -> Option<Proof> {
    match (client_secret.trim(), certificate_pem.trim(), private_key_pem.trim()) {
        (_, "", "") => errors.collect("client_secret", required_text(client_secret, LONGEST_ID)).map(Proof::Secret),
        ("", _, _) => {
            let certificate_pem = errors.collect("certificate_pem", pasted(certificate_pem));
            let private_key_pem = errors.collect("private_key_pem", pasted(private_key_pem));
            let (certificate_pem, private_key_pem) = (certificate_pem?, private_key_pem?);
            Some(Proof::Certificate { certificate_pem, private_key_pem })
        }
        _ => errors.collect("client_secret", Err(FieldProblem::new("error.secret_or_certificate"))),
    }
}

/// The id or a domain of one tenant. It becomes part of an address.
fn parse_tenant(text: &str) -> Result<String, FieldProblem> {
    let text = required_text(text, LONGEST_ID)?.to_ascii_lowercase();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let is_one = is_plain && !NO_TENANTS.contains(&text.as_str()) && !text.starts_with('.');
    if is_one { Ok(text) } else { Err(FieldProblem::new("error.tenant")) }
}

fn parse_client_id(text: &str) -> Result<String, FieldProblem> {
    let text = required_text(text, LONGEST_ID)?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_plain { Ok(text) } else { Err(FieldProblem::new("error.client_id")) }
}

fn client_credential(proof: &Proof) -> Result<ClientCredential, FieldErrors> {
    let (certificate_pem, private_key_pem) = match proof {
        Proof::Secret(secret) => return Ok(ClientCredential::Secret(Secret::new(secret.as_str()))),
        Proof::Certificate { certificate_pem, private_key_pem } => (certificate_pem, private_key_pem),
    };
    let unreadable = |why: KeyError| FieldProblem::new("error.pem").with("reason", why);
    let mut errors = FieldErrors::default();
    let certificate = errors.collect("certificate_pem", Certificate::from_pem(certificate_pem).map_err(unreadable));
    let key = errors.collect("private_key_pem", SigningKey::from_pem(private_key_pem).map_err(unreadable));
    let (Some(certificate), Some(key)) = (certificate, key) else { return Err(errors) };
    if !certificate.belongs_to(&key) {
        return Err(FieldProblem::new("error.key_of_another_certificate").at("private_key_pem").into());
    }
    Ok(ClientCredential::Certificate { certificate, key })
}

/// At which field an application is to be mended that Microsoft did not accept.
fn refused_application(error: OauthError, sealed: &SealedCredential) -> EngineError {
    let proof = match sealed {
        SealedCredential::Application { proof: Proof::Certificate { .. }, .. } => "certificate_pem",
        _ => "client_secret",
    };
    match error {
        OauthError::InvalidClient(code) | OauthError::Rejected(code) => {
            let field = match code.as_str() {
                // No such tenant, or its name is malformed.
                "AADSTS90002" | "AADSTS900023" => "tenant",
                // No such application in the tenant.
                "AADSTS700016" => "client_id",
                _ => proof,
            };
            FieldProblem::new("error.credential_refused").with("code", code).at(field).into()
        }
        error => ProviderError::from(error).into(),
    }
}
