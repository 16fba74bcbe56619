//! A view as plain data: elements, their attributes and texts.
//!
//! The steps of the widget write nodes. One short piece of code puts them into the page (`render.rs`), another writes them as
//! HTML on the server (`html.rs`). With Leptos' own views every element is a type, with code of its own to build and to change
//! it, which made the bundle half as large again as its whole budget. And what is plain data can be tested natively.

use std::mem;

use crate::strings::list;
/// An element or a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    Element { tag: &'static str, attributes: Vec<(&'static str, String)>, children: Vec<Node> },
    Text(String),
}

/// Writes the children of an element, one after the other.
#[derive(Default)]
pub struct Nodes(pub Vec<Node>);

impl Nodes {
    /// Writes an element, and its children by `write`, which becomes part of the function that calls this one: as functions
    /// of their own all these would be a tenth of the bundle.
    #[inline(always)]
    pub fn element(&mut self, tag: &'static str, attributes: &[(&'static str, &str)], write: impl FnOnce(&mut Self)) {
        let before = self.begin();
        write(self);
        self.end(before, tag, attributes);
    }

    /// From here on the children of an element are written; gives what was written before.
    #[inline(never)]
    fn begin(&mut self) -> Vec<Node> {
        mem::take(&mut self.0)
    }

    /// The children of an element are written, and the element goes behind what was written before it.
    #[inline(never)]
    fn end(&mut self, before: Vec<Node>, tag: &'static str, attributes: &[(&'static str, &str)]) {
        let children = mem::replace(&mut self.0, before);
        self.push(tag, attributes, &[], Self(children));
    }

    /// Writes an element that holds a text only.
    pub fn line(&mut self, tag: &'static str, attributes: &[(&'static str, &str)], text: &str) {
        let mut children = Self::default();
        children.text(text);
        self.push(tag, attributes, &[], children);
    }

    /// Writes a text. A page knows no empty texts and no two beside each other once it was read from HTML, so there are none.
    pub fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Node::Text(before)) => before.push_str(text),
            _ => self.0.push(Node::Text(text.to_owned())),
        }
    }

    /// A drawing of one line in a box of 24 by 24.
    pub fn icon(&mut self, outline: &str) {
        self.element("svg", &[("viewBox", "0 0 24 24"), ("aria-hidden", "true")], |svg| {
            svg.element("path", &[("d", outline)], |_| ());
        });
    }

    /// An option of a select in which `chosen` is chosen.
    pub fn option(&mut self, value: &str, label: &str, chosen: &str) {
        self.line("option", &[("value", value), only_if(value == chosen, "selected", "")], label);
    }

    /// Writes an element whose children are written already, with attributes that others share and its own.
    #[inline(never)]
    pub fn push(
        &mut self,
        tag: &'static str,
        shared: &[(&'static str, &str)],
        own: &[(&'static str, &str)],
        children: Self,
    ) {
        let attributes = shared.iter().chain(own).filter(|(name, _)| !name.is_empty());
        let attributes = list(attributes.map(|(name, value)| (*name, (*value).to_owned())));
        self.0.push(Node::Element { tag, attributes, children: children.0 });
    }
}

/// An attribute that is there only under a condition: without a name it is left out.
pub fn only_if<'a>(condition: bool, name: &'static str, value: &'a str) -> (&'static str, &'a str) {
    if condition { (name, value) } else { ("", "") }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The nodes as indented lines, for people to read.
    pub fn outline(nodes: &[Node]) -> String {
        let mut lines = String::new();
        nodes.iter().for_each(|node| write(node, 0, &mut lines));
        lines
    }

    fn write(node: &Node, depth: usize, lines: &mut String) {
        lines.push_str(&"  ".repeat(depth));
        match node {
            Node::Text(text) => *lines += &format!("{text:?}\n"),
            Node::Element { tag, attributes, children } => {
                *lines += tag;
                attributes.iter().for_each(|(name, value)| *lines += &format!(" {name}={value:?}"));
                lines.push('\n');
                children.iter().for_each(|child| write(child, depth + 1, lines));
            }
        }
    }

    #[test]
    fn texts_beside_each_other_are_one_and_empty_ones_are_none() {
        let mut nodes = Nodes::default();
        nodes.text("10:00");
        nodes.text(" ");
        nodes.line("span", &[], "");
        nodes.text("");
        nodes.text("h");
        assert_eq!(outline(&nodes.0), "\"10:00 \"\nspan\n\"h\"\n");
    }

    #[test]
    fn elements_keep_the_order_in_which_they_are_written_and_absent_attributes_stay_away() {
        let mut nodes = Nodes::default();
        nodes.element("div", &[("class", "a"), only_if(false, "hidden", ""), only_if(true, "inert", "")], |div| {
            div.line("p", &[], "one");
            div.text("two");
        });
        assert_eq!(outline(&nodes.0), "div class=\"a\" inert=\"\"\n  p\n    \"one\"\n  \"two\"\n");
    }
}
