//! The calendar providers of an installation. Their adapters are always there; what the operator may have registered
//! with them is a client for the consent of their users. Service accounts and applications are brought by
//! organizations.

use std::sync::Arc;

use cupo_providers::{
    CalendarProvider, Clock, FeedConfig, FeedReader, ProviderError, Transport,
    caldav::CaldavProvider,
    google::{
        GoogleEndpoints, GoogleProvider,
        oauth::{GoogleClient, GoogleOauth},
        service_account::{GoogleServiceAccount, ServiceAccountKey},
    },
    ics_feed::IcsProvider,
    microsoft::{
        MicrosoftEndpoints, MicrosoftProvider,
        oauth::{ClientCredential, MicrosoftClient, MicrosoftOauth},
    },
};
use cupo_store::Provider;
use url::Url;

use crate::{Engine, EngineError};

/// Google Calendar.
pub struct Google {
    /// Calendars and events.
    pub provider: Arc<GoogleProvider>,
    /// Consent and tokens, if the operator registered a client.
    pub oauth: Option<GoogleOauth>,
    /// Where service accounts get their tokens.
    pub service_accounts: GoogleServiceAccounts,
}

/// Where service accounts, which organizations bring, get their tokens: not where their keys say.
pub struct GoogleServiceAccounts {
    /// The operator's.
    pub transport: Transport,
    /// `https://oauth2.googleapis.com/token`.
    pub token_url: Url,
}

impl GoogleServiceAccounts {
    pub(crate) fn of(&self, key: ServiceAccountKey) -> GoogleServiceAccount {
        GoogleServiceAccount::new(self.transport.clone(), self.token_url.clone(), key)
    }
}

/// Microsoft 365 and Outlook.com.
pub struct Microsoft {
    /// Calendars and events.
    pub provider: Arc<MicrosoftProvider>,
    /// Consent and tokens, if the operator registered an application.
    pub oauth: Option<MicrosoftOauth>,
    /// Where the applications of organizations get their tokens.
    pub applications: MicrosoftApplications,
}

/// Where applications, which organizations bring, get their tokens.
pub struct MicrosoftApplications {
    /// The operator's.
    pub transport: Transport,
    /// `https://login.microsoftonline.com`.
    pub login_url: Url,
    /// Dates the assertions of those that have a certificate.
    pub clock: Clock,
}

impl MicrosoftApplications {
    /// The client of an application in its `tenant`; nobody is ever sent there, so that it needs no redirect address.
    pub(crate) fn of(&self, tenant: String, client_id: String, credential: ClientCredential) -> MicrosoftOauth {
        let login_url = self.login_url.clone();
        let client = MicrosoftClient { client_id, credential, tenant, redirect_url: login_url.clone(), login_url };
        MicrosoftOauth::new(self.transport.clone(), client, self.clock.clone())
    }
}

/// Servers that speak CalDAV.
pub struct Caldav {
    /// Calendars and events.
    pub provider: Arc<CaldavProvider>,
    /// One for addresses that people type in.
    pub transport: Transport,
}

/// Calendars that are subscribed to by their address.
pub struct Ics {
    /// The calendars.
    pub provider: Arc<IcsProvider>,
    /// Reads the files.
    pub reader: FeedReader,
}

/// Who holds calendars.
pub struct Providers {
    /// Google Calendar.
    pub google: Google,
    /// Microsoft 365 and Outlook.com.
    pub microsoft: Microsoft,
    /// Servers that speak CalDAV.
    pub caldav: Caldav,
    /// Calendar feeds.
    pub ics: Ics,
    /// The one to the operator's endpoints, which Google and Microsoft share.
    pub transport: Transport,
}

/// What [`Providers`] are made of.
pub struct ProvidersParts {
    /// To the operator's endpoints.
    pub transport: Transport,
    /// To addresses that people type in: [`cupo_providers::TransportConfig::allows_private_addresses`] as in `feeds`.
    pub guarded_transport: Transport,
    /// How calendar feeds are read.
    pub feeds: FeedConfig,
    /// The present.
    pub clock: Clock,
    /// `https://www.googleapis.com/calendar/v3`.
    pub google_api_url: Url,
    /// `https://oauth2.googleapis.com/token`, for service accounts.
    pub google_token_url: Url,
    /// The operator's client at Google.
    pub google_client: Option<GoogleClient>,
    /// `https://graph.microsoft.com/v1.0`.
    pub microsoft_graph_url: Url,
    /// `https://login.microsoftonline.com`, for applications.
    pub microsoft_login_url: Url,
    /// The operator's application at Microsoft.
    pub microsoft_client: Option<MicrosoftClient>,
}

impl Providers {
    /// Puts the adapters together; no address is called.
    ///
    /// # Errors
    /// When the machine's TLS cannot be set up.
    pub fn new(parts: ProvidersParts) -> Result<Self, ProviderError> {
        let ProvidersParts { transport, guarded_transport, clock, .. } = parts;
        let reader = FeedReader::new(parts.feeds).map_err(|error| ProviderError::Rejected(error.to_string()))?;
        Ok(Self {
            google: Google {
                provider: Arc::new(GoogleProvider::new(
                    transport.clone(),
                    GoogleEndpoints { api_url: parts.google_api_url },
                )),
                oauth: parts.google_client.map(|client| GoogleOauth::new(transport.clone(), client)),
                service_accounts: GoogleServiceAccounts {
                    transport: transport.clone(),
                    token_url: parts.google_token_url,
                },
            },
            microsoft: Microsoft {
                provider: Arc::new(MicrosoftProvider::new(
                    transport.clone(),
                    MicrosoftEndpoints { graph_url: parts.microsoft_graph_url },
                    clock.clone(),
                )),
                oauth: parts
                    .microsoft_client
                    .map(|client| MicrosoftOauth::new(transport.clone(), client, clock.clone())),
                applications: MicrosoftApplications {
                    transport: transport.clone(),
                    login_url: parts.microsoft_login_url,
                    clock: clock.clone(),
                },
            },
            caldav: Caldav {
                provider: Arc::new(CaldavProvider::new(guarded_transport.clone(), clock)),
                transport: guarded_transport,
            },
            ics: Ics { provider: Arc::new(IcsProvider::new(reader.clone())), reader },
            transport,
        })
    }
}

impl Engine {
    /// Whether hosts can connect accounts of this provider by themselves: the operator registered a client there, or
    /// none is needed.
    #[must_use]
    pub fn provider_configured(&self, provider: Provider) -> bool {
        match provider {
            Provider::Google => self.0.providers.google.oauth.is_some(),
            Provider::Outlook => self.0.providers.microsoft.oauth.is_some(),
            Provider::Caldav | Provider::Ics => true,
        }
    }

    pub(crate) fn google_oauth(&self) -> Result<&GoogleOauth, EngineError> {
        self.0.providers.google.oauth.as_ref().ok_or(EngineError::NotConfigured("google"))
    }

    pub(crate) fn microsoft_oauth(&self) -> Result<&MicrosoftOauth, EngineError> {
        self.0.providers.microsoft.oauth.as_ref().ok_or(EngineError::NotConfigured("microsoft"))
    }

    /// The adapter of a provider.
    pub(crate) fn provider(&self, provider: Provider) -> Arc<dyn CalendarProvider> {
        let providers = &self.0.providers;
        match provider {
            Provider::Google => providers.google.provider.clone(),
            Provider::Outlook => providers.microsoft.provider.clone(),
            Provider::Caldav => providers.caldav.provider.clone(),
            Provider::Ics => providers.ics.provider.clone(),
        }
    }
}
