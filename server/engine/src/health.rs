//! Whether the engine can do its work.

use std::time::Duration;

use cupo_providers::{AccessToken, CalendarProvider, ProviderError, Secret};

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

    /// Whether the providers and the mail server can be reached from here.
    pub async fn provider_reachability(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(google) = &self.0.google {
            let nobody = AccessToken::new("reachability", Secret::new("none"));
            let answer = tokio::time::timeout(TIMEOUT, google.provider.list_calendars(&nobody)).await;
            // A refusal is an answer: the service is there.
            let (ok, detail) = match answer {
                Ok(Ok(_) | Err(ProviderError::Reauth(_) | ProviderError::Rejected(_) | ProviderError::NotFound)) => {
                    (true, "Google Calendar answers".to_owned())
                }
                Ok(Err(error)) => (false, format!("Google Calendar: {error}")),
                Err(_) => (false, format!("Google Calendar did not answer within {} s", TIMEOUT.as_secs())),
            };
            checks.push(Check { name: "google", ok, detail });
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
