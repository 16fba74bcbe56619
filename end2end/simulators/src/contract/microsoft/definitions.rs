//! Graph's schemas, closed, by name.
//!
//! The strict schemas come as they are. What they lack (users, collections, the bodies of actions) is made of the
//! OpenAPI description: inheritance is flattened, and only annotations (`@odata.type`, `@removed`) stay free.

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::contract::compile;

const COMPONENTS: &str = "#/components/schemas/";
/// Annotations of the protocol, which stand beside any member.
const ANNOTATION: &str = "@odata\\.|^@";

/// Every schema that a body is checked against.
#[derive(Debug)]
pub struct Definitions<'a> {
    document: &'a Value,
    by_name: Map<String, Value>,
}

impl<'a> Definitions<'a> {
    /// The strict schemas, and beside them the other components of the OpenAPI document.
    pub fn new(document: &'a Value, strict: &Value) -> Self {
        let mut definitions = Self { document, by_name: strict["$defs"].as_object().cloned().unwrap_or_default() };
        for name in document["components"]["schemas"].as_object().into_iter().flat_map(Map::keys) {
            if !definitions.by_name.contains_key(name) {
                let closed = definitions.closed(&component(document, name));
                definitions.by_name.insert(name.clone(), closed);
            }
        }
        definitions.amend();
        definitions
    }

    /// What the guides say and the metadata does not.
    fn amend(&mut self) {
        // A local time, beside which the zone stands (reference page of dateTimeTimeZone).
        let local_time = &mut self.by_name["microsoft.graph.dateTimeTimeZone"];
        local_time["properties"]["dateTime"]["pattern"] =
            json!("^[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?$");
        local_time["required"] = json!(["dateTime", "timeZone"]);
        // The service writes `innerError` and `date` (guide "Microsoft Graph error responses"); annotations of its own,
        // such as the id of the event that is there already, stand beside the code.
        let inner = &mut self.by_name["microsoft.graph.ODataErrors.InnerError"]["properties"];
        inner["date"] = json!({ "type": "string", "pattern": "^[0-9-]{10}T[0-9:]{8}(.[0-9]+)?(Z|[+-][0-9:]{5})?$" });
        let error = &mut self.by_name["microsoft.graph.ODataErrors.MainError"]["properties"];
        error["innerError"] = error["innererror"].clone();
        // The item's id stands beside its annotations (change notifications, delivery by webhooks).
        self.by_name["microsoft.graph.resourceData"]["properties"]["id"] = json!({ "type": "string" });
        // The service's own certificate check cannot be had on loopback, where the simulators are.
        let address = json!("^(https://|http://(127[.]|localhost[:/]|\\[::1\\]))");
        for request in ["request.subscription.create", "request.subscription.renew"] {
            self.by_name[request]["properties"]["notificationUrl"]["pattern"] = address.clone();
        }
        self.by_name["request.subscription.create"]["properties"]["lifecycleNotificationUrl"]["pattern"] = address;
        // All but the interval must be there, each by one of its two spellings.
        let once = |camel: &str, pascal: &str| json!({ "oneOf": [{ "required": [camel] }, { "required": [pascal] }] });
        let named = [once("schedules", "Schedules"), once("startTime", "StartTime"), once("endTime", "EndTime")];
        self.by_name["request.getSchedule"]["allOf"] = json!(named);
    }

    /// Gives `schema`, written as in the OpenAPI document, a name.
    pub fn add(&mut self, name: &str, schema: &Value) {
        let closed = self.closed(schema);
        self.by_name.insert(name.to_owned(), closed);
    }

    /// Whether there is a schema of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The members that `name` describes.
    pub fn members(&self, name: &str) -> Vec<String> {
        let properties = self.by_name.get(name).and_then(|schema| schema["properties"].as_object());
        properties.into_iter().flat_map(Map::keys).cloned().collect()
    }

    /// A validator of the schema `name`.
    pub fn validator(&self, name: &str) -> Validator {
        assert!(self.contains(name), "the contract has no schema {name}");
        compile(&json!({ "$defs": self.by_name, "$ref": format!("#/$defs/{name}") }))
    }

    fn closed(&self, schema: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(COMPONENTS)) {
            return json!({ "$ref": format!("#/$defs/{name}") });
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            return json!({ "anyOf": choices.iter().map(|choice| self.closed(choice)).collect::<Vec<_>>() });
        }
        if schema.get("allOf").is_some() || schema["type"] == "object" {
            let mut members = Map::new();
            let mut required = Vec::new();
            self.collect(schema, &mut members, &mut required);
            return json!({
                "type": "object",
                "properties": members,
                "required": required,
                "patternProperties": { ANNOTATION: {} },
                "additionalProperties": false,
            });
        }
        if schema["type"] == "array" {
            return json!({ "type": "array", "items": self.closed(&schema["items"]) });
        }
        let kept = ["type", "format", "pattern", "enum", "minimum", "maximum"];
        let members = schema.as_object().into_iter().flatten().filter(|(name, _)| kept.contains(&name.as_str()));
        Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The members of an object and of everything that it inherits from. A collection must have its `value`.
    fn collect(&self, schema: &Value, members: &mut Map<String, Value>, required: &mut Vec<Value>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(COMPONENTS)) {
            return self.collect(&component(self.document, name), members, required);
        }
        for parent in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(parent, members, required);
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            members.insert(name.clone(), self.closed(member));
            if name == "value" && member["type"] == "array" {
                required.push(json!("value"));
            }
        }
        required.extend(schema["required"].as_array().into_iter().flatten().cloned());
    }
}

fn component(document: &Value, name: &str) -> Value {
    document["components"]["schemas"][name].clone()
}
