//! The last step: what was booked, and what can be done with it.

use leptos::prelude::*;

use super::{fact, icon, moment, place};
use crate::widget::Widget;

pub fn step(widget: Widget) -> AnyView {
    let Some((appointment, zone)) = widget.peek(|state| Some((state.appointment.clone()?, state.zone.clone()))) else {
        return ().into_any();
    };
    let (place, place_text) = place(widget, &appointment.location);
    let when =
        [moment(widget, appointment.start, &zone), " – ".to_owned(), widget.time(appointment.end, &zone)].concat();
    view! {
        <div class="confirmed">
            <div class="seal">{icon(icon::CHECK)}</div>
            <h3 data-heading tabindex="-1">{widget.text("confirmed")}</h3>
            <p class="with">{widget.text_with("confirmed_with", "{host}", &appointment.host_name)}</p>
            <div class="facts">
                {fact(icon::CALENDAR, when)}
                {fact(icon::GLOBE, zone.name.replace('_', " "))}
                {fact(place, place_text)}
                {move || meeting(widget)}
            </div>
            <div class="add">
                <p>{widget.text("add_to_calendar")}</p>
                {link(appointment.google_url, "Google".to_owned())}
                {link(appointment.outlook_url, "Outlook".to_owned())}
                {link(appointment.ics_url, widget.text("ics_file"))}
            </div>
            <p class="manage">{widget.text("plans_change")} {link(appointment.manage_url, widget.text("manage"))}</p>
        </div>
    }
    .into_any()
}

/// The address of the meeting once it is there.
fn meeting(widget: Widget) -> AnyView {
    let (url, pending) = widget.read(|state| {
        let appointment = state.appointment.as_ref();
        let url = appointment.and_then(|it| it.meeting_url.clone());
        (url, appointment.is_some_and(|it| it.meeting_pending))
    });
    match url {
        Some(url) => view! { <p class="fact meeting">{icon(icon::LINK)}{link(url.clone(), url)}</p> }.into_any(),
        None if pending => {
            view! { <p class="fact pending">{icon(icon::LINK)}<span>{widget.text("meeting_pending")}</span></p> }
                .into_any()
        }
        None => ().into_any(),
    }
}

fn link(url: String, text: String) -> impl IntoView {
    view! { <a href=url target="_blank" rel="noopener">{text}</a> }
}
