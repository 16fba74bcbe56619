//! Strings from outside become types here, once, at the border.
//!
//! A refusal is a [`FieldProblem`]: a key of the text catalogue (`error.*`) and its arguments, so that every reader is
//! answered in their own language. [`FieldErrors`] gathers all refusals of one input.

use std::{borrow::Cow, fmt};

/// Why one value was refused: a key of the text catalogue and the arguments of its sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// A key of the catalogue, such as `error.email`.
    pub key: &'static str,
    /// The values of the sentence's placeholders.
    pub args: Vec<(&'static str, String)>,
}

impl FieldProblem {
    /// A problem whose sentence has no placeholders.
    pub fn new(key: &'static str) -> Self {
        Self { key, args: Vec::new() }
    }

    /// Adds the value of a placeholder.
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// Names the field that had the problem.
    pub fn at(self, field: impl Into<Cow<'static, str>>) -> FieldError {
        FieldError { field: field.into(), problem: self }
    }
}

/// A field and why its value was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name in the input, such as `email` or `weekly_hours.monday`.
    pub field: Cow<'static, str>,
    /// Why.
    pub problem: FieldProblem,
}

/// All refusals of one input; empty while nothing was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// Keeps the value, or records the refusal and gives `None`.
    pub fn collect<T>(&mut self, field: impl Into<Cow<'static, str>>, parsed: Result<T, FieldProblem>) -> Option<T> {
        parsed.map_err(|problem| self.0.push(problem.at(field))).ok()
    }

    /// `Err(self)` when anything was refused.
    pub fn into_result(self) -> Result<(), FieldErrors> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Whether nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> Self {
        Self(vec![error])
    }
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).map_err(|problem| problem.key.to_owned())
            }
        }
    };
}

text_type! {
    /// An e-mail address of the form that the HTML standard defines for `<input type=email>`, with a dot in its domain,
    /// of at most 254 octets; the domain is lowercased.
    EmailAddress
}

impl EmailAddress {
    /// Reads an address; surrounding white space is dropped.
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldProblem::new("error.required"));
        }
        let refused = || FieldProblem::new("error.email");
        let (local, domain) = text.rsplit_once('@').ok_or_else(refused)?;
        let local_is_good = local.len() <= 64
            && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
            && local.split('.').all(|part| !part.is_empty());
        let label_is_good = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_is_good = domain.contains('.') && domain.split('.').all(label_is_good);
        if local_is_good && domain_is_good && text.len() <= 254 {
            let mut address = local.to_owned();
            address.push('@');
            address.push_str(&domain.to_ascii_lowercase());
            Ok(Self(address))
        } else {
            Err(refused())
        }
    }
}

text_type! {
    /// A part of a public address: 1 to 64 of `a-z`, `0-9` and single inner `-`.
    Slug
}

/// First path segments that are the product's own and can name no organization.
pub const RESERVED_SLUGS: &[&str] = &[
    "api",
    "assets",
    "dashboard",
    "docs",
    "embed",
    "healthz",
    "manage",
    "metrics",
    "oauth",
    "readyz",
    "sign-in",
    "sign-out",
    "sign-up",
    "webhooks",
];

impl Slug {
    /// Reads a slug as it stands.
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        if text.is_empty() {
            return Err(FieldProblem::new("error.required"));
        }
        let good = text.len() <= 64
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if good { Ok(Self(text.to_owned())) } else { Err(FieldProblem::new("error.slug")) }
    }

    /// Reads the slug of an organization, which may not be one of the [`RESERVED_SLUGS`].
    pub fn parse_organization(text: &str) -> Result<Self, FieldProblem> {
        let slug = Self::parse(text)?;
        if RESERVED_SLUGS.contains(&text) { Err(FieldProblem::new("error.slug_reserved")) } else { Ok(slug) }
    }
}

text_type! {
    /// The name of a person or an organization: 1 to 120 characters, none of them a control character.
    PersonName
}

impl PersonName {
    /// Reads a name; surrounding white space is dropped.
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        required_text(text, 120).map(Self)
    }
}

text_type! {
    /// A telephone number: an optional `+`, then 5 to 15 digits (E.164), kept without separators.
    PhoneNumber
}

impl PhoneNumber {
    /// Reads a number; spaces, dots, dashes, slashes and brackets between the digits are dropped.
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldProblem::new("error.required"));
        }
        let number: String =
            text.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '.' | '-' | '/' | '(' | ')')).collect();
        let digits = number.strip_prefix('+').unwrap_or(&number);
        if (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(number))
        } else {
            Err(FieldProblem::new("error.phone"))
        }
    }
}

text_type! {
    /// A web origin ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)): scheme, host and port as browsers serialize
    /// them, such as `https://example.com` or `http://127.0.0.1:4003`.
    Origin
}

impl Origin {
    /// Reads an origin or any address of the site: path and query are dropped, the default port too.
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldProblem::new("error.required"));
        }
        let refused = || FieldProblem::new("error.origin").with("value", text);
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = lower.split_once("://").ok_or_else(refused)?;
        let default_port = match scheme {
            "https" => "443",
            "http" => "80",
            _ => return Err(refused()),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let host_is_good = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.len() <= 253
                    && host.split('.').all(|label| {
                        !label.is_empty()
                            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
                    })
            }
        };
        let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0));
        if !host_is_good || !port_is_good {
            return Err(refused());
        }
        Ok(Self(match port {
            Some(port) if port != default_port => [scheme, "://", host, ":", port].concat(),
            _ => [scheme, "://", host].concat(),
        }))
    }
}

text_type! {
    /// An absolute `http` or `https` address of at most 2,000 characters without white space.
    HttpUrl
}

impl HttpUrl {
    /// Reads an address; surrounding white space is dropped.
    pub fn parse(text: &str) -> Result<Self, FieldProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FieldProblem::new("error.required"));
        }
        let plain = text.len() <= 2000 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        if plain && Origin::parse(text).is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldProblem::new("error.url"))
        }
    }
}

/// A trimmed text of 1 to `most` characters without control characters (line breaks included).
pub fn required_text(text: &str, most: usize) -> Result<String, FieldProblem> {
    let text = text.trim();
    if text.is_empty() {
        Err(FieldProblem::new("error.required"))
    } else if text.chars().count() > most {
        Err(FieldProblem::new("error.too_long").with("max", most))
    } else if text.chars().any(char::is_control) {
        Err(FieldProblem::new("error.control_character"))
    } else {
        Ok(text.to_owned())
    }
}

/// A trimmed text of at most `most` characters, which may have line breaks; `None` when nothing is left.
pub fn optional_text(text: &str, most: usize) -> Result<Option<String>, FieldProblem> {
    let text = text.trim();
    if text.chars().count() > most {
        Err(FieldProblem::new("error.too_long").with("max", most))
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Err(FieldProblem::new("error.control_character"))
    } else {
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }
}

/// A whole number within bounds.
pub fn number_between(value: u32, least: u32, most: u32) -> Result<u32, FieldProblem> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(FieldProblem::new("error.out_of_range").with("min", least).with("max", most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_is_accepted_or_refused_as_in_an_html_form() {
        for good in ["ana@example.com", " o'hara+tag@sub.example.co.uk ", "a.b@x-y.es"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for wrong in [
            "ana",
            "ana@",
            "@example.com",
            "ana@example",
            "a b@example.com",
            "ana@-x.com",
            "a..b@x.com",
            "ana@exa_mple.com",
            "ana@x.com\r\nBcc: b@x.com",
        ] {
            assert_eq!(EmailAddress::parse(wrong).unwrap_err().key, "error.email", "{wrong}");
        }
        assert_eq!(EmailAddress::parse("Ana@EXAMPLE.com").unwrap().as_str(), "Ana@example.com");
        assert_eq!(EmailAddress::parse("  ").unwrap_err().key, "error.required");
    }

    #[test]
    fn an_origin_is_kept_as_browsers_send_it() {
        for (text, origin) in [
            ("https://Example.com", "https://example.com"),
            ("https://example.com:443/shop?x=1#y", "https://example.com"),
            ("http://127.0.0.1:4003/", "http://127.0.0.1:4003"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), origin);
        }
        for wrong in [
            "example.com",
            "ftp://example.com",
            "https://",
            "https://exa mple.com",
            "https://x:99999",
            "https://user@x",
            "null",
        ] {
            assert!(Origin::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_phone_number_keeps_its_digits_only() {
        assert_eq!(PhoneNumber::parse("+34 (600) 12-34.56").unwrap().as_str(), "+34600123456");
        for wrong in ["1234", "+", "12345678901234567", "call me", "++34600123456"] {
            assert_eq!(PhoneNumber::parse(wrong).unwrap_err().key, "error.phone", "{wrong}");
        }
    }

    #[test]
    fn a_slug_has_no_capitals_and_an_organization_takes_no_reserved_one() {
        assert!(Slug::parse("first-visit-30").is_ok());
        for wrong in ["First", "a--b", "-a", "a-", "añb", "a/b"] {
            assert_eq!(Slug::parse(wrong).unwrap_err().key, "error.slug", "{wrong}");
        }
        assert_eq!(Slug::parse_organization("dashboard").unwrap_err().key, "error.slug_reserved");
    }

    #[test]
    fn every_refusal_of_an_input_is_gathered() {
        let mut errors = FieldErrors::default();
        assert!(errors.collect("email", EmailAddress::parse("x")).is_none());
        assert!(errors.collect("name", PersonName::parse("Ana")).is_some());
        assert!(errors.collect("slug", Slug::parse("")).is_none());
        let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_ref()).collect();
        assert_eq!(fields, ["email", "slug"]);
    }
}
