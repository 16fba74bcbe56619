//! Pages that say one thing.

use leptos::prelude::*;

use super::PublicContext;
use super::address::Address;
use super::document::Document;
use super::query::BookingQuery;
use crate::text::t;

/// A document that only says one thing, such as "this page does not exist".
pub fn render_message_page(context: &PublicContext, status: u16, sentence: &str) -> String {
    let sentence = sentence.to_owned();
    document(sentence.clone()).render(context, || {
        view! {
            <section class="card message">
                <p class="status">{status}</p>
                <h1>{sentence}</h1>
                <p>{t("public.message_hint")}</p>
            </section>
        }
    })
}

/// What stands at the address of a single-use link that was used or is over. `org` is the slug of an organization that has
/// something else to book for anybody.
pub fn render_link_over_page(context: &PublicContext, query: &BookingQuery, org: Option<&str>) -> String {
    let title = cupo_core::text::lookup(context.language.locale(), "public.link_over").to_owned();
    let is_embedded = query.embed.as_deref() == Some("1");
    let kept = [("link", query.link().map(str::to_owned)), ("embed", is_embedded.then(|| "1".to_owned()))];
    let kept = kept.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let address = Address { path: String::new(), kept }.open(&[]);
    Document { address, is_embedded, ..document(title) }.render(context, || {
        let elsewhere = org.map(|org| {
            view! { <p><a class="button" href=format!("/{org}")>{t("public.link_over_elsewhere")}</a></p> }
        });
        view! {
            <section class="card message">
                <h1>{t("public.link_over")}</h1>
                <p>{t("public.link_over_text")}</p>
                {elsewhere}
            </section>
        }
    })
}

fn document(title: String) -> Document {
    Document {
        title,
        is_embedded: false,
        has_widget: false,
        awaits_meeting_link: false,
        told: None,
        address: "?".to_owned(),
    }
}
