use cupo_core::text::LanguageTag;

use super::*;

fn in_language(tag: &str) -> PublicContext {
    PublicContext { language: LanguageTag::parse(tag).unwrap(), ..context(Locale::En) }
}

#[test]
fn the_page_says_its_language_and_its_direction() {
    for (tag, start) in [
        ("en-GB", "<html lang=\"en-GB\" dir=\"ltr\">"),
        ("es", "<html lang=\"es\" dir=\"ltr\">"),
        ("pt", "<html lang=\"pt-BR\" dir=\"ltr\">"),
        ("ar-EG", "<html lang=\"ar-EG\" dir=\"rtl\">"),
    ] {
        let page = render_booking_page(&in_language(tag), &state(BookingQuery::default()));
        assert!(page.contains(start), "{tag}: {page}");
    }
}

#[test]
fn dates_and_times_follow_the_customs_of_the_region() {
    let picked = || state(query(Some("2026-11-23"), None, None));
    for (tag, told) in [
        ("en", ["November 2026", "Monday, November 23, 2026", "10:00 AM", "Sun"]),
        ("en-GB", ["November 2026", "Monday, 23 November 2026", "10:00", "Mon"]),
        ("es", ["noviembre de 2026", "lunes, 23 de noviembre de 2026", "10:00", "lun"]),
        ("es-MX", ["noviembre de 2026", "lunes, 23 de noviembre de 2026", "10:00 a.m.", "dom"]),
        ("fr", ["novembre 2026", "lundi 23 novembre 2026", "10:00", "lun."]),
        ("de", ["November 2026", "Montag, 23. November 2026", "10:00", "Mo"]),
        ("it", ["novembre 2026", "lunedì 23 novembre 2026", "10:00", "lun"]),
        ("ar", ["نوفمبر 2026", "الاثنين، 23 نوفمبر 2026", "10:00 ص", "السبت"]),
        ("ar-EG", ["نوفمبر ٢٠٢٦", "الاثنين، ٢٣ نوفمبر ٢٠٢٦", "١٠:٠٠ ص", "السبت"]),
    ] {
        let page = render_booking_page(&in_language(tag), &picked());
        for part in told {
            assert!(page.contains(part), "{tag}: {part} in {page}");
        }
        let first = page.split("<abbr").nth(1).unwrap();
        assert!(first.contains(told[3]), "{tag}: the week begins with {first}");
    }
}

#[test]
fn every_step_keeps_the_language_and_the_region() {
    let mut state = state(query(Some("2026-11-23"), None, None));
    state.query.lang = Some("es-MX".to_owned());
    let page = render_booking_page(&in_language("es-MX"), &state);
    assert!(page.contains("&amp;lang=es-MX&amp;month=2026-11&amp;day=2026-11-23&amp;slot="), "{page}");
    state.query.slot = Some("2026-11-23T09:00:00Z".to_owned());
    let page = render_booking_page(&in_language("es-MX"), &state);
    assert!(page.contains("name=\"lang\" value=\"es-MX\""), "{page}");
}

#[test]
fn the_page_offers_every_language_by_its_own_name() {
    let page = render_message_page(&in_language("ar"), 404, "-");
    for locale in Locale::ALL {
        let link = format!("href=\"?lang={}\" lang=\"{tag}\" hreflang=\"{tag}\"", locale.as_str(), tag = locale.tag());
        assert!(page.contains(&link) && page.contains(locale.name()), "{locale:?}: {page}");
    }
    assert_eq!(page.matches("aria-current=\"true\"").count(), 1);
}

#[test]
fn a_zone_is_read_from_left_to_right_within_arabic() {
    let page = render_booking_page(&in_language("ar"), &state(query(None, None, Some("2026-11-23T09:00:00Z"))));
    assert!(page.contains("\u{2066}Europe/Madrid (GMT+1)\u{2069}"), "{page}");
}

#[test]
fn seats_are_counted_by_the_plural_rules_of_the_language() {
    let mut state = state(query(Some("2026-11-23"), None, None));
    state.seats_left = vec![2, 11, 1];
    let page = render_booking_page(&in_language("ar"), &state);
    assert!(page.contains("بقي مقعدان") && page.contains("بقي 11 مقعدًا"), "{page}");
}
