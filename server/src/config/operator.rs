//! `operator`: who runs this installation.

use cupo_core::parse::EmailAddress;

use super::reader::{Reader, Show};

/// Whom to tell what only the operator can mend.
#[derive(Debug, Clone)]
pub struct Operator {
    pub email: Option<EmailAddress>,
}

pub fn read(reader: &Reader) -> Option<Operator> {
    let email = reader.optional(
        "operator.email",
        "give the e-mail address of whoever runs this installation, or leave it out",
        Show::Value,
        |text| EmailAddress::parse(text).ok(),
    );
    Some(Operator { email: email? })
}
