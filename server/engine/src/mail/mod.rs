//! Mail: what is written to visitors and hosts, and how it leaves.

mod account;
mod alert;
mod compose;
pub(crate) mod ics;
mod layout;
mod sent;
mod stale;
pub(crate) mod when;

use std::time::{Duration, SystemTime};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use serde::{Deserialize, Serialize};

/// How long one step of the conversation with the mail server may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What a mail tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MailKind {
    /// A host has to agree first.
    Request,
    Confirmation,
    Change,
    Cancellation,
    /// The host did not agree.
    Declined,
    /// Nobody agreed in time.
    Expired,
    /// The host put its event over another appointment.
    Collision,
    /// The visitor declined in a calendar; the appointment stands.
    GuestDeclined,
    /// The host made its event recur.
    BecameSeries,
}

impl MailKind {
    /// Whether what it tells of does not take place.
    pub(crate) fn is_end(self) -> bool {
        matches!(self, Self::Cancellation | Self::Declined | Self::Expired)
    }

    /// Whether it tells of something that changes nothing of the appointment, and may happen to it several times.
    pub(crate) fn is_notice(self) -> bool {
        matches!(self, Self::Collision | Self::GuestDeclined | Self::BecameSeries)
    }
}

impl MailKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Confirmation => "confirmation",
            Self::Change => "change",
            Self::Cancellation => "cancellation",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Collision => "collision",
            Self::GuestDeclined => "guest_declined",
            Self::BecameSeries => "became_series",
        }
    }
}

/// To whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Recipient {
    Visitor,
    Host,
}

impl Recipient {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Host => "host",
        }
    }
}

/// A mail, ready to be sent.
#[derive(Debug)]
pub(crate) struct Mail {
    /// The same for every repetition, so that a mail sent twice is shown once.
    pub(crate) message_id: String,
    pub(crate) date: SystemTime,
    pub(crate) to: Mailbox,
    pub(crate) reply_to: Mailbox,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
    pub(crate) calendar: Option<CalendarPart>,
}

/// An iCalendar object that goes with a mail (RFC 6047).
#[derive(Debug)]
pub(crate) struct CalendarPart {
    pub(crate) method: ics::Method,
    pub(crate) body: String,
}

/// The mail server's last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    Accepted,
    /// It will never take this mail.
    Refused(String),
}

/// Why mail cannot be sent as configured, or could not be sent now.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The server's address is not understood.
    #[error("the mail server's address is not valid: {0}")]
    Server(#[source] lettre::transport::smtp::Error),
    /// The sender is no mailbox.
    #[error("the sender is not a mail address: {0}")]
    Sender(#[source] lettre::address::AddressError),
    /// The server did not take it now.
    #[error("the mail server did not take the mail: {0}")]
    Delivery(#[source] lettre::transport::smtp::Error),
    /// The mail could not be put together.
    #[error("the mail could not be written: {0}")]
    Message(#[source] lettre::error::Error),
}

/// Sends mail over SMTP, through a pool of connections.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("from", &self.from.email.domain()).finish_non_exhaustive()
    }
}

impl Mailer {
    /// Takes `smtp://user:password@host:587?tls=required`, `smtps://…` or, for a server on the same machine,
    /// `smtp://host:25`; and the sender, such as `Cupo <cupo@example.org>`. Nothing is connected yet.
    ///
    /// # Errors
    /// Says which of the two is wrong.
    pub fn from_url(url: &str, from: &str) -> Result<Self, MailError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(MailError::Server)?;
        let from = from.parse().map_err(MailError::Sender)?;
        Ok(Self { transport: transport.timeout(Some(TIMEOUT)).build(), from })
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// When it cannot be reached or does not let us in.
    pub async fn test(&self) -> Result<(), MailError> {
        self.transport.test_connection().await.map(drop).map_err(MailError::Delivery)
    }

    /// Hands a mail to the server.
    pub(crate) async fn send(&self, mail: Mail) -> Result<Sent, MailError> {
        let message = mail.into_message(self.from.clone()).map_err(MailError::Message)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(Sent::Accepted),
            Err(error) if error.is_permanent() => Ok(Sent::Refused(error.to_string())),
            Err(error) => Err(MailError::Delivery(error)),
        }
    }
}

impl Mail {
    fn into_message(self, from: Mailbox) -> Result<Message, lettre::error::Error> {
        let builder = Message::builder()
            .message_id(Some(self.message_id))
            .date(self.date)
            .from(from)
            .to(self.to)
            .reply_to(self.reply_to)
            .subject(self.subject)
            // RFC 3834: no vacation notice shall answer it.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        let body = MultiPart::alternative_plain_html(self.text, self.html);
        let Some(CalendarPart { method, body: calendar }) = self.calendar else {
            return builder.multipart(body);
        };
        let media_type = format!("text/calendar; charset=utf-8; method={}", method.as_str());
        let media_type = ContentType::parse(&media_type).expect("every method makes a valid media type");
        let attachment = Attachment::new("appointment.ics".to_owned()).body(calendar.clone(), media_type.clone());
        let body = if method.is_for_attendees() {
            // Mail programs show an invitation only when it is an alternative of the text.
            body.singlepart(SinglePart::builder().header(media_type).body(calendar))
        } else {
            body
        };
        builder.multipart(MultiPart::mixed().multipart(body).singlepart(attachment))
    }
}
