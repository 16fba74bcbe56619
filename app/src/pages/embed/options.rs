//! What can be chosen: the way, the event type, and what is a matter of taste.

use cupo_core::text::Locale;
use leptos::prelude::*;

use super::Chosen;
use super::snippet::{Platform, Way};
use crate::api::event_types::EventTypeRow;
use crate::parts::icons;
use crate::text::t;

/// The options as a form: without a script it is sent, with one each change is followed at once.
#[component]
pub(super) fn Options(chosen: Chosen, event_types: Vec<EventTypeRow>) -> impl IntoView {
    let events = event_types.into_iter().map(|row| (row.path, row.title)).collect();
    let themes = vec![
        (String::new(), t("dashboard.embed_theme_own").to_owned()),
        ("light".to_owned(), t("dashboard.embed_scheme_light").to_owned()),
        ("dark".to_owned(), t("dashboard.embed_scheme_dark").to_owned()),
        ("page".to_owned(), t("dashboard.embed_scheme_page").to_owned()),
    ];
    let views = vec![
        (String::new(), t("dashboard.embed_view_month").to_owned()),
        ("week".to_owned(), t("dashboard.embed_view_week").to_owned()),
        ("list".to_owned(), t("dashboard.embed_view_list").to_owned()),
    ];
    let mut languages = vec![(String::new(), t("dashboard.embed_language_page").to_owned())];
    languages.extend(Locale::ALL.into_iter().map(|locale| (locale.as_str().to_owned(), locale.name().to_owned())));
    let sides = vec![
        (String::new(), t("dashboard.embed_side_usual").to_owned()),
        ("left".to_owned(), t("dashboard.embed_side_left").to_owned()),
        ("right".to_owned(), t("dashboard.embed_side_right").to_owned()),
    ];
    let has_text = move || matches!(chosen.way.get(), Way::Popup | Way::Floating | Way::Link);
    let is_floating = move || chosen.way.get() == Way::Floating;
    let has_calendar = move || chosen.way.get() != Way::Link;
    view! {
        <form method="get" action="/dashboard/embed" class="card embed-options" id="embed-options">
            <fieldset class="ways">
                <legend>{t("dashboard.embed_way")}</legend>
                {Way::ALL
                    .into_iter()
                    .map(|way| {
                        let (name, text) = told(way);
                        view! {
                            <label class="choice way">
                                <input
                                    type="radio"
                                    name="way"
                                    value=way.as_str()
                                    checked=way == chosen.way.get_untracked()
                                    on:change=move |_| chosen.way.set(way)
                                />
                                <span>{name} <small>{text}</small></span>
                                {drawing(way)}
                            </label>
                        }
                    })
                    .collect_view()}
            </fieldset>
            <Select name="event" label=t("dashboard.event_type") options=events value=chosen.event/>
            <div class="field" hidden=move || !has_text()>
                <label for="embed-text">{t("dashboard.embed_text")}</label>
                <div class="control">
                    <input
                        id="embed-text"
                        name="text"
                        type="text"
                        maxlength="80"
                        autocomplete="off"
                        value=chosen.text.get_untracked()
                        on:change=move |event| chosen.text.set(event_target_value(&event))
                    />
                </div>
            </div>
            <div hidden=move || !is_floating()>
                <Select name="side" label=t("dashboard.embed_side") options=sides value=chosen.side/>
            </div>
            <div class="embed-pair" hidden=move || !has_calendar()>
                <Select name="theme" label=t("dashboard.embed_scheme") options=themes value=chosen.theme/>
                <Select name="view" label=t("dashboard.embed_view") options=views value=chosen.view/>
            </div>
            <Select name="language" label=t("dashboard.embed_language") options=languages value=chosen.lang/>
            <button type="submit" class="button unscripted">{t("dashboard.show")}</button>
        </form>
    }
    .into_any()
}

/// What a way is called, and for whom it is.
fn told(way: Way) -> (&'static str, &'static str) {
    match way {
        Way::Inline => (t("dashboard.embed_way_inline"), t("dashboard.embed_way_inline_text")),
        Way::Popup => (t("dashboard.embed_way_popup"), t("dashboard.embed_way_popup_text")),
        Way::Floating => (t("dashboard.embed_way_floating"), t("dashboard.embed_way_floating_text")),
        Way::Page => (t("dashboard.embed_way_page"), t("dashboard.embed_way_page_text")),
        Way::Link => (t("dashboard.embed_way_link"), t("dashboard.embed_way_link_text")),
    }
}

/// A page in small, with the calendar on it in the accent's color.
fn drawing(way: Way) -> impl IntoView {
    let (page, calendar) = match way {
        Way::Inline => ("M6 8h20M6 13h14", "M6 18h36v12H6z"),
        Way::Popup => ("M6 8h20M6 13h36M6 18h36M6 23h36M6 28h20", "M14 10h20v16H14z"),
        Way::Floating => ("M6 8h20M6 13h36M6 18h36M6 23h18", "M30 24h12v7H30z"),
        Way::Page => ("", "M5 5h38v26H5z"),
        Way::Link => ("M6 8h20M6 13h36M6 24h36M6 29h20", "M6 17.5h18v2H6z"),
    };
    view! {
        <svg class="way-drawing" viewBox="0 0 48 36" width="48" height="36" aria-hidden="true" focusable="false">
            <rect class="way-frame" x="1" y="1" width="46" height="34" rx="4"></rect>
            <path class="way-page" d=page></path>
            <path class="way-calendar" d=calendar></path>
        </svg>
    }
}

#[component]
fn Select(
    name: &'static str,
    label: &'static str,
    options: Vec<(String, String)>,
    value: RwSignal<String>,
) -> impl IntoView {
    let id = format!("embed-{name}");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <div class="select">
                <select id=id name=name on:change=move |event| value.set(event_target_value(&event))>
                    {options
                        .into_iter()
                        .map(|(option, text)| {
                            let selected = option == value.get_untracked();
                            view! { <option value=option selected=selected>{text}</option> }
                        })
                        .collect_view()}
                </select>
                {icons::chevron_down()}
            </div>
        </div>
    }
    .into_any()
}

/// Desktop or phone, for the preview.
#[component]
pub(super) fn Widths(is_narrow: RwSignal<bool>) -> impl IntoView {
    let width = move |narrow: bool, text: &'static str| {
        view! {
            <label>
                <input
                    type="radio"
                    name="width"
                    checked=narrow == is_narrow.get_untracked()
                    on:change=move |_| is_narrow.set(narrow)
                />
                <span>{text}</span>
            </label>
        }
    };
    view! {
        <fieldset class="segments scripted">
            <legend class="visually-hidden">{t("dashboard.embed_width")}</legend>
            {width(false, t("dashboard.embed_wide"))}
            {width(true, t("dashboard.embed_narrow"))}
        </fieldset>
    }
    .into_any()
}

/// What the site is made with. It belongs to the form of the options.
#[component]
pub(super) fn Platforms(platform: RwSignal<Platform>) -> impl IntoView {
    let name = |platform: Platform| match platform {
        Platform::Html => t("dashboard.embed_html"),
        Platform::WordPress => "WordPress",
        Platform::Webflow => "Webflow",
        Platform::Squarespace => "Squarespace",
        Platform::React => "React",
        Platform::TagManager => "Google Tag Manager",
    };
    view! {
        <fieldset class="segments">
            <legend class="visually-hidden">{t("dashboard.embed_platform")}</legend>
            {Platform::ALL
                .into_iter()
                .map(|it| {
                    view! {
                        <label>
                            <input
                                type="radio"
                                name="platform"
                                form="embed-options"
                                value=it.as_str()
                                checked=it == platform.get_untracked()
                                on:change=move |_| platform.set(it)
                            />
                            <span>{name(it)}</span>
                        </label>
                    }
                })
                .collect_view()}
        </fieldset>
    }
    .into_any()
}
