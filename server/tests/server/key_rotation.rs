//! `cupo keys`, while a server runs.

use std::sync::Arc;

use cupo_engine::clock::SystemClock;
use cupo_server::Server;
use cupo_server::commands::examine;
use cupo_server::config::Config;

use crate::commands::Operator;
use crate::world::{World, booking};

const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "k2:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "k3:AgECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A world whose server is started again with these keys.
async fn again(world: World, operator: &Operator, database: &str, keys: &str) -> World {
    let World { server, google, client, mail, demo, config: _ } = world;
    server.stop().await;
    let file = operator.path("cupo.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with("encryption_keys")).collect();
    let keys: Vec<String> = keys.split(',').map(|key| format!("{key:?}")).collect();
    let keys = format!("[secrets]\nencryption_keys = [{}]", keys.join(", "));
    std::fs::write(&file, rest.join("\n").replace("[secrets]", &keys)).unwrap();
    let config = operator.config(database);
    World { server: Server::start(config.clone()).await.unwrap(), google, client, mail, demo, config }
}

/// A visitor books and the event comes: the account's token opens.
async fn can_write_events(world: &World, number: usize) {
    let (before, start) = (world.events().len(), world.slots().await[number * 8]);
    assert_eq!(world.book(&format!("visitor-number-{number}"), &booking(start)).await.status(), 201);
    world.until("the event", async || (world.events().len() > before).then_some(())).await;
}

/// What `cupo doctor` says of what is sealed.
async fn finding(config: &Config) -> String {
    let findings = examine(config, None, Arc::new(SystemClock)).await;
    findings.into_iter().find(|it| it.subject == "sealed tokens").unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_replaced_and_removed_step_by_step() {
    let operator = Operator::new();
    let database = operator.sqlite("cupo.db");
    let world = operator.world(&database).await;
    can_write_events(&world, 0).await;

    let world = again(world, &operator, &database, &format!("{OLD},{NEW}")).await;
    let newest_first = [("CUPO_SECRETS__ENCRYPTION_KEYS", &*format!("{NEW},{OLD}"))];
    let status = operator.told(&["keys", "status"], &newest_first).await;
    let counts: Vec<&str> = status.lines().map(|line| line.split_once(") ").unwrap().1).collect();
    assert_eq!(
        counts,
        [
            "seals accounts=0 credentials=0 sign_ins=0; it seals what is new",
            "seals accounts=1 credentials=0 sign_ins=0"
        ]
    );
    let rotated = operator.told(&["keys", "rotate"], &newest_first).await;
    assert_eq!(rotated.lines().last(), Some("rotated accounts=1 credentials=0 left=0"));
    assert!(rotated.lines().nth(1).unwrap().ends_with("; it can be removed"), "{rotated}");
    let rotated = operator.told(&["keys", "rotate"], &newest_first).await;
    assert_eq!(rotated.lines().last(), Some("rotated accounts=0 credentials=0 left=0"));
    // The server has had both keys all the time.
    can_write_events(&world, 1).await;

    let world = again(world, &operator, &database, NEW).await;
    can_write_events(&world, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_missing_is_told_and_nothing_is_lost() {
    let operator = Operator::new();
    let database = operator.sqlite("cupo.db");
    let world = operator.world(&database).await;
    let wrong = [("CUPO_SECRETS__ENCRYPTION_KEYS", OTHER)];
    for command in ["status", "rotate"] {
        let output = operator.run(&["keys", command], &wrong).await;
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains("a key that is not configured (") && told.contains("accounts=1"), "{told}");
        assert_eq!(output.status.success(), command == "status");
    }
    let rotated = operator.refused(&["keys", "rotate"], &wrong).await;
    assert_eq!(rotated.lines().last(), Some("rotated accounts=0 credentials=0 left=1"));

    let file = operator.path("backup.db");
    operator.told(&["backup", file.to_str().unwrap()], &[]).await;
    let elsewhere = operator.sqlite("restored.db");
    let restored = operator.run(&["restore", file.to_str().unwrap()], &[wrong[0], ("DATABASE_URL", &elsewhere)]).await;
    let warned = String::from_utf8(restored.stderr).unwrap();
    assert!(restored.status.success() && warned.contains("1 accounts and 0 credentials were sealed with"), "{warned}");

    let mut config = operator.config(&database);
    assert!(finding(&config).await.starts_with("✓ "));
    config.secrets.encryption_keys[0].id = "k3".to_owned();
    config.secrets.encryption_keys[0].base64 = cupo_providers::Secret::new(OTHER.trim_start_matches("k3:"));
    let told = finding(&config).await;
    assert!(told.starts_with("✗ ") && told.contains("1 were sealed with keys that are not configured"), "{told}");
    can_write_events(&world, 0).await;
}
