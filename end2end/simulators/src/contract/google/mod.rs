//! The official discovery document of the Google Calendar API as a referee.

mod sign_in;

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::{compile, contract_file, finish, violations};
use crate::google::Method;

const FILE: &str = "google-calendar-v3.discovery.json";
const BASE_PATH: &str = "/calendar/v3/";

/// The discovery document, compiled.
#[derive(Debug)]
pub struct GoogleContract {
    methods: Vec<ApiMethod>,
    /// Validators by schema and [`Reading`].
    bodies: BTreeMap<(String, Reading), Validator>,
    errors: Validator,
    token_request: Validator,
    token_answer: Validator,
    token_error: Validator,
}

/// How strictly a schema is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reading {
    /// Every member has its type.
    Answer,
    /// As an answer; but an instant may lack its offset where the document says that a zone beside it suffices.
    Request,
    /// As a request; and a member may be null, which clears it.
    Patch,
}

#[derive(Debug)]
struct ApiMethod {
    id: String,
    http_method: String,
    /// The path's segments; `None` stands for a parameter.
    segments: Vec<Option<String>>,
    query: BTreeMap<String, Parameter>,
    request: Option<String>,
    response: Option<String>,
    /// Members that the request must have.
    required: Vec<String>,
    scopes: Vec<String>,
}

#[derive(Debug)]
struct Parameter {
    schema: Validator,
    kind: String,
    repeated: bool,
    required: bool,
}

impl GoogleContract {
    /// Loads the document from the directory `CUPO_CONTRACT_DIR`, or from `shared/contract` in a directory above this
    /// crate. `None` means that it is not there: say plainly that the check is left out.
    ///
    /// # Panics
    /// When the file is there but cannot be used: a check must not be skipped by accident.
    pub fn load() -> Option<Self> {
        Some(Self::compile(&contract_file(FILE)?))
    }

    fn compile(document: &Value) -> Self {
        let mut methods = Vec::new();
        collect_methods(document, &document["parameters"], &mut methods);
        assert!(!methods.is_empty(), "the contract file describes methods");
        for method in &mut methods {
            method.required = required_members(document, method);
        }
        let names = document["schemas"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
        let mut bodies = BTreeMap::new();
        for reading in [Reading::Answer, Reading::Request, Reading::Patch] {
            let definitions = definitions(document, reading);
            for name in names.iter().flatten() {
                let schema = json!({ "$defs": definitions, "$ref": format!("#/$defs/{name}") });
                bodies.insert((name.clone(), reading), compile(&schema));
            }
        }
        Self {
            methods,
            bodies,
            errors: compile(&error_schema()),
            token_request: compile(&sign_in::token_request_schema()),
            token_answer: compile(&sign_in::token_answer_schema()),
            token_error: compile(&sign_in::token_error_schema()),
        }
    }

    /// Checks a request: a known method at this path, known and well-formed query parameters, and a body that has only
    /// known members of the right types and all that the method requires.
    ///
    /// `path_with_query` is the path as sent, percent-encoded, beginning with `/calendar/v3/`.
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
        let api_method = self.method(method, path)?;
        let mut problems = api_method.query_problems(query);
        match (&api_method.request, body) {
            (Some(name), Some(body)) => {
                let reading = if method.eq_ignore_ascii_case("PATCH") { Reading::Patch } else { Reading::Request };
                problems.extend(self.body_problems(name, reading, body));
                let missing = api_method.required.iter().filter(|member| body.get(member).is_none_or(Value::is_null));
                problems.extend(missing.map(|member| format!("the body lacks the required member {member}")));
            }
            (Some(name), None) => problems.push(format!("the body is missing; it must be a {name}")),
            (None, Some(_)) => problems.push("there is a body where none belongs".to_owned()),
            (None, None) => {}
        }
        finish(&api_method.id, problems)
    }

    /// Checks an answer: for 2xx the method's response schema (or no body, where it has none), for errors the shape of
    /// Google's errors, for 304 nothing at all.
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
        let api_method = match self.method(method, path) {
            Ok(api_method) => Some(api_method),
            Err(_) if status >= 400 => None,
            Err(problems) => return Err(problems),
        };
        let id = api_method.map_or("an unknown method", |api_method| &api_method.id);
        let problems = match (status, api_method.and_then(|api_method| api_method.response.as_ref()), body) {
            (304, _, None) | (200..=299, None, None) => Vec::new(),
            (304, _, Some(_)) | (200..=299, None, Some(_)) => vec!["there is a body where none belongs".to_owned()],
            (200..=299, Some(name), Some(body)) => self.body_problems(name, Reading::Answer, body),
            (200..=299, Some(name), None) => vec![format!("the body is missing; it must be a {name}")],
            (400.., _, Some(body)) => {
                let mut problems = violations(&self.errors, body);
                if body["error"]["code"] != json!(status) {
                    problems.push(format!("error.code is {} and the status {status}", body["error"]["code"]));
                }
                problems
            }
            (400.., _, None) => vec!["the error has no body".to_owned()],
            _ => vec![format!("the status {status} is never answered")],
        };
        finish(id, problems)
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

    /// The scopes that open a method, in full, or `None` for an unknown method id.
    pub fn scopes(&self, method_id: &str) -> Option<&[String]> {
        self.methods.iter().find(|method| method.id == method_id).map(|method| method.scopes.as_slice())
    }

    /// Whether the simulator's table of scopes says the same as the document.
    pub fn agrees_with(&self, method: Method) -> bool {
        let prefix = "https://www.googleapis.com/auth/";
        let own = method.scopes.iter().map(|scope| format!("{prefix}{scope}"));
        self.scopes(method.id).is_some_and(|official| own.eq(official.iter().cloned()))
    }

    fn method(&self, method: &str, path: &str) -> Result<&ApiMethod, Vec<String>> {
        let unknown = || vec![format!("{method} {path} is no method of the API")];
        let rest = path.strip_prefix(BASE_PATH).ok_or_else(unknown)?;
        let segments: Vec<&str> = rest.split('/').collect();
        // `events/watch` also fits `events/{eventId}`: the pattern with the fewest parameters wins.
        let fitting = self.methods.iter().filter(|known| known.fits(method, &segments));
        let fewest = |known: &&ApiMethod| known.segments.iter().filter(|segment| segment.is_none()).count();
        fitting.min_by_key(fewest).ok_or_else(unknown)
    }

    fn body_problems(&self, name: &str, reading: Reading, body: &Value) -> Vec<String> {
        match self.bodies.get(&(name.to_owned(), reading)) {
            Some(validator) => violations(validator, body),
            None => vec![format!("the document has no schema {name}")],
        }
    }
}

impl ApiMethod {
    fn fits(&self, method: &str, segments: &[&str]) -> bool {
        self.http_method.eq_ignore_ascii_case(method)
            && self.segments.len() == segments.len()
            && self.segments.iter().zip(segments).all(|(pattern, segment)| match pattern {
                Some(literal) => literal == segment,
                None => !segment.is_empty(),
            })
    }

    fn query_problems(&self, query: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
            let Some(parameter) = self.query.get(name.as_ref()) else {
                problems.push(format!("the query parameter {name} is unknown"));
                continue;
            };
            if seen.iter().any(|earlier| *earlier == name) && !parameter.repeated {
                problems.push(format!("the query parameter {name} may stand once only"));
            }
            let value = match parameter.kind.as_str() {
                "boolean" | "integer" => text.parse().unwrap_or_else(|_| json!(text)),
                _ => json!(text),
            };
            problems.extend(violations(&parameter.schema, &value).iter().map(|problem| format!("{name}: {problem}")));
            seen.push(name.into_owned());
        }
        let missing = self.query.iter().filter(|(name, parameter)| parameter.required && !seen.contains(name));
        problems.extend(missing.map(|(name, _)| format!("the query parameter {name} is missing")));
        problems
    }
}

fn collect_methods(node: &Value, global_parameters: &Value, found: &mut Vec<ApiMethod>) {
    for resource in node["resources"].as_object().into_iter().flat_map(Map::values) {
        for method in resource["methods"].as_object().into_iter().flat_map(Map::values) {
            found.push(read_method(method, global_parameters));
        }
        collect_methods(resource, global_parameters, found);
    }
}

fn read_method(method: &Value, global_parameters: &Value) -> ApiMethod {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = method["parameters"].as_object().into_iter().flatten();
    let global = global_parameters.as_object().into_iter().flatten();
    let of_query = own.chain(global).filter(|(_, parameter)| parameter["location"] == "query");
    let segment = |segment: &str| (!segment.starts_with('{')).then(|| segment.to_owned());
    ApiMethod {
        id: text(&method["id"]),
        http_method: text(&method["httpMethod"]),
        segments: text(&method["path"]).split('/').map(segment).collect(),
        query: of_query.map(|(name, parameter)| (name.clone(), read_parameter(parameter))).collect(),
        request: method["request"]["$ref"].as_str().map(str::to_owned),
        response: method["response"]["$ref"].as_str().map(str::to_owned),
        required: Vec::new(),
        scopes: method["scopes"].as_array().into_iter().flatten().map(text).collect(),
    }
}

/// Parameters write numbers as text: `"minimum": "1"`.
fn read_parameter(parameter: &Value) -> Parameter {
    let mut schema = closed(parameter, Reading::Request);
    for bound in ["minimum", "maximum"] {
        if let Some(number) = parameter[bound].as_str().and_then(|text| text.parse::<i64>().ok()) {
            schema[bound] = json!(number);
        }
    }
    Parameter {
        schema: compile(&schema),
        kind: parameter["type"].as_str().unwrap_or("string").to_owned(),
        repeated: parameter["repeated"] == true,
        required: parameter["required"] == true,
    }
}

/// The members that the schema's annotations require of this method.
fn required_members(document: &Value, method: &ApiMethod) -> Vec<String> {
    let Some(name) = &method.request else { return Vec::new() };
    let members = document["schemas"][name]["properties"].as_object().into_iter().flatten();
    let requires = |schema: &Value| {
        let methods = schema["annotations"]["required"].as_array();
        methods.is_some_and(|methods| methods.iter().any(|id| id.as_str() == Some(&method.id)))
    };
    members.filter(|(_, schema)| requires(schema)).map(|(member, _)| member.clone()).collect()
}

fn definitions(document: &Value, reading: Reading) -> Value {
    let schemas = document["schemas"].as_object().into_iter().flatten();
    Value::Object(schemas.map(|(name, schema)| (name.clone(), closed(schema, reading))).collect())
}

/// A discovery schema as a JSON Schema that lets nothing unknown through.
fn closed(schema: &Value, reading: Reading) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    let member = |schema: &Value| match reading {
        Reading::Answer | Reading::Request => closed(schema, reading),
        Reading::Patch => json!({ "anyOf": [{ "type": "null" }, closed(schema, reading)] }),
    };
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let properties: Map<String, Value> = properties.map(|(name, of)| (name.clone(), member(of))).collect();
            let further = schema.get("additionalProperties").map_or(json!(false), member);
            json!({ "type": "object", "properties": properties, "additionalProperties": further })
        }
        Some("array") => json!({ "type": "array", "items": closed(&schema["items"], reading) }),
        Some("any") | None => json!({}),
        Some(kind) => {
            let mut closed = json!({ "type": kind });
            match schema["format"].as_str() {
                Some("date-time") if reading != Reading::Answer && may_lack_offset(schema) => {
                    closed["pattern"] = json!("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}");
                }
                Some(format @ ("date" | "date-time")) => closed["format"] = json!(format),
                Some("int64" | "uint64") if kind == "string" => closed["pattern"] = json!("^-?[0-9]+$"),
                Some("int32") => (closed["minimum"], closed["maximum"]) = (json!(i32::MIN), json!(i32::MAX)),
                _ => {}
            }
            if let Some(values) = schema.get("enum").cloned().or_else(|| listed_values(schema)) {
                closed["enum"] = values;
            }
            closed
        }
    }
}

/// Whether the document lets an instant go without offset, as in `EventDateTime`.
fn may_lack_offset(schema: &Value) -> bool {
    let description = schema["description"].as_str().unwrap_or_default();
    description.contains("unless a time zone is explicitly specified")
}

/// The values that a description lists after "Possible values are:", one quoted value a line.
fn listed_values(schema: &Value) -> Option<Value> {
    let (_, list) = schema["description"].as_str()?.split_once("Possible values are:")?;
    let lines = list.lines().map(str::trim);
    let values = lines.filter_map(|line| line.strip_prefix("- \"")?.split('"').next());
    let values: Vec<&str> = values.collect();
    (!values.is_empty() && schema["type"] == "string").then(|| json!(values))
}

/// From the guide "Handle API errors"; the discovery document does not describe errors.
fn error_schema() -> Value {
    let detail = json!({
        "type": "object",
        "properties": {
            "domain": { "type": "string" },
            "reason": { "type": "string" },
            "message": { "type": "string" },
            "locationType": { "type": "string" },
            "location": { "type": "string" },
            "extendedHelp": { "type": "string" },
        },
        "required": ["domain", "reason", "message"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "code": { "type": "integer" },
                    "message": { "type": "string" },
                    "errors": { "type": "array", "items": detail, "minItems": 1 },
                    "status": { "type": "string" },
                },
                "required": ["code", "message", "errors"],
                "additionalProperties": false,
            },
        },
        "required": ["error"],
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract() -> Option<GoogleContract> {
        let contract = GoogleContract::load();
        if contract.is_none() {
            println!("contract check left out: {FILE} is not there (set CUPO_CONTRACT_DIR)");
        }
        contract
    }

    #[test]
    fn an_unknown_member_parameter_or_path_is_told() {
        let Some(contract) = contract() else { return };
        let path = "/calendar/v3/calendars/primary/events";
        let start = json!({ "dateTime": "2026-11-23T09:00:00Z" });
        let event = json!({ "start": start, "end": start, "colour": "red" });
        assert!(contract.validate_request("POST", path, Some(&event)).is_err());
        let event = json!({ "start": start, "end": start });
        assert_eq!(contract.validate_request("POST", path, Some(&event)), Ok(()));
        assert!(contract.validate_request("POST", &format!("{path}?sendUpdate=all"), Some(&event)).is_err());
        assert!(contract.validate_request("POST", &format!("{path}?sendUpdates=some"), Some(&event)).is_err());
        assert!(contract.validate_request("POST", "/calendar/v3/calendar/primary/events", Some(&event)).is_err());
    }

    #[test]
    fn a_required_member_and_a_malformed_instant_are_told() {
        let Some(contract) = contract() else { return };
        let path = "/calendar/v3/calendars/primary/events";
        let event = json!({ "start": { "dateTime": "2026-11-23T09:00:00Z" } });
        assert!(contract.validate_request("POST", path, Some(&event)).is_err());
        let naive = json!({ "dateTime": "2026-11-23 09:00" });
        assert!(contract.validate_request("POST", path, Some(&json!({ "start": naive, "end": naive }))).is_err());
    }

    #[test]
    fn a_patch_may_clear_what_an_insert_may_not_leave_null() {
        let Some(contract) = contract() else { return };
        let body = json!({ "description": null });
        let path = "/calendar/v3/calendars/primary/events/abcde";
        assert_eq!(contract.validate_request("PATCH", path, Some(&body)), Ok(()));
        assert!(contract.validate_request("PUT", path, Some(&body)).is_err());
    }

    #[test]
    fn an_instant_without_offset_may_be_sent_but_not_answered() {
        let Some(contract) = contract() else { return };
        let time = json!({ "dateTime": "2026-11-23T09:00:00", "timeZone": "Europe/Madrid" });
        let event = json!({ "start": time, "end": time });
        let path = "/calendar/v3/calendars/primary/events";
        assert_eq!(contract.validate_request("POST", path, Some(&event)), Ok(()));
        assert!(contract.validate_answer("POST", path, 200, Some(&event)).is_err());
    }

    #[test]
    fn an_answer_with_a_listed_value_of_its_own_invention_is_told() {
        let Some(contract) = contract() else { return };
        let path = "/calendar/v3/calendars/primary/events/abcde";
        let answer = |status: &str| json!({ "id": "abcde", "status": status });
        assert_eq!(contract.validate_answer("GET", path, 200, Some(&answer("confirmed"))), Ok(()));
        assert!(contract.validate_answer("GET", path, 200, Some(&answer("maybe"))).is_err());
        assert!(contract.validate_answer("GET", path, 404, Some(&json!({ "error": "nope" }))).is_err());
    }

    #[test]
    fn a_token_is_asked_for_by_one_of_three_grants() {
        let Some(contract) = contract() else { return };
        let ask = |form: Value| contract.validate_token_request(&form);
        let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        assert_eq!(ask(json!({ "grant_type": grant_type, "assertion": "a.b.c" })), Ok(()));
        assert!(ask(json!({ "grant_type": grant_type })).is_err());
        assert!(ask(json!({ "grant_type": "authorization_code", "code": "c", "redirect_uri": "r" })).is_err());
        assert!(ask(json!({ "grant_type": "refresh_token", "refresh_token": "r", "tenant": "t" })).is_err());
        let tokens = json!({ "token_type": "Bearer", "access_token": "a", "expires_in": 3599, "scope": "s" });
        assert_eq!(contract.validate_token_answer(200, &tokens), Ok(()));
        assert!(contract.validate_token_answer(400, &tokens).is_err());
    }

    #[test]
    fn the_simulator_knows_the_documents_scopes() {
        let Some(contract) = contract() else { return };
        for method in crate::google::METHODS {
            assert!(contract.agrees_with(method), "the scopes of {} differ from the document", method.id);
        }
    }
}
