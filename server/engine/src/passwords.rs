//! Passwords, hashed with argon2id (RFC 9106) off the async threads.

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{Salt, SaltString},
};

use crate::{error::EngineError, random::RandomSource};

/// The shortest password that is taken, in characters (NIST SP 800-63B asks for at least 8).
pub const MIN_LENGTH: usize = 8;
/// The longest, in bytes: hashing must not be a way to keep the machine busy.
pub const MAX_LENGTH: usize = 256;

/// Hashes a password with a fresh salt, in the PHC string format.
pub(crate) async fn hash(random: &dyn RandomSource, password: String) -> Result<String, EngineError> {
    let mut bytes = [0; Salt::RECOMMENDED_LENGTH];
    random.fill(&mut bytes);
    let salt = SaltString::encode_b64(&bytes).map_err(|e| EngineError::internal("salt", e.to_string()))?;
    tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
    })
    .await
    .map_err(|e| EngineError::internal("password hashing", e))?
    .map_err(|e| EngineError::internal("password hashing", e.to_string()))
}

/// Whether the password is the one that was hashed.
///
/// `None` stands for an unknown user: the same work is done, so that the time taken does not tell who has an account.
pub(crate) async fn verify(hash: Option<String>, password: String) -> Result<bool, EngineError> {
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| UNKNOWN_USER.to_owned());
        let parsed =
            PasswordHash::new(&hash).map_err(|e| EngineError::internal("stored password hash", e.to_string()))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
    })
    .await
    .map_err(|e| EngineError::internal("password verification", e))?
}

/// A hash with the parameters of [`Argon2::default`], which no password is checked against in earnest.
const UNKNOWN_USER: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y3Vwb2N1cG9jdXBvY3Vwbw$\
     AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[tokio::test]
    async fn only_the_hashed_password_verifies() {
        let hashed = hash(&OsRandom, "correct horse".into()).await.unwrap();
        assert!(hashed.starts_with("$argon2id$"));
        assert!(verify(Some(hashed.clone()), "correct horse".into()).await.unwrap());
        assert!(!verify(Some(hashed), "wrong horse".into()).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_user_costs_a_real_verification() {
        let parsed = PasswordHash::new(UNKNOWN_USER).unwrap();
        let real = hash(&OsRandom, "x".into()).await.unwrap();
        assert_eq!(parsed.params, PasswordHash::new(&real).unwrap().params);
        assert!(!verify(None, "anything".into()).await.unwrap());
    }
}
