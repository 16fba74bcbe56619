//! The configuration: a TOML file and the environment over it, read once at start.
//!
//! Every key has a variable: `CUPO_` and the key in capitals, with `__` between section and name, such as
//! `CUPO_GOOGLE__CLIENT_ID` for `google.client_id`; the variable wins over the file. All mistakes are told at once,
//! each with its key, its variable and what would be right. One file per section.

mod address;
mod budgets;
mod database;
mod google;
mod limits;
mod log;
mod metrics;
mod microsoft;
mod mistakes;
mod operator;
mod reader;
mod secrets;
mod sign_up;
mod smtp;
mod sync;
mod worker;

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Toml};

pub use address::{Address, is_loopback};
pub use budgets::RequestBudget;
pub use database::Database;
pub use google::{Google, GoogleAddresses};
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use metrics::Metrics;
pub use microsoft::{Microsoft, MicrosoftAddresses};
pub use mistakes::{Mistake, Mistakes};
pub use operator::Operator;
pub use reader::{Environment, Reader, variable_of};
pub use secrets::{EncryptionKey, Secrets};
pub use sign_up::SignUp;
pub use smtp::{Smtp, SmtpTls};
pub use sync::Sync;
pub use worker::Worker;

/// Where the file is looked for when no `--config` names one, first come, first served.
pub const DEFAULT_FILES: [&str; 2] = ["cupo.toml", "data/cupo.toml"];

/// Everything that can be configured, valid.
#[derive(Debug, Clone)]
pub struct Config {
    pub address: Address,
    pub database: Database,
    pub secrets: Secrets,
    /// `None` when no Google client is configured: accounts of Google can then not be connected.
    pub google: Option<Google>,
    pub google_addresses: GoogleAddresses,
    pub google_budget: RequestBudget,
    /// `None` when no application of Microsoft's is configured: their accounts can then not be connected by their owners.
    pub microsoft: Option<Microsoft>,
    pub microsoft_addresses: MicrosoftAddresses,
    pub microsoft_budget: RequestBudget,
    pub caldav_budget: RequestBudget,
    pub operator: Operator,
    /// `None` when no mail server is configured: bookings work, mails are not sent.
    pub smtp: Option<Smtp>,
    pub log: Log,
    pub sign_up: SignUp,
    pub limits: Limits,
    pub metrics: Metrics,
    pub sync: Sync,
    pub worker: Worker,
}

impl Config {
    /// Reads `file`, or the first of [`DEFAULT_FILES`] that exists, and `environment` over it.
    ///
    /// # Errors
    /// All mistakes at once; a file that was named and cannot be read is one of them.
    pub fn load(file: Option<&Path>, environment: Environment) -> Result<Self, Mistakes> {
        let found: Option<PathBuf> = match file {
            Some(named) if named.is_file() => Some(named.to_path_buf()),
            Some(named) => return Err(Mistakes(vec![Mistake::missing_file(named)])),
            None => DEFAULT_FILES.iter().map(PathBuf::from).find(|path| path.is_file()),
        };
        let mut figment = Figment::new();
        if let Some(path) = &found {
            figment = figment.merge(Toml::file_exact(path));
        }
        Self::from_figment(figment.merge(environment), found.as_deref())
    }

    /// Reads a configuration that is given as TOML text: for tests and for tools that start a server themselves.
    pub fn from_toml(text: &str) -> Result<Self, Mistakes> {
        Self::from_figment(Figment::new().merge(Toml::string(text)), None)
    }

    fn from_figment(figment: Figment, file: Option<&Path>) -> Result<Self, Mistakes> {
        let reader = Reader::new(figment, file)?;
        let address = address::read(&reader);
        let database = database::read(&reader);
        let secrets = secrets::read(&reader);
        let google = google::read(&reader);
        let microsoft = microsoft::read(&reader);
        let google_budget = budgets::read(
            &reader,
            "google.requests_per_minute_per_account",
            Some("google.requests_per_minute_per_project"),
        );
        let microsoft_budget = budgets::read(
            &reader,
            "microsoft.requests_per_minute_per_account",
            Some("microsoft.requests_per_minute_per_project"),
        );
        let caldav_budget = budgets::read(&reader, "caldav.requests_per_minute_per_account", None);
        let operator = operator::read(&reader);
        let smtp = smtp::read(&reader);
        let log = log::read(&reader);
        let sign_up = sign_up::read(&reader);
        let limits = limits::read(&reader);
        let metrics = metrics::read(&reader);
        let sync = sync::read(&reader);
        let worker = worker::read(&reader);
        reader.finish()?;
        // Every section that gives `None` has noted a mistake, so these cannot fail after `finish`.
        let told = "a section without a value has told its mistake";
        let (google, google_addresses) = google.expect(told);
        let (microsoft, microsoft_addresses) = microsoft.expect(told);
        Ok(Self {
            address: address.expect(told),
            database: database.expect(told),
            secrets: secrets.expect(told),
            google,
            google_addresses,
            google_budget: google_budget.expect(told),
            microsoft,
            microsoft_addresses,
            microsoft_budget: microsoft_budget.expect(told),
            caldav_budget: caldav_budget.expect(told),
            operator: operator.expect(told),
            smtp: smtp.expect(told),
            log: log.expect(told),
            sign_up: sign_up.expect(told),
            limits: limits.expect(told),
            metrics: metrics.expect(told),
            sync: sync.expect(told),
            worker: worker.expect(told),
        })
    }
}
