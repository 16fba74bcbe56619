//! The providers' official descriptions as referees of requests and answers.
//!
//! [`GoogleContract`] is made of the discovery document of the Calendar API, [`MicrosoftContract`] of Microsoft's
//! OpenAPI description of Graph. Both describe open objects whose members are mostly optional. Here they are closed: a
//! member, parameter or path that the document does not know is a mistake, whoever made it.

mod google;
mod microsoft;

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;

pub use google::GoogleContract;
pub use microsoft::MicrosoftContract;

/// Reads a JSON file from the directory `CUPO_CONTRACT_DIR`, or from `shared/contract` in a directory above this crate.
/// `None` means that it is not there.
///
/// # Panics
/// When the file is there but cannot be used: a check must not be skipped by accident.
fn contract_file(name: &str) -> Option<Value> {
    let file = contract_path(name)?;
    let text = std::fs::read(&file).expect("the contract file can be read");
    Some(serde_json::from_slice(&text).expect("the contract file is JSON"))
}

fn contract_path(name: &str) -> Option<PathBuf> {
    if let Some(directory) = std::env::var_os("CUPO_CONTRACT_DIR") {
        return Some(Path::new(&directory).join(name)).filter(|file| file.is_file());
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|directory| directory.join("shared/contract").join(name)).find(|file| file.is_file())
}

fn compile(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema made of the document is a JSON Schema")
}

fn violations(validator: &Validator, value: &Value) -> Vec<String> {
    let problems = validator.iter_errors(value);
    problems.map(|problem| format!("{} at {}", problem, problem.instance_path())).collect()
}

/// `Ok` without problems; else every problem, with the name of the method that it concerns.
fn finish(method: &str, problems: Vec<String>) -> Result<(), Vec<String>> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.into_iter().map(|problem| format!("{method}: {problem}")).collect())
}
