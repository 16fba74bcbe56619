//! A simulated Google with an adapter in front of it. At its end everything that went to and fro is checked against Google's
//! discovery document.

use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_core::ids::ClaimId;
use cupo_core::interval::Interval;
use cupo_providers::google::oauth::{GoogleClient, GoogleOauth, REQUIRED_SCOPES};
use cupo_providers::google::{GoogleEndpoints, GoogleProvider};
use cupo_providers::{Access, CalendarEvent, EventMark, EventTime, Secret, Transport, TransportConfig};
use cupo_simulators::contract::GoogleContract;
use cupo_simulators::google::{DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Exchange, GoogleOptions, GoogleSimulator};
use url::Url;

pub const ANA: &str = "ana@example.com";
pub const GUEST: &str = "guest@example.net";
pub const APPOINTMENT: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";
pub const APPOINTMENT_EVENT: &str = "cupo018f4e9e7a3b7c219d7e3b1f6a2c4d5e";

pub struct World {
    pub simulator: GoogleSimulator,
    pub google: GoogleProvider,
    pub token: Access,
}

impl World {
    pub async fn start() -> Self {
        Self::with(GoogleOptions { meet_pending: Duration::ZERO, ..GoogleOptions::default() }).await
    }

    pub async fn with(options: GoogleOptions) -> Self {
        let simulator = GoogleSimulator::start(options).await.unwrap();
        let google = provider(&simulator, TransportConfig::default());
        let token = token_of(&simulator, ANA);
        Self { simulator, google, token }
    }

    pub fn oauth(&self) -> GoogleOauth {
        self.oauth_as(DEMO_CLIENT_SECRET)
    }

    pub fn oauth_as(&self, client_secret: &str) -> GoogleOauth {
        let client = GoogleClient {
            client_id: DEMO_CLIENT_ID.into(),
            client_secret: Secret::new(client_secret),
            auth_url: address(&self.simulator, "/o/oauth2/v2/auth"),
            token_url: address(&self.simulator, "/token"),
            revoke_url: address(&self.simulator, "/revoke"),
            redirect_url: Url::parse("http://127.0.0.1:1/oauth/google/callback").unwrap(),
        };
        GoogleOauth::new(Transport::new(TransportConfig::default()).unwrap(), client)
    }

    /// The requests to the Calendar API so far, as `METHOD path-without-prefix`.
    pub fn calls(&self) -> Vec<String> {
        self.api_exchanges().iter().map(|exchange| format!("{} {}", exchange.method, exchange.path)).collect()
    }

    pub fn api_exchanges(&self) -> Vec<Exchange> {
        let exchanges = self.simulator.exchanges().into_iter();
        exchanges.filter(|exchange| exchange.path.starts_with("/calendar/v3/")).collect()
    }

    /// Every request and every answer so far against the official discovery document, those for tokens too.
    fn assert_contract_is_kept(&self) {
        let Some(contract) = contract() else {
            eprintln!("LEFT OUT: nothing is checked against Google's discovery document; set CUPO_CONTRACT_DIR");
            return;
        };
        for exchange in self.simulator.exchanges() {
            let Exchange { method, path, query, body, status, answer, dropped, .. } = exchange;
            match path.as_str() {
                "/token" => {
                    let form = body.expect("the token endpoint gets a form");
                    assert_eq!(contract.validate_token_request(&form), Ok(()), "{form}");
                    if !dropped {
                        let answer = answer.expect("the token endpoint answers JSON");
                        assert_eq!(contract.validate_token_answer(status, &answer), Ok(()), "{answer}");
                    }
                }
                _ if path.starts_with("/calendar/v3/") => {
                    let address = format!("{path}?{query}");
                    let sent = contract.validate_request(&method, &address, body.as_ref());
                    assert_eq!(sent, Ok(()), "{method} {address} {body:?}");
                    if !dropped {
                        let got = contract.validate_answer(&method, &path, status, answer.as_ref());
                        assert_eq!(got, Ok(()), "the answer to {method} {address}: {answer:?}");
                    }
                }
                _ => {}
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_contract_is_kept();
        }
    }
}

/// The discovery document, compiled once.
fn contract() -> Option<&'static GoogleContract> {
    static CONTRACT: OnceLock<Option<GoogleContract>> = OnceLock::new();
    CONTRACT.get_or_init(GoogleContract::load).as_ref()
}

pub fn provider(simulator: &GoogleSimulator, config: TransportConfig) -> GoogleProvider {
    let endpoints = GoogleEndpoints { api_url: address(simulator, "/calendar/v3") };
    GoogleProvider::new(Transport::new(config).unwrap(), endpoints)
}

pub fn token_of(simulator: &GoogleSimulator, email: &str) -> Access {
    let tokens = simulator.issue_tokens(email, &REQUIRED_SCOPES).unwrap();
    Access::bearer(format!("account of {email}"), Secret::new(tokens.access_token))
}

fn address(simulator: &GoogleSimulator, path: &str) -> Url {
    Url::parse(&format!("{}{path}", simulator.base_url())).unwrap()
}

/// `hour`:00 UTC on Monday, 2 November 2026, the days after by hours beyond 24.
pub fn hour(hour: i64) -> DateTime<Utc> {
    "2026-11-02T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour)
}

pub fn hours(from: i64, to: i64) -> Interval {
    Interval::new(hour(from), hour(to)).unwrap()
}

pub fn instant(at: DateTime<Utc>) -> EventTime {
    EventTime::Instant { at, time_zone: Some("Europe/Madrid".into()) }
}

/// The event of an appointment at 9:00.
pub fn appointment_event() -> CalendarEvent {
    CalendarEvent {
        description: Some("Booked through the site".into()),
        attendees: vec![cupo_providers::Attendee::invited(GUEST, Some("Guest".into()))],
        mark: Some(EventMark {
            claim_id: ClaimId::parse(APPOINTMENT).unwrap(),
            installation: "https://cupo.example".into(),
        }),
        ..CalendarEvent::draft("Consultation", instant(hour(9)), instant(hour(10)))
    }
}
