//! How a simulator starts: accounts, applications, limits.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use crate::http_server::TlsIdentity;

/// The application that is registered by default; it may redirect to any loopback address.
pub const DEMO_CLIENT_ID: &str = "cupo-demo";
/// Its secret.
pub const DEMO_CLIENT_SECRET: &str = "cupo-demo-secret";
/// The organisation of the work accounts that name no other.
pub const CONTOSO_TENANT: &str = "6f2d5c1e-8a0b-4e57-9c3d-2b7f41a86e90";
/// The tenant in which every personal account is.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A calendar beside the one that every mailbox has.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSeed {
    pub name: String,
    /// As `#rrggbb`.
    #[serde(default)]
    pub color: Option<String>,
    /// Whether the owner may only read it (`canEdit` is false).
    #[serde(default)]
    pub read_only: bool,
}

impl CalendarSeed {
    /// A calendar that can be written to.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// An account with its mailbox.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSeed {
    pub email: String,
    /// Made of the address when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// IANA.
    pub time_zone: String,
    /// A personal Microsoft account (outlook.com) rather than one of an organisation.
    #[serde(default)]
    pub personal: bool,
    /// The organisation's id; [`CONTOSO_TENANT`] when absent. Not for personal accounts.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Whether only an administrator can consent for this account.
    #[serde(default)]
    pub admin_consent_needed: bool,
    /// Beside the default calendar, which is called "Calendar".
    #[serde(default)]
    pub calendars: Vec<CalendarSeed>,
}

/// A registered application. An empty `redirect_uris` lets every loopback address in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub client_id: String,
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Whether the secret's end date has passed (AADSTS7000222).
    #[serde(default)]
    pub secret_expired: bool,
    /// X.509 certificates as PEM, for client assertions.
    #[serde(default)]
    pub certificates: Vec<String>,
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// What an administrator of an organisation granted to the application itself.
    #[serde(default)]
    pub application: Option<ApplicationAccess>,
}

/// Application permissions, limited by Exchange's RBAC for Applications.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationAccess {
    /// The organisation's id.
    pub tenant: String,
    /// Such as `Calendars.ReadWrite` and `User.Read.All`.
    pub permissions: Vec<String>,
    /// The addresses of the mailboxes that the application may open.
    pub mailboxes: Vec<String>,
}

/// How a simulator starts.
#[derive(Debug, Clone)]
pub struct MicrosoftOptions {
    /// Port 0 asks the system for a free one.
    pub listen: SocketAddr,
    /// Serves HTTPS by this identity; plain HTTP without one.
    pub tls: Option<TlsIdentity>,
    pub users: Vec<UserSeed>,
    pub clients: Vec<Client>,
    /// Where the world is kept over restarts.
    pub state_file: Option<PathBuf>,
    /// The pause before a failed notification is tried again; it doubles each time.
    pub delivery_retry: Duration,
    /// How long a webhook may take to answer the validation request.
    pub validation_patience: Duration,
    /// Requests of one application to one mailbox within ten minutes; beyond, 429.
    pub requests_per_ten_minutes: Option<usize>,
    /// Requests of one application to one mailbox at the same time; beyond, 429.
    pub concurrent_requests: Option<usize>,
    /// Whether the first user's calendars start with a week of appointments, for a demo.
    pub sample_events: bool,
}

impl Default for MicrosoftOptions {
    fn default() -> Self {
        let user = |email: &str, name: &str, time_zone: &str, personal: bool| UserSeed {
            email: email.to_owned(),
            name: Some(name.to_owned()),
            time_zone: time_zone.to_owned(),
            personal,
            calendars: vec![
                CalendarSeed::named("Personal"),
                CalendarSeed { read_only: true, ..CalendarSeed::named("Birthdays") },
            ],
            ..UserSeed::default()
        };
        let users = vec![
            user("ana@contoso.example", "Ana Ruiz", "Europe/Madrid", false),
            user("ben@contoso.example", "Ben Carter", "America/New_York", false),
            user("carla@outlook.example", "Carla Vidal", "Europe/Madrid", true),
        ];
        let application = ApplicationAccess {
            tenant: CONTOSO_TENANT.to_owned(),
            permissions: vec!["Calendars.ReadWrite".to_owned(), "User.Read.All".to_owned()],
            mailboxes: vec!["ana@contoso.example".to_owned(), "ben@contoso.example".to_owned()],
        };
        let client = Client {
            client_id: DEMO_CLIENT_ID.to_owned(),
            client_secret: Some(DEMO_CLIENT_SECRET.to_owned()),
            application: Some(application),
            ..Client::default()
        };
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            users,
            clients: vec![client],
            state_file: None,
            delivery_retry: Duration::from_millis(200),
            validation_patience: Duration::from_secs(10),
            requests_per_ten_minutes: Some(10_000),
            concurrent_requests: Some(4),
            sample_events: false,
        }
    }
}
