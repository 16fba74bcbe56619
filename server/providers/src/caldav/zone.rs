//! The zone of a calendar: in it all-day events and those of a floating time are read.

use chrono_tz::Tz;
use icalendar::parser::unfold;

use super::multistatus::Properties;
use crate::access::Access;
use crate::error::ProviderError;
use crate::zones::zone_named;

/// The zone that the server tells of a calendar; `None` where it tells none. An unknown one is an error with its name.
pub(super) fn told(properties: &Properties) -> Result<Option<Tz>, String> {
    let named = |name: &str| zone_named(name).ok_or_else(|| name.to_owned());
    if let Some(id) = &properties.time_zone_id {
        return named(id).map(Some);
    }
    match properties.time_zone.as_deref().map(names).unwrap_or_default() {
        Names { id: None, location: None } => Ok(None),
        Names { id: Some(id), location: None } | Names { id: None, location: Some(id) } => named(&id).map(Some),
        Names { id: Some(id), location: Some(location) } => named(&id).or_else(|_| named(&location)).map(Some),
    }
}

/// What [`told`] has told; where that is none, the zone of the host.
pub(super) fn of_calendar(access: &Access, told: Option<Tz>) -> Option<Tz> {
    told.or(access.time_zone())
}

pub(super) fn unknown(name: &str) -> ProviderError {
    // A name is short; what is not is none.
    let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    ProviderError::Rejected(format!("unknown time zone `{name}` of the calendar"))
}

#[derive(Default)]
struct Names {
    id: Option<String>,
    /// `X-LIC-LOCATION`, which libical writes beside an id of its own.
    location: Option<String>,
}

/// What a VCALENDAR calls the one zone that it holds.
fn names(calendar: &str) -> Names {
    let mut names = Names::default();
    for line in unfold(calendar).lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.split(';').next().unwrap_or_default().trim();
        let slot = if name.eq_ignore_ascii_case("TZID") {
            &mut names.id
        } else if name.eq_ignore_ascii_case("X-LIC-LOCATION") {
            &mut names.location
        } else {
            continue;
        };
        let value = value.trim();
        if slot.is_none() && !value.is_empty() {
            *slot = Some(value.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &str) -> Result<Option<Tz>, String> {
        let time_zone = format!("BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\n{lines}END:VTIMEZONE\r\nEND:VCALENDAR\r\n");
        told(&Properties { time_zone: Some(time_zone), ..Properties::default() })
    }

    #[test]
    fn the_zone_is_told_by_its_id_its_location_or_the_newer_property() {
        assert_eq!(of("TZID:Europe/Madrid\r\n"), Ok(Some(Tz::Europe__Madrid)));
        assert_eq!(of("TZID:/custom/1\r\nX-LIC-LOCATION:Europe/Mad\r\n rid\r\n"), Ok(Some(Tz::Europe__Madrid)));
        let newer = Properties { time_zone_id: Some("America/New_York".into()), ..Properties::default() };
        assert_eq!(told(&newer), Ok(Some(Tz::America__New_York)));
    }

    #[test]
    fn no_zone_is_none_and_an_unknown_one_is_an_error_with_its_name() {
        assert_eq!(told(&Properties::default()), Ok(None));
        assert_eq!(of(""), Ok(None));
        assert_eq!(of("TZID:Customized Time Zone\r\n"), Err("Customized Time Zone".to_owned()));
    }
}
