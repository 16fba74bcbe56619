//! The fields of the visitor's forms, each with its label, its help and what is wrong with it.

use leptos::either::Either;
use leptos::prelude::*;

use crate::escape::raw_text;
use crate::parts::icons;
use crate::text::t;

/// Whether a field has to be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nobody goes on without it.
    Required,
    /// It may be left alone, and its label says so.
    Optional,
    /// It is filled in already.
    Preset,
}

impl Need {
    /// The need of a question.
    pub(super) fn of(is_required: bool) -> Self {
        if is_required { Self::Required } else { Self::Optional }
    }
}

/// What every kind of field has.
pub(super) struct Field {
    /// Its name in the posted form.
    pub(super) name: String,
    /// What is asked.
    pub(super) label: String,
    /// What helps to answer; may be empty.
    pub(super) help: String,
    /// Whether it has to be filled in.
    pub(super) need: Need,
    /// What is wrong with what was typed.
    pub(super) problem: Option<String>,
}

/// What differs between inputs of one line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    /// The input's type.
    pub(super) kind: &'static str,
    /// What browsers may fill in by themselves.
    pub(super) autocomplete: Option<&'static str>,
    /// The least number.
    pub(super) min: Option<String>,
    /// The most.
    pub(super) max: Option<String>,
    /// The longest text.
    pub(super) maxlength: Option<&'static str>,
}

impl Line {
    /// A line of this type.
    pub(super) fn of(kind: &'static str) -> Self {
        Self { kind, ..Self::default() }
    }
}

impl Field {
    fn id(&self) -> String {
        self.name.replace('.', "-")
    }

    fn is_required(&self) -> bool {
        self.need == Need::Required
    }

    fn is_wrong(&self) -> bool {
        self.problem.is_some()
    }

    fn invalid(&self) -> Option<&'static str> {
        self.is_wrong().then_some("true")
    }

    fn described_by(&self) -> Option<String> {
        let help = (!self.help.is_empty()).then(|| format!("{}-help", self.id()));
        let problem = self.is_wrong().then(|| format!("{}-problem", self.id()));
        let ids: Vec<_> = help.into_iter().chain(problem).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    fn caption(&self) -> impl IntoView + use<> {
        let optional =
            (self.need == Need::Optional).then(|| view! { " " <span class="optional">{t("public.optional")}</span> });
        view! { {self.label.clone()} {optional} }
    }

    fn help(&self) -> impl IntoView + use<> {
        let id = format!("{}-help", self.id());
        (!self.help.is_empty()).then(|| view! { <p class="hint" id=id>{self.help.clone()}</p> })
    }

    fn problem(&self) -> impl IntoView + use<> {
        let id = format!("{}-problem", self.id());
        let sentence = self.problem.clone();
        sentence.map(|sentence| view! { <p class="problem" id=id>{icons::warning()} <span>{sentence}</span></p> })
    }

    /// Label and control, one above the other.
    fn labelled(&self, control: impl IntoView + 'static) -> AnyView {
        view! {
            <div class="field" class:is-wrong=self.is_wrong()>
                <label for=self.id()>{self.caption()}</label>
                {self.help()}
                {control}
                {self.problem()}
            </div>
        }
        .into_any()
    }

    /// One line.
    pub(super) fn line(self, value: &str, line: Line) -> AnyView {
        let is_number = line.kind == "number";
        let control = view! {
            <input
                id=self.id()
                name=self.name.clone()
                type=line.kind
                value=value.to_owned()
                required=self.is_required()
                autocomplete=line.autocomplete
                inputmode=is_number.then_some("numeric")
                step=is_number.then_some("1")
                min=line.min
                max=line.max
                maxlength=line.maxlength
                aria-invalid=self.invalid()
                aria-describedby=self.described_by()
            />
        };
        self.labelled(control)
    }

    /// Several lines.
    pub(super) fn lines(self, value: &str, maxlength: &'static str) -> AnyView {
        let control = view! {
            <textarea
                id=self.id()
                name=self.name.clone()
                rows="3"
                maxlength=maxlength
                required=self.is_required()
                aria-invalid=self.invalid()
                aria-describedby=self.described_by()
            >
                {raw_text(value.to_owned())}
            </textarea>
        };
        self.labelled(control)
    }

    /// A list that opens; values and their texts.
    pub(super) fn select(self, options: Vec<(String, String)>, chosen: &str) -> AnyView {
        let options = options
            .into_iter()
            .map(|(value, text)| {
                let is_chosen = value == chosen;
                view! { <option value=value selected=is_chosen>{text}</option> }
            })
            .collect_view();
        let control = view! {
            <div class="select">
                <select
                    id=self.id()
                    name=self.name.clone()
                    required=self.is_required()
                    aria-invalid=self.invalid()
                    aria-describedby=self.described_by()
                >
                    {options}
                </select>
                {icons::chevron_down()}
            </div>
        };
        self.labelled(control)
    }

    /// One of a few choices, all in sight.
    pub(super) fn radios(self, choices: &[String], chosen: &[String]) -> AnyView {
        let required = self.is_required();
        self.group("radio", required, choices, chosen)
    }

    /// Any number of choices.
    pub(super) fn checkboxes(self, choices: &[String], chosen: &[String]) -> AnyView {
        // Required on each of them would ask for all.
        self.group("checkbox", false, choices, chosen)
    }

    fn group(self, kind: &'static str, required: bool, choices: &[String], chosen: &[String]) -> AnyView {
        let options = choices
            .iter()
            .map(|choice| {
                let is_chosen = chosen.contains(choice);
                view! {
                    <label class="choice">
                        <input type=kind name=self.name.clone() value=choice.clone() checked=is_chosen required=required/>
                        <span>{choice.clone()}</span>
                    </label>
                }
            })
            .collect_view();
        view! {
            <fieldset class="field" class:is-wrong=self.is_wrong() aria-describedby=self.described_by()>
                <legend>{self.caption()}</legend>
                {self.help()}
                <div class="options">{options}</div>
                {self.problem()}
            </fieldset>
        }
        .into_any()
    }

    /// A box to tick; whether it is optional shows by itself.
    pub(super) fn tick(self, is_ticked: bool) -> AnyView {
        view! {
            <div class="field" class:is-wrong=self.is_wrong()>
                <label class="choice">
                    <input
                        type="checkbox"
                        name=self.name.clone()
                        value="on"
                        checked=is_ticked
                        required=self.is_required()
                        aria-invalid=self.invalid()
                        aria-describedby=self.described_by()
                    />
                    <span>{self.label.clone()}</span>
                </label>
                {self.help()}
                {self.problem()}
            </div>
        }
        .into_any()
    }
}

/// Links of which one is the present choice.
pub(super) fn chips(label: &'static str, id: &'static str, options: Vec<(String, String, bool)>) -> AnyView {
    let links = options
        .into_iter()
        .map(|(text, href, is_current)| {
            view! { <li><a href=href aria-current=is_current.then_some("true")>{text}</a></li> }
        })
        .collect_view();
    view! {
        <div class="wish">
            <p id=id>{label}</p>
            <ul class="chips" aria-labelledby=id>{links}</ul>
        </div>
    }
    .into_any()
}

/// A sentence about the whole page.
pub(super) fn page_problem(sentence: Option<String>) -> impl IntoView + use<> {
    match sentence {
        Some(sentence) => Either::Left(
            view! { <p class="notice notice-error" role="alert">{icons::warning()} <span>{sentence}</span></p> },
        ),
        None => Either::Right(()),
    }
}
