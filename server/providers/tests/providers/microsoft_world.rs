//! A simulated Microsoft with an adapter in front of it.

use std::sync::Arc;

use cupo_providers::microsoft::oauth::{ClientCredential, MicrosoftClient, MicrosoftOauth, REQUIRED_SCOPES};
use cupo_providers::microsoft::{MicrosoftEndpoints, MicrosoftProvider};
use cupo_providers::{Access, Clock, Secret, Target, Transport, TransportConfig};
use cupo_simulators::contract::MicrosoftContract;
use cupo_simulators::microsoft::{
    DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Exchange, Fault, MicrosoftOptions, MicrosoftSimulator,
};
use serde_json::{Value, json};
use url::Url;

pub const ANA: &str = "ana@contoso.example";
pub const BEN: &str = "ben@contoso.example";
pub const CARLA: &str = "carla@outlook.example";

pub struct MicrosoftWorld {
    pub simulator: Arc<MicrosoftSimulator>,
    pub microsoft: MicrosoftProvider,
    /// Ana's.
    pub access: Access,
    /// The id of Ana's default calendar.
    pub calendar: String,
}

impl MicrosoftWorld {
    pub async fn start() -> Self {
        Self::with(MicrosoftOptions::default()).await
    }

    pub async fn with(options: MicrosoftOptions) -> Self {
        let simulator = Arc::new(MicrosoftSimulator::start(options).await.unwrap());
        let calendar = simulator.calendar_id(ANA).unwrap();
        let microsoft = provider(&simulator, TransportConfig::default());
        let access = access_of(&simulator, ANA);
        Self { simulator, microsoft, access, calendar }
    }

    /// Carla's account is a personal one.
    pub fn personal(&self) -> Access {
        access_of(&self.simulator, CARLA).to(Target::Personal)
    }

    /// The application's own access to the mailbox `address`.
    pub fn application(&self, address: &str) -> Access {
        let token = self.simulator.issue_application_token().unwrap();
        Access::bearer(format!("application for {address}"), Secret::new(token)).to(Target::Mailbox(address.into()))
    }

    pub fn oauth(&self) -> MicrosoftOauth {
        self.oauth_as("common", ClientCredential::Secret(Secret::new(DEMO_CLIENT_SECRET)))
    }

    pub fn oauth_as(&self, tenant: &str, credential: ClientCredential) -> MicrosoftOauth {
        let client = MicrosoftClient {
            client_id: DEMO_CLIENT_ID.into(),
            credential,
            tenant: tenant.into(),
            login_url: Url::parse(&self.simulator.base_url()).unwrap(),
            redirect_url: Url::parse("http://127.0.0.1:1/oauth/microsoft/callback").unwrap(),
        };
        let transport = Transport::new(TransportConfig::default()).unwrap();
        MicrosoftOauth::new(transport, client, clock(&self.simulator))
    }

    pub fn fault(&self, fault: Fault) {
        self.simulator.add_fault(fault).unwrap();
    }

    /// The requests to Graph so far, as `METHOD path-below-the-version`; those of a batch one by one after it.
    pub fn calls(&self) -> Vec<String> {
        let path = |exchange: &Exchange| exchange.path.trim_start_matches("/v1.0").to_owned();
        self.graph_exchanges().iter().map(|exchange| format!("{} {}", exchange.method, path(exchange))).collect()
    }

    pub fn count(&self, method: &str, path_end: &str) -> usize {
        let exchanges = self.graph_exchanges();
        exchanges.iter().filter(|exchange| exchange.method == method && exchange.path.ends_with(path_end)).count()
    }

    pub fn graph_exchanges(&self) -> Vec<Exchange> {
        let exchanges = self.simulator.exchanges().into_iter();
        exchanges.filter(|exchange| exchange.path.starts_with("/v1.0/")).collect()
    }

    /// Every request so far against Microsoft's description, and with the preferences that each must have.
    pub fn assert_contract_is_kept(&self) {
        let exchanges = self.graph_exchanges();
        assert!(!exchanges.is_empty());
        for exchange in &exchanges {
            let prefer = &exchange.headers["prefer"];
            for preference in [r#"IdType="ImmutableId""#, r#"outlook.timezone="UTC""#] {
                assert!(prefer.contains(preference), "{} {}: {prefer}", exchange.method, exchange.path);
            }
        }
        let Some(contract) = MicrosoftContract::load() else {
            eprintln!("LEFT OUT: requests are not checked against Microsoft's description; set CUPO_CONTRACT_DIR");
            return;
        };
        for exchange in exchanges {
            let address = match exchange.query.as_str() {
                "" => exchange.path.clone(),
                query => format!("{}?{query}", exchange.path),
            };
            let verdict = contract.validate_request(&exchange.method, &address, exchange.body.as_ref());
            assert_eq!(verdict, Ok(()), "{} {address} {:?}", exchange.method, exchange.body);
        }
    }
}

pub fn provider(simulator: &Arc<MicrosoftSimulator>, config: TransportConfig) -> MicrosoftProvider {
    let graph_url = Url::parse(&format!("{}/v1.0", simulator.base_url())).unwrap();
    MicrosoftProvider::new(Transport::new(config).unwrap(), MicrosoftEndpoints { graph_url }, clock(simulator))
}

fn clock(simulator: &Arc<MicrosoftSimulator>) -> Clock {
    let simulator = simulator.clone();
    Clock::new(move || simulator.clock().now())
}

pub fn access_of(simulator: &MicrosoftSimulator, email: &str) -> Access {
    let tokens = simulator.issue_tokens(email, &REQUIRED_SCOPES).unwrap();
    Access::bearer(format!("account of {email}"), Secret::new(tokens.access_token))
}

/// An event by hand, from `from` to `to` o'clock (UTC) on 2 November 2026.
pub fn by_hand(subject: &str, from: u32, to: u32) -> Value {
    let time = |hour: u32| json!({"dateTime": format!("2026-11-02T{hour:02}:00:00"), "timeZone": "UTC"});
    json!({"subject": subject, "start": time(from), "end": time(to), "showAs": "busy"})
}
