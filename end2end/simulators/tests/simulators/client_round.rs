//! The providers' own npm clients make a round of all operations against the simulators.

use std::path::{Path, PathBuf};

use cupo_simulators::contract::MicrosoftContract;
use cupo_simulators::http_server::TlsIdentity;
use cupo_simulators::microsoft::{MicrosoftOptions, MicrosoftSimulator};
use tokio::process::Command;

use crate::world::World;

/// A client's folder, with its packages installed.
async fn installed(name: &str) -> PathBuf {
    let version = Command::new("node").arg("--version").output().await;
    assert!(version.is_ok_and(|it| it.status.success()), "this test needs node 20 or newer on the PATH");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    if !directory.join("node_modules").is_dir() {
        let install = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&directory).output();
        let install = install.await.expect("this test needs npm on the PATH");
        assert!(install.status.success(), "npm ci failed: {}", String::from_utf8_lossy(&install.stderr));
    }
    directory
}

/// Runs the client's round, which must pass as a whole.
async fn run(round: &mut Command) {
    let round = round.arg("round.mjs").output().await.expect("node runs");
    let said = format!("{}{}", String::from_utf8_lossy(&round.stdout), String::from_utf8_lossy(&round.stderr));
    assert!(round.status.success(), "{said}");
    assert!(said.lines().any(|line| line.ends_with(" 0 failed")), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn googles_own_client_passes_a_round_of_all_operations() {
    let directory = installed("google").await;
    let world = World::start().await;
    world.simulator.clock().reset();
    let mut node = Command::new("node");
    run(node.current_dir(directory).env("GOOGLE_BASE_URL", world.simulator.base_url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn microsofts_own_client_passes_a_round_of_all_operations_over_tls() {
    let directory = installed("microsoft").await;
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, certified.cert.pem()).unwrap();
    let identity =
        TlsIdentity { certificate_pem: certified.cert.pem(), private_key_pem: certified.signing_key.serialize_pem() };
    let options = MicrosoftOptions { tls: Some(identity), ..MicrosoftOptions::default() };
    let simulator = MicrosoftSimulator::start(options).await.unwrap();
    let mut node = Command::new("node");
    node.current_dir(directory).env("MICROSOFT_BASE_URL", simulator.base_url()).env("NODE_EXTRA_CA_CERTS", &authority);
    run(&mut node).await;
    every_exchange_is_as_the_contract_says(&simulator);
    simulator.stop().await;
}

/// The client's requests too: what Microsoft's client sends and the simulator takes must be what the metadata describes.
#[expect(clippy::print_stdout, reason = "a check that is left out is told")]
fn every_exchange_is_as_the_contract_says(simulator: &MicrosoftSimulator) {
    let Some(contract) = MicrosoftContract::load() else {
        println!("contract check left out: the description of Graph is not there (set CUPO_CONTRACT_DIR)");
        return;
    };
    let exchanges = simulator.exchanges();
    assert!(exchanges.len() > 50, "the round was recorded: {}", exchanges.len());
    for exchange in &exchanges {
        let (method, path) = (exchange.method.as_str(), exchange.path.as_str());
        let sent = if exchange.query.is_empty() { path.to_owned() } else { format!("{path}?{}", exchange.query) };
        let (body, answer) = (exchange.body.as_ref(), exchange.answer.as_ref());
        if path.ends_with("/oauth2/v2.0/token") {
            let answer = answer.expect("the token endpoint answers JSON");
            assert_eq!(contract.validate_token_answer(exchange.status, answer), Ok(()), "{answer}");
            let form = body.expect("the token endpoint is sent a form");
            assert_eq!(contract.validate_token_request(form), Ok(()), "{form}");
        } else {
            let checked = contract.validate_exchange(method, &sent, body, exchange.status, answer);
            assert_eq!(checked, Ok(()), "{method} {sent} {body:?} was answered {} {answer:?}", exchange.status);
            // Beyond what was accepted: only what was a bad request may be one.
            let is_sound = exchange.status == 400 || contract.validate_request(method, &sent, body).is_ok();
            assert!(is_sound, "{method} {sent} {body:?} was answered {}", exchange.status);
        }
    }
    let deliveries = simulator.deliveries();
    assert!(!deliveries.is_empty(), "the subscription was told something");
    for delivery in deliveries {
        assert_eq!(contract.validate_notification(&delivery.body), Ok(()), "{}", delivery.body);
    }
}
