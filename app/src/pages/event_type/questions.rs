//! What visitors are asked.

use leptos::prelude::*;

use super::basics::options;
use crate::api::event_type::QuestionRow;
use crate::api::rows::key;
use crate::parts::draft::StepButton;
use crate::parts::fields::{Problem, SelectField, TextArea, TextField, TickField, input_name};
use crate::parts::fold::Fold;
use crate::parts::form::FormState;
use crate::parts::icons;
use crate::text::{t, tf};

type Rows = RwSignal<Vec<(String, QuestionRow)>>;

#[component]
pub(super) fn Questions(
    form: FormState,
    stored: Vec<(String, QuestionRow)>,
    state: String,
    is_open: bool,
) -> impl IntoView {
    let numbers = stored.iter().filter_map(|(key, _)| key.strip_prefix('r')?.parse::<usize>().ok());
    let next = StoredValue::new(numbers.max().map_or(0, |last| last + 1));
    let rows = RwSignal::new(stored);
    let add = move |_| {
        let number = next.get_value();
        next.set_value(number + 1);
        rows.update(|rows| rows.push((key(number), QuestionRow::default())));
    };
    view! {
        <Fold form id="questions" title=t("dashboard.questions") state fields=&["questions"] is_open>
            <p class="hint">{t("dashboard.questions_text")}</p>
            <Problem form name="questions"/>
            <ol class="question-rows">
                <ForEnumerate
                    each=move || rows.get()
                    key=|(key, _)| key.clone()
                    children=move |place, row| view! { <Question form place row rows/> }
                />
            </ol>
            <p>
                <StepButton step="questions.add" anchor="questions" class="button" act=add>
                    {icons::plus()} <span>{t("dashboard.add_question")}</span>
                </StepButton>
            </p>
        </Fold>
    }
    .into_any()
}

/// Moves a row by one place, towards the start or the end.
fn shift(rows: Rows, key: &str, up: bool) {
    rows.update(|rows| {
        let Some(place) = rows.iter().position(|(other, _)| other == key) else { return };
        let other = if up { place.checked_sub(1) } else { Some(place + 1) };
        if let Some(other) = other.filter(|other| *other < rows.len()) {
            rows.swap(place, other);
        }
    });
}

/// The style sheet shows the choices or the bounds where the chosen kind has some.
#[component]
fn Question(form: FormState, place: ReadSignal<usize>, row: (String, QuestionRow), rows: Rows) -> impl IntoView {
    let (key, row) = row;
    let field = |name: &str| format!("questions.{key}.{name}");
    let kinds = [
        ("short_text", t("dashboard.kind_short_text")),
        ("long_text", t("dashboard.kind_long_text")),
        ("choice", t("dashboard.kind_choice")),
        ("choices", t("dashboard.kind_choices")),
        ("number", t("dashboard.kind_number")),
        ("phone", t("dashboard.kind_phone")),
        ("checkbox", t("dashboard.kind_checkbox")),
    ];
    view! {
        <li class="question">
            <input type="hidden" name=input_name(&field("id")) value=row.id/>
            <input type="hidden" name=input_name(&field("place")) value=move || place.get().to_string()/>
            <QuestionHead place key=key.clone() rows/>
            <div class="stack">
                <div class="columns wide">
                    <TextField
                        form
                        name=field("label")
                        label=t("dashboard.question_label")
                        value=row.label
                        may_be_empty=true
                        autocomplete="off"
                    />
                    <SelectField form name=field("kind") label=t("dashboard.question_kind") options=options(&kinds) value=row.kind/>
                </div>
                <div class="for-choices">
                    <TextArea
                        form
                        name=field("choices")
                        label=t("dashboard.question_choices")
                        hint=t("dashboard.question_choices_hint").to_owned()
                        value=row.choices
                        may_be_empty=true
                    />
                </div>
                <div class="for-number columns">
                    <TextField form name=field("least") label=t("dashboard.question_least") value=row.least is_optional=true/>
                    <TextField form name=field("most") label=t("dashboard.question_most") value=row.most is_optional=true/>
                </div>
                <TextField
                    form
                    name=field("help")
                    label=t("dashboard.question_help")
                    value=row.help
                    is_optional=true
                    autocomplete="off"
                />
                <TickField name=field("is_required") label=t("dashboard.question_required") value=row.is_required/>
                <Problem form name=field("id")/>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn QuestionHead(place: ReadSignal<usize>, key: String, rows: Rows) -> impl IntoView {
    let step = |verb: &str| format!("questions.{verb}.{key}");
    let (up, down, removed) = (key.clone(), key.clone(), key.clone());
    view! {
        <div class="question-head">
            <h3>{move || tf("dashboard.question_number", &[("number", &(place.get() + 1))])}</h3>
            <StepButton
                step=step("up")
                anchor="questions"
                class="button button-quiet button-icon"
                label=t("dashboard.question_up").to_owned()
                act=move |_| shift(rows, &up, true)
            >
                {icons::arrow_up()}
            </StepButton>
            <StepButton
                step=step("down")
                anchor="questions"
                class="button button-quiet button-icon"
                label=t("dashboard.question_down").to_owned()
                act=move |_| shift(rows, &down, false)
            >
                {icons::arrow_down()}
            </StepButton>
            <StepButton
                step=step("remove")
                anchor="questions"
                class="button button-quiet button-icon"
                label=t("dashboard.question_remove").to_owned()
                act=move |_| rows.update(|rows| rows.retain(|(kept, _)| *kept != removed))
            >
                {icons::cross()}
            </StepButton>
        </div>
    }
    .into_any()
}
