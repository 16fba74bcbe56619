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
