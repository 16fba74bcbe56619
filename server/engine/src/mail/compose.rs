//! What a mail says.

use chrono_tz::Tz;
use cupo_core::{
    appointment::CancelledBy,
    event_type::Location,
    parse::EmailAddress,
    text::{self, LanguageTag, Locale},
};
use cupo_store::Appointment;
use lettre::{Address, message::Mailbox};

use super::{
    CalendarPart, Mail, MailKind, Recipient,
    ics::{self, Method},
    layout::{Layout, Link},
    when,
};
use crate::{Engine, EngineError, details::Details};

impl Engine {
    /// Writes the mail in the reader's language, with times in the reader's zone.
    pub(crate) fn compose(&self, details: &Details, kind: MailKind, to: Recipient) -> Result<Mail, EngineError> {
        let Details { appointment, host, schedule, .. } = details;
        let (language, tz) = match to {
            Recipient::Visitor => (appointment.visitor_language, appointment.visitor_time_zone.tz()),
            Recipient::Host => (host.locale.into(), schedule.time_zone.tz()),
        };
        let locale = language.locale();
        let visitor = mailbox(&appointment.visitor_name, &appointment.visitor_email)?;
        let host_mailbox = mailbox(&host.name, &host.email)?;
        let (to_mailbox, reply_to) = match to {
            Recipient::Visitor => (visitor, host_mailbox),
            Recipient::Host => (host_mailbox, visitor),
        };
        let date = when::date(language, appointment.start_at, tz);
        let hosts = details.host_names();
        let names: [(&str, &dyn std::fmt::Display); 5] = [
            ("title", &appointment.title),
            ("visitor", &appointment.visitor_name),
            ("host", &hosts),
            ("organization", &details.organization.name),
            ("date", &date),
        ];
        let say = |part: &str| text::format(locale, &format!("mail.{}.{}.{part}", kind.as_str(), to.as_str()), &names);
        let intro = match (kind, appointment.cancelled_by) {
            (MailKind::Cancellation, by) => say(&format!("intro.{}", by.unwrap_or(CancelledBy::Host).as_str())),
            _ => say("intro"),
        };
        let label = |key: &str| text::lookup(locale, &format!("mail.{key}")).to_owned();
        let times = when::time_range(language, appointment.start_at, appointment.end_at, tz);
        let mut facts = vec![(label("what"), appointment.title.clone()), (label("when"), format!("{date}\n{times}"))];
        facts.extend(place(details, kind, locale).map(|place| (label("where"), place)));
        facts.extend(further_dates(details, kind, language, tz).map(|dates| (label("further_dates"), dates)));
        facts.extend(people(details, to, locale, &label));
        if kind == MailKind::Request {
            facts.extend(appointment.expires_at.map(|end| (label("until"), when::moment(language, end, tz))));
        }
        facts.extend(appointment.cancel_reason.clone().map(|reason| (label("reason"), reason)));
        let layout = Layout {
            language,
            heading: say("heading"),
            intro,
            facts,
            links: self.links(details, kind, to, &label),
            footer: text::format(locale, "mail.footer", &names),
        };
        Ok(Mail {
            message_id: format!(
                "<{}.{}.{}.{}@{}>",
                appointment.id,
                appointment.sequence,
                kind.as_str(),
                to.as_str(),
                self.installation()
            ),
            date: self.now().into(),
            to: to_mailbox,
            reply_to,
            subject: say("subject"),
            text: layout.text(),
            html: layout.html(),
            calendar: self.calendar_part(details, kind, to, locale),
        })
    }

    fn links(&self, details: &Details, kind: MailKind, to: Recipient, label: &dyn Fn(&str) -> String) -> Vec<Link> {
        let Appointment { id, location, meeting_url, .. } = &details.appointment;
        let manage = match to {
            Recipient::Visitor => self.manage_url(&self.manage_token(id)),
            Recipient::Host => self.public_address(&format!("dashboard/appointments/{id}")),
        };
        if kind.is_end() {
            let again = self.public_address(&format!("{}/{}", details.organization.slug, details.event_type.slug));
            return match to {
                Recipient::Visitor => vec![Link { label: label("book_again"), url: again }],
                Recipient::Host => vec![Link { label: label("open"), url: manage }],
            };
        }
        let join = match location {
            Location::GoogleMeet | Location::MicrosoftTeams => meeting_url.clone(),
            Location::Link(url) => Some(url.to_string()),
            _ => None,
        };
        let mut links = Vec::new();
        links.extend(join.map(|url| Link { label: label("join"), url }));
        let key = match to {
            Recipient::Visitor => "manage",
            Recipient::Host => "open",
        };
        links.push(Link { label: label(key), url: manage });
        links
    }

    /// The iCalendar object, unless the provider invites. The host, who is the organizer, gets a copy to import.
    fn calendar_part(&self, details: &Details, kind: MailKind, to: Recipient, locale: Locale) -> Option<CalendarPart> {
        // Nothing stands in anybody's calendar before a host has agreed.
        let is_told_elsewhere = details.provider_invites
            || kind.is_notice()
            || matches!(kind, MailKind::Request | MailKind::Declined | MailKind::Expired);
        if is_told_elsewhere {
            return None;
        }
        let method = match (to, kind) {
            (Recipient::Host, _) => Method::Publish,
            (Recipient::Visitor, MailKind::Cancellation) => Method::Cancel,
            (Recipient::Visitor, _) => Method::Request,
        };
        Some(CalendarPart { method, body: ics::render(self, details, method, locale) })
    }
}

fn place(details: &Details, kind: MailKind, locale: Locale) -> Option<String> {
    let say = |key: &str| text::lookup(locale, key).to_owned();
    match &details.appointment.location {
        location @ (Location::GoogleMeet | Location::MicrosoftTeams) => {
            let service = location.meeting_service().unwrap_or_default();
            Some(match &details.appointment.meeting_url {
                // Nobody shall join what does not take place.
                _ if kind.is_end() => service.to_owned(),
                Some(url) => format!("{service}\n{url}"),
                None => format!("{service}\n{}", say("mail.meet_later")),
            })
        }
        Location::Phone(None) => {
            let number = details.place().unwrap_or_default();
            Some(text::format(locale, "mail.host_calls", &[("number", &number)]))
        }
        Location::Phone(Some(number)) => Some(text::format(locale, "mail.visitor_calls", &[("number", number)])),
        Location::Address(place) => Some(place.clone()),
        Location::Link(url) => Some(url.to_string()),
    }
}

/// When else it takes place, of a series that is told of by one mail.
fn further_dates(details: &Details, kind: MailKind, language: LanguageTag, tz: Tz) -> Option<String> {
    let told = match kind {
        MailKind::Confirmation | MailKind::Request | MailKind::Change => &details.series,
        MailKind::Cancellation => &details.ended_together,
        MailKind::Declined
        | MailKind::Expired
        | MailKind::Collision
        | MailKind::GuestDeclined
        | MailKind::BecameSeries => return None,
    };
    let later = told.iter().filter(|other| other.start_at > details.appointment.start_at);
    let dates: Vec<_> = later.map(|other| when::moment(language, other.start_at, tz)).collect();
    (!dates.is_empty()).then(|| dates.join("\n"))
}

fn people(details: &Details, to: Recipient, locale: Locale, label: &dyn Fn(&str) -> String) -> Vec<(String, String)> {
    let Appointment { visitor_name, visitor_email, visitor_phone, visitor_notes, answers, .. } = &details.appointment;
    let mut facts = Vec::new();
    match to {
        Recipient::Visitor => {
            facts.push((label("with"), format!("{}\n{}", details.host_names(), details.organization.name)));
        }
        Recipient::Host => {
            facts.push((label("visitor"), format!("{visitor_name}\n{visitor_email}")));
            facts.extend(visitor_phone.as_ref().map(|phone| (label("phone"), phone.to_string())));
        }
    }
    facts.extend(answers.iter().map(|answer| (answer.label.clone(), text::answer(locale, answer))));
    facts.extend(visitor_notes.clone().map(|notes| (label("notes"), notes)));
    facts
}

pub(super) fn mailbox(name: &str, email: &EmailAddress) -> Result<Mailbox, EngineError> {
    let address: Address = email.as_str().parse().map_err(|e| EngineError::internal("a mail address", e))?;
    Ok(Mailbox::new(Some(name.to_owned()), address))
}
