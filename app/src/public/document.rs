//! The HTML document around a public page.

use chrono::{DateTime, Utc};
use cupo_core::text::Locale;
use leptos::prelude::*;

use super::PublicContext;
use super::month::rfc3339;
use crate::parts::icons;
use crate::shell::ICON;
use crate::text::t;

/// Where the server serves [`MEETING_LINK_SCRIPT`].
pub const MEETING_LINK_SCRIPT_PATH: &str = "/meeting-link.js";
/// Waits for the meeting link of the visitor's page.
pub const MEETING_LINK_SCRIPT: &str = include_str!("meeting_link.js");

/// Where the server serves [`FRAME_SCRIPT`].
pub const FRAME_SCRIPT_PATH: &str = "/frame.js";
/// Tells the page around a frame how tall the page in it is, and what came of the visitor's step.
pub const FRAME_SCRIPT: &str = include_str!("frame.js");

/// What a page in a frame tells the page around it, nothing personal.
pub(super) struct Told {
    /// The event without its prefix: `ready`, `booked`, `rescheduled`, `cancelled`.
    pub(super) name: &'static str,
    /// Start and end of the appointment.
    pub(super) interval: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// What differs between the documents of public pages.
pub(super) struct Document {
    pub(super) title: String,
    /// Without head and foot, for an iframe.
    pub(super) is_embedded: bool,
    /// Load the widget, which takes the place of `<cupo-booking>`.
    pub(super) has_widget: bool,
    /// The appointment's meeting link is being made: the page is shown anew once it is there.
    pub(super) awaits_meeting_link: bool,
    /// What the page around the frame is told once this one is there.
    pub(super) told: Option<Told>,
    /// The page's own address, to which `lang=` is added for the language switch; ends in `?` or `&`.
    pub(super) address: String,
}

impl Document {
    /// The document as HTML. `body` runs where the page's language is known to [`t`].
    pub(super) fn render<V: IntoView + 'static>(self, context: &PublicContext, body: impl FnOnce() -> V) -> String {
        let owner = Owner::new();
        owner.with(|| {
            provide_context(context.language);
            self.view(context, body()).to_html()
        })
    }

    fn view(self, context: &PublicContext, body: impl IntoView + 'static) -> impl IntoView {
        let refresh = self.awaits_meeting_link.then(|| {
            // With scripts on, a page that loads itself again and again gets in the way of assistive technology.
            view! {
                <script async src=MEETING_LINK_SCRIPT_PATH></script>
                <noscript>
                    <meta http-equiv="refresh" content="4"/>
                </noscript>
            }
        });
        let told = self.told.filter(|_| self.is_embedded);
        let interval = told.as_ref().and_then(|told| told.interval);
        let head = (!self.is_embedded).then(|| view! { <header class="top">{icons::wordmark()}</header> });
        let foot = (!self.is_embedded).then(|| foot(&self.address, context.language.locale()));
        view! {
            <!DOCTYPE html>
            <html lang=context.language.to_string() dir=context.language.locale().direction()>
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content="light dark"/>
                    <meta name="robots" content="noindex"/>
                    <meta name="referrer" content="same-origin"/>
                    <title>{self.title}</title>
                    <link rel="icon" type="image/svg+xml" href=ICON/>
                    <link rel="stylesheet" href=context.assets.app_css.clone()/>
                    {self.has_widget.then(|| view! { <script async src=context.assets.embed_js.clone()></script> })}
                    {refresh}
                    {self.is_embedded.then(|| view! { <script async src=FRAME_SCRIPT_PATH></script> })}
                </head>
                <body
                    class="public"
                    class:is-embedded=self.is_embedded
                    data-told=told.map(|told| told.name)
                    data-start=interval.map(|(start, _)| rfc3339(start))
                    data-end=interval.map(|(_, end)| rfc3339(end))
                >
                    {head}
                    <main id="main">{body}</main>
                    {foot}
                </body>
            </html>
        }
    }
}

fn foot(address: &str, current: Locale) -> impl IntoView + use<> {
    let links = Locale::ALL
        .into_iter()
        .map(|locale| {
            let href = format!("{address}lang={}", locale.as_str());
            view! {
                <a href=href lang=locale.tag() hreflang=locale.tag() aria-current=(locale == current).then_some("true")>
                    {locale.name()}
                </a>
            }
        })
        .collect_view();
    view! {
        <footer class="foot">
            <nav class="languages" aria-label=t("public.language")>{icons::globe()} {links}</nav>
            <p>{t("public.made_with")} " Cupo"</p>
        </footer>
    }
}
