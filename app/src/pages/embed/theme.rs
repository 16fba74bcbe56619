//! How all calendars of the organization look.

use cupo_core::theme::{MOST_RADIUS, Scheme};
use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;

use super::Chosen;
use crate::api::embed::{ThemeForm, ThemeSave};
use crate::parts::fields::{FormEnd, Problem, input_name};
use crate::parts::form::FormState;
use crate::text::t;

#[component]
pub(super) fn Look(chosen: Chosen, save: ServerAction<ThemeSave>, theme: ThemeForm, is_admin: bool) -> impl IntoView {
    let form = FormState::of(save);
    // What was typed before a refusal goes first.
    chosen.accent.set(form.start_value("accent", theme.accent));
    chosen.scheme.set(form.start_value("scheme", theme.scheme));
    chosen.radius.set(form.start_value("radius", theme.radius));
    let scheme = move |scheme: Scheme, text: &'static str| {
        let is_chosen = scheme.as_str() == chosen.scheme.get_untracked();
        view! {
            <label>
                <input
                    type="radio"
                    name=input_name("scheme")
                    value=scheme.as_str()
                    checked=is_chosen
                    on:change=move |_| chosen.scheme.set(scheme.as_str().to_owned())
                />
                <span>{text}</span>
            </label>
        }
    };
    view! {
        <section class="card stack" aria-labelledby="look">
            <h2 id="look">{t("dashboard.embed_look")}</h2>
            <p class="hint">{t("dashboard.embed_look_text")}</p>
            {if is_admin {
                Either::Left(view! {
                    <ActionForm action=save>
                        <div class="embed-look">
                            <div class="field">
                                <label for="accent">{t("dashboard.embed_accent")}</label>
                                <div class="swatch">
                                    <input
                                        id="accent"
                                        name=input_name("accent")
                                        type="color"
                                        value=chosen.accent.get_untracked()
                                        on:change=move |event| chosen.accent.set(event_target_value(&event))
                                    />
                                    <code>{move || chosen.accent.get()}</code>
                                </div>
                                <Problem form name="accent"/>
                            </div>
                            <div class="field">
                                <label for="radius">{t("dashboard.embed_radius")}</label>
                                <div class="slider">
                                    <input
                                        id="radius"
                                        name=input_name("radius")
                                        type="range"
                                        min="0"
                                        max=MOST_RADIUS.to_string()
                                        step="2"
                                        value=chosen.radius.get_untracked()
                                        on:change=move |event| chosen.radius.set(event_target_value(&event))
                                    />
                                    <output for="radius">{move || chosen.radius.get()} " px"</output>
                                </div>
                                <Problem form name="radius"/>
                            </div>
                            <fieldset class="field embed-scheme">
                                <legend>{t("dashboard.embed_scheme")}</legend>
                                <div class="segments">
                                    {scheme(Scheme::Auto, t("dashboard.embed_scheme_auto"))}
                                    {scheme(Scheme::Light, t("dashboard.embed_scheme_light"))}
                                    {scheme(Scheme::Dark, t("dashboard.embed_scheme_dark"))}
                                    {scheme(Scheme::Page, t("dashboard.embed_scheme_page"))}
                                </div>
                                <Problem form name="scheme"/>
                            </fieldset>
                        </div>
                        <FormEnd form submit=t("dashboard.embed_look_save")/>
                    </ActionForm>
                })
            } else {
                Either::Right(view! { <p>{t("dashboard.embed_look_of_admins")}</p> })
            }}
        </section>
    }
    .into_any()
}
