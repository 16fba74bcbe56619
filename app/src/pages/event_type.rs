//! One event type: making it, changing it, removing it.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::api::event_types::{EventTypeDelete, EventTypeDetail, EventTypeForm, EventTypeSave, event_type};
use crate::parts::fields::{Confirm, Copyable, FormEnd, SelectField, TextArea, TextField};
use crate::parts::form::FormState;
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::text::t;

#[component]
pub(crate) fn EventTypePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let detail = Resource::new_blocking(move || id.get(), event_type);
    let save = ServerAction::<EventTypeSave>::new();
    let delete = ServerAction::<EventTypeDelete>::new();
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href="/dashboard/event-types">{icons::chevron_left()} <span>{t("dashboard.event_types")}</span></a>
        </nav>
        {loaded(detail, move |detail: EventTypeDetail| {
            let EventTypeDetail { form: stored, url, url_base, can_meet } = detail;
            let id = stored.id.clone();
            let title = if id.is_empty() { t("dashboard.new_event_type").to_owned() } else { stored.title.clone() };
            view! {
                <PageHead title/>
                {url
                    .map(|url| {
                        view! {
                            <section class="card">
                                <Copyable label=t("dashboard.public_link") text=url id="public-url"/>
                            </section>
                        }
                    })}
                <ActionForm action=save>
                    <div class="stack">
                        <Fields form=FormState::of(save) stored url_base can_meet/>
                        <FormEnd form=FormState::of(save) submit=t("dashboard.save")>
                            <a class="button" href="/dashboard/event-types">{t("dashboard.back")}</a>
                        </FormEnd>
                    </div>
                </ActionForm>
                {(!id.is_empty()).then(|| view! { <Delete action=delete id/> })}
            }
        })}
    }
    .into_any()
}

#[component]
fn Fields(form: FormState, stored: EventTypeForm, url_base: String, can_meet: bool) -> impl IntoView {
    let active = form.start_value("is_active", stored.is_active) == "on";
    let units = [("minutes", t("dashboard.minutes")), ("hours", t("dashboard.hours")), ("days", t("dashboard.days"))];
    let units = units.map(|(value, text)| (value.to_owned(), text.to_owned())).to_vec();
    view! {
        <input type="hidden" name="form[id]" value=stored.id/>
        <section class="card stack" aria-labelledby="what">
            <h2 id="what">{t("dashboard.what")}</h2>
            <TextField form name="title" label=t("dashboard.title") value=stored.title autocomplete="off"/>
            <TextField
                form
                name="slug"
                label=t("dashboard.address")
                value=stored.slug
                prefix=url_base.split_once("://").map_or(url_base.clone(), |(_, rest)| rest.to_owned())
                hint=t("dashboard.address_hint").to_owned()
                is_optional=true
                autocomplete="off"
            />
            <TextArea
                form
                name="description"
                label=t("dashboard.description")
                value=stored.description
                hint=t("dashboard.description_hint").to_owned()
                is_optional=true
            />
        </section>
        <Where form kind=stored.location_kind detail=stored.location_detail can_meet/>
        <section class="card stack" aria-labelledby="when">
            <h2 id="when">{t("dashboard.when")}</h2>
            <div class="columns">
                <TextField
                    form
                    name="duration_minutes"
                    label=t("dashboard.duration")
                    kind="number"
                    value=stored.duration_minutes
                    suffix="min"
                />
                <TextField
                    form
                    name="increment_minutes"
                    label=t("dashboard.increment")
                    kind="number"
                    value=stored.increment_minutes
                    suffix="min"
                />
                <TextField
                    form
                    name="buffer_before_minutes"
                    label=t("dashboard.buffer_before")
                    kind="number"
                    value=stored.buffer_before_minutes
                    suffix="min"
                />
                <TextField
                    form
                    name="buffer_after_minutes"
                    label=t("dashboard.buffer_after")
                    kind="number"
                    value=stored.buffer_after_minutes
                    suffix="min"
                />
            </div>
            <p class="hint">{t("dashboard.buffer_hint")}</p>
            <div class="columns">
                <div class="pair">
                    <TextField form name="notice" label=t("dashboard.notice") kind="number" value=stored.notice/>
                    <SelectField form name="notice_unit" label=t("dashboard.notice_unit") options=units value=stored.notice_unit/>
                </div>
                <TextField
                    form
                    name="window_days"
                    label=t("dashboard.window")
                    kind="number"
                    value=stored.window_days
                    suffix=t("dashboard.days")
                />
            </div>
            <p class="hint">{t("dashboard.notice_hint")}</p>
        </section>
        <label class="choice card">
            <input type="checkbox" name="form[is_active]" value="on" checked=active/>
            <span>{t("dashboard.active")} <small>{t("dashboard.active_text")}</small></span>
        </label>
    }
    .into_any()
}

/// The style sheet shows the hint of the chosen kind, and no detail for a Meet link.
#[component]
fn Where(form: FormState, kind: String, detail: String, can_meet: bool) -> impl IntoView {
    let kind = form.start_value("location_kind", kind);
    let choices = [
        ("meet", t("dashboard.location_meet"), t("dashboard.location_meet_text")),
        ("phone", t("dashboard.location_phone"), t("dashboard.location_phone_text")),
        ("address", t("dashboard.location_address"), t("dashboard.location_address_text")),
        ("link", t("dashboard.location_link"), t("dashboard.location_link_text")),
    ];
    view! {
        <section class="card stack where" aria-labelledby="where">
            <h2 id="where">{t("dashboard.where")}</h2>
            <div class="choices" role="radiogroup" aria-labelledby="where">
                {choices
                    .into_iter()
                    .map(|(value, text, explained)| {
                        view! {
                            <label class="choice">
                                <input type="radio" name="form[location_kind]" value=value checked=kind == value/>
                                {icons::location(value)}
                                <span>{text} <small>{explained}</small></span>
                            </label>
                        }
                    })
                    .collect_view()}
            </div>
            {(!can_meet)
                .then(|| {
                    view! {
                        <p class="notice notice-warning for-meet">
                            {icons::warning()} <span>{t("dashboard.meet_needs_calendar")}</span>
                            <a href="/dashboard/calendars">{t("dashboard.calendars")}</a>
                        </p>
                    }
                })}
            <div class="detail">
                <TextField
                    form
                    name="location_detail"
                    label=t("dashboard.location_detail")
                    value=detail
                    hint=t("dashboard.location_detail_hint").to_owned()
                    is_optional=true
                    autocomplete="off"
                />
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Delete(action: ServerAction<EventTypeDelete>, id: String) -> impl IntoView {
    let form = FormState::of(action);
    view! {
        <section class="quiet-section">
            <div role="alert">{move || form.message().map(|message| view! { <p class="notice notice-error">{message}</p> })}</div>
            <Confirm label=t("dashboard.delete_event_type") question=t("dashboard.delete_event_type_question")>
                <ActionForm action>
                    <input type="hidden" name="id" value=id/>
                    <button type="submit" class="button button-danger">{t("dashboard.delete_confirm")}</button>
                </ActionForm>
            </Confirm>
        </section>
    }
    .into_any()
}
