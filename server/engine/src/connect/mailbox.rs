//! As a mailbox for which a credential of the organization acts: nobody has to consent.

use cupo_core::{
    ids::{AccountId, CredentialId, UserId},
    parse::{EmailAddress, FieldProblem},
};
use cupo_providers::{
    Access, OauthError, ProviderCalendar, ProviderError, Target, google::service_account::GoogleServiceAccount,
    microsoft::oauth::MicrosoftOauth,
};
use cupo_store::{AuthKind, Provider, memberships_of_organization, provider_credential_get};

use super::{Connected, Proof, oauth::primary_address};
use crate::{Engine, EngineError, Principal, provider_credentials::Agent};

/// A member's mailbox, and what is to act for it.
#[derive(Debug, Clone)]
pub struct MailboxInput {
    /// Of the organization.
    pub credential_id: CredentialId,
    /// Its address.
    pub mailbox: String,
    /// The member whose calendars these are.
    pub user_id: UserId,
}

impl Engine {
    /// Connects a member's mailbox, once the credential has opened it.
    ///
    /// # Errors
    /// [`EngineError::Forbidden`] for who does not run the organization; [`EngineError::Invalid`] at `mailbox`, also
    /// when the administrator has not delegated all that is needed (the problem names the scopes), or at
    /// `credential_id`.
    pub async fn connect_mailbox(&self, principal: &Principal, input: MailboxInput) -> Result<AccountId, EngineError> {
        principal.require_admin()?;
        let MailboxInput { credential_id, mailbox, user_id } = input;
        let mailbox = EmailAddress::parse(&mailbox).map_err(|problem| problem.at("mailbox"))?;
        let organization_id = &principal.organization_id;
        let credential = {
            let tx = &mut self.0.store.read().await?;
            let members = memberships_of_organization(tx, organization_id).await?;
            if !members.iter().any(|member| member.user_id == user_id) {
                return Err(EngineError::NotFound("member"));
            }
            let credential = provider_credential_get(tx, organization_id, &credential_id).await?;
            credential.ok_or(EngineError::NotFound("credential"))?
        };
        let (auth_kind, email, scopes, calendars) = match self.open_credential(&credential)? {
            Agent::ServiceAccount(service_account) => {
                let (scopes, calendars) = self.try_service_account(&service_account, mailbox.as_str()).await?;
                (AuthKind::ServiceAccount, primary_address(&calendars)?, scopes, calendars)
            }
            Agent::Application(application) => {
                let calendars = self.try_application(&application, mailbox.as_str()).await?;
                (AuthKind::Application, mailbox.as_str().to_owned(), Vec::new(), calendars)
            }
        };
        let connected = Connected {
            user_id: &user_id,
            provider: credential.provider,
            auth_kind,
            email,
            impersonated_email: Some(mailbox.as_str().to_owned()),
            credential_id: Some(credential_id),
            scopes,
            proof: Proof::OfOrganization,
        };
        self.store_account(principal, connected, &calendars).await
    }

    async fn try_service_account(
        &self,
        service_account: &GoogleServiceAccount,
        mailbox: &str,
    ) -> Result<(Vec<String>, Vec<ProviderCalendar>), EngineError> {
        let grant = match service_account.token_for(mailbox, self.now()).await {
            Ok(grant) => grant,
            Err(OauthError::ConsentNeeded(code)) => {
                let missing = service_account.missing_delegation(mailbox, self.now()).await;
                let missing = missing.map_err(|error| refused(Provider::Google, error))?;
                if missing.is_empty() {
                    return Err(EngineError::ConsentNeeded(code));
                }
                let key = service_account.key();
                let client = key.client_id.as_deref().unwrap_or(&key.client_email);
                let problem = FieldProblem::new("error.delegation_missing").with("client", client);
                return Err(problem.with("scopes", missing.join(", ")).at("mailbox").into());
            }
            Err(error) => return Err(refused(Provider::Google, error)),
        };
        // There is no account yet: the limits are those of the mailbox.
        let access = Access::bearer(self.fresh::<AccountId>().as_str(), grant.access_token);
        let calendars = self.provider(Provider::Google).list_calendars(&access).await?;
        Ok((grant.scopes, calendars))
    }

    async fn try_application(
        &self,
        application: &MicrosoftOauth,
        mailbox: &str,
    ) -> Result<Vec<ProviderCalendar>, EngineError> {
        let grant = application.application_token().await.map_err(|error| refused(Provider::Outlook, error))?;
        let access = Access::bearer(self.fresh::<AccountId>().as_str(), grant.access_token);
        let access = access.to(Target::Mailbox(mailbox.into()));
        let listed = self.provider(Provider::Outlook).list_calendars(&access).await;
        listed.map_err(|error| match error {
            ProviderError::NotFound => FieldProblem::new("error.mailbox_unknown").at("mailbox").into(),
            // Exchange answers what its access policies refuse as it answers what was not granted.
            ProviderError::Reauth(_) | ProviderError::Rejected(_) | ProviderError::ConsentNeeded(_) => {
                tracing::info!(%error, "an application may not open a mailbox");
                FieldProblem::new("error.mailbox_denied").at("mailbox").into()
            }
            error => error.into(),
        })
    }
}

/// What a refused token means to the administrator.
fn refused(provider: Provider, error: OauthError) -> EngineError {
    match error {
        OauthError::InvalidGrant(_) if provider == Provider::Google => {
            FieldProblem::new("error.mailbox_unknown").at("mailbox").into()
        }
        OauthError::InvalidClient(code) => {
            FieldProblem::new("error.credential_refused").with("code", code).at("credential_id").into()
        }
        OauthError::Denied(code) | OauthError::InvalidGrant(code) => EngineError::ConsentNeeded(code),
        error => ProviderError::from(error).into(),
    }
}
