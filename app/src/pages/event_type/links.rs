//! Links that book once.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::booking_links::{BookingLinkDelete, BookingLinkMake, BookingLinkRow, booking_links};
use crate::parts::fields::{Copyable, FormEnd, TextField};
use crate::parts::form::{FormState, successes};
use crate::parts::icons;
use crate::text::t;

/// With a script the list is asked for again after each change; without one the page is.
#[component]
pub(super) fn Links(event_type: String, stored: Vec<BookingLinkRow>, made: Option<String>) -> impl IntoView {
    let (make, delete) = (ServerAction::<BookingLinkMake>::new(), ServerAction::<BookingLinkDelete>::new());
    let (form, deleting) = (FormState::of(make), FormState::of(delete));
    let (was_made, was_deleted) = (successes(make), successes(delete));
    let rows = RwSignal::new(stored);
    let id = event_type.clone();
    Effect::new(move |before: Option<(usize, usize)>| {
        let changes = (was_made.get(), was_deleted.get());
        if before.is_some_and(|before| before != changes) {
            let event_type = id.clone();
            leptos::task::spawn_local(async move {
                if let Ok(fresh) = booking_links(event_type).await {
                    rows.set(fresh);
                }
            });
        }
        changes
    });
    let value = make.value();
    let url = Signal::derive(move || match value.get() {
        Some(Ok(url)) => Some(url),
        _ => made.clone(),
    });
    let booked = event_type.clone();
    view! {
        <section class="stack apart" id="links" aria-labelledby="links-title">
            <div class="section-lead">
                <h2 id="links-title">{t("dashboard.links")}</h2>
                <p class="hint">{t("dashboard.links_text")}</p>
            </div>
            <ActionForm action=make>
                <input type="hidden" name="form[event_type]" value=booked/>
                <div class="card making">
                    <TextField
                        form
                        name="days"
                        label=t("dashboard.link_days")
                        hint=t("dashboard.link_days_hint").to_owned()
                        kind="number"
                        value="14"
                        suffix=t("dashboard.days")
                        may_be_empty=true
                        scope="link"
                    />
                    <FormEnd form submit=t("dashboard.make_link")/>
                </div>
            </ActionForm>
            <div role="status">
                {move || url.get().map(|url| view! { <Made url/> })}
            </div>
            <div role="alert">{move || deleting.message().map(|message| view! { <p class="notice notice-error">{message}</p> })}</div>
            {move || {
                let event_type = event_type.clone();
                (!rows.read().is_empty())
                    .then(|| {
                        view! {
                            <ul class="card list">
                                <For each=move || rows.get() key=|row| (row.id.clone(), row.is_open) let:row>
                                    <Link row delete event_type=event_type.clone()/>
                                </For>
                            </ul>
                        }
                    })
            }}
        </section>
    }
    .into_any()
}

#[component]
fn Made(url: String) -> impl IntoView {
    view! {
        <div class="notice notice-success">
            {icons::check()}
            <div class="made-link">
                <p>{t("dashboard.link_is_made")}</p>
                <Copyable label=t("dashboard.link") text=url id="made-link"/>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Link(row: BookingLinkRow, delete: ServerAction<BookingLinkDelete>, event_type: String) -> impl IntoView {
    let appointment = row.appointment.map(|id| format!("/dashboard/appointments/{id}"));
    view! {
        <li class:is-off=!row.is_open>
            <div>
                <strong>{row.state}</strong>
                <small>{row.made}</small>
                {appointment.map(|href| view! { <a href=href>{t("dashboard.open_appointment")}</a> })}
            </div>
            <ActionForm action=delete>
                <input type="hidden" name="id" value=row.id/>
                <input type="hidden" name="event_type" value=event_type/>
                <button type="submit" class="button button-quiet button-icon" aria-label=t("dashboard.delete_link")>
                    {icons::cross()}
                </button>
            </ActionForm>
        </li>
    }
    .into_any()
}
