//! The id_token: a JWT that says who signed in. Nobody here holds the key of its signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::world::User;

/// A well-formed id_token of `user` for the application `client_id`.
pub fn issue(user: &User, client_id: &str, nonce: Option<&str>, base_url: &str, now: DateTime<Utc>) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "simulated" });
    let mut claims = json!({
        "ver": "2.0",
        "iss": format!("{base_url}/{}/v2.0", user.tenant),
        "aud": client_id,
        "iat": now.timestamp(),
        "nbf": now.timestamp(),
        "exp": (now + TimeDelta::hours(1)).timestamp(),
        "tid": user.tenant,
        "oid": user.id,
        "sub": URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{client_id} {}", user.id))),
        "name": user.name,
        "preferred_username": user.email,
        "email": user.email,
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(Sha256::digest(&signed));
    format!("{signed}.{signature}")
}
