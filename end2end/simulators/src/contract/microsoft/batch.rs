//! The envelopes of JSON batching, which the metadata does not describe (guide "Combine multiple HTTP requests").

use serde_json::{Value, json};

/// How many requests go into one batch.
const LIMIT: usize = 20;

/// The schema of what is posted to `$batch`.
pub fn request_schema() -> Value {
    let request = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string", "minLength": 1 },
            "method": { "enum": ["GET", "POST", "PATCH", "PUT", "DELETE"] },
            "url": { "type": "string", "minLength": 1, "not": { "pattern": "^[a-z]+://" } },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "body": { "type": ["object", "string"] },
            "dependsOn": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["id", "method", "url"],
        // What has a body says what it is.
        "dependentRequired": { "body": ["headers"] },
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": { "requests": { "type": "array", "items": request, "minItems": 1, "maxItems": LIMIT } },
        "required": ["requests"],
        "additionalProperties": false,
    })
}

/// The schema of what `$batch` answers.
pub fn answer_schema() -> Value {
    let answer = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "status": { "type": "integer", "minimum": 200, "maximum": 599 },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "body": {},
        },
        "required": ["id", "status"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": { "responses": { "type": "array", "items": answer }, "@odata.nextLink": { "type": "string" } },
        "required": ["responses"],
        "additionalProperties": false,
    })
}

/// One request of a batch, read.
#[derive(Debug)]
pub struct Inner<'a> {
    pub id: &'a str,
    pub method: &'a str,
    /// With the version in front, as the path of a request of its own.
    pub path: String,
    pub body: Option<&'a Value>,
}

/// The requests of a batch whose envelope is sound.
pub fn inner<'a>(batch: &'a Value, base_path: &str) -> Vec<Inner<'a>> {
    let requests = batch["requests"].as_array().into_iter().flatten();
    let text = |value: &'a Value| value.as_str().unwrap_or_default();
    let read = requests.map(|request| Inner {
        id: text(&request["id"]),
        method: text(&request["method"]),
        path: format!("{base_path}{}", text(&request["url"]).trim_start_matches('/')),
        body: request.get("body"),
    });
    read.collect()
}

/// What the schema cannot say: ids are unique, and `dependsOn` names some of them.
pub fn id_problems(batch: &Value) -> Vec<String> {
    let requests: Vec<&Value> = batch["requests"].as_array().into_iter().flatten().collect();
    let ids: Vec<&str> = requests.iter().filter_map(|request| request["id"].as_str()).collect();
    let mut problems = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        if ids[..index].contains(id) {
            problems.push(format!("the id {id} stands twice"));
        }
    }
    for request in &requests {
        let unknown = |of: &&Value| of.as_str().is_none_or(|of| !ids.contains(&of));
        let named = request["dependsOn"].as_array().into_iter().flatten();
        problems.extend(named.filter(unknown).map(|of| format!("dependsOn names {of}, which is no request")));
        let headers = request["headers"].as_object().into_iter().flatten();
        if request.get("body").is_some()
            && !headers.map(|(name, _)| name).any(|it| it.eq_ignore_ascii_case("content-type"))
        {
            problems.push(format!("the body of {} has no Content-Type", request["id"]));
        }
    }
    problems
}
