//! What the sample business says, in two languages.

use crate::html::escape;

/// A language of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Spanish,
}

impl Language {
    /// From `en` or `es`.
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "es" => Some(Self::Spanish),
            _ => None,
        }
    }

    /// For `<html lang>`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}

/// Key, English, Spanish.
const TEXTS: [(&str, &str, &str); 31] = [
    ("lang", "en", "es"),
    ("title", "Casa Alba, physiotherapy in Valencia", "Casa Alba, fisioterapia en Valencia"),
    ("tagline", "Physiotherapy · Valencia", "Fisioterapia · Valencia"),
    ("nav_services", "Treatments", "Tratamientos"),
    ("nav_book", "Book", "Pedir cita"),
    ("nav_visit", "Visit us", "Dónde estamos"),
    ("other_href", "/es", "/"),
    ("other_lang", "es", "en"),
    ("other_name", "Español", "English"),
    ("hero", "Move the way you used to.", "Vuelve a moverte como antes."),
    (
        "hero_text",
        "A small practice on a quiet street. One therapist, one hour, one person at a time. No waiting room.",
        "Una consulta pequeña en una calle tranquila. Una fisioterapeuta, una hora, una persona cada vez. Sin sala de espera.",
    ),
    ("hero_action", "Find a time", "Ver horas libres"),
    ("services", "What we do", "Qué hacemos"),
    ("service_1", "First conversation", "Primera conversación"),
    (
        "service_1_text",
        "We listen, look at how you move, and tell you honestly whether we can help.",
        "Te escuchamos, vemos cómo te mueves y te decimos con franqueza si podemos ayudarte.",
    ),
    ("service_1_price", "30 min · free", "30 min · gratis"),
    ("service_2", "Treatment", "Tratamiento"),
    (
        "service_2_text",
        "Hands-on work for backs, necks, knees and shoulders, with exercises that fit your day.",
        "Terapia manual para espalda, cuello, rodillas y hombros, con ejercicios que caben en tu día.",
    ),
    ("service_2_price", "60 min · €55", "60 min · 55 €"),
    ("service_3", "Back to sport", "Vuelta al deporte"),
    (
        "service_3_text",
        "A plan over eight weeks, from the first steps to the first race.",
        "Un plan de ocho semanas, de los primeros pasos a la primera carrera.",
    ),
    ("service_3_price", "8 weeks · €320", "8 semanas · 320 €"),
    ("book", "Find a time that suits you", "Elige la hora que mejor te venga"),
    (
        "book_text",
        "The calendar shows what is really free. You get a confirmation by e-mail and can move or cancel it there.",
        "El calendario muestra lo que de verdad está libre. Te llega una confirmación por correo y desde ella puedes cambiar o cancelar la cita.",
    ),
    ("visit", "Visit us", "Dónde estamos"),
    ("address", "Carrer de la Reina 14, Valencia", "Carrer de la Reina 14, Valencia"),
    ("hours", "Monday to Friday, 9:00 to 18:00", "De lunes a viernes, de 9:00 a 18:00"),
    ("phone", "+34 960 000 000", "960 000 000"),
    ("quote", "“I came for my knee and left with a plan.”", "«Vine por la rodilla y salí con un plan.»"),
    ("quote_by", "Lucía, runner", "Lucía, corredora"),
    (
        "footer",
        "Casa Alba is a made-up business, for trying out Cupo.",
        "Casa Alba es un negocio inventado para probar Cupo.",
    ),
];

/// Puts the texts into `{{key}}` places.
pub fn fill(template: &str, language: Language) -> String {
    TEXTS.iter().fold(template.to_owned(), |page, (key, english, spanish)| {
        let text = if language == Language::English { english } else { spanish };
        page.replace(&format!("{{{{{key}}}}}"), &escape(text))
    })
}
