//! The mails that tell a host what happened to a calendar account.

use chrono_tz::Tz;
use cupo_core::text;
use cupo_store::{AuditEntry, CalendarProviderAccount, Provider, User};

use super::{
    Mail,
    compose::mailbox,
    layout::{Layout, Link},
    when,
};
use crate::{Engine, EngineError};

impl Engine {
    /// Writes the mail of a line of an account's history, such as `account.reconnect_needed`.
    pub(crate) fn compose_of_account(
        &self,
        entry: &AuditEntry,
        account: &CalendarProviderAccount,
        host: &User,
    ) -> Result<Mail, EngineError> {
        let locale = host.locale;
        let kind = entry.action.strip_prefix("account.").unwrap_or(&entry.action);
        let detail = |name: &str| entry.detail[name].as_str();
        let service = match account.provider {
            Provider::Google => "Google",
            Provider::Outlook => "Microsoft",
            Provider::Caldav => "CalDAV",
            Provider::Ics => "iCalendar",
        };
        let (calendar, to) = (detail("calendar").unwrap_or_default(), detail("to"));
        let names: [(&str, &dyn std::fmt::Display); 4] = [
            ("service", &service),
            ("account", &account.email),
            ("calendar", &calendar),
            ("to", &to.unwrap_or_default()),
        ];
        let say = |part: &str| text::format(locale, &format!("mail.account.{kind}.{part}"), &names);
        let intro = match (kind, entry.detail["appointments"].as_u64(), to) {
            ("calendar_lost", Some(0), Some(_)) => say("intro.empty"),
            ("calendar_lost", Some(0), None) => say("intro.empty_nowhere"),
            ("calendar_lost", _, Some(_)) => say("intro.moved"),
            ("calendar_lost", _, None) => say("intro.nowhere"),
            _ => say("intro"),
        };
        let label = |key: &str| text::lookup(locale, &format!("mail.account.{key}")).to_owned();
        let since = format!("{} UTC", when::moment(locale, entry.at, Tz::UTC));
        let mut facts = vec![(label("account"), format!("{service}\n{}", account.email)), (label("since"), since)];
        facts.extend((!calendar.is_empty()).then(|| (label("calendar"), calendar.to_owned())));
        let count = entry.detail["appointments"].as_u64().filter(|count| *count > 0);
        facts.extend(count.map(|count| (label("appointments"), count.to_string())));
        facts.extend(detail("reason").map(|code| (label("reason"), label(&format!("reason.{code}")))));
        let layout = Layout {
            language: locale.into(),
            heading: say("heading"),
            intro,
            facts,
            links: vec![Link { label: label("open"), url: self.public_address("dashboard/calendars") }],
            footer: text::format(locale, "mail.account.footer", &[("installation", &self.installation())]),
        };
        let host = mailbox(&host.name, &host.email)?;
        Ok(Mail {
            message_id: format!("<{}.{kind}@{}>", entry.id, self.installation()),
            date: self.now().into(),
            to: host.clone(),
            reply_to: host,
            subject: say("subject"),
            text: layout.text(),
            html: layout.html(),
            calendar: None,
        })
    }
}
