//! What most people leave as it is.

use leptos::prelude::*;

use super::basics::units;
use crate::api::event_type::EventTypeForm;
use crate::parts::fields::{RadioField, SelectField, TextField, TickField};
use crate::parts::fold::Fold;
use crate::parts::form::FormState;
use crate::text::t;

/// Lengths, starts, which slots of a day.
#[component]
pub(super) fn Times(form: FormState, stored: EventTypeForm, state: String) -> impl IntoView {
    view! {
        <Fold form id="times" title=t("dashboard.times") state fields=&["other_durations"]>
            <TextField
                form
                name="other_durations"
                label=t("dashboard.other_durations")
                hint=t("dashboard.other_durations_hint").to_owned()
                value=stored.other_durations
                suffix="min"
                may_be_empty=true
                autocomplete="off"
            />
            <RadioField
                name="alignment"
                label=t("dashboard.alignment")
                value=stored.alignment
                options=vec![
                    ("interval", t("dashboard.alignment_interval"), t("dashboard.alignment_interval_text")),
                    ("hour", t("dashboard.alignment_hour"), t("dashboard.alignment_hour_text")),
                ]
            />
            <RadioField
                name="daily"
                label=t("dashboard.daily")
                value=stored.daily
                options=vec![
                    ("all", t("dashboard.daily_all"), t("dashboard.daily_all_text")),
                    ("first_free", t("dashboard.daily_first_free"), t("dashboard.daily_first_free_text")),
                    ("first_only", t("dashboard.daily_first_only"), t("dashboard.daily_first_only_text")),
                ]
            />
        </Fold>
    }
    .into_any()
}

/// How much may be booked in a day, a week, a month.
#[component]
pub(super) fn Limits(form: FormState, stored: EventTypeForm, state: String) -> impl IntoView {
    let fields = &[
        "limit_day_count",
        "limit_day_minutes",
        "limit_week_count",
        "limit_week_minutes",
        "limit_month_count",
        "limit_month_minutes",
    ];
    let periods = [
        ("day", t("dashboard.limit_day"), stored.limit_day_count, stored.limit_day_minutes),
        ("week", t("dashboard.limit_week"), stored.limit_week_count, stored.limit_week_minutes),
        ("month", t("dashboard.limit_month"), stored.limit_month_count, stored.limit_month_minutes),
    ];
    view! {
        <Fold form id="limits" title=t("dashboard.limits") state fields>
            <p class="hint">{t("dashboard.limits_text")}</p>
            {periods
                .into_iter()
                .map(|(period, legend, count, minutes)| {
                    view! {
                        <fieldset class="limit">
                            <legend>{legend}</legend>
                            <TextField
                                form
                                name=format!("limit_{period}_count")
                                label=t("dashboard.limit_count")
                                kind="number"
                                value=count
                                may_be_empty=true
                            />
                            <TextField
                                form
                                name=format!("limit_{period}_minutes")
                                label=t("dashboard.limit_minutes")
                                kind="number"
                                value=minutes
                                suffix="min"
                                may_be_empty=true
                            />
                        </fieldset>
                    }
                })
                .collect_view()}
        </Fold>
    }
    .into_any()
}

/// Several people in one slot, several dates at once.
#[component]
pub(super) fn Seats(form: FormState, stored: EventTypeForm, state: String) -> impl IntoView {
    view! {
        <Fold form id="seats" title=t("dashboard.seats_and_series") state fields=&["seats", "most_occurrences"]>
            <TextField
                form
                name="seats"
                label=t("dashboard.seats")
                hint=t("dashboard.seats_hint").to_owned()
                kind="number"
                value=stored.seats
                may_be_empty=true
            />
            <TickField
                name="seats_shown"
                label=t("dashboard.seats_shown")
                hint=t("dashboard.seats_shown_text").to_owned()
                value=stored.seats_shown
            />
            <TextField
                form
                name="most_occurrences"
                label=t("dashboard.series_most")
                hint=t("dashboard.series_most_hint").to_owned()
                kind="number"
                value=stored.most_occurrences
                may_be_empty=true
            />
        </Fold>
    }
    .into_any()
}

/// Whether a host has to agree.
#[component]
pub(super) fn Approval(form: FormState, stored: EventTypeForm, state: String) -> impl IntoView {
    view! {
        <Fold form id="approval" title=t("dashboard.approval") state fields=&["approval_hours"]>
            <TickField
                name="needs_approval"
                label=t("dashboard.needs_approval")
                hint=t("dashboard.needs_approval_text").to_owned()
                value=stored.needs_approval
            />
            <TextField
                form
                name="approval_hours"
                label=t("dashboard.approval_hours")
                hint=t("dashboard.approval_hours_hint").to_owned()
                kind="number"
                value=stored.approval_hours
                suffix=t("dashboard.hours")
                may_be_empty=true
            />
        </Fold>
    }
    .into_any()
}

/// What happens while a calendar cannot be read.
#[component]
pub(super) fn Freshness(form: FormState, when_stale: String, state: String) -> impl IntoView {
    view! {
        <Fold form id="freshness" title=t("dashboard.when_stale") state fields=&["when_stale"]>
            <RadioField
                name="when_stale"
                label=t("dashboard.when_stale")
                value=when_stale
                options=vec![
                    ("ask", t("dashboard.when_stale_ask"), t("dashboard.when_stale_ask_text")),
                    ("offer", t("dashboard.when_stale_offer"), t("dashboard.when_stale_offer_text")),
                    ("approve", t("dashboard.when_stale_approve"), t("dashboard.when_stale_approve_text")),
                ]
            />
        </Fold>
    }
    .into_any()
}

/// Until when visitors can change their mind.
#[component]
pub(super) fn Deadlines(form: FormState, stored: EventTypeForm, state: String) -> impl IntoView {
    view! {
        <Fold form id="deadlines" title=t("dashboard.deadlines") state fields=&["cancel_notice", "reschedule_notice"]>
            <p class="hint">{t("dashboard.deadlines_text")}</p>
            <div class="columns wide">
                <div class="pair">
                    <TextField
                        form
                        name="cancel_notice"
                        label=t("dashboard.cancel_notice")
                        kind="number"
                        value=stored.cancel_notice
                        may_be_empty=true
                    />
                    <SelectField
                        form
                        name="cancel_notice_unit"
                        label=t("dashboard.notice_unit")
                        options=units()
                        value=stored.cancel_notice_unit
                    />
                </div>
                <div class="pair">
                    <TextField
                        form
                        name="reschedule_notice"
                        label=t("dashboard.reschedule_notice")
                        kind="number"
                        value=stored.reschedule_notice
                        may_be_empty=true
                    />
                    <SelectField
                        form
                        name="reschedule_notice_unit"
                        label=t("dashboard.notice_unit")
                        options=units()
                        value=stored.reschedule_notice_unit
                    />
                </div>
            </div>
        </Fold>
    }
    .into_any()
}

/// Who can see it.
#[component]
pub(super) fn ListingFold(form: FormState, listing: String, state: String) -> impl IntoView {
    view! {
        <Fold form id="listing" title=t("dashboard.listing") state fields=&["listing"]>
            <RadioField
                name="listing"
                label=t("dashboard.listing")
                value=listing
                options=vec![
                    ("public", t("dashboard.listing_public"), t("dashboard.listing_public_text")),
                    ("unlisted", t("dashboard.listing_unlisted"), t("dashboard.listing_unlisted_text")),
                    ("link_only", t("dashboard.listing_link_only"), t("dashboard.listing_link_only_text")),
                ]
            />
        </Fold>
    }
    .into_any()
}
