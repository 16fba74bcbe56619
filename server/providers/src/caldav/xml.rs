//! Reading XML that a stranger's server sent, and writing our own.
//!
//! The parser takes no DTD, so nothing expands and nothing is fetched. What remains to be bounded is work that grows
//! faster than the text: nesting, the attributes of one element (each is compared with all others), and the namespaces
//! in scope (each element that declares one keeps a list of all). A scan refuses what no calendar server needs before
//! the parser sees it. The size of the text is bounded by the transport.

use roxmltree::{Document, Node, ParsingOptions};
use thiserror::Error;

pub(super) const DAV: &str = "DAV:";
pub(super) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
pub(super) const CALENDAR_SERVER: &str = "http://calendarserver.org/ns/";
pub(super) const APPLE: &str = "http://apple.com/ns/ical/";

/// The prefixes of the documents that are sent.
const PREFIXES: &str = concat!(
    r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/""#,
    r#" xmlns:A="http://apple.com/ns/ical/""#
);

/// A privilege within a propstat within a response is ten deep.
const DEEPEST: usize = 32;
/// Of one tag, in bytes.
const LONGEST_TAG: usize = 4096;
/// Namespaces declared by an element and those around it.
const MOST_NAMESPACES: usize = 64;
const MOST_NODES: u32 = 2_000_000;

/// Why an answer is not taken as XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum XmlError {
    /// It is none, or is cut off.
    #[error("the answer is not XML")]
    Unreadable,
    /// It is built to be expensive, or at least like nothing that a calendar server sends.
    #[error("the answer is XML that is not accepted")]
    Refused,
}

/// Reads a document within bounds.
pub(super) fn parse(bytes: &[u8]) -> Result<Document<'_>, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Unreadable)?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    check_bounds(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected
        | roxmltree::Error::NodesLimitReached
        | roxmltree::Error::AttributesLimitReached
        | roxmltree::Error::NamespacesLimitReached => XmlError::Refused,
        _ => XmlError::Unreadable,
    })
}

/// Goes through the tags, without looking at what is between them.
fn check_bounds(text: &str) -> Result<(), XmlError> {
    // The namespaces in scope, by open element.
    let mut open: Vec<usize> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        if let Some((begin, end)) = skipped.iter().find(|(begin, _)| rest.starts_with(begin)) {
            let inside = &rest[begin.len()..];
            rest = &inside[inside.find(end).ok_or(XmlError::Unreadable)? + end.len()..];
            continue;
        }
        if rest.starts_with("<!") {
            return Err(XmlError::Refused);
        }
        let tag = tag(rest)?;
        rest = &rest[tag.len()..];
        if tag.starts_with("</") {
            open.pop();
            continue;
        }
        let in_scope = open.last().copied().unwrap_or_default() + tag.matches("xmlns").count();
        if open.len() >= DEEPEST || in_scope > MOST_NAMESPACES {
            return Err(XmlError::Refused);
        }
        if !tag.ends_with("/>") {
            open.push(in_scope);
        }
    }
    Ok(())
}

/// From the `<` at the start of `text` to the `>` that is not in quotes.
fn tag(text: &str) -> Result<&str, XmlError> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate().take(LONGEST_TAG) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            // It is ASCII, so the slice ends between characters.
            (None, b'>') => return Ok(&text[..=at]),
            _ => {}
        }
    }
    Err(if text.len() < LONGEST_TAG { XmlError::Unreadable } else { XmlError::Refused })
}

/// The element children with this name.
pub(super) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.has_tag_name((namespace, name)))
}

/// The first element child with this name.
pub(super) fn child<'a, 'input>(
    node: Node<'a, 'input>,
    namespace: &'static str,
    name: &'static str,
) -> Option<Node<'a, 'input>> {
    children(node, namespace, name).next()
}

/// The text of the node itself, trimmed; `None` when there is none.
pub(super) fn text(node: Node<'_, '_>) -> Option<String> {
    let text: String = node.children().filter(Node::is_text).filter_map(|child| child.text()).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A document to send. `inside` is XML with the prefixes `D`, `C`, `CS` and `A`.
pub(super) fn document(root: &str, inside: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="utf-8"?><{root} {PREFIXES}>{inside}</{root}>"#)
}

/// The text with what XML reserves replaced, fit for an element and for an attribute. Characters that XML 1.0 cannot
/// hold are left out.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(c))),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> XmlError {
        parse(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_grows_faster_than_its_text_is_refused() {
        let laughs = r#"<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"#;
        assert_eq!(refused(laughs), XmlError::Refused);
        let external = r#"<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>"#;
        assert_eq!(refused(external), XmlError::Refused);
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert_eq!(refused(&deep), XmlError::Refused);
        let wide: String = (0..100_000).map(|index| format!(" a{index}=''")).collect();
        assert_eq!(refused(&format!("<x{wide}/>")), XmlError::Refused);
        let names: String = (0..100).map(|index| format!(" xmlns:n{index}='u{index}'")).collect();
        assert_eq!(refused(&format!("<x{names}/>")), XmlError::Refused);
        let long = format!("<x a='{}'/>", "y".repeat(1_000_000));
        assert_eq!(refused(&long), XmlError::Refused);
    }

    #[test]
    fn what_is_no_xml_or_is_cut_off_is_unreadable() {
        for text in ["", "maintenance", "<a>", "<a", "<a></b>", "<a><!-- ", "<![CDATA[", "<a>&undefined;</a>", "<p:a/>"]
        {
            assert_eq!(refused(text), XmlError::Unreadable, "{text}");
        }
        assert_eq!(parse(b"<a>\xff</a>").unwrap_err(), XmlError::Unreadable);
    }

    #[test]
    fn tags_in_comments_data_and_quotes_are_no_tags() {
        let text = "\u{feff}\n<?xml version=\"1.0\"?><x a='>'><!-- <y> --><![CDATA[<z><!DOCTYPE]]>&lt;</x>";
        let document = parse(text.as_bytes()).unwrap();
        assert_eq!(super::text(document.root_element()).as_deref(), Some("<z><!DOCTYPE<"));
    }

    #[test]
    fn a_document_as_deep_as_servers_send_is_read() {
        let text = format!("{}{}", "<a>".repeat(DEEPEST), "</a>".repeat(DEEPEST));
        assert!(parse(text.as_bytes()).is_ok());
        let names: String = (0..20).map(|index| format!(" xmlns:n{index}='u{index}'")).collect();
        assert!(parse(format!("<x{names}><y xmlns='DAV:'/><y xmlns='DAV:'/></x>").as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read_as_it_was(given in "\\PC{0,40}[\r\n\t]?\\PC{0,5}") {
            let document = format!("<x a=\"{0}\">{0}</x>", escape(&given));
            let document = Document::parse(&document).unwrap();
            let node = document.root_element();
            prop_assert_eq!(node.attribute("a").unwrap_or_default(), given.as_str());
            prop_assert_eq!(node.text().unwrap_or_default(), given.as_str());
        }
    }
}
