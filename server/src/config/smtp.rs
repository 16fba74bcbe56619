//! `smtp`: the mail server.

use cupo_providers::Secret;

use super::reader::{Reader, Show};

/// How the connection to the mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all: for a server on this machine.
    None,
    /// Plain at first, then secured; usually port 587.
    StartTls,
    /// From the first byte; usually port 465.
    Tls,
}

/// A mail server and the sender.
#[derive(Debug, Clone)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    /// User name and password.
    pub credentials: Option<(String, Secret)>,
    /// The sender, `Name <address>` or an address alone.
    pub from: String,
}

/// The inner `None` is "not configured".
pub fn read(reader: &Reader) -> Option<Option<Smtp>> {
    let filled = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let host = reader.optional("smtp.host", "give the name of the mail server", Show::Value, filled);
    let tls = reader.or("smtp.tls", SmtpTls::StartTls, "give none, starttls or tls", |text| match text {
        "none" => Some(SmtpTls::None),
        "starttls" => Some(SmtpTls::StartTls),
        "tls" => Some(SmtpTls::Tls),
        _ => None,
    });
    let port = reader.optional("smtp.port", "give a port from 1 to 65535", Show::Value, |text| {
        text.parse().ok().filter(|port| *port != 0)
    });
    let username = reader.optional("smtp.username", "give a user name, or leave it out", Show::Value, filled);
    let password = reader.optional("smtp.password", "give a password, or leave it out", Show::Nothing, filled);
    let from_right = "give the sender, such as Cupo <no-reply@example.com>";
    let from = reader.optional("smtp.from", from_right, Show::Value, |text| {
        let address = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
        cupo_core::parse::EmailAddress::parse(address.trim()).ok().map(|_| text.trim().to_owned())
    });
    let (host, tls, port, username, password, from) = (host?, tls?, port?, username?, password?, from?);
    let Some(host) = host else {
        if username.is_some() || password.is_some() || from.is_some() || port.is_some() {
            reader.mistake("smtp.host", "is missing", "give the name of the mail server, or leave the section out");
            return None;
        }
        return Some(None);
    };
    let Some(from) = from else {
        reader.mistake("smtp.from", "is missing", from_right);
        return None;
    };
    let credentials = match (username, password) {
        (Some(username), Some(password)) => Some((username, Secret::new(password))),
        (None, None) => None,
        (Some(_), None) => {
            reader.mistake("smtp.password", "is missing", "give the password of smtp.username");
            return None;
        }
        (None, Some(_)) => {
            reader.mistake("smtp.username", "is missing", "give the user name of smtp.password");
            return None;
        }
    };
    let port = port.unwrap_or(match tls {
        SmtpTls::None => 25,
        SmtpTls::StartTls => 587,
        SmtpTls::Tls => 465,
    });
    Some(Some(Smtp { host, port, tls, credentials, from }))
}
