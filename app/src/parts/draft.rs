//! Steps within a form that save nothing: adding a row, looking at what would change.
//!
//! Without a script such a button asks for the page again, with everything that was typed in its address and `do` saying
//! what to do; the server answers with the form as it would then be. With a script the page does it on the spot.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The address's query where it holds a form that was typed; else empty, so that nothing is asked for again.
pub(crate) fn use_draft() -> Memo<String> {
    let search = use_location().search;
    Memo::new(move |_| search.with(|query| if holds_form(query) { query.clone() } else { String::new() }))
}

fn holds_form(query: &str) -> bool {
    ["form[", "form%5B"].iter().any(|start| query.split('&').any(|pair| pair.starts_with(start)))
}

/// What Enter in a field presses: the browser takes the first button of a form, which must not be one that removes a row.
#[component]
pub(crate) fn FirstButton() -> impl IntoView {
    view! { <button type="submit" class="visually-hidden" tabindex="-1" aria-hidden="true"></button> }
}

/// A button for a step. `step` is what the server is told without a script, `act` what is done with one.
#[component]
pub(crate) fn StepButton(
    #[prop(into)] step: String,
    /// The id of the element that the page shows afterwards.
    #[prop(into)]
    anchor: String,
    #[prop(into)] class: String,
    /// Names a button that shows an icon alone.
    #[prop(optional, into)]
    label: Option<String>,
    act: impl Fn(MouseEvent) + 'static,
    children: Children,
) -> impl IntoView {
    let page = use_location().pathname;
    view! {
        <button
            type="submit"
            class=class
            name="do"
            value=step
            formmethod="get"
            formaction=move || format!("{}#{anchor}", page.get())
            formnovalidate
            aria-label=label
            on:click=move |event| {
                event.prevent_default();
                act(event);
            }
        >
            {children()}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::holds_form;

    #[test]
    fn only_an_address_with_fields_of_the_form_is_a_draft() {
        for (query, is_draft) in [
            ("form%5Bid%5D=&do=check", true),
            ("a=1&form[id]=x", true),
            ("notice=saved", false),
            ("", false),
            ("q=form[", false),
        ] {
            assert_eq!(holds_form(query), is_draft, "{query}");
        }
    }
}
