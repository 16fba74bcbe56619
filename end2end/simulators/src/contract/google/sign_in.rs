//! Google's token endpoint (guides "OAuth 2.0 for Web Server Applications" and "for Server to Server Applications"): not
//! part of the discovery document.

use serde_json::{Value, json};

/// The schema of a request, its form read as an object of strings.
pub fn token_request_schema() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    let names = [
        "client_id",
        "client_secret",
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "assertion",
        "scope",
    ];
    let members: Value = names.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
    let grant = |kind: &str, required: &[&str]| json!({ "properties": { "grant_type": { "const": kind } }, "required": required });
    json!({
        "type": "object",
        "properties": members,
        "required": ["grant_type"],
        "additionalProperties": false,
        "anyOf": [
            grant("authorization_code", &["code", "redirect_uri", "code_verifier"]),
            grant("refresh_token", &["refresh_token"]),
            grant("urn:ietf:params:oauth:grant-type:jwt-bearer", &["assertion"]),
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
            "scope": text,
            "refresh_token": text,
            "refresh_token_expires_in": seconds,
            "id_token": text,
        },
        "required": ["token_type", "access_token", "expires_in"],
        "additionalProperties": false,
    })
}

/// The schema of an error (RFC 6749, section 5.2).
pub fn token_error_schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "properties": {
            "error": { "type": "string", "minLength": 1 },
            "error_description": text,
            "error_subtype": text,
            "error_uri": text,
        },
        "required": ["error"],
        "additionalProperties": false,
    })
}
