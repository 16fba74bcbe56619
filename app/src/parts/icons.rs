//! Line icons on a grid of 24, drawn in the colour of the text. They decorate; the text beside them speaks.

use leptos::prelude::*;

macro_rules! icons {
    ($($name:ident: $path:literal;)*) => {$(
        pub(crate) fn $name() -> impl IntoView {
            icon($path)
        }
    )*};
}

fn icon(path: &'static str) -> impl IntoView {
    view! {
        <svg
            class="icon"
            viewBox="0 0 24 24"
            width="20"
            height="20"
            fill="none"
            stroke="currentColor"
            stroke-width="1.75"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
            focusable="false"
        >
            <path d=path></path>
        </svg>
    }
}

icons! {
    home: "M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z";
    calendar: "M5 6h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1zM8 3v5M16 3v5M4 11h16";
    clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2";
    list: "M4 7h16M4 12h16M4 17h10";
    inbox: "M4 13.500 6.500 5h11l2.500 8.500V19a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1zM4 13.500h4.500l1.500 2.500h4l1.500-2.500H20";
    people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14a6.5 6.5 0 0 1 3.5 6";
    code: "M8 8l-4 4 4 4M16 8l4 4-4 4M13.5 5l-3 14";
    book: "M5 4h6a2 2 0 0 1 1 1 2 2 0 0 1 1-1h6v15h-6l-1 1-1-1H5zM12 5v14";
    menu: "M4 7h16M4 12h16M4 17h16";
    check: "M5 12.5l4.5 4.5L19 7";
    warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17.2v.1";
    copy: "M9 9h10v11H9zM15 9V4H5v11h4";
    plus: "M12 5v14M5 12h14";
    cross: "M6 6l12 12M18 6 6 18";
    chevron_down: "M6 9.5l6 6 6-6";
    chevron_left: "M14.5 6l-6 6 6 6";
    chevron_right: "M9.5 6l6 6-6 6";
    arrow_up: "M12 19V5M6 11l6-6 6 6";
    arrow_down: "M12 5v14M6 13l6 6 6-6";
    question: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.8.4-1 .9-1 1.700M12 16.500v.1";
    external: "M14 4h6v6M20 4l-9 9M18 14v5a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1h5";
    video: "M4 6.5h10a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zM15 10.5l6-3.5v10l-6-3.5";
    phone: "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1z";
    pin: "M12 21c4.5-4.5 7-8 7-11a7 7 0 1 0-14 0c0 3 2.5 6.5 7 11zM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z";
    link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.700L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.700L12 17";
    globe: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.5 12h17M12 3.500c5 5 5 12 0 17M12 3.500c-5 5-5 12 0 17";
}

// Of the visitor's pages only, which are never hydrated.
#[cfg(feature = "ssr")]
icons! {
    person: "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0";
}

/// The icon of a location's kind.
pub(crate) fn location(kind: &str) -> AnyView {
    match kind {
        "meet" => video().into_any(),
        "phone" => phone().into_any(),
        "address" => pin().into_any(),
        _ => link().into_any(),
    }
}

/// The wordmark: a day of the calendar with its free place.
pub(crate) fn wordmark() -> impl IntoView {
    view! {
        <span class="wordmark">
            <svg viewBox="0 0 28 28" width="28" height="28" aria-hidden="true" focusable="false">
                <rect x="1" y="1" width="26" height="26" rx="8" fill="var(--accent)"></rect>
                <path
                    d="M18.8 10.200a6 6 0 1 0 0 7.6"
                    fill="none"
                    stroke="var(--on-accent)"
                    stroke-width="3"
                    stroke-linecap="round"
                ></path>
                <circle cx="19.4" cy="14" r="1.9" fill="var(--on-accent)"></circle>
            </svg>
            <span>"Cupo"</span>
        </span>
    }
}
