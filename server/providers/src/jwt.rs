//! Signed assertions (JWT, RFC 7519 and RFC 7523) by which the installation proves to an authorization server who it is:
//! Google service accounts sign with RS256, Microsoft's client assertions with PS256 and a certificate.
//!
//! No clock here: who signs says in the claims what time it is.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::secret::Secret;

/// Why a text is no key or certificate to sign with. The texts quote nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No PEM block (RFC 7468) with a private key.
    #[error("it holds no private key in PEM form")]
    NoPrivateKey,
    #[error("the private key is protected by a password: store it without one")]
    Encrypted,
    /// Another kind of key than RSA, or broken.
    #[error("the private key is no readable RSA key")]
    NotRsa,
    #[error("the private key cannot sign: it needs at least 2,048 bits")]
    Unusable,
    #[error("it holds no certificate in PEM form")]
    NoCertificate,
}

/// An RSA private key. Its `Debug` says nothing of it.
#[derive(Clone)]
pub struct SigningKey(EncodingKey);

/// A certificate that the authorization server knows, by its name for it.
#[derive(Debug, Clone)]
pub struct Certificate {
    pem: String,
    thumbprint: String,
}

/// How an assertion is signed and which key the authorization server is to check it with.
#[derive(Debug, Clone, Copy)]
pub enum AssertionHeader<'a> {
    /// RSASSA-PKCS1-v1_5 with SHA-256; `key_id` becomes `kid`.
    Rs256 { key_id: Option<&'a str> },
    /// RSASSA-PSS with SHA-256; the certificate is named by `x5t#S256` (RFC 7515 §4.1.8).
    Ps256 { certificate: &'a Certificate },
}

impl AssertionHeader<'_> {
    fn header(self) -> Header {
        match self {
            Self::Rs256 { key_id } => Header { kid: key_id.map(str::to_owned), ..Header::new(Algorithm::RS256) },
            Self::Ps256 { certificate } => {
                Header { x5t_s256: Some(certificate.thumbprint.clone()), ..Header::new(Algorithm::PS256) }
            }
        }
    }
}

impl SigningKey {
    /// Reads the first private key of `pem`, in PKCS#1 (`RSA PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`) form; a certificate
    /// beside it is passed over.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let blocks = pem::parse_many(pem).map_err(|_| KeyError::NoPrivateKey)?;
        let key = blocks.iter().find(|block| block.tag().ends_with("PRIVATE KEY")).ok_or(KeyError::NoPrivateKey)?;
        // PKCS#1 tells in the block's header that it is encrypted.
        if key.tag().starts_with("ENCRYPTED") || key.headers().get("DEK-Info").is_some() {
            return Err(KeyError::Encrypted);
        }
        let key = EncodingKey::from_rsa_pem(pem::encode(key).as_bytes()).map_err(|_| KeyError::NotRsa)?;
        // What can sign once can sign always, so that `sign` has no error to tell.
        match jsonwebtoken::encode(&Header::new(Algorithm::RS256), &Value::Null, &key) {
            Ok(_) => Ok(Self(key)),
            Err(_) => Err(KeyError::Unusable),
        }
    }

    /// The signed assertion (JWS compact form). It is as good as a password while its claims say so.
    ///
    /// # Panics
    /// When the system has no randomness to give, without which nothing here works.
    pub fn sign(&self, header: AssertionHeader<'_>, claims: &Value) -> Secret {
        let signed = jsonwebtoken::encode(&header.header(), claims, &self.0);
        Secret::new(signed.expect("a key that has signed signs again"))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(redacted)")
    }
}

impl Certificate {
    /// Reads the first certificate of `pem`; a private key beside it is neither needed nor kept.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let blocks = pem::parse_many(pem).map_err(|_| KeyError::NoCertificate)?;
        let block = blocks.iter().find(|block| block.tag() == "CERTIFICATE").ok_or(KeyError::NoCertificate)?;
        Ok(Self {
            pem: pem::encode(block),
            thumbprint: BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(block.contents())),
        })
    }

    /// The SHA-256 of the certificate's DER form, base64url: `x5t#S256`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Whether `key` is the private key of this certificate: what an operator mixes up shows before it is sent.
    pub fn belongs_to(&self, key: &SigningKey) -> bool {
        let Ok(public) = DecodingKey::from_rsa_pem(self.pem.as_bytes()) else { return false };
        let signed = key.sign(AssertionHeader::Rs256 { key_id: None }, &Value::Null);
        let Some((message, signature)) = signed.expose().rsplit_once('.') else { return false };
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &public, Algorithm::RS256).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Validation;
    use serde_json::json;

    use super::*;

    const PKCS1: &str = include_str!("../tests/keys/rsa-pkcs1.pem");
    const PKCS8: &str = include_str!("../tests/keys/rsa-pkcs8.pem");
    const CERTIFICATE: &str = include_str!("../tests/keys/certificate.pem");

    /// What whoever has the certificate reads.
    fn verified(assertion: &Secret, algorithm: Algorithm) -> Value {
        let public = DecodingKey::from_rsa_pem(CERTIFICATE.as_bytes()).unwrap();
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_aud) = (false, false);
        jsonwebtoken::decode::<Value>(assertion.expose(), &public, &validation).unwrap().claims
    }

    #[test]
    fn both_forms_of_the_key_sign_what_the_certificate_verifies() {
        let claims = json!({"iss": "cupo@project.example", "exp": 1_790_000_000});
        for pem in [PKCS1.to_owned(), PKCS8.to_owned(), format!("{CERTIFICATE}\n{PKCS8}"), PKCS8.replace('\n', "\r\n")]
        {
            let key = SigningKey::from_pem(&pem).unwrap();
            let assertion = key.sign(AssertionHeader::Rs256 { key_id: Some("key-1") }, &claims);
            assert_eq!(verified(&assertion, Algorithm::RS256), claims);
            let header = jsonwebtoken::decode_header(assertion.expose()).unwrap();
            assert_eq!((header.kid.as_deref(), header.typ.as_deref()), (Some("key-1"), Some("JWT")));
        }
    }

    #[test]
    fn a_certificate_is_named_by_the_hash_of_its_der_form() {
        let certificate = Certificate::from_pem(&format!("{PKCS8}\n{CERTIFICATE}")).unwrap();
        // openssl x509 -outform der | openssl dgst -sha256 -binary | base64
        assert_eq!(certificate.thumbprint(), "RraWU4T6Sb252MyeZiLbBKRF0qWem9bvFCf11sbXvPM");
        let key = SigningKey::from_pem(PKCS8).unwrap();
        let claims = json!({"sub": "client"});
        let assertion = key.sign(AssertionHeader::Ps256 { certificate: &certificate }, &claims);
        assert_eq!(verified(&assertion, Algorithm::PS256), claims);
        let header = jsonwebtoken::decode_header(assertion.expose()).unwrap();
        assert_eq!(header.x5t_s256.as_deref(), Some(certificate.thumbprint()));
        assert_eq!((header.kid, header.x5t), (None, None));
    }

    #[test]
    fn a_certificate_of_another_key_is_noticed() {
        let certificate = Certificate::from_pem(CERTIFICATE).unwrap();
        assert!(certificate.belongs_to(&SigningKey::from_pem(PKCS1).unwrap()));
        let other = SigningKey::from_pem(include_str!("../tests/keys/rsa-other.pem")).unwrap();
        assert!(!certificate.belongs_to(&other));
    }

    #[test]
    fn what_cannot_sign_is_told_apart_and_not_quoted() {
        for (pem, why) in [
            ("", KeyError::NoPrivateKey),
            ("hunter2", KeyError::NoPrivateKey),
            (CERTIFICATE, KeyError::NoPrivateKey),
            (include_str!("../tests/keys/rsa-encrypted.pem"), KeyError::Encrypted),
            (include_str!("../tests/keys/ec-pkcs8.pem"), KeyError::NotRsa),
            (include_str!("../tests/keys/rsa-short.pem"), KeyError::Unusable),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", KeyError::NotRsa),
        ] {
            assert_eq!(SigningKey::from_pem(pem).unwrap_err(), why, "{pem}");
        }
        assert_eq!(Certificate::from_pem(PKCS8).unwrap_err(), KeyError::NoCertificate);
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", SigningKey::from_pem(PKCS8).unwrap()), "SigningKey(redacted)");
    }
}
