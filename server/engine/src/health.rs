//! Whether the engine can do its work.

use std::{sync::Arc, time::Duration};

use cupo_providers::{Access, CalendarProvider, ProviderError, Secret};
use cupo_store::Provider;

use crate::{Engine, EngineError};

const TIMEOUT: Duration = Duration::from_secs(5);

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// A sentence for the operator.
    pub detail: String,
}

impl Engine {
    /// Ready to serve: the database answers.
    pub async fn ready(&self) -> Result<(), EngineError> {
        Ok(self.0.store.ping().await?)
    }

    /// Whether the providers that the operator has set up and the mail server can be reached from here.
    pub async fn provider_reachability(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for (provider, name, service) in
            [(Provider::Google, "google", "Google Calendar"), (Provider::Outlook, "microsoft", "Microsoft Graph")]
        {
            if self.provider_configured(provider) {
                checks.push(reachable(self.provider(provider), name, service).await);
            }
        }
        if let Some(mailer) = &self.0.mailer {
            let (ok, detail) = match tokio::time::timeout(TIMEOUT, mailer.test()).await {
                Ok(Ok(())) => (true, "the mail server answers".to_owned()),
                Ok(Err(error)) => (false, error.to_string()),
                Err(_) => (false, format!("the mail server did not answer within {} s", TIMEOUT.as_secs())),
            };
            checks.push(Check { name: "smtp", ok, detail });
        }
        checks
    }
}

/// Whether a service answers somebody whom it does not know.
async fn reachable(provider: Arc<dyn CalendarProvider>, name: &'static str, service: &str) -> Check {
    let nobody = Access::bearer("reachability", Secret::new("none"));
    let answer = tokio::time::timeout(TIMEOUT, provider.list_calendars(&nobody)).await;
    // A refusal is an answer: the service is there.
    let (ok, detail) = match answer {
        Ok(Ok(_) | Err(ProviderError::Reauth(_) | ProviderError::Rejected(_) | ProviderError::NotFound)) => {
            (true, format!("{service} answers"))
        }
        Ok(Err(error)) => (false, format!("{service}: {error}")),
        Err(_) => (false, format!("{service} did not answer within {} s", TIMEOUT.as_secs())),
    };
    Check { name, ok, detail }
}
