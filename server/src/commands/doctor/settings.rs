//! Checks that need no other machine.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Finding;
use crate::assets::Assets;
use crate::config::{Config, DEFAULT_FILES};

/// Permission bits of everybody but the owner and the group.
const OTHERS: u32 = 0o007;

/// It was read already; what remains is who else can read the file, which holds secrets.
pub fn configuration(file: Option<&Path>) -> Finding {
    const SUBJECT: &str = "configuration";
    let found = file.or_else(|| DEFAULT_FILES.iter().map(Path::new).find(|path| path.is_file()));
    let Some(path) = found else { return Finding::fine(SUBJECT, "valid, from the environment alone") };
    let shown = path.display();
    match path.metadata() {
        Ok(metadata) if metadata.permissions().mode() & OTHERS != 0 => Finding::wrong(
            SUBJECT,
            format!("{shown} holds secrets and everybody on this machine can read it."),
            format!("Run `chmod 600 {shown}`."),
        ),
        Ok(_) => Finding::fine(SUBJECT, format!("{shown} is valid")),
        Err(error) => Finding::wrong(SUBJECT, format!("{shown} cannot be read ({error})."), "Give it to Cupo's user."),
    }
}

/// Their shape was checked when they were read; what remains is whether they are random.
pub fn secrets(config: &Config) -> Finding {
    const SUBJECT: &str = "secrets";
    let keys = &config.secrets.encryption_keys;
    let monotonous = |bytes: &[u8]| bytes.iter().collect::<std::collections::BTreeSet<_>>().len() < 8;
    let weak_key = keys.iter().find(|key| monotonous(&key.bytes()));
    if let Some(key) = weak_key {
        return Finding::wrong(
            SUBJECT,
            format!("the encryption key {} is not random.", key.id),
            "Put a key of `cupo generate-secrets` in front of it; accounts move to it when their tokens are refreshed.",
        );
    }
    if monotonous(config.secrets.session_secret.expose().as_bytes()) {
        return Finding::wrong(
            SUBJECT,
            "secrets.session_secret is not random.",
            "Take one of `cupo generate-secrets`; visitors' links that were sent before stop working.",
        );
    }
    let count = keys.len();
    Finding::fine(SUBJECT, format!("{count} encryption {}", if count == 1 { "key" } else { "keys" }))
}

/// Whether the dashboard and the widget are in the binary.
pub fn assets() -> Finding {
    match Assets::load().shell() {
        Ok(_) => Finding::fine("assets", "the widget and the dashboard are there"),
        Err(error) => Finding::wrong("assets", format!("{error}."), "Then build Cupo again."),
    }
}

pub fn time_zones() -> Finding {
    Finding::fine("time zones", format!("rules of the IANA database {}", cupo_core::zone::TZDB_VERSION))
}
