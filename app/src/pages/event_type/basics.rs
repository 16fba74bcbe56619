//! What everybody sets: what it is, where it takes place, how long it is and how far ahead it is offered.

use leptos::prelude::*;

use crate::api::event_type::{EventTypeForm, MeetingGap};
use crate::parts::fields::{SelectField, TextArea, TextField};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::t;

/// The units of a notice.
pub(super) fn units() -> Vec<(String, String)> {
    let units = [("minutes", t("dashboard.minutes")), ("hours", t("dashboard.hours")), ("days", t("dashboard.days"))];
    options(&units)
}

pub(super) fn options(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    texts.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned())).collect()
}

#[component]
pub(super) fn What(form: FormState, stored: EventTypeForm, url_base: String) -> impl IntoView {
    view! {
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
    }
    .into_any()
}

/// The style sheet shows what is missing for the chosen kind, and no detail for a meeting that is made with the event.
#[component]
pub(super) fn Where(form: FormState, kind: String, detail: String, gaps: Vec<MeetingGap>) -> impl IntoView {
    let choices = [
        ("meet", t("dashboard.location_meet"), t("dashboard.location_meet_text")),
        ("teams", t("dashboard.location_teams"), t("dashboard.location_meet_text")),
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
            {gaps
                .into_iter()
                .map(|gap| {
                    view! {
                        <p class=format!("notice notice-warning for-{}", gap.kind)>
                            {icons::warning()} <span>{gap.text}</span>
                            <a href="#hosts">{t("dashboard.target_calendar")}</a>
                            <a href="/dashboard/calendars">{t("dashboard.calendars")}</a>
                        </p>
                    }
                })
                .collect_view()}
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

/// The style sheet shows the fields of the chosen window.
#[component]
pub(super) fn When(form: FormState, stored: EventTypeForm) -> impl IntoView {
    view! {
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
            <div class="columns wide">
                <div class="pair">
                    <TextField form name="notice" label=t("dashboard.notice") kind="number" value=stored.notice/>
                    <SelectField
                        form
                        name="notice_unit"
                        label=t("dashboard.notice_unit")
                        options=units()
                        value=stored.notice_unit
                    />
                </div>
                <div class="pair window">
                    <SelectField
                        form
                        name="window_kind"
                        label=t("dashboard.window")
                        options=options(
                            &[
                                ("rolling_days", t("dashboard.window_rolling_days")),
                                ("business_days", t("dashboard.window_business_days")),
                                ("dates", t("dashboard.window_dates")),
                                ("open", t("dashboard.window_open")),
                            ],
                        )
                        value=stored.window_kind
                    />
                    <div class="for-days">
                        <TextField
                            form
                            name="window_days"
                            label=t("dashboard.window_days")
                            kind="number"
                            value=stored.window_days
                            may_be_empty=true
                        />
                    </div>
                    <div class="for-dates">
                        <TextField
                            form
                            name="window_first"
                            label=t("dashboard.first_day")
                            kind="date"
                            value=stored.window_first
                            may_be_empty=true
                        />
                        <TextField
                            form
                            name="window_last"
                            label=t("dashboard.last_day")
                            kind="date"
                            value=stored.window_last
                            may_be_empty=true
                        />
                    </div>
                </div>
            </div>
            <p class="hint">{t("dashboard.notice_hint")}</p>
        </section>
    }
    .into_any()
}
