//! A page that says one thing.

use leptos::prelude::*;

use super::PublicContext;
use super::document::Document;
use crate::text::t;

/// A document that only says one thing, such as "this page does not exist".
pub fn render_message_page(context: &PublicContext, status: u16, sentence: &str) -> String {
    let sentence = sentence.to_owned();
    let document = Document {
        title: sentence.clone(),
        is_embedded: false,
        has_widget: false,
        awaits_meeting_link: false,
        address: "?".to_owned(),
    };
    document.render(context, || {
        view! {
            <section class="card message">
                <p class="status">{status}</p>
                <h1>{sentence}</h1>
                <p>{t("public.message_hint")}</p>
            </section>
        }
    })
}
