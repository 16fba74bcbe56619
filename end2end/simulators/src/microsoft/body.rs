//! An event's body. Outlook keeps HTML, whatever was sent, and makes text of it for those who ask.

use serde_json::{Map, Value, json};

use super::graph::error::GraphError;
use crate::html::escape;

/// How many characters of the text `bodyPreview` has.
const PREVIEW: usize = 255;

/// Reads `itemBody` into HTML.
pub fn parse(value: &Value) -> Result<String, GraphError> {
    if value.is_null() {
        return Ok(String::new());
    }
    let invalid = || GraphError::bad_request("ErrorInvalidRequest", "The body is invalid.");
    let body: &Map<String, Value> = value.as_object().ok_or_else(invalid)?;
    let content = match body.get("content") {
        None | Some(Value::Null) => "",
        Some(content) => content.as_str().ok_or_else(invalid)?,
    };
    match body.get("contentType").and_then(Value::as_str).map(str::to_lowercase).as_deref() {
        Some("html") => Ok(document(content)),
        None | Some("text") => Ok(of_text(content)),
        Some(_) => Err(invalid()),
    }
}

/// The API's form: HTML, or text when the client prefers it.
pub fn to_json(html: &str, as_text: bool) -> Value {
    let (kind, content) = if as_text { ("text", text(html)) } else { ("html", html.to_owned()) };
    json!({ "contentType": kind, "content": content })
}

/// `bodyPreview`.
pub fn preview(html: &str) -> String {
    text(html).chars().take(PREVIEW).collect()
}

/// `html` with `fragment` at the end of the body.
pub fn with_fragment(html: &str, fragment: &str) -> String {
    let html = if html.is_empty() { document("") } else { html.to_owned() };
    match html.rfind("</body>") {
        Some(at) => format!("{}{fragment}\r\n{}", &html[..at], &html[at..]),
        None => format!("{html}{fragment}"),
    }
}

/// What a reader sees of `html`.
pub fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = match (html.find("<body"), html.find("</body>")) {
        (Some(from), Some(to)) if from < to => &html[from..to],
        _ => html,
    };
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open].replace(['\r', '\n'], ""));
        let Some(close) = rest[open..].find('>') else { break };
        let tag = rest[open + 1..open + close].to_lowercase();
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        if name == "br" || (tag.starts_with('/') && ["p", "div", "li"].contains(&name)) {
            text.push_str("\r\n");
        }
        rest = &rest[open + close + 1..];
    }
    text.push_str(&rest.replace(['\r', '\n'], ""));
    let entities = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let plain = entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character));
    plain.trim().to_owned()
}

fn of_text(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = text.lines().map(escape).collect();
    document(&format!("<div class=\"PlainText\">{}</div>", lines.join("<br>\r\n")))
}

fn document(content: &str) -> String {
    if content.to_lowercase().contains("<body") {
        return content.to_owned();
    }
    let meta = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">";
    format!("<html>\r\n<head>\r\n{meta}\r\n</head>\r\n<body>\r\n{content}\r\n</body>\r\n</html>\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_html_and_as_the_same_text() {
        let html = parse(&json!({ "contentType": "text", "content": "One & two\nthree <four>" })).unwrap();
        assert!(html.contains("One &amp; two<br>"));
        assert_eq!(text(&html), "One & two\r\nthree <four>");
    }

    #[test]
    fn a_fragment_stands_at_the_end_of_the_body() {
        let html = parse(&json!({ "contentType": "HTML", "content": "<p>Hello</p>" })).unwrap();
        assert_eq!(text(&with_fragment(&html, "<div>Join</div>")), "Hello\r\nJoin");
        assert_eq!(preview(&parse(&json!({ "content": "x".repeat(300) })).unwrap()).len(), 255);
    }
}
