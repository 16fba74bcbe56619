//! Content lines and the components that they make up (RFC 5545, section 3.1), each kept as it was written.
//!
//! The parser of the crate `icalendar` gives up a whole file for one odd line, takes what is behind a quotation mark for
//! nothing, and forgets how a value was written; what others wrote must survive a change by Cupo, so lines are read here.

use std::borrow::Cow;

use icalendar::parser::unfold;

use super::{DEEPEST, IcsError};

/// The most lines of a file.
const MOST_LINES: usize = 500_000;
/// The most bytes of a line before it is folded.
const FOLD_AT: usize = 75;

/// A line, unfolded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    text: Cow<'a, str>,
    /// Where the name ends.
    name: usize,
    /// Where the value begins.
    value: usize,
}

impl<'a> Line<'a> {
    /// `None` for what is no content line.
    fn read(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        let mut is_quoted = false;
        let colon = text.bytes().position(|byte| {
            is_quoted ^= byte == b'"';
            byte == b':' && !is_quoted
        });
        // A quotation mark that is never closed quotes nothing.
        let mut colon = colon.or_else(|| text.find(':'))?;
        let name = text[..colon].find(';').unwrap_or(colon);
        // Outlook's names of zones have colons and are not always quoted. A time has none.
        if text[name..colon].split(';').any(|parameter| is_named(parameter, "TZID")) {
            colon = text.rfind(':').unwrap_or(colon);
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_line = name > 0 && text.bytes().take(name).all(is_name);
        is_line.then_some(Self { text, name, value: colon + 1 })
    }

    /// A line of which nothing needs to be quoted or escaped.
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self::with(name, &[], value)
    }

    /// A line whose value is TEXT (section 3.3.11).
    pub(super) fn text(name: &str, value: &str) -> Self {
        Self::with(name, &[], &escaped(value))
    }

    /// A line with parameters, which are quoted; `value` is as it is to be read, but for characters that would end the line.
    pub(super) fn with(name: &str, parameters: &[(&str, &str)], value: &str) -> Self {
        let mut text = name.to_owned();
        for (key, value) in parameters {
            text.extend([";", key, "=", &quoted(value)]);
        }
        let colon = text.len();
        text.push(':');
        text.extend(value.chars().filter(|c| !is_forbidden(*c)));
        Self { text: text.into(), name: name.len(), value: colon + 1 }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.text[..self.name].eq_ignore_ascii_case(name)
    }

    pub(super) fn value(&self) -> &str {
        self.text[self.value..].trim()
    }

    /// The value as TEXT. What is folded within a character, or controls a terminal, is left out.
    pub(super) fn text_value(&self) -> String {
        unescaped(self.value())
    }

    /// The value of a parameter, without quotation marks and as RFC 6868 means it.
    pub(super) fn parameter(&self, key: &str) -> Option<Cow<'_, str>> {
        let mut rest = &self.text[self.name..self.value - 1];
        while let Some(parameter) = rest.strip_prefix(';') {
            let mut is_quoted = false;
            let end = parameter.bytes().position(|byte| {
                is_quoted ^= byte == b'"';
                byte == b';' && !is_quoted
            });
            let (parameter, after) = parameter.split_at(end.unwrap_or(parameter.len()));
            rest = after;
            if is_named(parameter, key) {
                let value = parameter.split_once('=').map_or("", |(_, value)| value);
                return Some(unquoted(value.trim().trim_matches('"')));
            }
        }
        None
    }

    pub(super) fn has_parameter(&self, key: &str, value: &str) -> bool {
        self.parameter(key).is_some_and(|found| found.eq_ignore_ascii_case(value))
    }

    fn write(&self, out: &mut String) {
        let mut room = FOLD_AT;
        for c in self.text.chars() {
            if c.len_utf8() > room {
                out.push_str("\r\n ");
                room = FOLD_AT - 1;
            }
            out.push(c);
            room -= c.len_utf8();
        }
        out.push_str("\r\n");
    }
}

/// A component, such as an event, with what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Component<'a> {
    /// In capitals.
    pub(super) name: String,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) components: Vec<Component<'a>>,
}

impl<'a> Component<'a> {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Line<'a>> {
        self.lines.iter().filter(move |line| line.is(name))
    }

    pub(super) fn one<'s>(&'s self, name: &'s str) -> Option<&'s Line<'a>> {
        self.all(name).next()
    }

    /// Whether the value is this one, in whatever capitals.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.one(name).is_some_and(|line| line.value().eq_ignore_ascii_case(value))
    }

    pub(super) fn parts<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Component<'a>> {
        self.components.iter().filter(move |part| part.name == name)
    }

    /// Puts `line` in the place of all lines of its name, or at the end.
    pub(super) fn set(&mut self, line: Line<'a>) {
        let name = line.text[..line.name].to_owned();
        let place = self.lines.iter().position(|old| old.is(&name)).unwrap_or(self.lines.len());
        self.remove(&name);
        self.lines.insert(place.min(self.lines.len()), line);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.lines.retain(|line| !line.is(name));
    }

    /// The components are no deeper than [`DEEPEST`], which bounds the recursion.
    pub(super) fn write(&self, out: &mut String) {
        out.extend(["BEGIN:", &self.name, "\r\n"]);
        for line in &self.lines {
            line.write(out);
        }
        for part in &self.components {
            part.write(out);
        }
        out.extend(["END:", &self.name, "\r\n"]);
    }
}

/// A file with its lines unfolded, which [`read`](Self::read) reads.
pub(super) struct Unfolded(String);

impl Unfolded {
    pub(super) fn new(text: &str) -> Self {
        Self(unfold(text.trim_start_matches('\u{feff}')))
    }

    /// The calendars of a file; at least one. What is no line is passed over, but what begins must end.
    pub(super) fn read(&self) -> Result<Vec<Component<'_>>, IcsError> {
        let mut calendars = Vec::new();
        let mut open: Vec<Component<'_>> = Vec::new();
        for (count, text) in self.0.lines().enumerate() {
            if count >= MOST_LINES {
                return Err(IcsError::TooMany);
            }
            let Some(line) = Line::read(text) else { continue };
            if line.is("BEGIN") {
                if open.len() >= DEEPEST {
                    return Err(IcsError::Unreadable);
                }
                open.push(Component::new(&line.value().to_ascii_uppercase()));
            } else if line.is("END") {
                let ended = open.pop().filter(|ended| line.value().eq_ignore_ascii_case(&ended.name));
                let ended = ended.ok_or(IcsError::Unreadable)?;
                match open.last_mut() {
                    Some(around) => around.components.push(ended),
                    None if ended.name == "VCALENDAR" => calendars.push(ended),
                    None => {}
                }
            } else if let Some(component) = open.last_mut() {
                component.lines.push(line);
            }
        }
        if calendars.is_empty() || !open.is_empty() { Err(IcsError::Unreadable) } else { Ok(calendars) }
    }
}

/// Whether a parameter is the one of this name, and has a value.
fn is_named(parameter: &str, name: &str) -> bool {
    parameter.split_once('=').is_some_and(|(found, _)| found.trim().eq_ignore_ascii_case(name))
}

/// A character that no value may hold (section 3.1).
fn is_forbidden(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push_str("\\n");
                }
            }
            _ => out.push(c),
        }
    }
    out
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => '\n',
                Some(escaped) => escaped,
                None => '\\',
            },
            c => c,
        };
        if c == '\n' || !is_forbidden(c) {
            out.push(c);
        }
    }
    out
}

/// A parameter's value, in quotation marks where it needs them; what cannot stand in one is written as RFC 6868 says.
fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    for c in value.chars() {
        match c {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            c if is_forbidden(c) => {}
            c => out.push(c),
        }
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '_' | '+' | '.' | '@');
    if out.chars().all(is_plain) && !out.is_empty() { out } else { format!("\"{out}\"") }
}

fn unquoted(value: &str) -> Cow<'_, str> {
    if !value.contains('^') {
        return value.into();
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let meant = match (c, chars.peek()) {
            ('^', Some('^')) => '^',
            ('^', Some('\'')) => '"',
            ('^', Some('n')) => '\n',
            _ => {
                out.push(c);
                continue;
            }
        };
        chars.next();
        out.push(meant);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &str) -> Line<'_> {
        Line::read(text).unwrap()
    }

    #[test]
    fn a_line_has_a_name_parameters_and_a_value() {
        let read = line("attendee;cn=\"Doe; Ana: \"\"\";PARTSTAT=accepted:mailto:ana@example.com");
        assert!(read.is("ATTENDEE") && !read.is("ATTEND"));
        assert_eq!(read.value(), "mailto:ana@example.com");
        assert!(read.has_parameter("PARTSTAT", "ACCEPTED"));
        assert_eq!(line("X;CN=\"a;b:c\";R=1:v").parameter("cn").as_deref(), Some("a;b:c"));
        assert_eq!(line("X;CN=^'Ana^' ^^^n:v").parameter("CN").as_deref(), Some("\"Ana\" ^\n"));
        assert_eq!(line("X;CN:v").parameter("CN"), None);
        assert_eq!(line("X;CN=\"open:v").value(), "v");
        let outlook = line("DTSTART;TZID=(UTC+01:00) Brussels, Madrid:20261123T090000");
        assert_eq!(
            (outlook.parameter("TZID").as_deref(), outlook.value()),
            (Some("(UTC+01:00) Brussels, Madrid"), "20261123T090000")
        );
    }

    #[test]
    fn what_is_no_line_is_none() {
        for text in ["", ":", "no colon", ":value", ";A=1:value", "Ünsinn:1", "a b:c"] {
            assert_eq!(Line::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_line_is_folded_between_characters_after_75_bytes() {
        let mut out = String::new();
        Line::text("SUMMARY", &"ñ".repeat(100)).write(&mut out);
        assert!(out.split("\r\n").all(|line| line.len() <= 75), "{out}");
        assert_eq!(unfold(&out), format!("SUMMARY:{}\r\n", "ñ".repeat(100)));
    }

    #[test]
    fn nothing_that_is_written_can_begin_a_line() {
        let evil = "x\r\nATTENDEE:mailto:eve@example.com\n\u{85}\u{2028}\"";
        for written in
            [Line::text("SUMMARY", evil), Line::new("URL", evil), Line::with("ATTENDEE", &[("CN", evil)], evil)]
        {
            let mut out = String::new();
            written.write(&mut out);
            let lines: Vec<_> = unfold(&out).lines().map(str::to_owned).collect();
            assert_eq!(lines.len(), 1, "{out}");
            assert!(!out.contains("\"x\""));
        }
    }

    #[test]
    fn what_begins_must_end_in_the_right_place() {
        let read = |text: &str| Unfolded::new(text).read().map(|calendars| calendars.len());
        assert_eq!(read("BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:vcalendar\nEND:VCALENDAR"), Ok(2));
        for wrong in [
            "",
            "BEGIN:VCALENDAR",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR",
            "END:VCALENDAR",
            "BEGIN:VEVENT\nEND:VEVENT",
        ] {
            assert_eq!(read(wrong), Err(IcsError::Unreadable), "{wrong}");
        }
        assert_eq!(read(&"BEGIN:VCALENDAR\n".repeat(DEEPEST + 1)), Err(IcsError::Unreadable));
        assert_eq!(read(&"A:\n".repeat(MOST_LINES + 1)), Err(IcsError::TooMany));
    }

    #[test]
    fn a_line_takes_the_place_of_those_of_its_name() {
        let mut event = Component::new("VEVENT");
        for (name, value) in [("UID", "1"), ("summary", "a"), ("X", "y"), ("SUMMARY", "b")] {
            event.lines.push(Line::new(name, value));
        }
        event.set(Line::new("SUMMARY", "c"));
        event.set(Line::new("SEQUENCE", "1"));
        let mut out = String::new();
        event.write(&mut out);
        assert_eq!(out, "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:c\r\nX:y\r\nSEQUENCE:1\r\nEND:VEVENT\r\n");
    }

    proptest! {
        #[test]
        fn a_text_that_was_written_is_read_again(text in "[a-z\\\\;,:\"^ñ漢 \n\t]{0,200}") {
            let text = text.trim();
            let mut out = String::new();
            Line::with("SUMMARY", &[("CN", text)], &escaped(text)).write(&mut out);
            let unfolded = unfold(&out);
            let read = line(unfolded.strip_suffix("\r\n").unwrap());
            prop_assert_eq!(read.text_value(), text);
            prop_assert_eq!(read.parameter("CN").unwrap(), text);
        }

        #[test]
        fn any_line_is_read_or_not(text in any::<String>()) {
            if let Some(read) = Line::read(text.as_str()) {
                let _all = (read.value(), read.text_value(), read.parameter("CN"));
            }
        }
    }
}
