//! Identifiers: UUID texts behind one type per noun, so that one cannot stand where another is meant.

use std::fmt;

/// A text that is no UUID stood where an id was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id: expected a UUID such as 018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e")]
pub struct ParseIdError(pub String);

/// 8-4-4-4-12 lowercase hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
        pub struct $name(String);

        impl $name {
            /// Reads a lowercase UUID text.
            pub fn parse(text: &str) -> Result<Self, ParseIdError> {
                if is_uuid(text) { Ok(Self(text.to_owned())) } else { Err(ParseIdError(text.to_owned())) }
            }

            /// The UUID text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;
            fn try_from(text: String) -> Result<Self, ParseIdError> {
                if is_uuid(&text) { Ok(Self(text)) } else { Err(ParseIdError(text)) }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )*};
}

ids! {
    /// The tenant.
    OrganizationId;
    /// A person with a sign-in.
    UserId;
    /// One connection to a calendar provider.
    AccountId;
    /// What an organization has been given at a provider to act for its members.
    CredentialId;
    /// A calendar of an account.
    CalendarId;
    /// Weekly hours in a zone.
    ScheduleId;
    /// What can be booked.
    EventTypeId;
    /// A booked time.
    AppointmentId;
    /// A site that embeds the widget.
    SiteId;
    /// A unit of durable background work.
    JobId;
    /// A slot kept while a visitor fills in the form.
    HoldId;
    /// A Google channel or a Graph subscription.
    SubscriptionId;
    /// A line of history.
    AuditEntryId;
    /// A received notification.
    InboxMessageId;
    /// The time that one appointment, or the appointments that share a slot's seats, take from their hosts. The claim of
    /// an ordinary appointment bears the appointment's own UUID.
    ClaimId;
    /// Appointments that were booked together, one on each of several dates.
    SeriesId;
    /// A host's time off.
    AbsenceId;
    /// A list of dates on which nobody works.
    HolidayCalendarId;
    /// A secret address that books once.
    BookingLinkId;
}

impl From<&AppointmentId> for ClaimId {
    fn from(id: &AppointmentId) -> Self {
        Self(id.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lowercase_uuid_is_an_id() {
        let text = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";
        assert_eq!(UserId::parse(text).unwrap().as_str(), text);
        for wrong in ["", "018F4E9E-7A3B-7C21-9D7E-3B1F6A2C4D5E", "018f4e9e7a3b7c219d7e3b1f6a2c4d5e", "x"] {
            assert!(UserId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
