//! Rows of hours: of a day of the week, of a date.

use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::fields::input_name;
use super::icons;
use crate::api::schedule::IntervalRow;
use crate::text::{t, tf};

/// The rows that can be changed, each with its number. They are never renumbered: the numbers only keep the fields apart.
#[derive(Clone, Copy)]
pub(crate) struct HoursRows {
    rows: RwSignal<Vec<(usize, IntervalRow)>>,
    /// The number of the one row that is there without a script.
    spare: usize,
    next: StoredValue<usize>,
}

impl HoursRows {
    pub(crate) fn new(stored: Vec<IntervalRow>) -> Self {
        let spare = stored.len();
        Self { rows: RwSignal::new(stored.into_iter().enumerate().collect()), spare, next: StoredValue::new(spare + 1) }
    }

    fn add(self) {
        let number = self.next.get_value();
        self.next.set_value(number + 1);
        let row = if self.rows.with_untracked(Vec::is_empty) {
            IntervalRow { start: "09:00".to_owned(), end: "17:00".to_owned() }
        } else {
            IntervalRow::default()
        };
        self.rows.update(|rows| rows.push((number, row)));
    }

    fn remove(self, number: usize) {
        self.rows.update(|rows| rows.retain(|(kept, _)| *kept != number));
    }
}

/// The rows of a day, or that it has none.
#[component]
pub(crate) fn Hours(
    rows: HoursRows,
    /// The field that holds them, such as `monday`.
    name: String,
    /// What they are the hours of, for assistive technology.
    day: String,
) -> impl IntoView {
    view! {
        <For each=move || rows.rows.get() key=|(number, _)| *number let:row>
            <Interval name=name.clone() day=day.clone() row rows/>
        </For>
        {move || rows.rows.with(Vec::is_empty).then(|| view! { <p class="closed">{t("dashboard.closed")}</p> })}
    }
}

/// The button that adds a row; without a script it opens a spare one.
#[component]
pub(crate) fn AddHours(rows: HoursRows, name: String, day: String) -> impl IntoView {
    let add = move |event: MouseEvent| {
        event.prevent_default();
        rows.add();
    };
    view! {
        <details class="spare">
            <summary class="button button-quiet" on:click=add>
                {icons::plus()} <span>{t("dashboard.add_hours")}</span>
                <span class="visually-hidden">{day.clone()}</span>
            </summary>
            <Times name day number=rows.spare row=IntervalRow::default()/>
        </details>
    }
}

#[component]
fn Interval(name: String, day: String, row: (usize, IntervalRow), rows: HoursRows) -> impl IntoView {
    let (number, row) = row;
    let remove = tf("dashboard.remove_hours", &[("day", &day)]);
    view! {
        <div class="interval">
            <Times name day number row/>
            <button
                type="button"
                class="button button-quiet button-icon scripted"
                aria-label=remove
                on:click=move |_| rows.remove(number)
            >
                {icons::cross()}
            </button>
        </div>
    }
    .into_any()
}

#[component]
fn Times(name: String, day: String, number: usize, row: IntervalRow) -> impl IntoView {
    let day: &[(&str, &dyn std::fmt::Display)] = &[("day", &day)];
    let (start, end) = (RwSignal::new(row.start.clone()), RwSignal::new(row.end.clone()));
    view! {
        <span class="times">
            <input
                type="time"
                name=input_name(&format!("{name}.{number}.start"))
                value=row.start
                aria-label=tf("dashboard.hours_from", day)
                on:input=move |event| start.set(event_target_value(&event))
            />
            <span aria-hidden="true">"–"</span>
            <input
                type="time"
                name=input_name(&format!("{name}.{number}.end"))
                value=row.end
                aria-label=tf("dashboard.hours_to", day)
                on:input=move |event| end.set(event_target_value(&event))
            />
            <span class="overnight" role="status">
                {move || is_overnight(&start.read(), &end.read()).then(|| t("dashboard.next_day"))}
            </span>
        </span>
    }
    .into_any()
}

/// Whether an end, as `<input type=time>` writes it, lies on the day after. Midnight is the end of the day itself.
fn is_overnight(start: &str, end: &str) -> bool {
    !start.is_empty() && !end.is_empty() && end != "00:00" && end < start
}

#[cfg(test)]
mod tests {
    use super::is_overnight;

    #[test]
    fn an_end_before_the_start_lies_on_the_day_after() {
        for (start, end, overnight) in [
            ("22:00", "02:00", true),
            ("22:00", "00:00", false),
            ("09:00", "17:00", false),
            ("09:00", "09:00", false),
            ("", "02:00", false),
            ("22:00", "", false),
        ] {
            assert_eq!(is_overnight(start, end), overnight, "{start} {end}");
        }
    }
}
