//! Puts [`Node`]s into the page, and brings the page after them when they change: an element that has the same tag in the
//! same place is changed in place, so that focus, scrolling and what is being typed stay.

use std::mem;

use tachys::renderer::types::{Element as Parent, Node as Place};
use tachys::view::{Mountable, Render};
use wasm_bindgen::JsCast;

use crate::browser::{create_element, create_text};
use crate::node::{Node, Nodes};

/// A node in the page.
pub struct Shown {
    node: Node,
    place: Place,
    children: Vec<Shown>,
}

fn show(mut node: Node) -> Shown {
    let (place, children) = match &mut node {
        Node::Text(text) => (create_text(text), Vec::new()),
        Node::Element { tag, attributes, children } => {
            let element = create_element(tag);
            for (name, value) in attributes {
                set(&element, name, value);
            }
            let children: Vec<Shown> = mem::take(children).into_iter().map(show).collect();
            append(&element, &children);
            (element.into(), children)
        }
    };
    Shown { node, place, children }
}

fn set(element: &Parent, name: &str, value: &str) {
    // The names are our own and well formed, which is all that could be refused.
    let _refused = element.set_attribute(name, value);
}

fn append(parent: &Place, children: &[Shown]) {
    for child in children {
        // A node that was just made can stand anywhere.
        let _refused = parent.append_child(&child.place);
    }
}

fn remove(shown: &Shown) {
    if let Some(parent) = shown.place.parent_node() {
        let _gone = parent.remove_child(&shown.place);
    }
}

fn change(shown: &mut Shown, mut next: Node) {
    match (&mut shown.node, &mut next) {
        (Node::Text(before), Node::Text(after)) => {
            if before != after {
                shown.place.set_text_content(Some(after));
            }
        }
        (
            Node::Element { tag: old_tag, attributes: before, .. },
            Node::Element { tag, attributes: after, children },
        ) if old_tag == tag => {
            let element: &Parent = shown.place.unchecked_ref();
            for (name, value) in after.iter() {
                if !before.iter().any(|(old_name, old_value)| old_name == name && old_value == value) {
                    set(element, name, value);
                }
            }
            for (name, _) in before.iter() {
                if !after.iter().any(|(kept, _)| kept == name) {
                    let _absent = element.remove_attribute(name);
                }
            }
            change_all(&shown.place, &mut shown.children, mem::take(children));
        }
        _ => {
            let fresh = show(next);
            if let Some(parent) = shown.place.parent_node() {
                let _refused = parent.replace_child(&fresh.place, &shown.place);
            }
            *shown = fresh;
            return;
        }
    }
    shown.node = next;
}

fn change_all(parent: &Place, shown: &mut Vec<Shown>, next: Vec<Node>) {
    for gone in shown.drain(next.len().min(shown.len())..) {
        remove(&gone);
    }
    let mut next = next.into_iter();
    for (shown, node) in shown.iter_mut().zip(next.by_ref()) {
        change(shown, node);
    }
    let fresh: Vec<Shown> = next.map(show).collect();
    append(parent, &fresh);
    shown.extend(fresh);
}

/// The nodes of the whole widget, which are all that their parent holds.
pub struct AllShown {
    parent: Option<Parent>,
    shown: Vec<Shown>,
}

impl Render for Nodes {
    type State = AllShown;

    fn build(self) -> AllShown {
        AllShown { parent: None, shown: self.0.into_iter().map(show).collect() }
    }

    fn rebuild(self, state: &mut AllShown) {
        if let Some(parent) = &state.parent {
            change_all(parent, &mut state.shown, self.0);
        }
    }
}

impl Mountable for AllShown {
    fn unmount(&mut self) {
        self.shown.drain(..).for_each(|shown| remove(&shown));
    }

    fn mount(&mut self, parent: &Parent, _marker: Option<&Place>) {
        append(parent, &self.shown);
        self.parent = Some(parent.clone());
    }

    fn insert_before_this(&self, _child: &mut dyn Mountable) -> bool {
        false
    }

    fn elements(&self) -> Vec<Parent> {
        self.parent.iter().cloned().collect()
    }
}
