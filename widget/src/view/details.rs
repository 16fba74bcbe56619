//! The second step: who the visitor is.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::{icon, notice};
use crate::browser;
use crate::model::Field;
use crate::state::Action;
use crate::widget::Widget;

pub fn step(widget: Widget) -> AnyView {
    let needs_phone = widget.peek(|state| state.event.location.needs_phone);
    view! {
        <form
            class="details"
            novalidate
            on:submit=move |event: SubmitEvent| {
                event.prevent_default();
                widget.send(Action::Submit { fresh_key: browser::fresh_key() });
            }
        >
            <h3 data-heading tabindex="-1">{widget.text("your_details")}</h3>
            {notice(widget)}
            {field(widget, Field::Name, "text", "name")}
            {field(widget, Field::Email, "email", "email")}
            {needs_phone.then(|| field(widget, Field::Phone, "tel", "tel"))}
            {notes(widget)}
            <div class="actions">
                <button type="button" class="plain back" on:click=move |_| widget.send(Action::Back)>
                    {icon(icon::BACK)}
                    {widget.text("back")}
                </button>
                <button type="submit" class="main" aria-disabled=move || is_sending(widget).then_some("true")>
                    {move || widget.text(if is_sending(widget) { "booking" } else { "book" })}
                </button>
            </div>
        </form>
    }
    .into_any()
}

fn is_sending(widget: Widget) -> bool {
    widget.read(|state| state.sending)
}

/// A field, its label, and beside it what is wrong with it.
fn field(widget: Widget, field: Field, kind: &'static str, autocomplete: &'static str) -> AnyView {
    let name = field.name();
    view! {
        <div class="field">
            <label for=name>{widget.text(name)}</label>
            <input
                id=name
                name=name
                type=kind
                autocomplete=autocomplete
                aria-required="true"
                aria-invalid=move || is_wrong(widget, field).then_some("true")
                aria-describedby=problem_id(field)
                value=typed(widget, field)
                on:input:target=move |event| widget.send(Action::Type { field, text: event.target().value() })
                on:blur=move |_| widget.send(Action::Leave(field))
            />
            {problem(widget, field)}
        </div>
    }
    .into_any()
}

fn notes(widget: Widget) -> AnyView {
    let field = Field::Notes;
    view! {
        <div class="field">
            <label for=field.name()>{widget.text(field.name())} <span class="optional">{widget.text("optional")}</span></label>
            <textarea
                id=field.name()
                name=field.name()
                rows="3"
                aria-invalid=move || is_wrong(widget, field).then_some("true")
                aria-describedby=problem_id(field)
                prop:value=typed(widget, field)
                on:input:target=move |event| widget.send(Action::Type { field, text: event.target().value() })
                on:blur=move |_| widget.send(Action::Leave(field))
            ></textarea>
            {problem(widget, field)}
        </div>
    }
    .into_any()
}

/// What was typed before the visitor went back to the times.
fn typed(widget: Widget, field: Field) -> String {
    widget.peek(|state| state.details[field.index()].clone())
}

fn is_wrong(widget: Widget, field: Field) -> bool {
    widget.read(|state| state.problems[field.index()].is_some())
}

fn problem_id(field: Field) -> String {
    [field.name(), "-problem"].concat()
}

fn problem(widget: Widget, field: Field) -> impl IntoView {
    let text = move || {
        let message = widget.read(|state| state.problems[field.index()].clone());
        message.map(|message| widget.message(&message)).unwrap_or_default()
    };
    view! { <p class="problem" id=problem_id(field)>{text}</p> }
}
