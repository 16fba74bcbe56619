//! One operation of Graph: its path, its query and the schemas of its bodies.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::definitions::Definitions;

const HTTP_METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];
/// The parameters that `calendarView/delta` refuses, although its description lists them (guide "Get incremental
/// changes to events in a calendar view").
const REFUSED_BY_DELTA: [&str; 5] = ["$select", "$expand", "$filter", "$orderby", "$search"];

/// An HTTP method on a path.
#[derive(Debug)]
pub struct Operation {
    /// Such as `GET /me/events/{event-id}`.
    pub name: String,
    http_method: String,
    /// The path's segments; `None` stands for a parameter.
    segments: Vec<Option<String>>,
    /// By name in lower case: the service does not mind the case of `startDateTime`.
    query: BTreeMap<String, Parameter>,
    /// The name of the schema of the request's body.
    pub request: Option<String>,
    /// The name of the schema of a successful answer's body; none where only an empty body is answered.
    pub answer: Option<String>,
    /// The statuses with an empty body.
    pub empty_statuses: Vec<u16>,
    /// Whether the answer is a round of changes, with its `@removed`.
    pub is_delta: bool,
    /// What is answered, or listed: `microsoft.graph.event`.
    pub entity: Option<String>,
    /// The members of the entity, which `$select`, `$orderby` and `$expand` may name.
    members: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Parameter {
    kind: Kind,
    required: bool,
}

/// How a parameter's text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Flag,
    Instant,
    /// Names of members, with commas between; `$orderby` adds a direction and a path, `$expand` options in brackets.
    Members,
}

impl Operation {
    /// Every operation that `document` describes; the bodies that only an operation has are added to `definitions`.
    pub fn read_all(document: &Value, definitions: &mut Definitions<'_>) -> Vec<Self> {
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for method in HTTP_METHODS {
                if let Some(operation) = item.get(method) {
                    operations.push(Self::read(document, definitions, path, method, operation));
                }
            }
        }
        operations
    }

    fn read(document: &Value, definitions: &mut Definitions<'_>, path: &str, method: &str, operation: &Value) -> Self {
        let name = format!("{} {path}", method.to_uppercase());
        // The same operation on another mailbox has the same bodies.
        let shared_name = name.replace("/users/{user-id}", "/me");
        let is_delta = path.ends_with("/delta");
        let mut empty_statuses = Vec::new();
        let mut answer = None;
        for (status, described) in operation["responses"].as_object().into_iter().flatten() {
            match (status.parse::<u16>(), status.starts_with('2')) {
                (Ok(status), true) => empty_statuses.push(status),
                (Err(_), true) => answer = Some(described),
                _ => {}
            }
        }
        let schema = answer.map(|described| json_schema(resolved(document, described)));
        let entity = schema.and_then(|schema| entity(document, schema));
        let answer = schema.map(|schema| match (is_delta, path.ends_with("/getSchedule")) {
            (true, _) => "response.calendarViewDelta".to_owned(),
            (_, true) => "response.getSchedule".to_owned(),
            _ => body_name(definitions, &format!("{shared_name} answer"), schema),
        });
        let request = operation.get("requestBody").map(|body| {
            strict_request(method, path).map(str::to_owned).unwrap_or_else(|| {
                body_name(definitions, &format!("{shared_name} request"), &spelled_both_ways(json_schema(body)))
            })
        });
        let members = entity.as_deref().map(|entity| definitions.members(entity)).unwrap_or_default();
        Self {
            query: query(document, path, method, operation, entity.as_deref()),
            segments: path.trim_start_matches('/').split('/').map(segment).collect(),
            http_method: method.to_uppercase(),
            name,
            request,
            answer,
            empty_statuses,
            is_delta,
            entity,
            members,
        }
    }

    /// Whether `method` on the path of these `segments`, decoded, is this operation.
    pub fn fits(&self, method: &str, segments: &[String]) -> bool {
        self.http_method.eq_ignore_ascii_case(method)
            && self.segments.len() == segments.len()
            && self.segments.iter().zip(segments).all(|(pattern, segment)| match pattern {
                Some(literal) => literal == official_name(segment),
                None => !segment.is_empty(),
            })
    }

    /// How many of the path's segments are parameters.
    pub fn parameter_count(&self) -> usize {
        self.segments.iter().filter(|segment| segment.is_none()).count()
    }

    /// What is wrong with a query.
    pub fn query_problems(&self, query: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
            let lower = name.to_lowercase();
            let Some(parameter) = self.query.get(&lower) else {
                problems.push(format!("the query parameter {name} is unknown"));
                continue;
            };
            if seen.contains(&lower) {
                problems.push(format!("the query parameter {name} may stand once only"));
            }
            if let Some(problem) = self.value_problem(parameter.kind, &text) {
                problems.push(format!("the query parameter {name}: {problem}"));
            }
            seen.push(lower);
        }
        let goes_on = seen.iter().any(|name| name == "$skiptoken" || name == "$deltatoken");
        let windowed = seen.iter().any(|name| name == "startdatetime" || name == "enddatetime");
        if self.is_delta && goes_on && windowed {
            problems.push("the window belongs to the first call of a round only".to_owned());
        }
        let missing = self.query.iter().filter(|(name, it)| it.required && !goes_on && !seen.contains(name));
        problems.extend(missing.map(|(name, _)| format!("the query parameter {name} is missing")));
        problems
    }

    fn value_problem(&self, kind: Kind, text: &str) -> Option<String> {
        match kind {
            Kind::Text => text.is_empty().then(|| "is empty".to_owned()),
            Kind::Number => text.parse::<u32>().err().map(|_| format!("{text:?} is no number")),
            Kind::Flag => (!matches!(text, "true" | "false")).then(|| format!("{text:?} is neither true nor false")),
            Kind::Instant => {
                let instant = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$");
                let fits = instant.is_ok_and(|instant| instant.is_match(text));
                (!fits).then(|| format!("{text:?} is no instant of ISO 8601"))
            }
            Kind::Members => {
                let unknown = listed(text).into_iter().find(|name| !self.members.iter().any(|known| known == name));
                unknown.map(|name| format!("{name:?} is no member of {}", self.entity.as_deref().unwrap_or("it")))
            }
        }
    }
}

/// The names of a list: `start/dateTime desc` names `start`, and what stands in brackets names nothing here.
fn listed(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let items = text.split(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    items.map(|item| item.trim().split(['(', '/', ' ']).next().unwrap_or_default()).collect()
}

fn segment(segment: &str) -> Option<String> {
    (!segment.starts_with('{')).then(|| segment.to_owned())
}

/// A function or action goes by three names: `delta`, `delta()` and `microsoft.graph.delta()`.
fn official_name(segment: &str) -> &str {
    let name = segment.strip_prefix("microsoft.graph.").unwrap_or(segment);
    name.strip_suffix("()").unwrap_or(name)
}

fn resolved<'a>(document: &'a Value, described: &'a Value) -> &'a Value {
    let Some(reference) = described["$ref"].as_str() else { return described };
    // Names of components hold no slash, but dots: a JSON pointer finds them.
    document.pointer(reference.trim_start_matches('#')).expect("the document has what it refers to")
}

fn json_schema(content: &Value) -> &Value {
    &content["content"]["application/json"]["schema"]
}

/// The name of a component, or a new one for a schema that stands in the operation itself.
fn body_name(definitions: &mut Definitions<'_>, new_name: &str, schema: &Value) -> String {
    let component = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    match component {
        Some("microsoft.graph.eventCollectionResponse") => "response.eventCollection".to_owned(),
        Some(name) => name.to_owned(),
        None => {
            // The name becomes a part of a URI reference.
            let name = new_name.replace(|character: char| !character.is_ascii_alphanumeric(), ".");
            if !definitions.contains(&name) {
                definitions.add(&name, schema);
            }
            name
        }
    }
}

/// The strict schema of what a client sends.
fn strict_request(method: &str, path: &str) -> Option<&'static str> {
    match (method, path) {
        ("post", path) if path.ends_with("/events") => Some("request.event.create"),
        ("patch", path) if path.ends_with("/events/{event-id}") => Some("request.event.update"),
        ("post", path) if path.ends_with("/getSchedule") => Some("request.getSchedule"),
        ("post", "/subscriptions") => Some("request.subscription.create"),
        ("patch", "/subscriptions/{subscription-id}") => Some("request.subscription.renew"),
        _ => None,
    }
}

/// The metadata names the parameters of actions `Comment`, the reference pages `comment`; the service takes both.
fn spelled_both_ways(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let camel_case = members.iter().filter_map(|(name, member)| {
            let first = name.chars().next().filter(char::is_ascii_uppercase)?;
            Some((format!("{}{}", first.to_ascii_lowercase(), &name[1..]), member.clone()))
        });
        let camel_case: Vec<_> = camel_case.collect();
        members.extend(camel_case);
    }
    schema
}

/// The type that an answer holds, or lists.
fn entity(document: &Value, schema: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next()?;
        if name.ends_with("CollectionResponse") {
            return entity(document, &document["components"]["schemas"][name]);
        }
        return name.starts_with("microsoft.graph.").then(|| name.to_owned());
    }
    let parts = schema["allOf"].as_array()?;
    parts.iter().find_map(|part| entity(document, &part["properties"]["value"]["items"]))
}

fn query(
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
    entity: Option<&str>,
) -> BTreeMap<String, Parameter> {
    let mut query = BTreeMap::new();
    for described in operation["parameters"].as_array().into_iter().flatten() {
        let described = resolved(document, described);
        let name = described["name"].as_str().unwrap_or_default();
        if described["in"] == "query" {
            let required = described["required"] == true;
            query.insert(name.to_lowercase(), Parameter { kind: kind(name, &described["schema"]), required });
        }
    }
    let mut add = |name: &str, kind: Kind, required: bool| query.insert(name.to_owned(), Parameter { kind, required });
    if method == "get" {
        // From the reference pages; the metadata leaves these out.
        if matches!(entity, Some("microsoft.graph.event" | "microsoft.graph.calendar")) {
            add("$expand", Kind::Members, false);
        }
        if path.ends_with("/instances") {
            add("startdatetime", Kind::Instant, true);
            add("enddatetime", Kind::Instant, true);
        }
        if is_collection(path) {
            add("$skiptoken", Kind::Text, false);
        }
    }
    if path.ends_with("/calendarView/delta") {
        add("startdatetime", Kind::Instant, true);
        add("enddatetime", Kind::Instant, true);
        query.retain(|name, _| !REFUSED_BY_DELTA.contains(&name.as_str()));
    }
    query
}

fn is_collection(path: &str) -> bool {
    ["/events", "/calendarView", "/instances", "/calendars", "/subscriptions", "/extensions"]
        .iter()
        .any(|end| path.ends_with(end))
}

fn kind(name: &str, schema: &Value) -> Kind {
    match (name, schema["type"].as_str()) {
        ("startDateTime" | "endDateTime", _) => Kind::Instant,
        ("$select" | "$orderby" | "$expand", _) => Kind::Members,
        (_, Some("integer")) => Kind::Number,
        (_, Some("boolean")) => Kind::Flag,
        _ => Kind::Text,
    }
}
