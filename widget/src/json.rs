//! Reading and writing JSON without a JSON library: the browser parses, and what is written is small and flat.

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

    fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.is_true())
    }
}

/// Writes a flat object of texts.
pub struct ObjectWriter(String);

impl ObjectWriter {
    pub fn begin() -> Self {
        Self("{".to_owned())
    }

    pub fn text(&mut self, key: &str, value: &str) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.string(key);
        self.0.push(':');
        self.string(value);
        self
    }

    /// Leaves the member out when there is no value.
    pub fn optional(&mut self, key: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(key, value);
        }
        self
    }

    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn string(&mut self, value: &str) {
        self.0.push('"');
        for character in value.chars() {
            match character {
                '"' | '\\' => self.0.extend(['\\', character]),
                '\0'..='\u{1f}' => {
                    let code = character as u8;
                    self.0.push_str(if code < 16 { "\\u000" } else { "\\u001" });
                    self.0.push(b"0123456789abcdef"[usize::from(code % 16)] as char);
                }
                _ => self.0.push(character),
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::Value;

    impl Json for Value {
        fn get(&self, key: &str) -> Option<Self> {
            Value::get(self, key).filter(|value| !value.is_null()).cloned()
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

    #[test]
    fn every_character_comes_back_from_the_json_it_was_written_to() {
        let all: String = (0..0x2100).filter_map(char::from_u32).chain("\u{1f9d1}\u{2028}".chars()).collect();
        let mut writer = ObjectWriter::begin();
        writer.text("a", &all).optional("b", None).optional("c\"", Some(""));
        let read: Value = serde_json::from_str(&writer.finish()).unwrap();
        assert_eq!(read, serde_json::json!({ "a": all, "c\"": "" }));
    }
}
