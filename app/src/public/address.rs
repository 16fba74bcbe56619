//! Addresses of the pages with what the visitor has picked so far.

use leptos::prelude::*;

/// An address of the page with other picks.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// The path.
    pub(super) path: String,
    /// What every link keeps: names and values.
    pub(super) kept: Vec<(&'static str, String)>,
}

impl Address {
    /// The address that keeps `kept` and adds `picks`. No value needs more escaping than `+` and `&`.
    pub(super) fn with(&self, picks: &[(&str, String)]) -> String {
        let escaped =
            |value: &str| value.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('#', "%23");
        let pairs: Vec<_> = self
            .kept
            .iter()
            .map(|(name, value)| (*name, value))
            .chain(picks.iter().map(|(name, value)| (*name, value)))
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect();
        if pairs.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, pairs.join("&")) }
    }

    /// The same, ready for one more pair: it ends in `?` or `&`.
    pub(super) fn open(&self, picks: &[(&str, String)]) -> String {
        let address = self.with(picks);
        let joint = if address.contains('?') { '&' } else { '?' };
        format!("{address}{joint}")
    }

    /// The same address without a pair that it keeps.
    pub(super) fn without(&self, name: &str) -> Self {
        let kept = self.kept.iter().filter(|(kept, _)| *kept != name).cloned().collect();
        Self { path: self.path.clone(), kept }
    }

    /// The same address of another page.
    pub(super) fn of(&self, path: String) -> Self {
        Self { path, kept: self.kept.clone() }
    }

    /// The kept pairs as hidden fields of a form that is sent by `GET`, the one that it sets itself left out.
    pub(super) fn hidden_fields(&self, except: &str) -> impl IntoView + use<> {
        self.kept
            .iter()
            .filter(|(name, _)| *name != except)
            .map(|(name, value)| view! { <input type="hidden" name=*name value=value.clone()/> })
            .collect_view()
    }
}
