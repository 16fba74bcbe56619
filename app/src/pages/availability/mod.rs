//! When the host can be booked: schedules, time off, holidays.

mod absences;
mod holiday_calendars;

use leptos::form::ActionForm;
use leptos::prelude::*;

use self::absences::Absences;
use self::holiday_calendars::HolidayCalendars;
use crate::api::absences::{AbsenceDelete, AbsenceSave};
use crate::api::availability::{AvailabilityView, ScheduleRow, availability};
use crate::api::holiday_calendars::{HolidayCalendarDelete, HolidayCalendarSubscribe, HolidayCalendarUpload};
use crate::api::schedule::ScheduleMakeDefault;
use crate::parts::form::{FormState, successes};
use crate::parts::frame::PageHead;
use crate::parts::icons;
use crate::parts::loaded::loaded;
use crate::parts::notices::PageNotice;
use crate::text::t;

#[component]
pub(crate) fn AvailabilityPage() -> impl IntoView {
    let make_default = ServerAction::<ScheduleMakeDefault>::new();
    let (save_absence, delete_absence) = (ServerAction::<AbsenceSave>::new(), ServerAction::<AbsenceDelete>::new());
    let subscribe = ServerAction::<HolidayCalendarSubscribe>::new();
    let upload = ServerAction::<HolidayCalendarUpload>::new();
    let delete_calendar = ServerAction::<HolidayCalendarDelete>::new();
    let changes = [
        successes(make_default),
        successes(save_absence),
        successes(delete_absence),
        successes(subscribe),
        successes(upload),
        successes(delete_calendar),
    ];
    let data = Resource::new_blocking(move || changes.map(|count| count.get()), |_| availability());
    let refused = FormState::of(save_absence).or(FormState::of(subscribe)).or(FormState::of(upload));
    view! {
        <PageHead title=t("dashboard.availability") lead=t("dashboard.availability_lead")>
            <a class="button button-primary" href="/dashboard/availability/new">
                {icons::plus()} <span>{t("dashboard.new_schedule")}</span>
            </a>
        </PageHead>
        <PageNotice form=refused/>
        {loaded(data, move |view: AvailabilityView| {
            let AvailabilityView { schedules, absences, holiday_calendars } = view;
            view! {
                <section class="stack" aria-labelledby="schedules">
                    <h2 id="schedules">{t("dashboard.schedules")}</h2>
                    <Refusal form=FormState::of(make_default)/>
                    <ul class="tiles">
                        {schedules.into_iter().map(|row| view! { <Schedule row make_default/> }).collect_view()}
                    </ul>
                </section>
                <Absences rows=absences save=save_absence delete=delete_absence/>
                <HolidayCalendars rows=holiday_calendars subscribe upload delete=delete_calendar/>
            }
        })}
    }
    .into_any()
}

/// Why an action without fields was refused.
#[component]
fn Refusal(form: FormState) -> impl IntoView {
    view! {
        <div role="alert">
            {move || form.message().map(|message| view! { <p class="notice notice-error">{icons::warning()} <span>{message}</span></p> })}
        </div>
    }
}

#[component]
fn Schedule(row: ScheduleRow, make_default: ServerAction<ScheduleMakeDefault>) -> impl IntoView {
    let href = format!("/dashboard/availability/{}", row.id);
    let hours = if row.hours.is_empty() {
        view! { <p class="closed">{t("dashboard.no_hours")}</p> }.into_any()
    } else {
        let lines = row.hours.into_iter().map(|(days, times)| view! { <div><dt>{days}</dt> <dd>{times}</dd></div> });
        view! { <dl class="week-lines">{lines.collect_view()}</dl> }.into_any()
    };
    view! {
        <li class="card tile schedule">
            <div class="section-head">
                <h3><a href=href>{row.name}</a></h3>
                {row.is_default.then(|| view! { <span class="badge badge-good">{t("dashboard.default")}</span> })}
            </div>
            {hours}
            <p class="facts">
                <span>{icons::globe()} {row.time_zone}</span>
                {row.besides.into_iter().map(|besides| view! { <span>{icons::calendar()} {besides}</span> }).collect_view()}
            </p>
            <p class="hint">
                {if row.event_types.is_empty() {
                    t("dashboard.schedule_unused").to_owned()
                } else {
                    format!("{} {}", t("dashboard.schedule_used"), row.event_types.join(", "))
                }}
            </p>
            {(!row.is_default)
                .then(|| {
                    view! {
                        <ActionForm action=make_default>
                            <input type="hidden" name="id" value=row.id/>
                            <button type="submit" class="button button-quiet flush">{t("dashboard.make_default")}</button>
                        </ActionForm>
                    }
                })}
        </li>
    }
    .into_any()
}
