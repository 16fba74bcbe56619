//! A mail as tests and people want to read it.

use mail_parser::{Address, MessageParser, MessagePart, MimeHeaders, PartType};
use serde::{Deserialize, Serialize};

/// Who sent a mail and to whom, by the SMTP commands rather than by the headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub from: String,
    pub to: Vec<String>,
}

/// A mail, parsed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// Counts up from 1.
    pub id: u64,
    pub envelope: Envelope,
    /// `Name <address>`, or the address alone.
    pub from: String,
    /// The addresses of `To` and `Cc`.
    pub to: Vec<String>,
    pub subject: String,
    /// The header `Date`, in RFC 3339.
    pub date: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    /// Every part that is neither the text nor the HTML, calendar alternatives included.
    pub attachments: Vec<Attachment>,
    /// The mail as it came; bytes that are no UTF-8 are replaced.
    pub raw: String,
}

/// A part of a mail beside its text and HTML.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attachment {
    pub filename: Option<String>,
    /// With its parameters: `text/calendar; method=REQUEST`.
    pub content_type: String,
    /// The decoded content, where it is text.
    pub text: Option<String>,
}

impl Message {
    /// Reads a mail. One that cannot be parsed is kept too, with its source alone.
    pub(super) fn parse(id: u64, envelope: Envelope, raw: &[u8]) -> Self {
        let source = String::from_utf8_lossy(raw).into_owned();
        let parsed = MessageParser::default().parse(raw);
        let Some(parsed) = parsed else {
            let (from, to) = (envelope.from.clone(), envelope.to.clone());
            let subject = "(unreadable)".to_owned();
            let attachments = Vec::new();
            return Self {
                id,
                envelope,
                from,
                to,
                subject,
                date: None,
                text: None,
                html: None,
                attachments,
                raw: source,
            };
        };
        let body = |is_html: bool| {
            let wanted = |part: &&MessagePart<'_>| match &part.body {
                PartType::Text(_) => !is_html && is_body(part),
                PartType::Html(_) => is_html && is_body(part),
                _ => false,
            };
            parsed.parts.iter().find(wanted).and_then(|part| part.text_contents()).map(str::to_owned)
        };
        let further = parsed.parts.iter().filter(|part| !is_body(part) && !matches!(part.body, PartType::Multipart(_)));
        Self {
            id,
            from: parsed.from().and_then(sender).unwrap_or_else(|| envelope.from.clone()),
            to: addresses(parsed.to()).chain(addresses(parsed.cc())).collect(),
            envelope,
            subject: parsed.subject().unwrap_or_default().to_owned(),
            date: parsed.date().map(mail_parser::DateTime::to_rfc3339),
            text: body(false),
            html: body(true),
            attachments: further.map(attachment).collect(),
            raw: source,
        }
    }
}

/// Whether a part is the mail's own text or HTML.
fn is_body(part: &MessagePart<'_>) -> bool {
    let is_text = part.content_type().is_none_or(|kind| {
        kind.ctype() == "text" && kind.subtype().is_none_or(|subtype| matches!(subtype, "plain" | "html"))
    });
    is_text && part.attachment_name().is_none() && !part.content_disposition().is_some_and(|it| it.is_attachment())
}

fn attachment(part: &MessagePart<'_>) -> Attachment {
    let content_type = part.content_type().map_or_else(
        || "application/octet-stream".to_owned(),
        |kind| {
            let subtype = kind.subtype().unwrap_or("octet-stream");
            let attributes = kind.attributes().into_iter().flatten();
            let attributes: String =
                attributes.map(|attribute| format!("; {}={}", attribute.name, attribute.value)).collect();
            format!("{}/{subtype}{attributes}", kind.ctype())
        },
    );
    let text = part.text_contents().map(str::to_owned).or_else(|| {
        let textual = content_type.starts_with("text/") || content_type.starts_with("application/ics");
        textual.then(|| String::from_utf8(part.contents().to_vec()).ok()).flatten()
    });
    Attachment { filename: part.attachment_name().map(str::to_owned), content_type, text }
}

fn sender(address: &Address<'_>) -> Option<String> {
    let first = address.first()?;
    let email = first.address()?;
    Some(first.name().map_or_else(|| email.to_owned(), |name| format!("{name} <{email}>")))
}

fn addresses(address: Option<&Address<'_>>) -> impl Iterator<Item = String> {
    let all: Vec<String> =
        address.into_iter().flat_map(|of| of.iter()).filter_map(|of| of.address().map(str::to_owned)).collect();
    all.into_iter()
}
