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
    minus: "M6 12h12";
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
    refresh: "M19.500 9A8 8 0 0 0 5.300 7.200L4 9M4 4.500V9h4.500M4.500 15a8 8 0 0 0 14.200 1.800L20 15M20 19.500V15h-4.500";
    pulse: "M3 12.500h4l2.500-7 4.500 13 2.500-6H21";
    key: "M14.500 13.500a5 5 0 1 0-4.400-2.600L3.500 17.500v3H7v-2.500h2.500V15.500l1.800-1.800a5 5 0 0 0 3.200-.2zM15.500 8.500v.1";
    feed: "M5 5a14 14 0 0 1 14 14M5 11a8 8 0 0 1 8 8M6 18v.1";
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
        "meet" | "teams" => video().into_any(),
        "phone" => phone().into_any(),
        "address" => pin().into_any(),
        _ => link().into_any(),
    }
}

/// The icon of a service that has calendars, in its colours: `google`, `microsoft`, `nextcloud`, `icloud`, `fastmail`, `caldav` or
/// `feed`.
pub(crate) fn service(name: &str) -> AnyView {
    match name {
        "google" => drawn(google()).into_any(),
        "microsoft" => drawn(microsoft()).into_any(),
        "nextcloud" => drawn(nextcloud()).into_any(),
        "icloud" => drawn(icloud()).into_any(),
        "fastmail" => drawn(fastmail()).into_any(),
        "feed" => feed().into_any(),
        _ => calendar().into_any(),
    }
}

fn drawn(shapes: impl IntoView) -> impl IntoView {
    view! {
        <svg class="icon service" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
            {shapes}
        </svg>
    }
}

/// A sheet of a calendar in four colours.
fn google() -> impl IntoView {
    view! {
        <path d="M3 5a2 2 0 0 1 2-2h11v5H8v8H3z" fill="#4285f4"></path>
        <path d="M16 3h3a2 2 0 0 1 2 2v3h-5z" fill="#1967d2"></path>
        <path d="M16 8h5v8h-5z" fill="#fbbc04"></path>
        <path d="M3 16h5v5H5a2 2 0 0 1-2-2z" fill="#188038"></path>
        <path d="M8 16h8v5H8z" fill="#34a853"></path>
        <path d="M16 16h5l-5 5z" fill="#ea4335"></path>
        <path d="M8 8h8v8H8z" fill="#fff"></path>
    }
}

/// Four panes.
fn microsoft() -> impl IntoView {
    view! {
        <path d="M3 3h8.500v8.500H3z" fill="#f25022"></path>
        <path d="M12.500 3H21v8.500h-8.500z" fill="#7fba00"></path>
        <path d="M3 12.500h8.500V21H3z" fill="#00a4ef"></path>
        <path d="M12.500 12.500H21V21h-8.500z" fill="#ffb900"></path>
    }
}

/// Three rings side by side.
fn nextcloud() -> impl IntoView {
    view! {
        <g fill="none" stroke="#0082c9" stroke-width="2">
            <circle cx="12" cy="12" r="4.200"></circle>
            <circle cx="4.200" cy="12" r="2.600"></circle>
            <circle cx="19.800" cy="12" r="2.600"></circle>
        </g>
    }
}

/// A cloud.
fn icloud() -> impl IntoView {
    view! { <path d="M7 19a4.500 4.500 0 0 1-.6-8.960A6 6 0 0 1 17.900 9.800 4.700 4.700 0 0 1 17.500 19z" fill="#3b9cf2"></path> }
}

/// A letter in a disc.
fn fastmail() -> impl IntoView {
    view! {
        <circle cx="12" cy="12" r="9.500" fill="#0067b9"></circle>
        <path d="M7 9h10v6.500H7zM7 9l5 4 5-4" fill="none" stroke="#fff" stroke-width="1.500" stroke-linejoin="round"></path>
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
