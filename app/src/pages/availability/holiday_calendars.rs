//! Holiday calendars: subscribed or uploaded.

use leptos::form::ActionForm;
use leptos::html;
use leptos::prelude::*;

use super::Refusal;
use crate::api::holiday_calendars::{
    HolidayCalendarDelete, HolidayCalendarRow, HolidayCalendarSubscribe, HolidayCalendarUpload,
};
use crate::parts::fields::{FormEnd, TextArea, TextField};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::{t, tf};

#[component]
pub(super) fn HolidayCalendars(
    rows: Vec<HolidayCalendarRow>,
    subscribe: ServerAction<HolidayCalendarSubscribe>,
    upload: ServerAction<HolidayCalendarUpload>,
    delete: ServerAction<HolidayCalendarDelete>,
) -> impl IntoView {
    let (subscribing, uploading) = (FormState::of(subscribe), FormState::of(upload));
    let (subscribe_open, upload_open) = (subscribing.message().is_some(), uploading.message().is_some());
    view! {
        <section class="stack" aria-labelledby="holidays">
            <div class="section-lead">
                <h2 id="holidays">{t("dashboard.holiday_calendars")}</h2>
                <p class="hint">{t("dashboard.holiday_calendars_text")}</p>
            </div>
            <Refusal form=FormState::of(delete)/>
            {(!rows.is_empty())
                .then(|| {
                    view! {
                        <ul class="card list">
                            {rows.into_iter().map(|row| view! { <Row row delete/> }).collect_view()}
                        </ul>
                    }
                })}
            <div class="addings">
                <details class="adding" open=subscribe_open>
                    <summary class="button">{icons::link()} <span>{t("dashboard.subscribe_holidays")}</span></summary>
                    <ActionForm action=subscribe>
                        <Subscribe form=subscribing/>
                    </ActionForm>
                </details>
                <details class="adding" open=upload_open>
                    <summary class="button">{icons::plus()} <span>{t("dashboard.upload_holidays")}</span></summary>
                    <ActionForm action=upload>
                        <Upload form=uploading/>
                    </ActionForm>
                </details>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: HolidayCalendarRow, delete: ServerAction<HolidayCalendarDelete>) -> impl IntoView {
    let remove = tf("dashboard.remove_named", &[("name", &row.name)]);
    let source = match row.refreshed {
        Some(refreshed) => format!("{} · {refreshed}", row.source),
        None => row.source,
    };
    view! {
        <li>
            <div>
                <strong>{row.name}</strong>
                <span>{row.dates}</span>
                <small>{source}</small>
                {row.problem.map(|problem| view! { <small class="problem">{icons::warning()} {problem}</small> })}
            </div>
            <ActionForm action=delete>
                <input type="hidden" name="id" value=row.id/>
                <button type="submit" class="button button-quiet button-icon" aria-label=remove>{icons::cross()}</button>
            </ActionForm>
        </li>
    }
    .into_any()
}

#[component]
fn Subscribe(form: FormState) -> impl IntoView {
    view! {
        <div class="card stack">
            <TextField form name="name" label=t("dashboard.site_name") scope="subscribe" autocomplete="off"/>
            <TextField
                form
                name="url"
                label=t("dashboard.holidays_url")
                hint=t("dashboard.holidays_url_hint").to_owned()
                kind="url"
                scope="subscribe"
                autocomplete="off"
            />
            <FormEnd form submit=t("dashboard.subscribe_holidays")/>
        </div>
    }
    .into_any()
}

/// With a script a file is chosen and its text goes into the field; without one the text is pasted there.
#[component]
fn Upload(form: FormState) -> impl IntoView {
    let text = NodeRef::<html::Textarea>::new();
    let chosen = RwSignal::new(String::new());
    let choose = move |event: leptos::ev::Event| {
        crate::browser::read_file(&event, move |name, ics| {
            if let Some(text) = text.get_untracked() {
                text.set_value(&ics);
            }
            chosen.set(name);
        });
    };
    view! {
        <div class="card stack">
            <TextField form name="name" label=t("dashboard.site_name") scope="upload" autocomplete="off"/>
            <div class="field scripted">
                <label for="upload-file">{t("dashboard.holidays_file")}</label>
                <input id="upload-file" type="file" accept=".ics,text/calendar" on:change=choose/>
                <p class="hint" role="status">
                    {move || {
                        chosen.with(|name| (!name.is_empty()).then(|| tf("dashboard.holidays_file_read", &[("name", name)])))
                    }}
                </p>
            </div>
            <TextArea
                form
                name="ics"
                label=t("dashboard.holidays_text")
                hint=t("dashboard.holidays_text_hint").to_owned()
                rows=5
                scope="upload"
                placeholder="BEGIN:VCALENDAR"
                node_ref=text
            />
            <FormEnd form submit=t("dashboard.upload_holidays")/>
        </div>
    }
    .into_any()
}
