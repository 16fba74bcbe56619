//! Putting the calendar on a site: how it appears, its code, how it looks, and whether a page shows it.

mod check;
mod options;
mod snippet;
mod theme;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use self::check::Check;
use self::options::{Options, Platforms, Widths};
use self::snippet::{Choice, Platform, Way};
use self::theme::Look;
use crate::api::embed::{EmbedView, OWN_ACCENT, SiteCheck, ThemeSave, embed};
use crate::parts::fields::Copyable;
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::t;

#[component]
pub(crate) fn EmbedPage() -> impl IntoView {
    let save = ServerAction::<ThemeSave>::new();
    let check = ServerAction::<SiteCheck>::new();
    let saved = successes(save);
    let data = Resource::new_blocking(move || saved.get(), |_| embed());
    view! {
        <PageHead title=t("dashboard.embed") lead=t("dashboard.embed_lead")/>
        <PageNotice form=FormState::of(save)/>
        {loaded(data, move |view: EmbedView| {
            if view.event_types.is_empty() {
                Either::Left(view! {
                    <section class="empty">
                        <p>{t("dashboard.tag_needs_event_type")}</p>
                        <p><a class="button button-primary" href="/dashboard/event-types/new">{t("dashboard.new_event_type")}</a></p>
                    </section>
                })
            } else {
                Either::Right(view! { <Studio view save check/> })
            }
        })}
    }
    .into_any()
}

/// What is chosen on the page, before any of it is stored anywhere.
#[derive(Clone, Copy)]
struct Chosen {
    way: RwSignal<Way>,
    platform: RwSignal<Platform>,
    event: RwSignal<String>,
    theme: RwSignal<String>,
    view: RwSignal<String>,
    lang: RwSignal<String>,
    text: RwSignal<String>,
    side: RwSignal<String>,
    /// How all calendars look, as the form has it at the moment.
    accent: RwSignal<String>,
    scheme: RwSignal<String>,
    radius: RwSignal<String>,
}

impl Chosen {
    /// As the address says; what it does not say is as usual.
    fn of_address(view: &EmbedView) -> Self {
        let query = use_query_map();
        let asked = |name: &str| query.with_untracked(|query| query.get(name)).unwrap_or_default();
        let first = view.event_types.first().map(|row| row.path.clone()).unwrap_or_default();
        let event = Some(asked("event")).filter(|path| view.event_types.iter().any(|row| row.path == *path));
        let text = Some(asked("text")).filter(|text| !text.is_empty());
        Self {
            way: RwSignal::new(Way::parse(&asked("way")).unwrap_or(Way::Inline)),
            platform: RwSignal::new(Platform::parse(&asked("platform")).unwrap_or(Platform::Html)),
            event: RwSignal::new(event.unwrap_or(first)),
            theme: RwSignal::new(asked("theme")),
            view: RwSignal::new(asked("view")),
            lang: RwSignal::new(asked("language")),
            text: RwSignal::new(text.unwrap_or_else(|| t("dashboard.embed_button_text").to_owned())),
            side: RwSignal::new(asked("side")),
            accent: RwSignal::new(view.theme.accent.clone()),
            scheme: RwSignal::new(view.theme.scheme.clone()),
            radius: RwSignal::new(view.theme.radius.clone()),
        }
    }

    fn choice(self) -> Choice {
        Choice {
            way: self.way.get(),
            event: self.event.get(),
            theme: self.theme.get(),
            view: self.view.get(),
            lang: self.lang.get(),
            text: self.text.get(),
            side: self.side.get(),
            accent: Some(self.accent.get()).filter(|accent| accent != OWN_ACCENT).unwrap_or_default(),
        }
    }

    /// The address of the page in the preview's frame.
    fn preview(self) -> String {
        let choice = self.choice();
        let theme = if choice.theme.is_empty() { self.scheme.get() } else { choice.theme };
        let accent = self.accent.get();
        let radius = self.radius.get();
        let pairs = [
            ("way", choice.way.as_str()),
            ("event", &choice.event),
            ("theme", &theme),
            ("view", &choice.view),
            ("language", &choice.lang),
            ("text", &choice.text),
            ("side", &choice.side),
            ("accent", &accent),
            ("radius", &radius),
        ];
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<_> = pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("{}/dashboard/embed/preview?{}", crate::browser::base(), query.join("&"))
    }
}

#[component]
fn Studio(view: EmbedView, save: ServerAction<ThemeSave>, check: ServerAction<SiteCheck>) -> impl IntoView {
    let chosen = Chosen::of_address(&view);
    let EmbedView { event_types, base_url, theme, is_admin, checked } = view;
    let is_narrow = RwSignal::new(false);
    let code = Signal::derive(move || chosen.choice().snippet(chosen.platform.get(), &base_url));
    let how = move || match chosen.platform.get() {
        Platform::Html => t("dashboard.embed_how_html"),
        Platform::WordPress => t("dashboard.embed_how_wordpress"),
        Platform::Webflow => t("dashboard.embed_how_webflow"),
        Platform::Squarespace => t("dashboard.embed_how_squarespace"),
        Platform::React => t("dashboard.embed_how_react"),
        Platform::TagManager => t("dashboard.embed_how_gtm"),
    };
    view! {
        <div class="embed">
            <Options chosen event_types/>
            <section class="card embed-preview" aria-labelledby="preview">
                <div class="section-head">
                    <h2 id="preview">{t("dashboard.embed_preview")}</h2>
                    <Widths is_narrow/>
                </div>
                <div class="embed-stage" class:is-narrow=move || is_narrow.get()>
                    <iframe title=t("dashboard.embed_preview") src=move || chosen.preview()></iframe>
                </div>
                <p class="hint">{t("dashboard.embed_preview_text")}</p>
            </section>
        </div>
        <section class="card stack embed-code" aria-labelledby="code">
            <h2 id="code">{t("dashboard.embed_code")}</h2>
            <Platforms platform=chosen.platform/>
            <p class="hint" aria-live="polite">{how}</p>
            <Copyable label=t("dashboard.embed_code") text=code multiline=true id="code-text"/>
            <p><a href="/docs/embedding">{t("dashboard.embed_more")}</a></p>
        </section>
        <Look chosen save theme is_admin/>
        <Check chosen check checked/>
    }
    .into_any()
}

/// A value in the query of an address.
fn encoded(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_value_of_a_query_keeps_to_its_place() {
        assert_eq!(encoded("acme/visit"), "acme%2Fvisit");
        assert_eq!(encoded("#7a1fa2"), "%237a1fa2");
        assert_eq!(encoded("Reservar & más"), "Reservar%20%26%20m%C3%A1s");
    }
}
