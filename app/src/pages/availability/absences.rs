//! Time off.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::Refusal;
use crate::api::absences::{AbsenceDelete, AbsenceForm, AbsenceRow, AbsenceSave};
use crate::parts::fields::{FormEnd, TextField};
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::{t, tf};

#[component]
pub(super) fn Absences(
    rows: Vec<AbsenceRow>,
    save: ServerAction<AbsenceSave>,
    delete: ServerAction<AbsenceDelete>,
) -> impl IntoView {
    let form = FormState::of(save);
    let open = form.message().is_some();
    view! {
        <section class="stack" aria-labelledby="absences">
            <div class="section-lead">
                <h2 id="absences">{t("dashboard.absences")}</h2>
                <p class="hint">{t("dashboard.absences_text")}</p>
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
            <details class="adding" open=open>
                <summary class="button">{icons::plus()} <span>{t("dashboard.add_absence")}</span></summary>
                <ActionForm action=save>
                    <Fields form/>
                </ActionForm>
            </details>
        </section>
    }
    .into_any()
}

#[component]
fn Row(row: AbsenceRow, delete: ServerAction<AbsenceDelete>) -> impl IntoView {
    let remove = tf("dashboard.remove_named", &[("name", &row.when)]);
    view! {
        <li>
            <div>
                <strong>{row.when}</strong>
                {(!row.note.is_empty()).then(|| view! { <small>{row.note}</small> })}
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
fn Fields(form: FormState) -> impl IntoView {
    let typed = form.start(AbsenceForm::default());
    view! {
        <div class="card stack">
            <div class="columns">
                <div class="pair">
                    <TextField form name="first_date" label=t("dashboard.first_day") kind="date" value=typed.first_date/>
                    <TextField
                        form
                        name="first_time"
                        label=t("dashboard.first_time")
                        kind="time"
                        value=typed.first_time
                        may_be_empty=true
                    />
                </div>
                <div class="pair">
                    <TextField
                        form
                        name="last_date"
                        label=t("dashboard.last_day")
                        kind="date"
                        value=typed.last_date
                        may_be_empty=true
                    />
                    <TextField
                        form
                        name="last_time"
                        label=t("dashboard.last_time")
                        kind="time"
                        value=typed.last_time
                        may_be_empty=true
                    />
                </div>
            </div>
            <p class="hint">{t("dashboard.absence_hint")}</p>
            <TextField form name="note" label=t("dashboard.note") value=typed.note is_optional=true autocomplete="off"/>
            <FormEnd form submit=t("dashboard.add_absence")/>
        </div>
    }
    .into_any()
}
