//! `cupo generate-secrets`.

use std::process::ExitCode;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cupo_engine::random::{OsRandom, RandomSource};

pub fn run() -> Result<ExitCode> {
    print!("{}", snippet(&OsRandom));
    Ok(ExitCode::SUCCESS)
}

/// The section `secrets` with fresh values.
fn snippet(random: &dyn RandomSource) -> String {
    let fresh = || {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        STANDARD.encode(bytes)
    };
    format!(
        "# Keep these: without them connected calendars must be connected again and visitors' links stop working.\n\
         [secrets]\nencryption_keys = [\"k1:{}\"]\nsession_secret = \"{}\"\n",
        fresh(),
        fresh()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_snippet_is_a_whole_configuration_and_never_the_same() {
        let one = snippet(&OsRandom);
        assert_eq!(Config::from_toml(&one).unwrap().secrets.encryption_keys.len(), 1);
        assert_ne!(one, snippet(&OsRandom));
    }
}
