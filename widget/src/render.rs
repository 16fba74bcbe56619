//! Puts [`Node`]s into the page, and brings the page after them when they change: an element that has the same tag in the
//! same place is changed in place, so that focus, scrolling and what is being typed stay. What the server's markup has made
//! is taken over in the same way.

use std::mem;

use crate::browser::{Place, children, create_element, create_text};
use crate::node::{Node, Nodes};
use crate::strings::list;

/// A node in the page.
struct Shown {
    node: Node,
    place: Place,
    children: Vec<Shown>,
}

/// What stands in the widget's element, which is nothing else.
pub struct AllShown {
    parent: Place,
    shown: Vec<Shown>,
}

impl AllShown {
    /// Takes over what the element holds. Where it is what the nodes say, nothing changes.
    pub fn take_over(parent: Place, nodes: Nodes) -> Self {
        let mut shown = Vec::new();
        read_all(&parent, &nodes.0, &mut shown);
        change_all(&parent, &mut shown, nodes.0);
        Self { parent, shown }
    }

    /// Changes it into what the nodes say.
    pub fn change(&mut self, nodes: Nodes) {
        change_all(&self.parent, &mut self.shown, nodes.0);
    }

    /// Takes it away.
    pub fn clear(&mut self) {
        self.change(Nodes::default());
    }
}

/// What the page holds, in the places of nodes that are to stand there. Attributes that these do not have go.
fn read_all(parent: &Place, nodes: &[Node], shown: &mut Vec<Shown>) {
    let mut nodes = nodes.iter();
    for place in children(parent) {
        let mut within = Vec::new();
        let node = match (nodes.next(), place.local_name()) {
            (Some(Node::Text(_)), None) => Node::Text(place.text_content()),
            (Some(Node::Element { tag, attributes, children }), Some(name)) if name == *tag => {
                for name in place.attribute_names().iter().filter_map(|name| name.as_string()) {
                    if !attributes.iter().any(|(wanted, _)| *wanted == name) {
                        place.remove_attribute(&name);
                    }
                }
                read_all(&place, children, &mut within);
                let found = attributes.iter().filter_map(|(name, _)| Some((*name, place.attribute(name)?)));
                Node::Element { tag, attributes: list(found), children: Vec::new() }
            }
            // It has no tag, as nothing that is to stand there.
            _ => Node::Element { tag: "", attributes: Vec::new(), children: Vec::new() },
        };
        shown.push(Shown { node, place, children: within });
    }
}

fn show(mut node: Node) -> Shown {
    let (place, children) = match &mut node {
        Node::Text(text) => (create_text(text), Vec::new()),
        Node::Element { tag, attributes, children } => {
            let place = create_element(tag);
            for (name, value) in attributes {
                place.set_attribute(name, value);
            }
            let mut shown = Vec::new();
            change_all(&place, &mut shown, mem::take(children));
            (place, shown)
        }
    };
    Shown { node, place, children }
}

/// The name of a field: what is typed into one does not become what another holds.
fn name<'a>(attributes: &'a [(&'static str, String)]) -> Option<&'a String> {
    attributes.iter().find(|(name, _)| *name == "name").map(|(_, value)| value)
}

fn change(shown: &mut Shown, mut next: Node) {
    match (&shown.node, &mut next) {
        (Node::Text(before), Node::Text(after)) => {
            if before != after {
                shown.place.set_text_content(after);
            }
        }
        (
            Node::Element { tag: old_tag, attributes: before, .. },
            Node::Element { tag, attributes: after, children },
        ) if old_tag == tag && name(before) == name(after) => {
            for attribute in after.iter() {
                if !before.contains(attribute) {
                    shown.place.set_attribute(attribute.0, &attribute.1);
                }
            }
            for (name, _) in before.iter() {
                if !after.iter().any(|(kept, _)| kept == name) {
                    shown.place.remove_attribute(name);
                }
            }
            change_all(&shown.place, &mut shown.children, mem::take(children));
        }
        _ => {
            let fresh = show(next);
            shown.place.replace_with(&fresh.place);
            *shown = fresh;
            return;
        }
    }
    shown.node = next;
}

fn change_all(parent: &Place, shown: &mut Vec<Shown>, next: Vec<Node>) {
    for gone in shown.drain(next.len().min(shown.len())..) {
        gone.place.remove();
    }
    for (index, node) in next.into_iter().enumerate() {
        match shown.get_mut(index) {
            Some(shown) => change(shown, node),
            None => {
                let fresh = show(node);
                parent.append(&fresh.place);
                shown.push(fresh);
            }
        }
    }
}
