//! Sign-in by OAuth 2.0 (`/{tenant}/oauth2/v2.0/...`): pages, tokens, and errors by AADSTS code.

mod assertion;
pub mod authorize;
mod certificate;
pub mod error;
mod id_token;
pub mod scopes;
pub mod tenant;
pub mod token;
pub mod tokens;
