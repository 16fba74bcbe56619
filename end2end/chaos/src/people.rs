//! Who is going to be a host, and the simulated providers at which they have accounts.

use anyhow::Result;
use cupo_simulators::google::{self, GoogleOptions, GoogleSimulator, QuotaSettings};
use cupo_simulators::microsoft::{self, MicrosoftOptions, MicrosoftSimulator};

use crate::plan::Provider;

/// Somebody who is going to be a host.
pub struct Person {
    pub name: String,
    /// The address to sign in with.
    pub email: String,
    pub provider: Provider,
    /// Who it is at the provider.
    pub account: String,
}

/// All of them; the first one is the organization's owner.
pub struct People(pub Vec<Person>);

impl People {
    /// Three at Google, three at Microsoft, and two at a CalDAV server if there is one.
    pub fn of(has_caldav: bool) -> Self {
        let caldav = if has_caldav { 2 } else { 0 };
        let counts = [(Provider::Google, 3), (Provider::Microsoft, 3), (Provider::Caldav, caldav)];
        let people = counts.into_iter().flat_map(|(provider, count)| {
            (1..=count).map(move |number| {
                let (at, account) = match provider {
                    Provider::Google => ("google", format!("host{number}@google.example")),
                    Provider::Microsoft => ("microsoft", format!("host{number}@contoso.example")),
                    Provider::Caldav => ("caldav", format!("host{number}")),
                };
                let (name, email) = (format!("Host {number} {at}"), format!("host{number}.{at}@hosts.example"));
                Person { name, email, provider, account }
            })
        });
        Self(people.collect())
    }

    /// Who they are at a provider.
    pub fn accounts(&self, provider: Provider) -> Vec<String> {
        self.0.iter().filter(|person| person.provider == provider).map(|person| person.account.clone()).collect()
    }

    pub async fn google(&self) -> Result<GoogleSimulator> {
        let user = |email: String| google::UserSeed {
            calendars: vec![
                google::CalendarSeed { primary: true, ..google::CalendarSeed::named(&email) },
                google::CalendarSeed::named("Personal"),
            ],
            email,
            time_zone: "Europe/Madrid".to_owned(),
        };
        let users = self.accounts(Provider::Google).into_iter().map(user).collect();
        let simulator = GoogleSimulator::start(GoogleOptions { users, ..GoogleOptions::default() }).await?;
        simulator.set_quota(QuotaSettings { per_user: None, per_project: None, ..QuotaSettings::default() })?;
        Ok(simulator)
    }

    pub async fn microsoft(&self) -> Result<MicrosoftSimulator> {
        let user = |email: String| microsoft::UserSeed {
            email,
            time_zone: "Europe/Madrid".to_owned(),
            calendars: vec![microsoft::CalendarSeed::named("Personal")],
            ..microsoft::UserSeed::default()
        };
        let users = self.accounts(Provider::Microsoft).into_iter().map(user).collect();
        let options = MicrosoftOptions { users, requests_per_ten_minutes: None, ..MicrosoftOptions::default() };
        MicrosoftSimulator::start(options).await
    }
}
