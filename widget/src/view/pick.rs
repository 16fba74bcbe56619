//! The first step: the month as a grid by the ARIA Authoring Practices' date-picker pattern, and the times of a day.

use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::{icon, no_times, notice, offset_label};
use crate::browser;
use crate::calendar::{Day, format_instant, parse_instant};
use crate::state::{Action, Movement};
use crate::widget::Widget;

pub fn step(widget: Widget) -> AnyView {
    view! {
        <div class="pick">
            {notice(widget)}
            <div class="calendar">
                <div class="month">
                    <h3 id="month" aria-live="polite">
                        {move || {
                            let month = widget.read(|state| state.month);
                            widget.format(|formats| formats.month(month))
                        }}
                    </h3>
                    {turn(widget, -1, "previous_month", icon::BACK)}
                    {turn(widget, 1, "next_month", icon::FORTH)}
                </div>
                <div
                    class="grid"
                    role="grid"
                    aria-labelledby="month"
                    aria-busy=move || widget.read(|state| state.is_loading()).then_some("true")
                    on:click=move |event: MouseEvent| {
                        if let Some(day) = attribute(&event, "data-day").and_then(|day| Day::parse(&day)) {
                            widget.send(Action::ShowDay(day));
                        }
                    }
                    on:keydown=move |event: KeyboardEvent| {
                        if let Some(movement) = movement(&event) {
                            event.prevent_default();
                            widget.send(Action::Move { movement, week_start: widget.week_start });
                        }
                    }
                >
                    {head(widget)}
                    {move || weeks(widget)}
                </div>
            </div>
            <div class="times">{move || times(widget)}</div>
            {zone(widget)}
        </div>
    }
    .into_any()
}

fn turn(widget: Widget, months: i32, label: &str, path: &'static str) -> AnyView {
    view! {
        <button
            type="button"
            class="turn"
            aria-label=widget.text(label)
            disabled=move || !widget.read(|state| state.can_turn(months))
            on:click=move |_| widget.send(Action::Turn { months })
        >
            {icon(path)}
        </button>
    }
    .into_any()
}

fn head(widget: Widget) -> AnyView {
    let names = (0..7).map(|column| {
        let (short, full) = widget.weekday((widget.week_start + column) % 7);
        view! { <div role="columnheader" aria-label=full>{short}</div> }
    });
    view! { <div class="week head" role="row">{names.collect::<Vec<_>>()}</div> }.into_any()
}

/// Everything that a day's cell shows.
struct Cell {
    day: Day,
    is_free: bool,
    is_chosen: bool,
    has_tab_stop: bool,
    is_today: bool,
}

fn weeks(widget: Widget) -> AnyView {
    let weeks = widget.read(|state| {
        let free = state.free_days(state.month);
        let cell = |day: Day| Cell {
            day,
            is_free: free.contains(&day),
            is_chosen: state.day == Some(day),
            has_tab_stop: state.cursor == day,
            is_today: state.today == day,
        };
        let weeks = state.month.weeks(widget.week_start).into_iter();
        weeks.map(|week| week.map(|day| day.map(cell))).collect::<Vec<_>>()
    });
    let week = |week: [Option<Cell>; 7]| {
        let days: Vec<_> =
            week.into_iter().map(|cell| cell.map_or_else(outside, |cell| inside(widget, cell))).collect();
        view! { <div class="week" role="row">{days}</div> }
    };
    weeks.into_iter().map(week).collect::<Vec<_>>().into_any()
}

fn outside() -> AnyView {
    view! { <div role="gridcell"></div> }.into_any()
}

fn inside(widget: Widget, cell: Cell) -> AnyView {
    let label = widget.format(|formats| formats.day(cell.day));
    view! {
        <div role="gridcell" aria-selected=cell.is_chosen.then_some("true")>
            <button
                type="button"
                class="day"
                data-day=cell.day.iso()
                tabindex=if cell.has_tab_stop { "0" } else { "-1" }
                aria-label=label
                aria-disabled=(!cell.is_free).then_some("true")
                aria-current=cell.is_today.then_some("date")
            >
                {cell.day.civil().2.to_string()}
            </button>
        </div>
    }
    .into_any()
}

fn times(widget: Widget) -> AnyView {
    let (day, starts, zone, month, loading, failed, can_go_on) = widget.read(|state| {
        let starts = state.day.map(|day| state.starts_of(day)).unwrap_or_default();
        let failed = state.shown().is_some_and(|known| known.failed);
        (state.day, starts, state.zone.clone(), state.month, state.is_loading(), failed, state.can_turn(1))
    });
    let Some(day) = day.filter(|_| !starts.is_empty()) else {
        return if loading {
            view! { <p class="unseen">{widget.text("loading")}</p> <div class="list waiting" aria-hidden="true"></div> }
                .into_any()
        } else if failed {
            hint(widget, widget.text("slots_failed"), Some(("retry", Action::Retry)))
        } else {
            hint(widget, no_times(widget, month), can_go_on.then_some(("next_free", Action::Seek)))
        };
    };
    let slots = starts.into_iter().map(|start| {
        view! { <button type="button" class="slot" data-start=format_instant(start)>{widget.time(start, &zone)}</button> }
    });
    view! {
        <h3 id="day">{widget.format(|formats| formats.day(day))}</h3>
        <div
            class="list"
            role="group"
            aria-labelledby="day"
            on:click=move |event: MouseEvent| {
                if let Some(start) = attribute(&event, "data-start").and_then(|start| parse_instant(&start)) {
                    widget.send(Action::Pick(start));
                }
            }
        >
            {slots.collect::<Vec<_>>()}
        </div>
    }
    .into_any()
}

/// A sentence where the times would stand, and a way on.
fn hint(widget: Widget, text: String, way: Option<(&'static str, Action)>) -> AnyView {
    let way = way.map(|(label, action)| {
        view! {
            <button type="button" class="plain" on:click=move |_| widget.send(action.clone())>{widget.text(label)}</button>
        }
    });
    view! { <div class="hint"><p>{text}</p>{way}</div> }.into_any()
}

/// The visitor's zone, to be changed, and its offset now.
fn zone(widget: Widget) -> AnyView {
    let names = RwSignal::new(Vec::new());
    // Hundreds of options are of no use at first sight, and the first slots are.
    leptos::task::spawn_local(async move {
        browser::pause(300).await;
        let _gone = names.try_set(browser::zone_names());
    });
    let current = widget.memo(|state| state.zone.name.clone());
    let options = move || {
        let (current, mut names) = (current.get(), names.get());
        if !names.contains(&current) {
            names.insert(0, current.clone());
        }
        let option = |name: String| {
            view! { <option value=name.clone() prop:selected=name == current>{name.replace('_', " ")}</option> }
        };
        names.into_iter().map(option).collect::<Vec<_>>()
    };
    view! {
        <label class="zone">
            {icon(icon::GLOBE)}
            <span class="unseen">{widget.text("time_zone")}</span>
            <select on:change=move |event: Event| widget.relocate(&event_target_value(&event))>{options}</select>
            <span class="offset">{move || widget.read(|state| offset_label(state.zone.offset(browser::present())))}</span>
        </label>
    }
    .into_any()
}

fn movement(event: &KeyboardEvent) -> Option<Movement> {
    let months = if event.shift_key() { 12 } else { 1 };
    Some(match event.key().as_str() {
        "ArrowLeft" => Movement::Days(-1),
        "ArrowRight" => Movement::Days(1),
        "ArrowUp" => Movement::Days(-7),
        "ArrowDown" => Movement::Days(7),
        "PageUp" => Movement::Months(-months),
        "PageDown" => Movement::Months(months),
        "Home" => Movement::WeekStart,
        "End" => Movement::WeekEnd,
        _ => return None,
    })
}

/// An attribute of the element that was clicked, or of the nearest one around it.
fn attribute(event: &MouseEvent, name: &str) -> Option<String> {
    let target: Element = event.target()?.dyn_into().ok()?;
    target.closest(&["[", name, "]"].concat()).ok()??.get_attribute(name)
}
