//! The calendars below a home.

use url::Url;

use super::discovery::holds_events;
use super::multistatus::{Kind, Multistatus, Properties};
use super::{CaldavProvider, address, home, propfind, zone};
use crate::access::Access;
use crate::error::ProviderError;
use crate::provider::ProviderCalendar;

/// The inbox tells the default calendar (RFC 6638 §9.2), and is right below the home where there is one.
const LIST: &str = "<D:resourcetype/><D:displayname/><D:current-user-privilege-set/>\
    <C:supported-calendar-component-set/><C:calendar-timezone/><C:calendar-timezone-id/>\
    <C:schedule-default-calendar-URL/><A:calendar-color/>";

/// How servers call the calendar that they make for a new user.
const DEFAULT_NAMES: [&str; 5] = ["default", "calendar", "personal", "home", "events"];

pub(super) async fn list(caldav: &CaldavProvider, access: &Access) -> Result<Vec<ProviderCalendar>, ProviderError> {
    let home = address::collection(home(access)?.clone());
    let answer = caldav.ask(&propfind(access, "propfind.home", home.clone(), "1", LIST)).await?;
    Ok(calendars(&home, answer))
}

/// Calendars that the server only mirrors from elsewhere are left out: few servers let their events be read. An address
/// of another origin is left out too.
fn calendars(home: &Url, answer: Multistatus) -> Vec<ProviderCalendar> {
    let default = answer.resources.iter().find_map(|resource| {
        let properties = &resource.properties;
        let is_inbox = properties.kinds.as_ref().is_some_and(|kinds| kinds.contains(&Kind::ScheduleInbox));
        let told = properties.default_calendar.as_deref().filter(|_| is_inbox)?;
        address::resolve(home, told).map(|url| address::collection(url).to_string())
    });
    let mut calendars = Vec::new();
    for resource in answer.resources {
        let properties = resource.properties;
        let is_mirror = properties.kinds.as_ref().is_some_and(|kinds| kinds.contains(&Kind::Subscribed));
        if is_mirror || !holds_events(&properties) {
            continue;
        }
        let Some(url) = address::resolve(home, &resource.href).map(address::collection) else { continue };
        calendars.push(calendar(&url, properties));
    }
    let primary = primary(&calendars, default.as_deref());
    if let Some(primary) = primary {
        calendars[primary].is_primary = true;
    }
    calendars
}

fn calendar(url: &Url, properties: Properties) -> ProviderCalendar {
    // A zone that is not known is told when the calendar is read; it does not hide the others.
    let time_zone = zone::told(&properties).ok().flatten().map(|zone| zone.name().to_owned());
    let can_write = properties.privileges.as_deref().is_none_or(allow_writing);
    let name = properties.display_name.unwrap_or_else(|| last_segment(url));
    ProviderCalendar {
        id: url.to_string(),
        name,
        time_zone,
        color: properties.color.as_deref().and_then(color),
        can_write,
        is_primary: false,
        meetings: Vec::new(),
    }
}

/// RFC 3744 §3: to make and change events, their content and their place must be writable.
fn allow_writing(privileges: &[String]) -> bool {
    let has = |name: &str| privileges.iter().any(|privilege| privilege == name);
    has("all") || has("write") || (has("write-content") && has("bind"))
}

/// The place of the one calendar that stands for the account: the server's default, else the first writable one with a
/// name that servers give to it, else the first writable one.
fn primary(calendars: &[ProviderCalendar], default: Option<&str>) -> Option<usize> {
    let writable = || calendars.iter().enumerate().filter(|(_, calendar)| calendar.can_write);
    let is_called = |calendar: &ProviderCalendar, name: &str| {
        let segment = Url::parse(&calendar.id).ok().as_ref().map(last_segment).unwrap_or_default();
        segment.eq_ignore_ascii_case(name) || calendar.name.eq_ignore_ascii_case(name)
    };
    let told = calendars.iter().position(|calendar| Some(calendar.id.as_str()) == default);
    let by_name = || {
        let named = |name| writable().find(|(_, calendar)| is_called(calendar, name)).map(|(index, _)| index);
        DEFAULT_NAMES.into_iter().find_map(named)
    };
    told.or_else(by_name).or_else(|| writable().next().map(|(index, _)| index))
}

/// The readable last part of a path.
fn last_segment(url: &Url) -> String {
    let segment = url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// `#rrggbb` of `#rrggbb`, `#rrggbbaa` or `#rgb`.
fn color(told: &str) -> Option<String> {
    let digits = told.strip_prefix('#').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let digits = match digits.len() {
        6 | 8 => digits[..6].to_owned(),
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        _ => return None,
    };
    Some(format!("#{}", digits.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caldav::multistatus;

    const NAMESPACES: &str =
        r#"xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/""#;

    fn read(responses: &str) -> Vec<ProviderCalendar> {
        let text = format!("<multistatus {NAMESPACES}>{responses}</multistatus>");
        let home = Url::parse("https://dav.example/ana/").unwrap();
        calendars(&home, multistatus::parse(text.as_bytes()).unwrap())
    }

    fn response(href: &str, properties: &str) -> String {
        format!(
            "<response><href>{href}</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status>\
             </propstat></response>"
        )
    }

    fn calendar(href: &str, more: &str) -> String {
        response(href, &format!("<resourcetype><collection/><c:calendar/></resourcetype>{more}"))
    }

    #[test]
    fn only_calendars_for_events_of_this_server_are_listed() {
        let tasks = "<c:supported-calendar-component-set><c:comp name='VTODO'/></c:supported-calendar-component-set>";
        let listed = read(
            &[
                response("/ana/", "<resourcetype><collection/></resourcetype>"),
                response("/ana/inbox/", "<resourcetype><collection/><c:schedule-inbox/></resourcetype>"),
                response("/ana/holidays/", "<resourcetype><collection/><cs:subscribed/></resourcetype>"),
                calendar("/ana/tasks/", tasks),
                calendar("https://elsewhere.example/shared/", ""),
                calendar("/ana/work", "<displayname>Work</displayname>"),
                calendar("/ana/b%c3%bcro/", ""),
            ]
            .concat(),
        );
        let told: Vec<_> = listed.iter().map(|calendar| (calendar.id.as_str(), calendar.name.as_str())).collect();
        assert_eq!(
            told,
            [("https://dav.example/ana/work/", "Work"), ("https://dav.example/ana/b%C3%BCro/", "b\u{fc}ro")]
        );
    }

    #[test]
    fn a_calendar_is_writable_when_its_privileges_say_so_or_nothing_is_said() {
        let with = |names: &str| {
            let set: String =
                names.split_whitespace().map(|name| format!("<privilege><{name}/></privilege>")).collect();
            let set = format!("<current-user-privilege-set>{set}</current-user-privilege-set>");
            read(&calendar("/ana/work/", &set)).remove(0).can_write
        };
        for names in ["all", "read write", "read write-content bind unbind"] {
            assert!(with(names), "{names}");
        }
        for names in ["", "read", "read write-properties", "read write-content"] {
            assert!(!with(names), "{names}");
        }
        assert!(read(&calendar("/ana/work/", ""))[0].can_write);
    }

    #[test]
    fn one_calendar_is_the_primary_one() {
        let read_only = "<current-user-privilege-set><privilege><read/></privilege></current-user-privilege-set>";
        let primary = |responses: &[String]| {
            let listed = read(&responses.concat());
            let mut primary = listed.iter().filter(|calendar| calendar.is_primary).map(|calendar| calendar.id.clone());
            let first = primary.next();
            assert_eq!(primary.next(), None);
            first.map(|id| id.replace("https://dav.example/ana/", ""))
        };
        let (a, b) = (calendar("/ana/a/", read_only), calendar("/ana/b/", ""));
        let named = calendar("/ana/Personal/", "");
        let inbox = response(
            "/ana/inbox/",
            "<resourcetype><collection/><c:schedule-inbox/></resourcetype>
             <c:schedule-default-calendar-URL><href>/ana/b</href></c:schedule-default-calendar-URL>",
        );
        assert_eq!(primary(&[a.clone(), b.clone()]).as_deref(), Some("b/"));
        assert_eq!(primary(&[a.clone(), b.clone(), named.clone()]).as_deref(), Some("Personal/"));
        assert_eq!(primary(&[a.clone(), named, b, inbox]).as_deref(), Some("b/"));
        assert_eq!(primary(&[a]), None);
        assert_eq!(primary(&[]), None);
    }

    #[test]
    fn a_color_loses_its_transparency_and_what_is_no_color_is_left_out() {
        for (told, read) in [("#FF8800FF", "#ff8800"), ("#0082c9", "#0082c9"), ("#abc", "#aabbcc")] {
            assert_eq!(color(told).as_deref(), Some(read));
        }
        for told in ["", "red", "#12345", "#gggggg", "#\u{e9}\u{e9}\u{e9}"] {
            assert_eq!(color(told), None, "{told}");
        }
    }
}
