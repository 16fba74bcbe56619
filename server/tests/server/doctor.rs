//! What `cupo doctor` says.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use cupo_engine::clock::{Clock, ManualClock, SystemClock};
use cupo_server::commands::{Finding, examine};
use cupo_server::config::Config;

use crate::world::{World, configuration};

fn of(findings: &[Finding], subject: &str) -> String {
    let found = findings.iter().find(|it| it.subject == subject);
    found.unwrap_or_else(|| panic!("no finding about {subject}: {findings:?}")).to_string()
}

async fn examine_at(config: &Config, now: DateTime<Utc>) -> Vec<Finding> {
    examine(config, None, Arc::new(ManualClock::new(now))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_installation_is_well() {
    let world = World::start().await;
    let mut config = world.config.clone();
    config.address.public_url = Some(world.server.base_url.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("new/cupo.db").display());
    config.database = Config::from_toml(&format!(
        "[database]\nurl = \"{database}\"\n[secrets]\nencryption_keys = [\"k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"]\nsession_secret = \"a session secret of more than 32 characters\""
    ))
    .unwrap()
    .database;
    let before = examine_at(&config, SystemClock.now()).await;
    assert!(of(&before, "migrations").contains("`cupo migrate`"), "{before:?}");

    cupo_server::assembly::open_store(&config).await.unwrap().migrate().await.unwrap();
    let findings = examine_at(&config, SystemClock.now()).await;
    for subject in [
        "database",
        "migrations",
        "writing",
        "jobs",
        "journal",
        "secrets",
        "public address",
        "clock",
        "google",
        "smtp",
        "time zones",
    ] {
        assert!(of(&findings, subject).starts_with("✓ "), "{}", of(&findings, subject));
    }
    assert!(of(&findings, "time zones").contains(cupo_core::zone::TZDB_VERSION));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_told_by_how_much() {
    let world = World::start().await;
    let findings = examine_at(&world.config, SystemClock.now() + TimeDelta::minutes(10)).await;
    let told = of(&findings, "clock");
    assert!(told.starts_with("✗ ") && told.contains("ahead of") && told.contains("NTP"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_out_of_reach_is_told_with_its_address_and_remedy() {
    // Port 9 (discard) of this machine: nobody answers there.
    let text = configuration("http://127.0.0.1:9", 9, "")
        .replace("sqlite::memory:", "postgres://cupo:hunter2@127.0.0.1:9/cupo");
    let config = Config::from_toml(&format!("public_url = \"http://127.0.0.1:9\"\n{text}")).unwrap();
    let findings = examine_at(&config, SystemClock.now()).await;
    for (subject, words) in [
        ("database", ["***@127.0.0.1:9", "database.url"]),
        ("public address", ["nobody answers", "cupo serve"]),
        ("google", ["Google Calendar: ", "DNS"]),
        ("smtp", ["mail server", "section smtp"]),
    ] {
        let told = of(&findings, subject);
        assert!(told.starts_with("✗ ") && words.iter().all(|word| told.contains(word)), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_not_random_are_told() {
    let text = "[secrets]\nencryption_keys = [\"k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]\nsession_secret = \"0123456789abcdef0123456789abcdef\"\n[database]\nurl = \"sqlite::memory:\"";
    let findings = examine_at(&Config::from_toml(text).unwrap(), SystemClock.now()).await;
    let told = of(&findings, "secrets");
    assert!(told.starts_with("✗ ") && told.contains("k1") && told.contains("generate-secrets"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_everybody_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    let set = |mode| std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    let config = Config::from_toml(&configuration("http://127.0.0.1:9", 9, "")).unwrap();
    let check = async || of(&examine(&config, Some(file.path()), Arc::new(SystemClock)).await, "configuration");
    set(0o644);
    assert!(check().await.contains("chmod 600"));
    set(0o600);
    assert!(check().await.starts_with("✓ "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_the_installation_that_was_given_up_is_told() {
    use cupo_core::ids::JobId;
    use cupo_store::{NewJob, job_bury, job_enqueue, job_lease};

    let folder = tempfile::tempdir().unwrap();
    let text = configuration("http://127.0.0.1:9", 9, "");
    let text = text.replace("sqlite::memory:", &format!("sqlite://{}", folder.path().join("cupo.db").display()));
    let config = Config::from_toml(&text).unwrap();
    let store = cupo_server::assembly::open_store(&config).await.unwrap();
    store.migrate().await.unwrap();
    let now = SystemClock.now();
    let job = NewJob {
        id: JobId::parse("0193b3a4-6c1e-7a52-9d3f-0123456789ab").unwrap(),
        organization_id: None,
        kind: "tell_operator".to_owned(),
        payload: serde_json::json!({ "code": "google_client" }),
        coalescing_key: None,
        run_at: now,
        created_at: now,
    };
    let mut tx = store.write().await.unwrap();
    job_enqueue(&mut tx, &job).await.unwrap();
    job_lease(&mut tx, now, "owner", TimeDelta::minutes(3), 1).await.unwrap();
    assert!(job_bury(&mut tx, &job.id, "owner", now, "550 no such user").await.unwrap());
    tx.commit().await.unwrap();
    let told = of(&examine_at(&config, now).await, "given-up job");
    for words in ["✗ ", "tell_operator", "550 no such user", "operator.email"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}
