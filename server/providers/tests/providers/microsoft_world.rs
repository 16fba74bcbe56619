//! A simulated Microsoft with an adapter in front of it. At its end everything that went to and fro is checked against
//! Microsoft's description.

use std::sync::{Arc, OnceLock};

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
}

impl Drop for MicrosoftWorld {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for exchange in self.graph_exchanges() {
            let prefer = &exchange.headers["prefer"];
            for preference in [r#"IdType="ImmutableId""#, r#"outlook.timezone="UTC""#] {
                assert!(prefer.contains(preference), "{} {}: {prefer}", exchange.method, exchange.path);
            }
        }
        assert_contract_is_kept(&self.simulator);
    }
}

/// Every request and every answer so far against Microsoft's description, those for tokens too.
pub fn assert_contract_is_kept(simulator: &MicrosoftSimulator) {
    static CONTRACT: OnceLock<Option<MicrosoftContract>> = OnceLock::new();
    let Some(contract) = CONTRACT.get_or_init(MicrosoftContract::load) else {
        eprintln!("LEFT OUT: nothing is checked against Microsoft's description; set CUPO_CONTRACT_DIR");
        return;
    };
    for exchange in simulator.exchanges() {
        let Exchange { method, path, query, body, status, answer, dropped, .. } = exchange;
        if path.ends_with("/oauth2/v2.0/token") {
            let form = body.expect("the token endpoint gets a form");
            assert_eq!(contract.validate_token_request(&form), Ok(()), "{form}");
            if !dropped {
                let answer = answer.expect("the token endpoint answers JSON");
                assert_eq!(contract.validate_token_answer(status, &answer), Ok(()), "{answer}");
            }
        } else if path.starts_with("/v1.0/") {
            let address = if query.is_empty() { path } else { format!("{path}?{query}") };
            let sent = contract.validate_request(&method, &address, body.as_ref());
            assert_eq!(sent, Ok(()), "{method} {address} {body:?}");
            if !dropped {
                let got = contract.validate_exchange(&method, &address, body.as_ref(), status, answer.as_ref());
                assert_eq!(got, Ok(()), "the answer to {method} {address}: {answer:?}");
            }
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
