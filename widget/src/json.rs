//! Reading and writing JSON without a JSON library: the browser parses, and what is written is small.

/// A parsed JSON value.
pub trait Json: Sized {
    /// A member of an object; `None` when it is absent or null.
    fn get(&self, key: &str) -> Option<Self>;
    /// The elements of an array; none of anything else.
    fn items(&self) -> Vec<Self>;
    fn as_text(&self) -> Option<String>;
    fn as_number(&self) -> Option<f64>;
    fn is_true(&self) -> bool;

    /// A text member; empty when it is absent, null or no text.
    fn text(&self, key: &str) -> String {
        self.optional_text(key).unwrap_or_default()
    }

    fn optional_text(&self, key: &str) -> Option<String> {
        self.get(key)?.as_text()
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.get(key)?.as_number()
    }

    /// The elements of an array member; none where there is no such member.
    fn list(&self, key: &str) -> Vec<Self> {
        self.get(key).map(|list| list.items()).unwrap_or_default()
    }

    fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.is_true())
    }
}

/// Writes an object, member by member.
pub struct ObjectWriter(String);

impl ObjectWriter {
    pub fn begin() -> Self {
        Self("{".to_owned())
    }

    /// Writes a member whose value is JSON already.
    pub fn member(&mut self, key: &str, json: &str) -> &mut Self {
        separate(&mut self.0);
        push_string(&mut self.0, key);
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        let mut json = String::new();
        push_string(&mut json, value);
        self.member(key, &json)
    }

    pub fn texts(&mut self, key: &str, values: &[&str]) {
        let mut json = "[".to_owned();
        for value in values {
            separate(&mut json);
            push_string(&mut json, value);
        }
        json.push(']');
        self.member(key, &json);
    }

    /// Leaves the member out when the value is empty.
    pub fn optional(&mut self, key: &str, value: &str) -> &mut Self {
        if value.is_empty() { self } else { self.text(key, value) }
    }

    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A comma, but after an opening bracket.
fn separate(json: &mut String) {
    if json.len() > 1 {
        json.push(',');
    }
}

fn push_string(json: &mut String, value: &str) {
    json.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\u{1f}' => {
                let code = character as u8;
                json.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                json.push(b"0123456789abcdef"[usize::from(code % 16)] as char);
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

/// On the server, which reads what it is about to send as the widget will.
#[cfg(any(test, feature = "ssr"))]
impl Json for serde_json::Value {
    fn get(&self, key: &str) -> Option<Self> {
        Self::get(self, key).filter(|value| !value.is_null()).cloned()
    }

    fn items(&self) -> Vec<Self> {
        self.as_array().cloned().unwrap_or_default()
    }

    fn as_text(&self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    fn as_number(&self) -> Option<f64> {
        self.as_f64()
    }

    fn is_true(&self) -> bool {
        self.as_bool() == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_character_comes_back_from_the_json_it_was_written_to() {
        let all: String = (0..0x2100).filter_map(char::from_u32).chain("\u{1f9d1}\u{2028}".chars()).collect();
        let mut writer = ObjectWriter::begin();
        writer.text("a", &all).optional("b", "").text("c\"", "");
        let read: Value = serde_json::from_str(&writer.finish()).unwrap();
        assert_eq!(read, serde_json::json!({ "a": all, "c\"": "" }));
    }

    #[test]
    fn lists_and_objects_are_written_into_an_object() {
        let mut inner = ObjectWriter::begin();
        inner.texts("none", &[]);
        inner.texts("two", &["a\"", "b"]);
        let mut writer = ObjectWriter::begin();
        writer.member("count", "4").member("inner", &inner.finish()).optional("last", "z");
        let read: Value = serde_json::from_str(&writer.finish()).unwrap();
        let inner = serde_json::json!({ "none": [], "two": ["a\"", "b"] });
        assert_eq!(read, serde_json::json!({ "count": 4, "inner": inner, "last": "z" }));
    }
}
