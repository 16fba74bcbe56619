//! Microsoft's OpenAPI description of Graph's calendars as a referee.

mod batch;
mod definitions;
mod operation;
mod sign_in;

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use self::definitions::Definitions;
use self::operation::Operation;
use super::{compile, contract_file, finish, violations};

const FILE: &str = "msgraph-calendar.openapi.json";
const STRICT_FILE: &str = "msgraph-calendar.strict.schema.json";
const BASE_PATH: &str = "/v1.0/";
const ERROR: &str = "microsoft.graph.ODataErrors.ODataError";
const NOTIFICATIONS: &str = "microsoft.graph.changeNotificationCollection";

/// The description, compiled.
#[derive(Debug)]
pub struct MicrosoftContract {
    operations: Vec<Operation>,
    /// By the name of the schema.
    bodies: BTreeMap<String, Validator>,
    batch_request: Validator,
    batch_answer: Validator,
    token_request: Validator,
    token_answer: Validator,
    token_error: Validator,
}

impl MicrosoftContract {
    /// Loads the documents from the directory `CUPO_CONTRACT_DIR`, or from `shared/contract` in a directory above this
    /// crate. `None` means that they are not there: say plainly that the check is left out.
    ///
    /// # Panics
    /// When the files are there but cannot be used: a check must not be skipped by accident.
    pub fn load() -> Option<Self> {
        Some(Self::compile(&contract_file(FILE)?, &contract_file(STRICT_FILE)?))
    }

    fn compile(document: &Value, strict: &Value) -> Self {
        let mut definitions = Definitions::new(document, strict);
        let operations = Operation::read_all(document, &mut definitions);
        assert!(!operations.is_empty(), "the contract file describes operations");
        let used = operations.iter().flat_map(|operation| operation.request.iter().chain(&operation.answer));
        let used = used.map(String::as_str).chain([ERROR, NOTIFICATIONS]);
        let mut bodies = BTreeMap::new();
        for name in used {
            if !bodies.contains_key(name) {
                bodies.insert(name.to_owned(), definitions.validator(name));
            }
        }
        Self {
            operations,
            bodies,
            batch_request: compile(&batch::request_schema()),
            batch_answer: compile(&batch::answer_schema()),
            token_request: compile(&sign_in::token_request_schema()),
            token_answer: compile(&sign_in::token_answer_schema()),
            token_error: compile(&sign_in::token_error_schema()),
        }
    }

    /// Checks a request: a known operation on this path, known and well-formed query parameters, and a body that has
    /// only known members of the right types and all that the operation requires. The requests of a batch are checked
    /// each like one of its own.
    ///
    /// `path_with_query` is the path as sent, percent-encoded, beginning with `/v1.0/`.
    ///
    /// # Errors
    /// Every violation, as a sentence.
    pub fn validate_request(
        &self,
        method: &str,
        path_with_query: &str,
        body: Option<&Value>,
    ) -> Result<(), Vec<String>> {
        let (path, query) = path_with_query.split_once('?').unwrap_or((path_with_query, ""));
        if is_batch(method, path) {
            return finish("$batch", self.batch_problems(query, body, |_| true));
        }
        let operation = self.operation(method, path)?;
        let mut problems = operation.query_problems(query);
        match (&operation.request, body) {
            (Some(name), Some(body)) => {
                problems.extend(self.body_problems(name, body));
                if name == "request.subscription.create" {
                    problems.extend(self.subscription_problems(body));
                }
            }
            (Some(name), None) => problems.push(format!("the body is missing; it must be a {name}")),
            (None, Some(_)) => problems.push("there is a body where none belongs".to_owned()),
            (None, None) => {}
        }
        finish(&operation.name, problems)
    }

    /// Checks an answer: for 2xx the operation's schema, or no body where it has none; for errors the shape of an
    /// OData error. Of a batch only the envelope is checked here: see [`Self::validate_exchange`].
    ///
    /// # Errors
    /// Every violation, as a sentence.
    pub fn validate_answer(
        &self,
        method: &str,
        path: &str,
        status: u16,
        body: Option<&Value>,
    ) -> Result<(), Vec<String>> {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        if is_batch(method, path) && status < 400 {
            let problems = match body {
                Some(body) => violations(&self.batch_answer, body),
                None => vec!["the body is missing; it must be a batch".to_owned()],
            };
            return finish("$batch", problems);
        }
        let operation = match self.operation(method, path) {
            Ok(operation) => Some(operation),
            Err(_) if status >= 400 => None,
            Err(problems) => return Err(problems),
        };
        let name = operation.map_or("an unknown operation", |operation| &operation.name);
        let is_empty_status = operation.is_some_and(|operation| operation.empty_statuses.contains(&status));
        let problems = match (status, operation.and_then(|operation| operation.answer.as_ref()), body) {
            (200..=299, _, None) if is_empty_status => Vec::new(),
            (200..=299, Some(schema), Some(body)) if !is_empty_status => {
                let mut problems = self.body_problems(schema, body);
                if operation.is_some_and(|operation| operation.is_delta) {
                    problems.extend(removal_problems(body));
                }
                problems
            }
            (200..=299, Some(schema), None) => vec![format!("the body is missing; it must be a {schema}")],
            (200..=299, _, Some(_)) => vec!["there is a body where none belongs".to_owned()],
            (400.., _, Some(body)) => self.body_problems(ERROR, body),
            (400.., _, None) => vec!["the error has no body".to_owned()],
            _ => vec![format!("the status {status} is never answered")],
        };
        finish(name, problems)
    }

    /// Checks what was recorded of one request: its answer in every case, the request itself where it was accepted.
    /// Of a batch every inner answer is checked, and every inner request that was accepted.
    ///
    /// # Errors
    /// Every violation, as a sentence.
    pub fn validate_exchange(
        &self,
        method: &str,
        path_with_query: &str,
        request: Option<&Value>,
        status: u16,
        answer: Option<&Value>,
    ) -> Result<(), Vec<String>> {
        self.validate_answer(method, path_with_query, status, answer)?;
        let (path, query) = path_with_query.split_once('?').unwrap_or((path_with_query, ""));
        let (true, Some(batch), Some(answer)) = (is_batch(method, path) && status < 400, request, answer) else {
            return if status < 300 { self.validate_request(method, path_with_query, request) } else { Ok(()) };
        };
        let answers = || answer["responses"].as_array().into_iter().flatten();
        let answer_to = |id: &str| answers().find(|answer| answer["id"] == id);
        let status_of = |answer: &Value| answer["status"].as_u64().and_then(|it| u16::try_from(it).ok()).unwrap_or(0);
        let accepted = |id: &str| answer_to(id).is_some_and(|answer| status_of(answer) < 300);
        let mut problems = self.batch_problems(query, Some(batch), accepted);
        let asked = batch::inner(batch, BASE_PATH);
        for request in &asked {
            match answer_to(request.id) {
                Some(answer) => {
                    let body = answer.get("body").filter(|body| !body.is_null());
                    let checked = self.validate_answer(request.method, &request.path, status_of(answer), body);
                    problems.extend(checked.err().into_iter().flatten());
                }
                None => problems.push(format!("the request {} was not answered", request.id)),
            }
        }
        if answers().count() != asked.len() {
            problems.push("there are not as many answers as requests".to_owned());
        }
        finish("$batch", problems)
    }

    /// Checks what is posted to a webhook.
    ///
    /// # Errors
    /// Every violation, as a sentence.
    pub fn validate_notification(&self, body: &Value) -> Result<(), Vec<String>> {
        let mut problems = self.body_problems(NOTIFICATIONS, body);
        let notifications = body["value"].as_array().map(Vec::as_slice).unwrap_or_default();
        if notifications.is_empty() {
            problems.push("there is no notification".to_owned());
        }
        for notification in notifications {
            let always = ["subscriptionId", "subscriptionExpirationDateTime", "tenantId"].as_slice();
            let of_change = ["changeType", "resource"].as_slice();
            let required = if notification.get("lifecycleEvent").is_some() { &[] } else { of_change };
            let missing = always.iter().chain(required).filter(|name| notification.get(**name).is_none());
            problems.extend(missing.map(|name| format!("a notification lacks {name}")));
        }
        finish("changeNotification", problems)
    }

    /// Checks a request to the token endpoint, its form read as an object of strings.
    ///
    /// # Errors
    /// Every violation, as a sentence.
    pub fn validate_token_request(&self, form: &Value) -> Result<(), Vec<String>> {
        finish("token request", violations(&self.token_request, form))
    }

    /// Checks an answer of the token endpoint.
    ///
    /// # Errors
    /// Every violation, as a sentence.
    pub fn validate_token_answer(&self, status: u16, body: &Value) -> Result<(), Vec<String>> {
        let schema = if status < 300 { &self.token_answer } else { &self.token_error };
        finish("token answer", violations(schema, body))
    }

    /// What is wrong with a batch and with those of its requests whose id `is_checked`.
    fn batch_problems(&self, query: &str, body: Option<&Value>, is_checked: impl Fn(&str) -> bool) -> Vec<String> {
        let Some(body) = body else { return vec!["the body is missing; it must be a batch".to_owned()] };
        let mut problems = violations(&self.batch_request, body);
        if !query.is_empty() {
            problems.push("a batch has no query parameters".to_owned());
        }
        if !problems.is_empty() {
            return problems;
        }
        problems.extend(batch::id_problems(body));
        for inner in batch::inner(body, BASE_PATH).iter().filter(|inner| is_checked(inner.id)) {
            let checked = match is_batch(inner.method, &inner.path) {
                true => Err(vec!["a batch holds no batches".to_owned()]),
                false => self.validate_request(inner.method, &inner.path, inner.body),
            };
            let told = checked.err().into_iter().flatten();
            problems.extend(told.map(|problem| format!("request {}: {problem}", inner.id)));
        }
        problems
    }

    /// A subscription watches a collection of events that can be listed, for changes that exist.
    fn subscription_problems(&self, body: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        let resource = body["resource"].as_str().unwrap_or_default().trim_start_matches('/');
        let watched = self.operation("GET", &format!("{BASE_PATH}{resource}"));
        if !watched.is_ok_and(|watched| watched.answer.as_deref() == Some("response.eventCollection")) {
            problems.push(format!("the resource {resource:?} is no collection of events"));
        }
        let kinds = body["changeType"].as_str().unwrap_or_default().split(',');
        let unknown = kinds.filter(|kind| !["created", "updated", "deleted"].contains(kind));
        problems.extend(unknown.map(|kind| format!("the changeType {kind:?} is unknown")));
        problems
    }

    fn operation(&self, method: &str, path: &str) -> Result<&Operation, Vec<String>> {
        let unknown = || vec![format!("{method} {path} is no operation of the API")];
        let rest = path.strip_prefix(BASE_PATH).ok_or_else(unknown)?;
        let decoded = |segment: &str| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let segments: Vec<String> = rest.split('/').map(decoded).collect();
        // `events/delta` also fits `events/{event-id}`: the path with the fewest parameters wins.
        let fitting = self.operations.iter().filter(|known| known.fits(method, &segments));
        fitting.min_by_key(|operation| operation.parameter_count()).ok_or_else(unknown)
    }

    fn body_problems(&self, name: &str, body: &Value) -> Vec<String> {
        match self.bodies.get(name) {
            Some(validator) => violations(validator, body),
            None => vec![format!("the document has no schema {name}")],
        }
    }
}

fn is_batch(method: &str, path: &str) -> bool {
    method.eq_ignore_ascii_case("POST")
        && path.strip_prefix(BASE_PATH).is_some_and(|rest| matches!(rest, "$batch" | "%24batch"))
}

/// In a round of changes, what was removed has an id and one of two reasons.
fn removal_problems(body: &Value) -> Vec<String> {
    let items = body["value"].as_array().into_iter().flatten();
    let removals = items.filter_map(|item| Some((item.get("@removed")?, item)));
    let wrong = removals.filter(|(removed, item)| {
        !item["id"].is_string() || !matches!(removed["reason"].as_str(), Some("deleted" | "changed"))
    });
    wrong.map(|(removed, _)| format!("@removed is {removed}, or has no id beside it")).collect()
}

#[cfg(test)]
mod tests;
