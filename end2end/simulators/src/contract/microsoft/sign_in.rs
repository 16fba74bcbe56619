//! The token endpoint of the Microsoft identity platform (its pages on the authorization code and client credentials
//! flows): not part of Graph's metadata.

use serde_json::{Value, json};

/// The schema of a request, its form read as an object of strings.
pub fn token_request_schema() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let names = [
        "client_id",
        "client_secret",
        "client_assertion",
        "grant_type",
        "scope",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "claims",
    ];
    let mut members: Value = names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
    members["client_assertion_type"] = json!({ "const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" });
    let grant = |kind: &str, required: &[&str]| json!({ "properties": { "grant_type": { "const": kind } }, "required": required });
    let mut of_application = grant("client_credentials", &["grant_type", "scope"]);
    of_application["properties"]["scope"] = json!({ "pattern": "/\\.default$" });
    json!({
        "type": "object",
        "properties": members,
        "required": ["client_id", "grant_type"],
        "additionalProperties": false,
        "dependentRequired": { "client_assertion": ["client_assertion_type"] },
        "oneOf": [{ "required": ["client_secret"] }, { "required": ["client_assertion"] }],
        "anyOf": [
            grant("authorization_code", &["code", "redirect_uri", "code_verifier"]),
            grant("refresh_token", &["refresh_token"]),
            of_application,
        ],
    })
}

/// The schema of an answer with tokens.
pub fn token_answer_schema() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let seconds = json!({ "type": "integer", "minimum": 1 });
    json!({
        "type": "object",
        "properties": {
            "token_type": { "const": "Bearer" },
            "access_token": text,
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "scope": text,
            "refresh_token": text,
            "id_token": text,
            "client_info": text,
        },
        "required": ["token_type", "access_token", "expires_in"],
        "additionalProperties": false,
    })
}

/// The schema of an error.
pub fn token_error_schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "properties": {
            "error": { "type": "string", "minLength": 1 },
            "error_description": { "type": "string", "pattern": "^AADSTS[0-9]+" },
            "error_codes": { "type": "array", "items": { "type": "integer" }, "minItems": 1 },
            "timestamp": text,
            "trace_id": text,
            "correlation_id": text,
            "error_uri": text,
            "suberror": text,
            "claims": text,
        },
        "required": ["error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"],
        "additionalProperties": false,
    })
}
