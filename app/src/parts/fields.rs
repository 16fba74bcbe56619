//! Labelled fields with their hints and problems.

use leptos::either::Either;
use leptos::prelude::*;

use super::form::FormState;
use super::icons;
use crate::escape::raw_text;
use crate::text::t;

/// Ids and attributes that tie a field to its hint and its problem.
#[derive(Clone)]
pub(crate) struct FieldIds {
    pub(crate) input: String,
    hint: String,
    problem: String,
}

/// A field's name as HTML writes it: `hosts.ana.weight` is `form[hosts][ana][weight]`.
pub(crate) fn input_name(name: &str) -> String {
    name.split('.').fold("form".to_owned(), |html, part| format!("{html}[{part}]"))
}

impl FieldIds {
    pub(crate) fn new(scope: &str, name: &str) -> Self {
        let name = name.replace('.', "-");
        let input = if scope.is_empty() { name } else { format!("{scope}-{name}") };
        Self { hint: format!("{input}-hint"), problem: format!("{input}-problem"), input }
    }

    /// `aria-describedby`.
    fn described_by(&self, has_hint: bool, has_problem: bool) -> Option<String> {
        match (has_hint, has_problem) {
            (true, true) => Some(format!("{} {}", self.hint, self.problem)),
            (true, false) => Some(self.hint.clone()),
            (false, true) => Some(self.problem.clone()),
            (false, false) => None,
        }
    }
}

/// A label, the control that is its child, a hint and a problem.
#[component]
fn Field(
    form: FormState,
    name: String,
    ids: FieldIds,
    label: String,
    hint: Option<String>,
    is_optional: bool,
    children: Children,
) -> impl IntoView {
    let problem_id = ids.problem.clone();
    let problem = Memo::new(move |_| form.problem(&name));
    view! {
        <div class="field" class:is-wrong=move || problem.read().is_some()>
            <label for=ids.input>
                {label} {is_optional.then(|| view! { <span class="optional">{t("dashboard.optional")}</span> })}
            </label>
            {hint.map(|hint| view! { <p class="hint" id=ids.hint>{hint}</p> })}
            {children()}
            {move || {
                problem.get().map(|problem| view! { <p class="problem" id=problem_id.clone()>{icons::warning()} {problem}</p> })
            }}
        </div>
    }
}

/// What is wrong with something that has no field of its own.
#[component]
pub(crate) fn Problem(
    form: FormState,
    #[prop(into)] name: String,
    /// Whether what is wrong with anything within it is told here too.
    #[prop(optional)]
    and_within: bool,
) -> impl IntoView {
    let problem = move || if and_within { form.problem_at(&name) } else { form.problem(&name) };
    move || problem().map(|problem| view! { <p class="problem">{icons::warning()} {problem}</p> })
}

/// A field of one line. Its name in the form is `form[name]`.
#[component]
pub(crate) fn TextField(
    form: FormState,
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    /// What is stored; what was typed before a refusal goes first.
    #[prop(optional, into)]
    value: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] is_optional: bool,
    /// Whether the server alone judges what is left empty: for fields that are not shown at all times.
    #[prop(optional)]
    may_be_empty: bool,
    #[prop(optional)] autocomplete: Option<&'static str>,
    /// Shown before what is typed, such as the first part of an address.
    #[prop(optional, into)]
    prefix: Option<String>,
    /// Shown after it, such as a unit.
    #[prop(optional)]
    suffix: Option<&'static str>,
    /// Keeps ids apart where a page has several forms.
    #[prop(optional, into)]
    scope: String,
) -> impl IntoView {
    let ids = FieldIds::new(&scope, &name);
    let value = if kind == "password" { String::new() } else { form.start_value(&name, value) };
    let described = described(form, &name, &ids, hint.is_some());
    let is_number = kind == "number";
    let (input, is_wrong) = (input_name(&name), wrong(form, &name));
    view! {
        <Field form name ids=ids.clone() label hint is_optional>
            <div class="control" class:is-number=is_number>
                {prefix.map(|prefix| view! { <span class="affix">{prefix}</span> })}
                <input
                    id=ids.input
                    name=input
                    type=kind
                    value=value
                    required=!is_optional && !may_be_empty
                    autocomplete=autocomplete
                    inputmode=is_number.then_some("numeric")
                    min=is_number.then_some("0")
                    aria-describedby=described
                    aria-invalid=is_wrong
                />
                {suffix.map(|suffix| view! { <span class="affix">{suffix}</span> })}
            </div>
        </Field>
    }
}

/// `aria-describedby` of a field, as its problems come and go.
fn described(
    form: FormState,
    name: &str,
    ids: &FieldIds,
    has_hint: bool,
) -> impl Fn() -> Option<String> + Clone + use<> {
    let (ids, name) = (ids.clone(), name.to_owned());
    move || ids.described_by(has_hint, form.problem(&name).is_some())
}

/// `aria-invalid` of a field.
fn wrong(form: FormState, name: &str) -> impl Fn() -> Option<&'static str> + Clone + use<> {
    let name = name.to_owned();
    move || form.problem(&name).map(|_| "true")
}

/// A field of several lines.
#[component]
pub(crate) fn TextArea(
    form: FormState,
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] is_optional: bool,
    /// See [`TextField`].
    #[prop(optional)]
    may_be_empty: bool,
    #[prop(default = 4)] rows: u16,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] node_ref: NodeRef<leptos::html::Textarea>,
    #[prop(optional, into)] scope: String,
) -> impl IntoView {
    let ids = FieldIds::new(&scope, &name);
    let value = form.start_value(&name, value);
    let described = described(form, &name, &ids, hint.is_some());
    let (input, is_wrong) = (input_name(&name), wrong(form, &name));
    view! {
        <Field form name ids=ids.clone() label hint is_optional>
            <textarea
                id=ids.input
                name=input
                rows=rows.to_string()
                placeholder=placeholder
                required=!is_optional && !may_be_empty
                node_ref=node_ref
                aria-describedby=described
                aria-invalid=is_wrong
            >
                {raw_text(value)}
            </textarea>
        </Field>
    }
}

/// A choice of one among many: value and text.
#[component]
pub(crate) fn SelectField(
    form: FormState,
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    options: Vec<(String, String)>,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] node_ref: NodeRef<leptos::html::Select>,
    #[prop(optional, into)] scope: String,
) -> impl IntoView {
    let ids = FieldIds::new(&scope, &name);
    let value = form.start_value(&name, value);
    let described = described(form, &name, &ids, hint.is_some());
    let (input, is_wrong) = (input_name(&name), wrong(form, &name));
    view! {
        <Field form name ids=ids.clone() label hint is_optional=false>
            <div class="select">
                <select
                    id=ids.input
                    name=input
                    node_ref=node_ref
                    aria-describedby=described
                    aria-invalid=is_wrong
                >
                    {options
                        .into_iter()
                        .map(|(option, text)| {
                            let selected = option == value;
                            view! { <option value=option selected=selected>{text}</option> }
                        })
                        .collect_view()}
                </select>
                {icons::chevron_down()}
            </div>
        </Field>
    }
}

/// A box to tick, with what it means.
#[component]
pub(crate) fn TickField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    /// What is stored or was typed: `on` where it is ticked.
    #[prop(into)]
    value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] class: String,
) -> impl IntoView {
    view! {
        <label class=format!("choice {class}")>
            <input type="checkbox" name=input_name(&name) value="on" checked=value == "on"/>
            <span>{label} {hint.map(|hint| view! { " " <small>{hint}</small> })}</span>
        </label>
    }
}

/// A choice of one among few, each with what it means: value, text and explanation.
#[component]
pub(crate) fn RadioField(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    options: Vec<(&'static str, &'static str, &'static str)>,
    #[prop(into)] value: String,
) -> impl IntoView {
    view! {
        <fieldset class="radios">
            <legend>{label}</legend>
            <div class="choices">
                {options
                    .into_iter()
                    .map(|(option, text, explained)| {
                        view! {
                            <label class="choice">
                                <input type="radio" name=input_name(&name) value=option checked=value == option/>
                                <span>{text} " " <small>{explained}</small></span>
                            </label>
                        }
                    })
                    .collect_view()}
            </div>
        </fieldset>
    }
}

/// The sentence of a refused form, and the buttons under it. A refusal moves the focus to the first field it concerns.
#[component]
pub(crate) fn FormEnd(
    form: FormState,
    submit: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let end = NodeRef::<leptos::html::Div>::new();
    Effect::new(move |_| {
        if let (Some(_), Some(end)) = (form.message(), end.get_untracked()) {
            crate::browser::focus_first_refused(&end);
        }
    });
    view! {
        <div class="form-end" node_ref=end>
            <div role="alert">
                {move || {
                    form.message()
                        .map(|message| {
                            view! { <p class="notice notice-error">{icons::warning()} <span>{message}</span></p> }
                        })
                }}
            </div>
            <div class="buttons">
                <button
                    type="submit"
                    class="button button-primary"
                    aria-busy=move || form.is_pending().then_some("true")
                >
                    {submit}
                </button>
                {children.map(|children| children())}
            </div>
        </div>
    }
}

/// A button that asks once more before the form in it is sent; opens without JavaScript.
#[component]
pub(crate) fn Confirm(label: &'static str, question: &'static str, children: Children) -> impl IntoView {
    view! {
        <details class="confirm">
            <summary class="button button-quiet-danger">{label}</summary>
            <div class="confirm-body">
                <p>{question}</p>
                {children()}
            </div>
        </details>
    }
}

/// A text to copy, in a field that can be selected by hand, with a button where the browser can copy.
#[component]
pub(crate) fn Copyable(
    /// Names the field for assistive technology.
    label: &'static str,
    #[prop(into)] text: Signal<String>,
    #[prop(optional)] multiline: bool,
    #[prop(into)] id: String,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    Effect::new(move |_| {
        text.track();
        copied.set(false);
    });
    let field = if multiline {
        Either::Left(view! {
            <textarea id=id.clone() class="code" readonly rows="3" spellcheck="false" aria-label=label prop:value=move || text.get()>
                {raw_text(text.get_untracked())}
            </textarea>
        })
    } else {
        Either::Right(
            view! { <input id=id.clone() class="code" type="text" readonly aria-label=label value=move || text.get() /> },
        )
    };
    view! {
        <div class="copyable" class:is-multiline=multiline>
            {field}
            <button
                type="button"
                class="button scripted"
                on:click=move |_| crate::browser::copy(&text.get_untracked(), move || copied.set(true))
            >
                {move || if copied.get() { icons::check().into_any() } else { icons::copy().into_any() }}
                <span>{move || if copied.get() { t("dashboard.copied") } else { t("dashboard.copy") }}</span>
            </button>
            <span class="visually-hidden" role="status">
                {move || copied.get().then(|| t("dashboard.copied"))}
            </span>
        </div>
    }
}
