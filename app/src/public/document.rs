//! The HTML document around a public page.

use cupo_core::text::Locale;
use leptos::prelude::*;

use super::PublicContext;
use crate::parts::icons;
use crate::shell::ICON;
use crate::text::t;

/// Where the server serves [`MEETING_LINK_SCRIPT`].
pub const MEETING_LINK_SCRIPT_PATH: &str = "/meeting-link.js";
/// Waits for the meeting link of the visitor's page.
pub const MEETING_LINK_SCRIPT: &str = include_str!("meeting_link.js");

/// What differs between the documents of public pages.
pub(super) struct Document {
    pub(super) title: String,
    /// Without head and foot, for an iframe.
    pub(super) is_embedded: bool,
    /// Load the widget, which takes the place of `<cupo-booking>`.
    pub(super) has_widget: bool,
    /// The appointment's meeting link is being made: the page is shown anew once it is there.
    pub(super) awaits_meeting_link: bool,
    /// The page's own address, to which `lang=` is added for the language switch; ends in `?` or `&`.
    pub(super) address: String,
}

impl Document {
    /// The document as HTML. `body` runs where the page's language is known to [`t`].
    pub(super) fn render<V: IntoView + 'static>(self, context: &PublicContext, body: impl FnOnce() -> V) -> String {
        let owner = Owner::new();
        owner.with(|| {
            provide_context(context.locale);
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
        let head = (!self.is_embedded).then(|| view! { <header class="top">{icons::wordmark()}</header> });
        let foot = (!self.is_embedded).then(|| foot(&self.address, context.locale));
        view! {
            <!DOCTYPE html>
            <html lang=context.locale.as_str()>
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
                </head>
                <body class="public" class:is-embedded=self.is_embedded>
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
                <a href=href lang=locale.as_str() hreflang=locale.as_str() aria-current=(locale == current).then_some("true")>
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
