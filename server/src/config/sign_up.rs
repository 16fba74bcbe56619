//! `sign_up`: who may make an organization.

use super::reader::{Reader, parse_bool};

/// Whether strangers may sign up.
#[derive(Debug, Clone, Copy)]
pub struct SignUp {
    /// `false` closes the page; people who have an account can still sign in.
    pub open: bool,
}

pub fn read(reader: &Reader) -> Option<SignUp> {
    reader.or("sign_up.open", true, "give true or false", parse_bool).map(|open| SignUp { open })
}
