//! The few things that only a browser can do. On the server they do nothing.

/// Puts `text` on the clipboard, then calls `done`.
#[cfg(feature = "hydrate")]
pub(crate) fn copy(text: &str, done: impl Fn() + 'static) {
    use leptos::prelude::window;
    use wasm_bindgen_futures::JsFuture;

    let written = window().navigator().clipboard().write_text(text);
    leptos::task::spawn_local(async move {
        match JsFuture::from(written).await {
            Ok(_) => done(),
            Err(error) => leptos::logging::error!("the clipboard refused: {error:?}"),
        }
    });
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn copy(_text: &str, _done: impl Fn() + 'static) {}

/// The path below which a proxy shows Cupo, without a slash at its end; empty at the root of its host, and on the server,
/// which speaks of itself from the root.
#[cfg(feature = "hydrate")]
pub(crate) fn base() -> &'static str {
    use std::sync::OnceLock;

    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| {
        let root = leptos::prelude::document().document_element();
        root.and_then(|root| root.get_attribute("data-base")).unwrap_or_default()
    })
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn base() -> &'static str {
    ""
}

/// The zone of this machine, an IANA name.
#[cfg(feature = "hydrate")]
pub(crate) fn time_zone() -> Option<String> {
    let format = js_sys::Intl::DateTimeFormat::default();
    js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into()).ok()?.as_string()
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn time_zone() -> Option<String> {
    None
}

/// Moves the focus to an element.
#[cfg(feature = "hydrate")]
pub(crate) fn focus(element: &leptos::web_sys::HtmlElement) {
    // An element that cannot take the focus leaves it where it is, which is no error.
    let _ = element.focus();
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn focus(_element: &leptos::web_sys::HtmlElement) {}

/// Moves the focus to the first refused field of the form around an element, once the page shows which these are.
#[cfg(feature = "hydrate")]
pub(crate) fn focus_first_refused(within: &leptos::web_sys::HtmlElement) {
    use leptos::web_sys::HtmlElement;
    use wasm_bindgen::JsCast;

    let Ok(Some(form)) = within.closest("form") else { return };
    leptos::prelude::request_animation_frame(move || {
        if let Ok(Some(field)) = form.query_selector("[aria-invalid=true]")
            && let Some(field) = field.dyn_ref::<HtmlElement>()
        {
            focus(field);
        }
    });
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn focus_first_refused(_within: &leptos::web_sys::HtmlElement) {}

/// Closes the `<details>` around a link that was followed: the page beside it changes, the menu itself stays.
#[cfg(feature = "hydrate")]
pub(crate) fn close_menu(click: &leptos::ev::MouseEvent) {
    use wasm_bindgen::JsCast;

    let target = click.target().and_then(|target| target.dyn_into::<leptos::web_sys::Element>().ok());
    let link = target.and_then(|target| target.closest("a").ok().flatten());
    if let Some(Ok(Some(menu))) = link.map(|link| link.closest("details"))
        && let Err(error) = menu.remove_attribute("open")
    {
        leptos::logging::error!("the menu did not close: {error:?}");
    }
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn close_menu(_click: &leptos::ev::MouseEvent) {}

/// What the form around the button that was pressed holds.
#[cfg(feature = "hydrate")]
pub(crate) fn form_around<T: serde::de::DeserializeOwned>(press: &leptos::ev::MouseEvent) -> Option<T> {
    use leptos::form::FromFormData;
    use leptos::web_sys::{Element, FormData, HtmlFormElement};
    use wasm_bindgen::JsCast;

    let button = press.target()?.dyn_into::<Element>().ok()?;
    let form = button.closest("form").ok()??.dyn_into::<HtmlFormElement>().ok()?;
    match T::from_form_data(&FormData::new_with_form(&form).ok()?) {
        Ok(read) => Some(read),
        Err(error) => {
            leptos::logging::error!("the form cannot be read: {error}");
            None
        }
    }
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn form_around<T>(_press: &leptos::ev::MouseEvent) -> Option<T> {
    None
}

/// Hands the text of the file that was chosen to `read`.
#[cfg(feature = "hydrate")]
pub(crate) fn read_file(chosen: &leptos::ev::Event, read: impl Fn(String, String) + 'static) {
    use wasm_bindgen::JsCast;
    use wasm_bindgen_futures::JsFuture;

    let input = chosen.target().and_then(|target| target.dyn_into::<leptos::web_sys::HtmlInputElement>().ok());
    let Some(file) = input.and_then(|input| input.files()).and_then(|files| files.get(0)) else { return };
    let name = file.name();
    leptos::task::spawn_local(async move {
        match JsFuture::from(file.text()).await {
            Ok(text) => read(name, text.as_string().unwrap_or_default()),
            Err(error) => leptos::logging::error!("the file cannot be read: {error:?}"),
        }
    });
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn read_file(_chosen: &leptos::ev::Event, _read: impl Fn(String, String) + 'static) {}

/// How far from the left the pointer is within the element that listens, in hundredths of its width.
#[cfg(feature = "hydrate")]
pub(crate) fn place_within(event: &leptos::ev::PointerEvent) -> Option<f64> {
    use wasm_bindgen::JsCast;

    let element = event.current_target()?.dyn_into::<leptos::web_sys::Element>().ok()?;
    let bounds = element.get_bounding_client_rect();
    Some((f64::from(event.client_x()) - bounds.left()) * 100.0 / bounds.width())
}

#[cfg(not(feature = "hydrate"))]
pub(crate) fn place_within(_event: &leptos::ev::PointerEvent) -> Option<f64> {
    None
}
