//! A day of an event type: what is offered, what is not, and why.

mod chart;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use self::chart::Chart;
use crate::api::why::{ExplainedHost, ExplainedView, ReasonRow, WhyQuery, WhyView, why};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::text::{t, tf};

#[component]
pub(crate) fn WhyPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let asked = Memo::new(move |_| {
        query.with(|query| {
            let of = |name| query.get(name).unwrap_or_default();
            WhyQuery { date: of("date"), duration: of("duration"), as_of: of("as_of"), at: of("at"), show: of("show") }
        })
    });
    let data = Resource::new_blocking(move || (id.get(), asked.get()), |(id, asked)| why(id, asked));
    view! {
        <nav class="crumbs" aria-label=t("dashboard.breadcrumb")>
            <a href=move || format!("/dashboard/event-types/{}", id.get())>
                {icons::chevron_left()} <span>{t("dashboard.event_type")}</span>
            </a>
        </nav>
        {loaded(data, move |view: WhyView| {
            let page = Page { id: view.id.clone(), query: view.query.clone(), is_past: view.as_of.is_some() };
            let zone = tf("dashboard.times_in", &[("zone", &view.time_zone)]);
            let (before, after) = view.around.clone();
            view! {
                <PageHead title=t("dashboard.why") lead=view.title.clone()/>
                <Past page=page.clone() as_of=view.as_of.clone() problem=view.problem.clone()/>
                <section class="card stack" aria-labelledby="day">
                    <div class="day-head">
                        <a class="button button-icon" href=page.on(&before) aria-label=t("dashboard.previous_day")>
                            {icons::chevron_left()}
                        </a>
                        <div>
                            <h2 id="day">{view.date.clone()}</h2>
                            <p class="hint">{zone}</p>
                        </div>
                        <a class="button button-icon" href=page.on(&after) aria-label=t("dashboard.next_day")>
                            {icons::chevron_right()}
                        </a>
                    </div>
                    <Chart chart=view.chart.clone() page=page.clone()/>
                </section>
                {view.explained.clone().map(|explained| view! { <Explained explained/> })}
                <Offered page=page.clone() offered=view.offered.clone()/>
                <Questions page view/>
            }
        })}
    }
    .into_any()
}

/// The page's own address with something else asked for.
#[derive(Clone)]
struct Page {
    id: String,
    query: WhyQuery,
    is_past: bool,
}

impl Page {
    fn address(&self, changed: &[(&str, &str)]) -> String {
        let kept = [
            ("date", self.query.date.as_str()),
            ("duration", &self.query.duration),
            ("as_of", if self.is_past { &self.query.as_of } else { "" }),
            ("show", &self.query.show),
        ];
        let asked = |name: &str| changed.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
        let pairs = kept.iter().map(|(name, value)| (*name, asked(name).unwrap_or(value)));
        let pairs = pairs.chain(asked("at").map(|at| ("at", at))).filter(|(_, value)| !value.is_empty());
        let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        format!("/dashboard/event-types/{}/why?{}", self.id, pairs.join("&"))
    }

    fn on(&self, date: &str) -> String {
        self.address(&[("date", date)])
    }

    /// Where a time is explained.
    fn explaining(&self, at: &str) -> String {
        format!("{}#explained", self.address(&[("at", at)]))
    }

    /// What a form that asks for something else keeps.
    fn kept(&self, names: &[&str]) -> impl IntoView + use<> {
        let kept = [
            ("date", &self.query.date),
            ("duration", &self.query.duration),
            ("as_of", &self.query.as_of),
            ("show", &self.query.show),
        ];
        let fields = kept.into_iter().filter(|(name, value)| names.contains(name) && !value.is_empty());
        fields.map(|(name, value)| view! { <input type="hidden" name=name value=value.clone()/> }).collect_view()
    }
}

/// Says that a past moment is looked at, or why it cannot be.
#[component]
fn Past(page: Page, as_of: Option<String>, problem: Option<String>) -> impl IntoView {
    let now = page.address(&[("as_of", "")]);
    view! {
        {problem.map(|problem| view! { <p class="notice notice-error" role="alert">{icons::warning()} <span>{problem}</span></p> })}
        {as_of
            .map(|when| {
                view! {
                    <p class="notice notice-warning">
                        {icons::clock()}
                        <span><strong>{tf("dashboard.as_of_told", &[("when", &when)])}</strong> " " {t("dashboard.as_of_text")}</span>
                        <a href=now>{t("dashboard.back_to_now")}</a>
                    </p>
                }
            })}
    }
    .into_any()
}

#[component]
fn Explained(explained: ExplainedView) -> impl IntoView {
    let ExplainedView { time, is_offered, sentence, mut reasons, hosts } = explained;
    // The sentence has said a single one.
    if reasons.len() == 1 {
        reasons.clear();
    }
    view! {
        <section class="card stack explained" id="explained" aria-labelledby="explained-title" tabindex="-1">
            <div class="section-lead">
                <h2 id="explained-title">{time}</h2>
                <p>
                    <span class="badge" class:badge-good=is_offered class:badge-wrong=!is_offered>
                        {if is_offered { t("dashboard.is_offered") } else { t("dashboard.is_not_offered") }}
                    </span>
                </p>
            </div>
            <p>{sentence}</p>
            <Reasons reasons/>
            <ul class="list">{hosts.into_iter().map(|host| view! { <Host host/> }).collect_view()}</ul>
        </section>
    }
    .into_any()
}

#[component]
fn Host(host: ExplainedHost) -> impl IntoView {
    let ExplainedHost { name, is_required, is_free, reasons } = host;
    let icon = if is_free { icons::check().into_any() } else { icons::cross().into_any() };
    view! {
        <li>
            <span class="verdict" class:is-free=is_free>{icon}</span>
            <div>
                <p>
                    <strong>{name}</strong> " " {(!is_required).then(|| view! { <span class="badge">{t("dashboard.presence_optional")}</span> })}
                </p>
                {if is_free {
                    view! { <p class="hint">{t("dashboard.host_is_free")}</p> }.into_any()
                } else {
                    view! { <Reasons reasons/> }.into_any()
                }}
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn Reasons(reasons: Vec<ReasonRow>) -> impl IntoView {
    let row = |reason: ReasonRow| {
        let appointment = reason.appointment.map(|id| {
            let href = format!("/dashboard/appointments/{id}");
            view! { " " <a href=href>{t("dashboard.open_appointment")}</a> }
        });
        view! { <li>{reason.sentence} {appointment}</li> }
    };
    (!reasons.is_empty()).then(|| view! { <ul class="reasons">{reasons.into_iter().map(row).collect_view()}</ul> })
}

#[component]
fn Offered(page: Page, offered: Vec<(String, String)>) -> impl IntoView {
    view! {
        <section class="stack" aria-labelledby="offered">
            <h2 id="offered">{tf("dashboard.offered_slots", &[("count", &offered.len())])}</h2>
            {if offered.is_empty() {
                view! { <p class="closed">{t("dashboard.offered_none")}</p> }.into_any()
            } else {
                let chip = |(at, time): (String, String)| view! { <li><a href=page.explaining(&at)>{time}</a></li> };
                view! { <ul class="slot-links">{offered.into_iter().map(chip).collect_view()}</ul> }.into_any()
            }}
        </section>
    }
    .into_any()
}

/// What else can be asked: another time, another day or length, a past moment.
#[component]
fn Questions(page: Page, view: WhyView) -> impl IntoView {
    let action = format!("/dashboard/event-types/{}/why", page.id);
    let WhyQuery { date, duration, as_of, .. } = view.query;
    let (least, most) = view.as_of_bounds;
    let lengths = view.durations;
    view! {
        <div class="asks">
            <form method="get" action=format!("{action}#explained") class="card stack">
                {page.kept(&["date", "duration", "as_of", "show"])}
                <div class="field">
                    <label for="at">{t("dashboard.ask_time")}</label>
                    <p class="hint" id="at-hint">{t("dashboard.ask_time_hint")}</p>
                    <input id="at" type="time" name="at" required aria-describedby="at-hint"/>
                </div>
                <div class="buttons"><button type="submit" class="button">{t("dashboard.explain")}</button></div>
            </form>
            <form method="get" action=action class="card stack">
                {page.kept(&["show"])}
                <div class="columns">
                    <div class="field">
                        <label for="date">{t("dashboard.date")}</label>
                        <input id="date" type="date" name="date" value=date required/>
                    </div>
                    {(lengths.len() > 1).then(|| view! { <Lengths lengths chosen=duration/> })}
                </div>
                <div class="field">
                    <label for="as_of">{t("dashboard.as_of")} " " <span class="optional">{t("dashboard.optional")}</span></label>
                    <p class="hint" id="as-of-hint">{t("dashboard.as_of_hint")}</p>
                    <input
                        id="as_of"
                        type="datetime-local"
                        name="as_of"
                        value=as_of
                        min=least
                        max=most
                        aria-describedby="as-of-hint"
                    />
                </div>
                <div class="buttons"><button type="submit" class="button">{t("dashboard.show")}</button></div>
            </form>
        </div>
    }
    .into_any()
}

#[component]
fn Lengths(lengths: Vec<(String, String)>, chosen: String) -> impl IntoView {
    view! {
        <div class="field">
            <label for="duration">{t("dashboard.duration")}</label>
            <div class="select">
                <select id="duration" name="duration">
                    {lengths
                        .into_iter()
                        .map(|(minutes, text)| {
                            let selected = minutes == chosen;
                            view! { <option value=minutes selected=selected>{text}</option> }
                        })
                        .collect_view()}
                </select>
                {icons::chevron_down()}
            </div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_was_asked_for_and_changes_the_rest() {
        let query = WhyQuery {
            date: "2026-11-23".to_owned(),
            duration: "30".to_owned(),
            as_of: "2026-11-20T10:00".to_owned(),
            at: "10:00".to_owned(),
            show: String::new(),
        };
        let page = |is_past| Page { id: "x".to_owned(), query: query.clone(), is_past };
        assert_eq!(page(false).on("2026-11-24"), "/dashboard/event-types/x/why?date=2026-11-24&duration=30");
        assert_eq!(
            page(true).explaining("11:00"),
            "/dashboard/event-types/x/why?date=2026-11-23&duration=30&as_of=2026-11-20T10:00&at=11:00#explained"
        );
        assert_eq!(page(true).address(&[("as_of", "")]), "/dashboard/event-types/x/why?date=2026-11-23&duration=30");
    }
}
