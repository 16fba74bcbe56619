//! Windows names of time zones, which is how Outlook calls them, and the IANA names behind them.
//!
//! `windows_zones.tsv` has a line for each Windows zone: its name, the IANA zone that it stands for, and every other
//! IANA name that falls to it. Derived from Unicode CLDR 48 (`windowsZones.json` and the alias table), Unicode-3.0.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono_tz::Tz;

static TABLE: &str = include_str!("windows_zones.tsv");

/// Windows name in lower case to zone.
static BY_WINDOWS_NAME: LazyLock<HashMap<String, Tz>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let (windows, iana) = (columns.next()?, columns.next()?);
        Some((windows.to_lowercase(), iana.parse().ok()?))
    });
    rows.collect()
});

/// IANA name to Windows name.
static BY_IANA_NAME: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for line in TABLE.lines() {
        let mut columns = line.split('\t');
        let (Some(windows), Some(iana)) = (columns.next(), columns.next()) else { continue };
        let others = columns.next().unwrap_or_default().split(' ');
        for name in std::iter::once(iana).chain(others).filter(|name| !name.is_empty()) {
            names.insert(name, windows);
        }
    }
    names
});

/// The zone that Outlook means by `name`: a Windows name, an IANA name, or `tzone://Microsoft/Utc`.
pub fn zone_named(name: &str) -> Option<Tz> {
    let lower = name.to_lowercase();
    match lower.as_str() {
        "utc" | "tzone://microsoft/utc" => Some(Tz::UTC),
        _ => BY_WINDOWS_NAME.get(&lower).copied().or_else(|| name.parse().ok()),
    }
}

/// What Outlook calls `zone`; the IANA name where Windows has none.
pub fn windows_name(zone: Tz) -> &'static str {
    BY_IANA_NAME.get(zone.name()).copied().unwrap_or_else(|| zone.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_either_name_and_called_by_its_windows_name() {
        assert_eq!(zone_named("Romance Standard Time"), Some(Tz::Europe__Paris));
        assert_eq!(zone_named("romance standard time"), Some(Tz::Europe__Paris));
        assert_eq!(zone_named("Europe/Madrid"), Some(Tz::Europe__Madrid));
        assert_eq!(zone_named("tzone://Microsoft/Utc"), Some(Tz::UTC));
        assert_eq!(zone_named("Customized Time Zone"), None);
        assert_eq!(windows_name(Tz::Europe__Madrid), "Romance Standard Time");
        assert_eq!(windows_name(Tz::Asia__Calcutta), "India Standard Time");
        assert_eq!(windows_name(Tz::UTC), "UTC");
    }

    #[test]
    fn every_windows_zone_of_the_table_has_a_zone() {
        for line in TABLE.lines() {
            let name = line.split('\t').next().unwrap();
            assert!(zone_named(name).is_some(), "{name}");
        }
    }
}
