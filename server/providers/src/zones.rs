//! Time zones by the names that calendars give them.

mod windows;

use chrono_tz::Tz;
use windows::{IANA, WINDOWS};

/// Before a name that Outlook made itself. `Utc` follows, or `Custom`, which names no zone.
const MICROSOFT: &str = "tzone://microsoft/";

/// The zone that a calendar means by `name`: an IANA name, former names and links included; a Windows name; either of them
/// behind a prefix, as in `/freeassociation.sourceforge.net/Europe/Madrid` or `tzone://Microsoft/Utc`. Capitals do not
/// matter.
///
/// `None` for every other name, `Customized Time Zone` among them: it must be told, never taken for UTC.
///
/// ```
/// use chrono_tz::Tz;
/// use cupo_providers::zones::zone_named;
/// assert_eq!(zone_named("Europe/Madrid"), Some(Tz::Europe__Madrid));
/// assert_eq!(zone_named("Romance Standard Time"), Some(Tz::Europe__Paris));
/// assert_eq!(zone_named("/mozilla.org/20050126_1/Europe/Madrid"), Some(Tz::Europe__Madrid));
/// assert_eq!(zone_named("Customized Time Zone"), None);
/// ```
pub fn zone_named(name: &str) -> Option<Tz> {
    let name = name.trim().trim_matches('"').trim();
    if let Some(zone) = plain(name) {
        return Some(zone);
    }
    if let Some(named) = name.get(..MICROSOFT.len()).filter(|start| start.eq_ignore_ascii_case(MICROSOFT)) {
        return plain(&name[named.len()..]);
    }
    // A globally unique name (RFC 5545, section 3.8.3.1): the registrar, often a version, and the zone.
    let path = name.strip_prefix('/')?;
    path.match_indices('/').find_map(|(slash, _)| plain(&path[slash + 1..]))
}

/// The Windows name of a zone. `None` for those few that have none, such as `Antarctica/Troll`.
///
/// ```
/// use chrono_tz::Tz;
/// use cupo_providers::zones::windows_name;
/// assert_eq!(windows_name(Tz::Europe__Madrid), Some("Romance Standard Time"));
/// assert_eq!(windows_name(Tz::Antarctica__Troll), None);
/// ```
pub fn windows_name(zone: Tz) -> Option<&'static str> {
    let found = IANA.binary_search_by_key(&zone.name(), |(iana, _)| iana).ok()?;
    Some(IANA[found].1)
}

fn plain(name: &str) -> Option<Tz> {
    if let Ok(zone) = name.parse() {
        return Some(zone);
    }
    if let Some(zone) = of_windows(name) {
        return Some(zone);
    }
    let known = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied();
    // A few names of old, such as `US/Pacific-New`, are no longer in the database.
    known.or_else(|| of_windows(IANA.iter().find(|(iana, _)| iana.eq_ignore_ascii_case(name))?.1))
}

fn of_windows(name: &str) -> Option<Tz> {
    let lower = name.to_ascii_lowercase();
    let found = WINDOWS.binary_search_by_key(&lower, |(windows, _)| windows.to_ascii_lowercase()).ok()?;
    WINDOWS[found].1.parse().ok()
}

#[cfg(test)]
mod tests;
