//! Passwords, hashed with argon2id (RFC 9106) off the async threads.

use argon2::{
    Argon2, PasswordHash, PasswordHasher, PasswordVerifier,
    password_hash::{Salt, SaltString},
};

use tokio::sync::Semaphore;

use crate::{error::EngineError, random::RandomSource};

/// The shortest password that is taken, in characters (NIST SP 800-63B asks for at least 8).
pub const MIN_LENGTH: usize = 8;
/// The longest, in bytes: hashing must not be a way to keep the machine busy.
pub const MAX_LENGTH: usize = 256;

/// How many hashes are computed at once. Each takes 19 MiB, so that a crowd who signs in must not be let in all together.
const AT_ONCE: usize = 4;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Does what takes a processor and memory, off the async threads, once it is its turn.
async fn in_turn<T: Send + 'static>(
    context: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, EngineError> {
    let turn = TURNS.acquire().await.map_err(|e| EngineError::internal(context, e))?;
    let done = tokio::task::spawn_blocking(move || {
        // Kept where the work is: a request that went away does not make room for another one before its hash is done.
        let _turn = turn;
        work()
    });
    done.await.map_err(|e| EngineError::internal(context, e))
}

/// Hashes a password with a fresh salt, in the PHC string format.
pub(crate) async fn hash(random: &dyn RandomSource, password: String) -> Result<String, EngineError> {
    let mut bytes = [0; Salt::RECOMMENDED_LENGTH];
    random.fill(&mut bytes);
    let salt = SaltString::encode_b64(&bytes).map_err(|e| EngineError::internal("salt", e.to_string()))?;
    in_turn("password hashing", move || {
        Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
    })
    .await?
    .map_err(|e| EngineError::internal("password hashing", e.to_string()))
}

/// Whether the password is the one that was hashed.
///
/// `None` stands for an unknown user: the same work is done, so that the time taken does not tell who has an account.
pub(crate) async fn verify(hash: Option<String>, password: String) -> Result<bool, EngineError> {
    in_turn("password verification", move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| UNKNOWN_USER.to_owned());
        let parsed =
            PasswordHash::new(&hash).map_err(|e| EngineError::internal("stored password hash", e.to_string()))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
    })
    .await?
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
    async fn a_crowd_is_let_in_a_few_at_a_time() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let crowd = (0..AT_ONCE * 8).map(|_| {
            in_turn("a test", || {
                MOST.fetch_max(NOW.fetch_add(1, SeqCst) + 1, SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(5));
                NOW.fetch_sub(1, SeqCst);
            })
        });
        for done in futures::future::join_all(crowd).await {
            done.unwrap();
        }
        assert!((1..=AT_ONCE).contains(&MOST.load(SeqCst)));
        assert_eq!(TURNS.available_permits(), AT_ONCE);
    }

    #[tokio::test]
    async fn an_unknown_user_costs_a_real_verification() {
        let parsed = PasswordHash::new(UNKNOWN_USER).unwrap();
        let real = hash(&OsRandom, "x".into()).await.unwrap();
        assert_eq!(parsed.params, PasswordHash::new(&real).unwrap().params);
        assert!(!verify(None, "anything".into()).await.unwrap());
    }
}
