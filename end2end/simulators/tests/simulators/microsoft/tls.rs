use cupo_simulators::microsoft::{MicrosoftOptions, MicrosoftSimulator, TlsIdentity};
use serde_json::Value;

use crate::microsoft::world::{ANA, SCOPES};

#[tokio::test]
async fn https_is_served_by_the_identity_that_was_given() {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let identity =
        TlsIdentity { certificate_pem: certified.cert.pem(), private_key_pem: certified.signing_key.serialize_pem() };
    let options = MicrosoftOptions { tls: Some(identity), ..MicrosoftOptions::default() };
    let simulator = MicrosoftSimulator::start(options).await.unwrap();
    assert!(simulator.base_url().starts_with("https://127.0.0.1:"));
    let authority = reqwest::Certificate::from_pem(certified.cert.pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder().no_proxy().add_root_certificate(authority).build().unwrap();
    let token = simulator.issue_tokens(ANA, &SCOPES).unwrap().access_token;
    let address = format!("{}/v1.0/me", simulator.base_url());
    let me: Value = http.get(&address).bearer_auth(token).send().await.unwrap().json().await.unwrap();
    assert_eq!(me["mail"], ANA);
    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(stranger.get(&address).send().await.is_err(), "nobody else trusts the certificate");
    simulator.stop().await;
}

#[tokio::test]
async fn an_identity_that_is_none_is_refused_at_the_start() {
    let identity = TlsIdentity { certificate_pem: String::new(), private_key_pem: "nonsense".to_owned() };
    let options = MicrosoftOptions { tls: Some(identity), ..MicrosoftOptions::default() };
    assert!(MicrosoftSimulator::start(options).await.is_err());
}
