//! Google's own npm client makes a round of all operations against the simulator.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::world::World;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/google")
}

async fn installed() {
    let version = Command::new("node").arg("--version").output().await;
    assert!(version.is_ok_and(|it| it.status.success()), "this test needs node 20 or newer on the PATH");
    if directory().join("node_modules").is_dir() {
        return;
    }
    let install = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(directory()).output().await;
    let install = install.expect("this test needs npm on the PATH");
    assert!(install.status.success(), "npm ci failed: {}", String::from_utf8_lossy(&install.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn googles_own_client_passes_a_round_of_all_operations() {
    installed().await;
    let world = World::start().await;
    world.simulator.clock().reset();
    let round = Command::new("node")
        .arg("round.mjs")
        .current_dir(directory())
        .env("GOOGLE_BASE_URL", world.simulator.base_url())
        .output()
        .await
        .expect("node runs");
    let said = format!("{}{}", String::from_utf8_lossy(&round.stdout), String::from_utf8_lossy(&round.stderr));
    println!("{said}");
    assert!(round.status.success(), "{said}");
    assert!(said.lines().any(|line| line.ends_with(" 0 failed")), "{said}");
}
