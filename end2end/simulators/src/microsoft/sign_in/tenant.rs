//! The tenant of a sign-in address, and whom it lets in.

use super::super::options::PERSONAL_TENANT;
use super::super::world::{User, World};
use super::error::SignInError;

/// `{tenant}` of `/{tenant}/oauth2/v2.0/...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenant {
    /// Everybody.
    Common,
    /// Work and school accounts.
    Organizations,
    /// Personal accounts.
    Consumers,
    /// One organisation, by id.
    One(String),
}

impl Tenant {
    /// Reads the segment: a word, an id, or a domain in which somebody has an account.
    pub fn read(segment: &str, world: &World) -> Result<Self, SignInError> {
        match segment.to_lowercase().as_str() {
            "common" => Ok(Self::Common),
            "organizations" => Ok(Self::Organizations),
            "consumers" | PERSONAL_TENANT => Ok(Self::Consumers),
            other => {
                let by_domain = |user: &&User| user.email.split_once('@').is_some_and(|(_, domain)| domain == other);
                let known = world.users.values().find(|user| user.tenant == other || by_domain(user));
                let known = known.filter(|user| !user.is_personal());
                known.map(|user| Self::One(user.tenant.clone())).ok_or_else(|| {
                    let message =
                        format!("Tenant '{segment}' not found. Check to make sure you have the correct tenant ID.");
                    SignInError::new(90002, message)
                })
            }
        }
    }

    /// Whether `user` may sign in here, or why not.
    pub fn admits(&self, user: &User) -> Result<(), SignInError> {
        let wrong_kind = || SignInError::new(500_208, "The domain is not a valid login domain for the account type.");
        match self {
            Self::Common => Ok(()),
            Self::Organizations if user.is_personal() => Err(wrong_kind()),
            Self::Consumers if !user.is_personal() => Err(wrong_kind()),
            Self::Organizations | Self::Consumers => Ok(()),
            Self::One(tenant) if user.tenant == *tenant => Ok(()),
            Self::One(tenant) => {
                let message = format!(
                    "The user account does not exist in tenant '{tenant}' and cannot access the \
                     application in that tenant."
                );
                Err(SignInError::new(50020, message))
            }
        }
    }
}
