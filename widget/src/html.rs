//! Nodes as HTML: what the server sends of the first view, and what `render.rs` takes over in the page.

use crate::node::{Node, Nodes};

/// Elements of HTML that have neither children nor an end tag.
const VOID: [&str; 3] = ["br", "img", "input"];

/// Writes nodes as HTML that a parser reads as just these nodes.
///
/// # Panics
/// On `script` and `style`, whose texts have rules of their own; the view has neither.
#[must_use]
pub fn html(nodes: &Nodes) -> String {
    let mut html = String::with_capacity(16 * 1024);
    nodes.0.iter().for_each(|node| write(node, &mut html));
    html
}

fn write(node: &Node, html: &mut String) {
    let (tag, attributes, children) = match node {
        Node::Text(text) => return escape(text, html),
        Node::Element { tag, attributes, children } => (*tag, attributes, children),
    };
    assert!(!matches!(tag, "script" | "style"), "the view has no <{tag}>");
    html.extend(["<", tag]);
    for (name, value) in attributes {
        html.extend([" ", name, "=\""]);
        escape(value, html);
        html.push('"');
    }
    html.push('>');
    if VOID.contains(&tag) {
        return;
    }
    // A parser drops the first line break of these.
    if matches!(tag, "pre" | "textarea") {
        html.push('\n');
    }
    children.iter().for_each(|child| write(child, html));
    html.extend(["</", tag, ">"]);
}

/// Escapes what would end a text or a quoted attribute, or would not come through a parser as it is.
fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\r' => html.push_str("&#13;"),
            // No document may hold it; a parser of HTML puts this in its place.
            '\0' => html.push('\u{fffd}'),
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::only_if;

    fn written(write: impl FnOnce(&mut Nodes)) -> String {
        let mut nodes = Nodes::default();
        write(&mut nodes);
        html(&nodes)
    }

    #[test]
    fn elements_are_written_in_their_order_with_their_attributes() {
        let html = written(|nodes| {
            nodes.element("div", &[("class", "a b"), only_if(true, "hidden", "")], |div| {
                div.line("p", &[], "one");
                div.text("two");
                div.element("input", &[("type", "radio")], |_| ());
                div.icon("M5 5");
            });
        });
        let svg = r#"<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 5"></path></svg>"#;
        assert_eq!(html, [r#"<div class="a b" hidden=""><p>one</p>two<input type="radio">"#, svg, "</div>"].concat());
    }

    #[test]
    fn what_people_typed_is_text_wherever_it_stands() {
        let evil = "\"'><img src=x onerror=alert(1)>&amp;</p>";
        let html = written(|nodes| nodes.line("p", &[("title", evil)], evil));
        let safe = "&quot;'&gt;&lt;img src=x onerror=alert(1)&gt;&amp;amp;&lt;/p&gt;";
        assert_eq!(html, ["<p title=\"", safe, "\">", safe, "</p>"].concat());
    }

    #[test]
    fn line_breaks_come_through_a_parser_as_they_are() {
        assert_eq!(written(|nodes| nodes.line("p", &[], "a\r\nb")), "<p>a&#13;\nb</p>");
        assert_eq!(written(|nodes| nodes.line("textarea", &[], "\na")), "<textarea>\n\na</textarea>");
    }

    #[test]
    #[should_panic(expected = "no <script>")]
    fn a_script_is_not_written() {
        written(|nodes| nodes.line("script", &[], "</script>"));
    }
}
