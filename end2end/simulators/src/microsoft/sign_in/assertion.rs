//! Client assertions (RFC 7523): a JWT that the application signs with the key of a registered certificate.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::Value;

use super::super::options::Client;
use super::certificate::Certificate;
use super::error::SignInError;

/// How far the clocks may differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// What is known at the token endpoint about an assertion's surroundings.
#[derive(Debug)]
pub struct Audience<'a> {
    /// The addresses of the token endpoint that `aud` may name.
    pub accepted: &'a [String],
    pub now: DateTime<Utc>,
}

/// Checks the signature and every claim. `seen` holds the ids of former assertions until they expire.
pub fn verify(
    assertion: &str,
    client: &Client,
    audience: &Audience<'_>,
    seen: &mut BTreeMap<String, DateTime<Utc>>,
) -> Result<(), SignInError> {
    let malformed = || SignInError::new(50_027, "Invalid JWT token. Token format not valid.");
    let (signed, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed());
    let read = |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).map_err(|_| malformed());
    let (header, claims) = (read(header)?, read(claims)?);
    check_signature(&header, signed, &decoded(signature)?, client)?;
    check_claims(&claims, client, audience)?;
    let id = claims["jti"].as_str().filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| SignInError::new(50_027, "Invalid JWT token. The claim 'jti' is missing."))?;
    seen.retain(|_, until| *until > audience.now);
    let expires_at = instant(&claims["exp"]).unwrap_or(audience.now) + SKEW;
    if seen.insert(id.to_owned(), expires_at).is_some() {
        return Err(SignInError::new(50_027, "Invalid JWT token. The assertion was used before."));
    }
    Ok(())
}

fn check_signature(header: &Value, signed: &str, signature: &[u8], client: &Client) -> Result<(), SignInError> {
    let failed = || SignInError::new(700_027, "Client assertion failed signature validation.");
    let certificates = client.certificates.iter().filter_map(|pem| Certificate::from_pem(pem).ok());
    let named = |certificate: &Certificate| match (header["x5t#S256"].as_str(), header["x5t"].as_str()) {
        (Some(thumbprint), _) => thumbprint == certificate.sha256_thumbprint(),
        (None, Some(thumbprint)) => thumbprint == certificate.sha1_thumbprint(),
        (None, None) => false,
    };
    let certificate = certificates.into_iter().find(named).ok_or_else(|| {
        let message = "Client assertion contains an invalid signature. The key was not found by the thumbprint.";
        SignInError::new(700_027, message)
    })?;
    let algorithm: &dyn VerificationAlgorithm = match header["alg"].as_str() {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("PS256") => &RSA_PSS_2048_8192_SHA256,
        _ => return Err(failed()),
    };
    let key = UnparsedPublicKey::new(algorithm, certificate.public_key().ok_or_else(failed)?);
    key.verify(signed.as_bytes(), signature).map_err(|_| failed())
}

fn check_claims(claims: &Value, client: &Client, audience: &Audience<'_>) -> Result<(), SignInError> {
    let is_client = |name: &str| claims[name] == client.client_id.as_str();
    if !is_client("iss") || !is_client("sub") {
        let message = "Client assertion application identifier doesn't match 'client_id' parameter.";
        return Err(SignInError::new(700_021, message));
    }
    if !audience.accepted.iter().any(|address| claims["aud"] == address.as_str()) {
        return Err(SignInError::new(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    let out_of_time = || SignInError::new(700_024, "Client assertion is not within its valid time range.");
    let expires_at = instant(&claims["exp"]).ok_or_else(out_of_time)?;
    let begins_at = instant(&claims["nbf"]).or_else(|| instant(&claims["iat"])).ok_or_else(out_of_time)?;
    if expires_at + SKEW <= audience.now || begins_at - SKEW > audience.now || expires_at <= begins_at {
        return Err(out_of_time());
    }
    Ok(())
}

fn instant(claim: &Value) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(claim.as_i64()?, 0)
}
