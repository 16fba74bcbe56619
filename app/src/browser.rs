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
