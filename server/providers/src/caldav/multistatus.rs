//! The answer of PROPFIND and REPORT: `DAV:multistatus` (RFC 4918 §13, §14.16).

use http::StatusCode;
use roxmltree::Node;

use super::xml::{self, APPLE, CALDAV, CALENDAR_SERVER, DAV, XmlError, child, children};

/// What a server says of several resources.
#[derive(Debug, Default)]
pub(crate) struct Multistatus {
    pub(super) resources: Vec<Resource>,
    /// RFC 6578 §6.3.
    pub(super) sync_token: Option<String>,
}

/// What it says of one.
#[derive(Debug, Default)]
pub(super) struct Resource {
    /// An address or an absolute path, as the server wrote it.
    pub(super) href: String,
    /// Of the resource as a whole; absent where its properties have a status each.
    pub(super) status: Option<StatusCode>,
    pub(super) properties: Properties,
}

/// The properties that Cupo asks for, as far as the server has them.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) etag: Option<String>,
    pub(super) calendar_data: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) kinds: Option<Vec<Kind>>,
    /// The components that may be stored, in capitals.
    pub(super) components: Option<Vec<String>>,
    pub(super) color: Option<String>,
    /// A VCALENDAR with a VTIMEZONE (RFC 4791 §5.2.2).
    pub(super) time_zone: Option<String>,
    /// RFC 7809 §5.2.
    pub(super) time_zone_id: Option<String>,
    /// The names of the `DAV:` privileges of the current user.
    pub(super) privileges: Option<Vec<String>>,
    pub(super) sync_token: Option<String>,
    pub(super) ctag: Option<String>,
    /// The names of the reports.
    pub(super) reports: Option<Vec<String>>,
    pub(super) principal: Option<Principal>,
    pub(super) homes: Vec<String>,
    pub(super) addresses: Vec<UserAddress>,
    pub(super) default_calendar: Option<String>,
}

/// What kind of collection a resource is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Calendar,
    /// A copy that the server keeps of a calendar elsewhere.
    Subscribed,
    ScheduleInbox,
    Other,
}

/// `DAV:current-user-principal` (RFC 5397).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Principal {
    Unauthenticated,
    At(String),
}

/// One of `calendar-user-address-set` (RFC 6638 §2.4.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UserAddress {
    /// An address of any scheme, or a path.
    pub(super) href: String,
    /// What several servers say of the one that invitations come from.
    pub(super) is_preferred: bool,
}

impl UserAddress {
    /// The e-mail address of a `mailto:`.
    pub(super) fn email(&self) -> Option<&str> {
        let (scheme, email) = self.href.split_once(':')?;
        (scheme.eq_ignore_ascii_case("mailto") && email.contains('@')).then_some(email)
    }
}

/// Reads a multistatus; what in it is not known is passed over.
pub(crate) fn parse(bytes: &[u8]) -> Result<Multistatus, XmlError> {
    let document = xml::parse(bytes)?;
    let root = document.root_element();
    if !root.has_tag_name((DAV, "multistatus")) {
        return Err(XmlError::Unreadable);
    }
    Ok(Multistatus {
        resources: children(root, DAV, "response").flat_map(resources).collect(),
        sync_token: child(root, DAV, "sync-token").and_then(xml::text),
    })
}

/// The names of the preconditions that an error body says failed (RFC 4918 §16); empty when it says none.
pub(super) fn failed_preconditions(bytes: &[u8]) -> Vec<String> {
    let Ok(document) = xml::parse(bytes) else { return Vec::new() };
    let root = document.root_element();
    if !root.has_tag_name((DAV, "error")) {
        return Vec::new();
    }
    let named = root.children().filter(Node::is_element).map(|child| child.tag_name().name());
    // A code, not a sentence: what is logged holds no free text of others.
    let is_code = |name: &&str| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    named.filter(is_code).map(str::to_owned).collect()
}

/// The address that a failed `no-uid-conflict` names (RFC 4791 §5.3.2.1).
pub(super) fn conflicting_href(bytes: &[u8]) -> Option<String> {
    let document = xml::parse(bytes).ok()?;
    let conflict = child(document.root_element(), CALDAV, "no-uid-conflict")?;
    child(conflict, DAV, "href").and_then(xml::text)
}

/// Usually one; a response may give one status to several addresses.
fn resources(response: Node<'_, '_>) -> Vec<Resource> {
    let status = child(response, DAV, "status").and_then(status);
    let mut resources: Vec<Resource> = children(response, DAV, "href")
        .filter_map(xml::text)
        .map(|href| Resource { href, status, properties: Properties::default() })
        .collect();
    if let Some(resource) = resources.first_mut() {
        for propstat in children(response, DAV, "propstat") {
            let found = child(propstat, DAV, "status").and_then(self::status);
            // A propstat without a status is against the standard; its values are there all the same.
            if found.is_none_or(|status| status.is_success()) {
                children(propstat, DAV, "prop").for_each(|prop| resource.properties.read(prop));
            }
        }
    }
    resources
}

/// Of a status line such as `HTTP/1.1 404 Not Found`.
fn status(node: Node<'_, '_>) -> Option<StatusCode> {
    StatusCode::from_bytes(xml::text(node)?.split_whitespace().nth(1)?.as_bytes()).ok()
}

impl Properties {
    fn read(&mut self, prop: Node<'_, '_>) {
        let hrefs = |node| children(node, DAV, "href").filter_map(xml::text);
        for node in prop.children().filter(Node::is_element) {
            match (node.tag_name().namespace().unwrap_or_default(), node.tag_name().name()) {
                (DAV, "getetag") => self.etag = xml::text(node),
                (DAV, "displayname") => self.display_name = xml::text(node),
                (DAV, "resourcetype") => self.kinds = Some(node.children().filter_map(kind).collect()),
                (DAV, "sync-token") => self.sync_token = xml::text(node),
                (DAV, "current-user-privilege-set") => self.privileges = Some(inner_names(node, "privilege")),
                (DAV, "supported-report-set") => self.reports = Some(reports(node)),
                (DAV, "current-user-principal") => {
                    self.principal = match hrefs(node).next() {
                        Some(href) => Some(Principal::At(href)),
                        None => child(node, DAV, "unauthenticated").map(|_| Principal::Unauthenticated),
                    }
                }
                (CALDAV, "calendar-data") => self.calendar_data = xml::text(node),
                (CALDAV, "calendar-home-set") => self.homes.extend(hrefs(node)),
                (CALDAV, "calendar-timezone") => self.time_zone = xml::text(node),
                (CALDAV, "calendar-timezone-id") => self.time_zone_id = xml::text(node),
                (CALDAV, "schedule-default-calendar-URL") => self.default_calendar = hrefs(node).next(),
                (CALDAV, "supported-calendar-component-set") => {
                    let names = children(node, CALDAV, "comp").filter_map(|comp| comp.attribute("name"));
                    self.components = Some(names.map(str::to_ascii_uppercase).collect());
                }
                (CALDAV, "calendar-user-address-set") => {
                    self.addresses.extend(children(node, DAV, "href").filter_map(user_address));
                }
                (CALENDAR_SERVER, "getctag") => self.ctag = xml::text(node),
                (APPLE, "calendar-color") => self.color = xml::text(node),
                _ => {}
            }
        }
    }
}

fn kind(node: Node<'_, '_>) -> Option<Kind> {
    node.is_element().then(|| match (node.tag_name().namespace().unwrap_or_default(), node.tag_name().name()) {
        (CALDAV, "calendar") => Kind::Calendar,
        (CALDAV, "schedule-inbox") => Kind::ScheduleInbox,
        (CALENDAR_SERVER, "subscribed") => Kind::Subscribed,
        _ => Kind::Other,
    })
}

fn user_address(node: Node<'_, '_>) -> Option<UserAddress> {
    Some(UserAddress { href: xml::text(node)?, is_preferred: node.attribute("preferred") == Some("1") })
}

/// The names of what is inside each element `name`.
fn inner_names(node: Node<'_, '_>, name: &'static str) -> Vec<String> {
    let inner = children(node, DAV, name).flat_map(|outer| outer.children().filter(Node::is_element));
    inner.map(|inner| inner.tag_name().name().to_owned()).collect()
}

fn reports(node: Node<'_, '_>) -> Vec<String> {
    children(node, DAV, "supported-report").flat_map(|supported| inner_names(supported, "report")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_whatever_the_prefix_and_only_where_the_server_has_them() {
        let text = r#"<multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><response>
            <href>/ana/work/</href>
            <propstat><prop>
                <resourcetype><collection/><c:calendar/></resourcetype>
                <c:supported-calendar-component-set><c:comp name="vevent"/></c:supported-calendar-component-set>
                <current-user-privilege-set><privilege><read/></privilege><privilege><write/></privilege>
                </current-user-privilege-set>
                <supported-report-set><supported-report><report><sync-collection/></report></supported-report>
                </supported-report-set>
            </prop><status>HTTP/1.1 200 OK</status></propstat>
            <propstat><prop><displayname>not allowed</displayname></prop><status>HTTP/1.1 403 Forbidden</status>
            </propstat>
        </response><sync-token>http://example.com/1</sync-token></multistatus>"#;
        let read = parse(text.as_bytes()).unwrap();
        assert_eq!(read.sync_token.as_deref(), Some("http://example.com/1"));
        let Resource { href, status, properties } = &read.resources[0];
        assert_eq!((href.as_str(), *status), ("/ana/work/", None));
        assert_eq!(properties.kinds, Some(vec![Kind::Other, Kind::Calendar]));
        assert_eq!(properties.components, Some(vec!["VEVENT".to_owned()]));
        assert_eq!(properties.privileges, Some(vec!["read".to_owned(), "write".to_owned()]));
        assert_eq!(properties.reports, Some(vec!["sync-collection".to_owned()]));
        assert_eq!(properties.display_name, None);
    }

    #[test]
    fn a_status_may_be_of_the_whole_resource_or_of_several() {
        let text = r#"<d:multistatus xmlns:d="DAV:"><d:response><d:href>/a</d:href><d:href>/b</d:href>
            <d:status>HTTP/1.1 404 Not Found</d:status></d:response></d:multistatus>"#;
        let read = parse(text.as_bytes()).unwrap();
        let told: Vec<_> = read.resources.iter().map(|told| (told.href.as_str(), told.status)).collect();
        assert_eq!(told, [("/a", Some(StatusCode::NOT_FOUND)), ("/b", Some(StatusCode::NOT_FOUND))]);
    }

    #[test]
    fn calendar_data_is_read_from_text_and_from_cdata() {
        for data in ["BEGIN:VCALENDAR\nX:a&amp;b\nEND:VCALENDAR", "<![CDATA[BEGIN:VCALENDAR\nX:a&b\nEND:VCALENDAR]]>"] {
            let text = format!(
                r#"<D:multistatus xmlns:D="DAV:"><D:response><D:href>/a</D:href><D:propstat><D:prop>
                <calendar-data xmlns="urn:ietf:params:xml:ns:caldav">{data}</calendar-data></D:prop>
                <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"#
            );
            let read = parse(text.as_bytes()).unwrap().resources.remove(0).properties.calendar_data;
            assert_eq!(read.as_deref(), Some("BEGIN:VCALENDAR\nX:a&b\nEND:VCALENDAR"));
        }
    }

    #[test]
    fn the_addresses_of_a_user_are_those_of_mail() {
        let text = r#"<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response>
            <D:href>/</D:href><D:propstat><D:prop><C:calendar-user-address-set>
            <D:href>urn:uuid:1</D:href><D:href>/ana/</D:href>
            <D:href preferred="1">MAILTO:ana@example.com</D:href></C:calendar-user-address-set></D:prop>
            <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"#;
        let addresses = parse(text.as_bytes()).unwrap().resources.remove(0).properties.addresses;
        let emails: Vec<_> = addresses.iter().map(|address| (address.email(), address.is_preferred)).collect();
        assert_eq!(emails, [(None, false), (None, false), (Some("ana@example.com"), true)]);
    }

    #[test]
    fn what_is_no_multistatus_is_unreadable_and_an_error_names_its_preconditions() {
        assert_eq!(parse(b"<html/>").unwrap_err(), XmlError::Unreadable);
        let error = br#"<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict>
            <D:href>/ana/work/other.ics</D:href></C:no-uid-conflict></D:error>"#;
        assert_eq!(failed_preconditions(error), ["no-uid-conflict"]);
        assert_eq!(conflicting_href(error).as_deref(), Some("/ana/work/other.ics"));
        assert_eq!(failed_preconditions(b"<html><body>ana may not</body></html>"), Vec::<String>::new());
        assert_eq!(failed_preconditions(b"no"), Vec::<String>::new());
    }
}
