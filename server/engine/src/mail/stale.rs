//! The mail that tells a host which calendars nobody could read for long.

use chrono_tz::Tz;
use cupo_core::text;
use cupo_store::{Calendar, Job, User};

use super::{
    Mail,
    compose::mailbox,
    layout::{Layout, Link},
    when,
};
use crate::{Engine, EngineError};

impl Engine {
    /// Writes the mail about these calendars.
    pub(crate) fn compose_of_stale(&self, stale: &[Calendar], host: &User, job: &Job) -> Result<Mail, EngineError> {
        let locale = host.locale;
        let say = |part: &str| text::lookup(locale, &format!("mail.stale.{part}")).to_owned();
        let subject = match stale {
            [only] => text::format(locale, "mail.stale.subject", &[("calendar", &only.name)]),
            several => text::counted(locale.into(), "mail.stale.subject_several", several.len() as u64, &[]),
        };
        let read = |calendar: &Calendar| match calendar.synced_at {
            Some(at) => format!("{} UTC", when::moment(locale, at, Tz::UTC)),
            None => say("never"),
        };
        let fact = |calendar: &Calendar| (calendar.name.clone(), format!("{}: {}", say("last_read"), read(calendar)));
        let layout = Layout {
            language: locale.into(),
            heading: say("heading"),
            intro: say("intro"),
            facts: stale.iter().map(fact).collect(),
            links: vec![Link { label: say("open"), url: self.public_address("dashboard/calendars") }],
            footer: text::format(locale, "mail.stale.footer", &[("installation", &self.installation())]),
        };
        let host = mailbox(&host.name, &host.email)?;
        Ok(Mail {
            message_id: format!("<{}.stale@{}>", job.id, self.installation()),
            date: self.now().into(),
            to: host.clone(),
            reply_to: host,
            subject,
            text: layout.text(),
            html: layout.html(),
            calendar: None,
        })
    }
}
