//! The page in the frame of the dashboard's embed page: a site in outline, with the calendar on it as it was chosen.

use cupo_core::parse::Slug;
use cupo_core::text::{Locale, lookup};
use cupo_core::theme::{Color, MOST_RADIUS, Scheme};
use leptos::either::EitherOf4;
use leptos::prelude::*;
use serde::Deserialize;

use super::PublicContext;

/// What was chosen, as the address says it. What cannot be read counts as not chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PreviewQuery {
    /// `inline`, `popup`, `floating`, `page` or `link`.
    pub way: String,
    /// `org/slug`.
    pub event: String,
    /// As the attribute of the calendar.
    pub theme: String,
    /// As the attribute of the calendar.
    pub view: String,
    /// The calendar's language.
    pub language: String,
    /// What button or link say.
    pub text: String,
    /// `left` or `right`.
    pub side: String,
    /// `#rrggbb`.
    pub accent: String,
    /// In CSS pixels.
    pub radius: String,
}

/// The whole HTML document. The answer's policy must allow a style element with `nonce`.
pub fn render_preview_page(context: &PublicContext, query: &PreviewQuery, nonce: &str) -> String {
    Owner::new().with(|| preview(context, query, nonce).to_html())
}

fn preview(context: &PublicContext, query: &PreviewQuery, nonce: &str) -> impl IntoView {
    let locale = context.language.locale().dashboard();
    let is_event =
        query.event.split_once('/').is_some_and(|(org, slug)| Slug::parse(org).is_ok() && Slug::parse(slug).is_ok());
    let event = if is_event { query.event.clone() } else { String::new() };
    let theme = Scheme::parse(&query.theme).unwrap_or_default().as_str();
    let view = Some(query.view.clone()).filter(|view| ["week", "list"].contains(&view.as_str()));
    let lang = Locale::parse(&query.language);
    let text = Some(query.text.clone()).filter(|text| !text.trim().is_empty());
    let text = text.unwrap_or_else(|| lookup(locale, "dashboard.embed_button_text").to_owned());
    let page = format!("/{event}{}", lang.map(|lang| format!("?lang={}", lang.as_str())).unwrap_or_default());
    let element = |is_page: bool| {
        view! {
            <cupo-booking
                event=event.clone()
                theme=theme
                view=view.clone()
                lang=lang.map(Locale::as_str)
                full-page=is_page.then_some("")
            ></cupo-booking>
        }
    };
    let (is_page, is_floating) = (query.way == "page", query.way == "floating");
    let shown = match query.way.as_str() {
        "popup" => EitherOf4::A(view! {
            <p>
                <a
                    class="button button-primary"
                    href=page
                    data-cupo-popup=event.clone()
                    data-cupo-theme=theme
                    data-cupo-view=view.clone()
                    data-cupo-lang=lang.map(Locale::as_str)
                >
                    {text.clone()}
                </a>
            </p>
        }),
        "link" => EitherOf4::B(view! { <p><a href=page target="_blank" rel="noopener">{text.clone()}</a></p> }),
        "floating" => EitherOf4::C(()),
        _ => EitherOf4::D(element(is_page)),
    };
    let button = |value: &str| is_floating.then(|| value.to_owned());
    let outline = (!is_page).then(outline);
    view! {
        <!DOCTYPE html>
        <html lang=locale.as_str()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="robots" content="noindex"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{lookup(locale, "dashboard.embed_preview")}</title>
                <link rel="stylesheet" href=context.assets.app_css.clone()/>
                <style nonce=nonce.to_owned()>{style(query)}</style>
            </head>
            <body class="preview" class:is-page=is_page>
                {outline}
                <main>{shown}</main>
                <script
                    async
                    src=context.assets.embed_js.clone()
                    data-floating=button(&event)
                    data-text=button(&text)
                    data-side=button(&query.side)
                    data-theme=button(theme)
                    data-view=view.clone().filter(|_| is_floating)
                    data-lang=lang.map(Locale::as_str).filter(|_| is_floating)
                ></script>
            </body>
        </html>
    }
}

/// The colors and corners that were chosen and perhaps not stored yet; nothing that is no color and no number.
fn style(query: &PreviewQuery) -> String {
    let accent = Color::parse(&query.accent).ok().filter(|accent| accent.as_str() != crate::api::embed::OWN_ACCENT);
    let accent = accent.map(|accent| format!("--cupo-accent:{accent};")).unwrap_or_default();
    let radius = query.radius.parse::<u8>().ok().filter(|radius| *radius <= MOST_RADIUS);
    let radius = radius.map(|radius| format!("--cupo-radius:{radius}px;")).unwrap_or_default();
    format!(":root{{{accent}{radius}}}")
}

/// Lines and blocks that stand for the rest of the site.
fn outline() -> impl IntoView {
    view! {
        <div class="preview-site" aria-hidden="true">
            <div class="preview-top"><i></i><span><i></i><i></i><i></i></span></div>
            <div class="preview-lines"><i></i><i></i><i></i></div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::ShellAssets;

    fn page(query: &PreviewQuery) -> String {
        let address = |name: &str| format!("/assets/{name}");
        let assets = ShellAssets {
            app_js: address("app.js"),
            app_wasm: address("app.wasm"),
            app_css: address("app.css"),
            embed_js: "/embed.js".to_owned(),
        };
        let context = PublicContext { language: Locale::En.into(), assets, now: chrono::DateTime::UNIX_EPOCH };
        render_preview_page(&context, query, "n0nce")
    }

    fn query(way: &str) -> PreviewQuery {
        PreviewQuery {
            way: way.to_owned(),
            event: "acme/visit".to_owned(),
            theme: "dark".to_owned(),
            ..PreviewQuery::default()
        }
    }

    #[test]
    fn each_way_stands_on_the_page_as_a_site_would_have_it() {
        let inline = page(&query("inline"));
        assert!(inline.contains("<cupo-booking event=\"acme/visit\" theme=\"dark\">"), "{inline}");
        assert!(!inline.contains("data-floating") && !inline.contains("data-cupo-popup"), "{inline}");
        assert!(page(&query("popup")).contains("data-cupo-popup=\"acme/visit\""));
        assert!(page(&query("floating")).contains("data-floating=\"acme/visit\""));
        let full = page(&query("page"));
        assert!(full.contains(" full-page=\"\"") && !full.contains("preview-site"), "{full}");
        assert!(page(&query("link")).contains("href=\"/acme/visit\""));
    }

    #[test]
    fn what_is_no_event_no_color_and_no_number_leaves_no_trace() {
        let hostile = PreviewQuery {
            event: "\"><script>alert(1)</script>/x".to_owned(),
            text: "<b>".to_owned(),
            accent: "red}body{display:none".to_owned(),
            radius: "9;x:y".to_owned(),
            theme: "x\" onload=\"y".to_owned(),
            ..query("popup")
        };
        let page = page(&hostile);
        assert!(page.contains("<style nonce=\"n0nce\">:root{}</style>"), "{page}");
        assert!(!page.contains("alert") && !page.contains("<b>") && !page.contains("onload"), "{page}");
        let chosen = PreviewQuery { accent: "#7a1fa2".to_owned(), radius: "4".to_owned(), ..query("inline") };
        assert!(self::page(&chosen).contains(":root{--cupo-accent:#7a1fa2;--cupo-radius:4px;}"));
    }
}
