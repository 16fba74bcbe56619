//! Who calls, and what may be opened.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};

use super::super::options::ApplicationAccess;
use super::super::world::{User, World};
use super::error::GraphError;
use crate::recorder::bearer;

/// The application of a request, and the account behind it, if one signed in.
#[derive(Debug, Clone)]
pub struct Caller {
    pub client_id: String,
    pub account: Option<String>,
    scopes: BTreeSet<String>,
    application: Option<ApplicationAccess>,
}

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The profile: `User.Read`.
    Profile,
    /// Reading calendars.
    Read,
    /// Free and busy times only.
    FreeBusy,
    /// Writing to calendars.
    Write,
}

impl Need {
    fn delegated(self) -> &'static [&'static str] {
        match self {
            Self::Profile => &["User.Read"],
            Self::Read => &["Calendars.Read", "Calendars.ReadWrite"],
            Self::FreeBusy => &["Calendars.ReadBasic", "Calendars.Read", "Calendars.ReadWrite"],
            Self::Write => &["Calendars.ReadWrite"],
        }
    }

    fn application(self) -> &'static [&'static str] {
        match self {
            Self::Profile => &["User.Read.All"],
            _ => self.delegated(),
        }
    }

    fn refused(self) -> GraphError {
        if self == Self::Profile {
            let message = "Insufficient privileges to complete the operation.";
            return GraphError::new(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message);
        }
        GraphError::access_denied()
    }
}

impl Caller {
    /// Reads the access token.
    pub fn read(world: &World, headers: &HeaderMap, now: DateTime<Utc>) -> Result<Self, GraphError> {
        let token = bearer(headers).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| GraphError::unauthenticated("Access token is empty."))?;
        let expired = || GraphError::unauthenticated("Lifetime validation failed, the token is expired.");
        let grant = world.tokens.grant(token, now).ok_or_else(expired)?;
        let user = grant.account.as_ref().and_then(|account| world.users.get(account));
        if let Some(claims) = user.and_then(|user| user.required_claims.as_deref())
            && !grant.claims.as_deref().is_some_and(|asked| are_equal(asked, claims))
        {
            return Err(GraphError::claims_challenge(claims));
        }
        let client = world.clients.get(&grant.client_id);
        Ok(Self {
            client_id: grant.client_id.clone(),
            account: grant.account.clone(),
            scopes: grant.scopes.clone(),
            application: client.and_then(|client| client.application.clone()).filter(|_| grant.account.is_none()),
        })
    }

    /// The mailbox of the person who signed in.
    pub fn me<'a>(&self, world: &'a World, need: Need) -> Result<&'a User, GraphError> {
        let account = self.account.as_ref().ok_or_else(|| {
            GraphError::bad_request("BadRequest", "/me request is only valid with delegated authentication flow.")
        })?;
        self.check_scopes(need)?;
        world.users.get(account).ok_or_else(GraphError::not_found)
    }

    /// The mailbox of `/users/{name}`: one's own, or, for an application, one that its administrator opened.
    pub fn user<'a>(&self, world: &'a World, name: &str, need: Need) -> Result<&'a User, GraphError> {
        let invalid = || {
            let message = format!("The requested user '{name}' is invalid.");
            GraphError::new(StatusCode::NOT_FOUND, "ErrorInvalidUser", message)
        };
        let user = world.user(name).ok_or_else(invalid)?;
        if let Some(account) = &self.account {
            self.check_scopes(need)?;
            return if user.email == *account { Ok(user) } else { Err(GraphError::access_denied()) };
        }
        let application = self.application.as_ref().ok_or_else(GraphError::access_denied)?;
        if user.tenant != application.tenant {
            return Err(invalid());
        }
        if !need.application().iter().any(|needed| application.permissions.iter().any(|given| given == needed)) {
            return Err(need.refused());
        }
        if need != Need::Profile && !application.mailboxes.iter().any(|it| it.eq_ignore_ascii_case(&user.email)) {
            return Err(GraphError::access_denied());
        }
        Ok(user)
    }

    fn check_scopes(&self, need: Need) -> Result<(), GraphError> {
        if need.delegated().iter().any(|scope| self.scopes.contains(*scope)) { Ok(()) } else { Err(need.refused()) }
    }
}

/// Whether two claims requests mean the same, whichever way they are written.
fn are_equal(asked: &str, required: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    asked == required || read(asked).is_some_and(|asked| read(required) == Some(asked))
}
