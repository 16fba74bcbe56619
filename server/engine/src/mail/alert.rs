//! The mail that tells the operator of what only they can mend.

use cupo_core::{
    parse::EmailAddress,
    text::{self, Locale},
};
use cupo_store::OperatorAlert;
use lettre::message::Mailbox;

use super::{
    Mail,
    layout::{Layout, Link},
    when,
};
use crate::{Engine, EngineError};

/// Nobody has told what language the operator reads.
const LOCALE: Locale = Locale::En;

impl Engine {
    /// Writes the mail. It holds the provider's reason code, and no secret.
    pub(crate) fn compose_alert(&self, alert: &OperatorAlert, to: &EmailAddress) -> Result<Mail, EngineError> {
        let address = to.as_str().parse().map_err(|e| EngineError::internal("the operator's address", e))?;
        let operator = Mailbox::new(None, address);
        let say = |part: &str| text::lookup(LOCALE, &format!("mail.alert.{}.{part}", alert.code)).to_owned();
        let label = |key: &str| text::lookup(LOCALE, &format!("mail.alert.{key}")).to_owned();
        let layout = Layout {
            language: LOCALE.into(),
            heading: say("subject"),
            intro: say("intro"),
            facts: vec![
                (label("reason"), alert.detail.clone()),
                (label("since"), when::moment(LOCALE, alert.first_at, chrono_tz::UTC)),
            ],
            links: vec![Link { label: label("open"), url: self.public_address("dashboard") }],
            footer: text::format(LOCALE, "mail.alert.footer", &[("installation", &self.installation())]),
        };
        Ok(Mail {
            message_id: format!("<{}.{}@{}>", alert.code, self.now().timestamp(), self.installation()),
            date: self.now().into(),
            to: operator.clone(),
            reply_to: operator,
            subject: say("subject"),
            text: layout.text(),
            html: layout.html(),
            calendar: None,
        })
    }
}
