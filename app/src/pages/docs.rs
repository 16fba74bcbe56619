//! The documents for users.

use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_params_map;

use crate::api::docs::{DocumentGroup, DocumentView, document};
use crate::parts::frame::{PageHead, PlainFrame};
use crate::parts::loaded::loaded;
use crate::text::t;

#[component]
pub(crate) fn DocsPage() -> impl IntoView {
    let params = use_params_map();
    let name = Memo::new(move |_| params.with(|params| params.get("name").unwrap_or_default()));
    let document = Resource::new_blocking(move || name.get(), document);
    view! {
        <PlainFrame>
            {loaded(document, |document: DocumentView| {
                view! {
                    <div class="docs">
                        <nav aria-label=t("dashboard.docs")>
                            <div class="contents">
                                {document.contents.into_iter().map(|group| view! { <Group group/> }).collect_view()}
                            </div>
                        </nav>
                        <article>
                            <PageHead title=document.title/>
                            <div class="prose" inner_html=document.html></div>
                        </article>
                    </div>
                }
            })}
        </PlainFrame>
    }
    .into_any()
}

#[component]
fn Group(group: DocumentGroup) -> impl IntoView {
    let DocumentGroup { title, documents } = group;
    view! {
        <p class="group">{title}</p>
        <ul>
            {documents
                .into_iter()
                .map(|(href, title)| view! { <li><A href=href exact=true>{title}</A></li> })
                .collect_view()}
        </ul>
    }
    .into_any()
}
