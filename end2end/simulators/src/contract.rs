//! The official discovery document of the Google Calendar API as a referee of requests and answers.

use serde_json::Value;

/// The discovery document, compiled to closed JSON Schemas.
pub struct Contract {}

impl Contract {
    /// Loads the document from `CUPO_CONTRACT_DIR` or from `shared/contract` beside the repository.
    pub fn load() -> Option<Self> {
        todo!()
    }
    pub fn validate_request(&self, _method: &str, _path_with_query: &str, _body: Option<&Value>) -> Result<(), Vec<String>> {
        todo!()
    }
    pub fn validate_answer(&self, _method: &str, _path: &str, _status: u16, _body: Option<&Value>) -> Result<(), Vec<String>> {
        todo!()
    }
}
