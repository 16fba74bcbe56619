//! The documents for users.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// A document, ready to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentView {
    /// Its title.
    pub title: String,
    /// Its body.
    pub html: String,
    /// Every document, by whom it is for.
    pub contents: Vec<DocumentGroup>,
}

/// Documents for the same readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentGroup {
    /// Whom they are for.
    pub title: String,
    /// Path and title of each.
    pub documents: Vec<(String, String)>,
}

/// One document by the last part of its address; the first for an empty one.
#[server(prefix = "/dashboard/api", endpoint = "document")]
pub async fn document(#[server(default)] name: String) -> Result<DocumentView, AppError> {
    use super::request::answer;
    answer(crate::documents::find(&name, crate::text::locale()).ok_or(cupo_engine::EngineError::NotFound("document")))
}
