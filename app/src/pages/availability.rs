//! Weekly hours and their zone.

use leptos::ev::MouseEvent;
use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::availability::{
    AvailabilityForm, AvailabilitySave, AvailabilityView, DayView, IntervalRow, availability, time_zones,
};
use crate::parts::fields::{FormEnd, SelectField};
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::{t, tf};

#[component]
pub(crate) fn AvailabilityPage() -> impl IntoView {
    let save = ServerAction::<AvailabilitySave>::new();
    let saved = successes(save);
    let data = Resource::new_blocking(
        move || saved.get(),
        |_| async move { Ok((availability().await?, time_zones().await?)) },
    );
    view! {
        <PageHead title=t("dashboard.availability") lead=t("dashboard.availability_lead")/>
        <PageNotice form=FormState::of(save)/>
        {loaded(data, move |(view, zones): (AvailabilityView, Vec<String>)| {
            let form = FormState::of(save);
            let view = after_refusal(form, view);
            let zones = zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " "))).collect();
            view! {
                <ActionForm action=save>
                    <div class="stack">
                        <section class="card">
                            <SelectField
                                form
                                name="time_zone"
                                label=t("dashboard.time_zone")
                                hint=t("dashboard.availability_zone_hint").to_owned()
                                options=zones
                                value=view.time_zone
                            />
                        </section>
                        <section class="card week" aria-labelledby="weekly">
                            <h2 id="weekly">{t("dashboard.weekly_hours")}</h2>
                            {view.days.into_iter().map(|day| view! { <Day form day/> }).collect_view()}
                        </section>
                        <FormEnd form submit=t("dashboard.save")/>
                    </div>
                </ActionForm>
            }
        })}
    }
    .into_any()
}

/// What was typed before a refusal without JavaScript, else what is stored.
fn after_refusal(form: FormState, stored: AvailabilityView) -> AvailabilityView {
    let typed = form.start_value("availability", "");
    let Ok(typed) = serde_json::from_str::<AvailabilityForm>(&typed) else { return stored };
    let days =
        [typed.monday, typed.tuesday, typed.wednesday, typed.thursday, typed.friday, typed.saturday, typed.sunday];
    let intervals = |rows: Vec<IntervalRow>| rows.into_iter().map(|row| (row.start, row.end)).collect();
    AvailabilityView {
        time_zone: typed.time_zone,
        days: stored
            .days
            .into_iter()
            .zip(days)
            .map(|(day, rows)| DayView { intervals: intervals(rows), ..day })
            .collect(),
    }
}

/// Rows are numbered and never renumbered: the numbers only keep the fields apart.
#[component]
fn Day(form: FormState, day: DayView) -> impl IntoView {
    let DayView { name, label, intervals } = day;
    let spare = intervals.len();
    let rows = RwSignal::new(intervals.into_iter().enumerate().collect::<Vec<_>>());
    let next = StoredValue::new(spare + 1);
    let add = move |event: MouseEvent| {
        event.prevent_default();
        let number = next.get_value();
        next.set_value(number + 1);
        let starts = rows.with_untracked(|rows| rows.last().map(|(_, (_, end))| end.clone()));
        let interval = match starts {
            None => ("09:00".to_owned(), "17:00".to_owned()),
            Some(_) => (String::new(), String::new()),
        };
        rows.update(|rows| rows.push((number, interval)));
    };
    let problem = {
        let field = format!("weekly_hours.{name}");
        move || form.problem(&field).map(|problem| view! { <p class="problem">{icons::warning()} {problem}</p> })
    };
    view! {
        <fieldset class="day">
            <legend>{label.clone()}</legend>
            <div class="rows">
                {
                    let (name, label) = (name.clone(), label.clone());
                    view! {
                        <For each=move || rows.get() key=|(number, _)| *number let:row>
                            <Interval name=name.clone() day=label.clone() row rows/>
                        </For>
                    }
                }
                {move || rows.with(Vec::is_empty).then(|| view! { <p class="closed">{t("dashboard.closed")}</p> })}
                {problem}
            </div>
            <details class="spare">
                <summary class="button button-quiet" on:click=add>
                    {icons::plus()} <span>{t("dashboard.add_hours")}</span>
                    <span class="visually-hidden">{label.clone()}</span>
                </summary>
                <Times name day=label number=spare start=String::new() end=String::new()/>
            </details>
        </fieldset>
    }
    .into_any()
}

type Rows = RwSignal<Vec<(usize, (String, String))>>;

#[component]
fn Interval(name: String, day: String, row: (usize, (String, String)), rows: Rows) -> impl IntoView {
    let (number, (start, end)) = row;
    let remove = tf("dashboard.remove_hours", &[("day", &day)]);
    view! {
        <div class="interval">
            <Times name day number start end/>
            <button
                type="button"
                class="button button-quiet button-icon scripted"
                aria-label=remove
                on:click=move |_| rows.update(|rows| rows.retain(|(kept, _)| *kept != number))
            >
                {icons::cross()}
            </button>
        </div>
    }
    .into_any()
}

#[component]
fn Times(name: String, day: String, number: usize, start: String, end: String) -> impl IntoView {
    let day: &[(&str, &dyn std::fmt::Display)] = &[("day", &day)];
    view! {
        <span class="times">
            <input
                type="time"
                name=format!("form[{name}][{number}][start]")
                value=start
                aria-label=tf("dashboard.hours_from", day)
            />
            <span aria-hidden="true">"–"</span>
            <input
                type="time"
                name=format!("form[{name}][{number}][end]")
                value=end
                aria-label=tf("dashboard.hours_to", day)
            />
        </span>
    }
    .into_any()
}
