//! The drawing of a day: the hours, what takes them, the offered slots; and the sentence for one moment of it.
//!
//! It is drawn in SVG with places in hundredths: the policy of the page allows no inline styles.

use leptos::ev::{MouseEvent, PointerEvent};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::Page;
use crate::api::why::{ChartBand, ChartMoment, ChartRow, ChartView};
use crate::parts::icons;
use crate::text::{t, tf};

/// More hours than these are drawn in a wider picture that is moved sideways.
const FITTING_HOURS: f64 = 13.0;

#[component]
pub(super) fn Chart(chart: ChartView, page: Page) -> impl IntoView {
    let ChartView { hours, ticks, now, offered, rows, moments } = chart;
    let start = first_shown(&moments, &page.query.at);
    let cursor = RwSignal::new(start);
    let last = moments.len().saturating_sub(1);
    let moments = StoredValue::new(moments);
    let drawn = StoredValue::new(rows.clone());
    let shown = Memo::new(move |_| moments.with_value(|moments| moments.get(cursor.get()).cloned()));
    let follow = move |event: PointerEvent| {
        if let Some(at) = moments.with_value(|moments| nearest(moments, crate::browser::place_within(&event)?)) {
            cursor.set(at);
        }
    };
    let navigate = use_navigate();
    let explain = {
        let page = page.clone();
        move |_: MouseEvent| {
            if let Some(moment) = shown.get_untracked() {
                let options = NavigateOptions { scroll: false, replace: true, ..NavigateOptions::default() };
                navigate(&page.address(&[("at", &moment.at)]), options);
            }
        }
    };
    let other =
        if page.query.show == "day" { ("", t("dashboard.show_hours")) } else { ("day", t("dashboard.show_day")) };
    let is_wide = hours > FITTING_HOURS;
    view! {
        <div class="chart" class:is-wide=is_wide>
            <div class="chart-inner">
                <Axis ticks=ticks.clone() is_wide/>
                <div class="chart-lanes" on:pointermove=follow on:pointerdown=follow on:click=explain>
                    <Grid ticks now/>
                    <OfferedLane offered/>
                    {rows.into_iter().map(|row| view! { <Lane row/> }).collect_view()}
                    <svg class="chart-over scripted" aria-hidden="true">
                        {move || {
                            shown
                                .get()
                                .map(|moment| {
                                    let x = hundredths(moment.place);
                                    view! { <line class="chart-cursor" x1=x.clone() x2=x y1="0" y2="100%"></line> }
                                })
                        }}
                    </svg>
                </div>
                <input
                    type="range"
                    class="chart-slider scripted"
                    min="0"
                    max=last.to_string()
                    prop:value=move || cursor.get().to_string()
                    value=start.to_string()
                    aria-label=t("dashboard.moment")
                    aria-valuetext=move || shown.get().map(|moment| moment.sentence)
                    on:input=move |event| {
                        if let Ok(at) = event_target_value(&event).parse() {
                            cursor.set(at);
                        }
                    }
                />
            </div>
        </div>
        <Moment shown rows=drawn page=page.clone()/>
        <div class="chart-foot">
            <Legend/>
            <a href=page.address(&[("show", other.0)])>{other.1}</a>
        </div>
    }
    .into_any()
}

/// The moment that is asked about, else the first slot, else the first of all.
fn first_shown(moments: &[ChartMoment], asked: &str) -> usize {
    let asked = moments.iter().position(|moment| !asked.is_empty() && moment.at == asked);
    asked.or_else(|| moments.iter().position(|moment| moment.is_offered)).unwrap_or(0)
}

/// The last moment at or before a place.
fn nearest(moments: &[ChartMoment], place: f64) -> Option<usize> {
    moments.partition_point(|moment| moment.place <= place).checked_sub(1)
}

fn hundredths(place: f64) -> String {
    format!("{place}%")
}

/// Of a whole day every second hour is named.
#[component]
fn Axis(ticks: Vec<(f64, String)>, is_wide: bool) -> impl IntoView {
    view! {
        <svg class="chart-axis" aria-hidden="true">
            {ticks
                .into_iter()
                .step_by(if is_wide { 2 } else { 1 })
                .map(|(place, text)| {
                    let anchor = match place {
                        place if place < 2.0 => "start",
                        place if place > 98.0 => "end",
                        _ => "middle",
                    };
                    view! { <text x=hundredths(place) y="14" text-anchor=anchor>{text}</text> }
                })
                .collect_view()}
        </svg>
    }
    .into_any()
}

#[component]
fn Grid(ticks: Vec<(f64, String)>, now: Option<f64>) -> impl IntoView {
    let line = |place: f64, class: &'static str| {
        let x = hundredths(place);
        view! { <line class=class x1=x.clone() x2=x y1="0" y2="100%"></line> }
    };
    view! {
        <svg class="chart-grid" aria-hidden="true">
            <defs>
                <pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="stripe-ground" width="6" height="6"></rect>
                    <rect class="stripe" width="2.5" height="6"></rect>
                </pattern>
            </defs>
            {ticks.into_iter().map(|(place, _)| line(place, "chart-hour")).collect_view()}
            {now.map(|place| line(place, "chart-now"))}
        </svg>
    }
    .into_any()
}

#[component]
fn OfferedLane(offered: Vec<(f64, f64, String)>) -> impl IntoView {
    view! {
        <p class="chart-name">{tf("dashboard.offered_slots", &[("count", &offered.len())])}</p>
        <svg class="lane lane-offered" aria-hidden="true">
            {offered
                .into_iter()
                .map(|(place, width, _)| {
                    // A gap between two slots that follow each other.
                    let width = hundredths((width - 0.25).max(0.25));
                    view! { <rect class="band-offered" x=hundredths(place) width=width y="6" height="12" rx="4"></rect> }
                })
                .collect_view()}
        </svg>
    }
    .into_any()
}

#[component]
fn Lane(row: ChartRow) -> impl IntoView {
    let ChartRow { name, is_required, bands } = row;
    let told = bands.iter().map(|band| view! { <li>{band.label.clone()}</li> }).collect_view();
    view! {
        <p class="chart-name">
            {name} " " {(!is_required).then(|| view! { <span class="badge">{t("dashboard.presence_optional")}</span> })}
        </p>
        <svg class="lane" aria-hidden="true">
            <rect class="band-closed" width="100%" height="44" rx="6"></rect>
            {bands.into_iter().map(|band| view! { <Band band/> }).collect_view()}
        </svg>
        <ul class="visually-hidden">{told}</ul>
    }
    .into_any()
}

/// Kinds differ in height and pattern too, not in colour alone.
#[component]
fn Band(band: ChartBand) -> impl IntoView {
    let (x, width) = (hundredths(band.place), hundredths(band.width));
    let (class, y, height, fill) = match band.kind.as_str() {
        "hours" => ("band-hours", "0", "44", None),
        "calendar" => ("band-calendar", "8", "28", None),
        "appointment" => ("band-appointment", "4", "36", None),
        "hold" => ("band-hold", "8", "28", None),
        _ => ("band-buffer", "14", "16", Some("url(#stripes)")),
    };
    view! { <rect class=class x=x width=width y=y height=height rx="4" fill=fill></rect> }
}

/// What takes a host's time at a place of the drawing: the host's name and what it is.
fn taken_at(rows: &[ChartRow], place: f64) -> Vec<(String, String)> {
    let covers = |band: &&ChartBand| band.kind != "hours" && band.place <= place && place < band.place + band.width;
    let of_row = |row: &ChartRow| {
        let name = row.name.clone();
        row.bands.iter().filter(covers).map(move |band| (name.clone(), band.label.clone())).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_row).collect()
}

/// What is said of the moment under the pointer or the slider, and what lies there.
#[component]
fn Moment(shown: Memo<Option<ChartMoment>>, rows: StoredValue<Vec<ChartRow>>, page: Page) -> impl IntoView {
    view! {
        <div class="moment scripted">
            {move || {
                shown
                    .get()
                    .map(|moment| {
                        let icon = if moment.is_offered { icons::check().into_any() } else { icons::cross().into_any() };
                        let taken = rows.with_value(|rows| taken_at(rows, moment.place));
                        let taken = taken.into_iter().map(|(name, what)| view! { <li>{name} ": " {what}</li> });
                        view! {
                            <span class="verdict" class:is-free=moment.is_offered>{icon}</span>
                            <div>
                                <p>{moment.sentence}</p>
                                <ul>{taken.collect_view()}</ul>
                            </div>
                            <a href=page.explaining(&moment.at)>{tf("dashboard.explain_time", &[("time", &moment.time)])}</a>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

#[component]
fn Legend() -> impl IntoView {
    let kinds = [
        ("hours", t("dashboard.legend_hours")),
        ("calendar", t("dashboard.legend_calendar")),
        ("appointment", t("dashboard.legend_appointment")),
        ("buffer", t("dashboard.legend_buffer")),
        ("hold", t("dashboard.legend_hold")),
    ];
    view! {
        <ul class="legend">
            {kinds
                .into_iter()
                .map(|(kind, text)| {
                    let band = ChartBand { kind: kind.to_owned(), place: 0.0, width: 100.0, label: String::new() };
                    view! { <li><svg viewBox="0 0 44 44" aria-hidden="true"><Band band/></svg> <span>{text}</span></li> }
                })
                .collect_view()}
        </ul>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments() -> Vec<ChartMoment> {
        let moment = |(number, place): (usize, f64)| ChartMoment {
            place,
            time: String::new(),
            at: format!("at-{number}"),
            is_offered: number == 2,
            sentence: String::new(),
        };
        [0.0, 10.0, 20.0, 30.0].into_iter().enumerate().map(moment).collect()
    }

    #[test]
    fn a_place_belongs_to_the_moment_before_it() {
        assert_eq!(nearest(&moments(), 0.0), Some(0));
        assert_eq!(nearest(&moments(), 19.9), Some(1));
        assert_eq!(nearest(&moments(), 100.0), Some(3));
        assert_eq!(nearest(&moments(), -1.0), None);
    }

    #[test]
    fn what_takes_the_time_at_a_place_is_told_host_by_host() {
        let band =
            |kind: &str, place: f64| ChartBand { kind: kind.to_owned(), place, width: 10.0, label: kind.to_owned() };
        let row = |name: &str, bands| ChartRow { name: name.to_owned(), is_required: true, bands };
        let rows = [
            row("Ana", vec![band("hours", 0.0), band("calendar", 5.0), band("buffer", 15.0)]),
            row("Ben", vec![band("hold", 0.0)]),
        ];
        let told =
            |place| taken_at(&rows, place).into_iter().map(|(name, what)| format!("{name} {what}")).collect::<Vec<_>>();
        assert_eq!(told(5.0), ["Ana calendar", "Ben hold"]);
        assert_eq!(told(15.0), ["Ana buffer"]);
    }

    #[test]
    fn what_was_asked_about_is_shown_first_and_else_the_first_slot() {
        assert_eq!(first_shown(&moments(), "at-1"), 1);
        assert_eq!(first_shown(&moments(), ""), 2);
        assert_eq!(first_shown(&moments()[..2], "soon"), 0);
    }
}
