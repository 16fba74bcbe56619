use super::*;

#[test]
fn a_message_tells_its_sentence() {
    let page = render_message_page(&context(Locale::Es), 404, "No existe.");
    assert!(page.contains("<h1>No existe.</h1>") && page.contains("404"));
}

#[test]
fn a_link_that_is_over_says_what_to_do_now() {
    let query = BookingQuery { link: Some("s3cret".to_owned()), ..BookingQuery::default() };
    let page = render_link_over_page(&context(Locale::En), &query, Some("studio"));
    assert!(page.contains("<h1>This link is no longer valid</h1>"));
    assert!(page.contains("href=\"/studio\" class=\"button\">See what else can be booked"), "{page}");
    assert!(page.contains("href=\"?link=s3cret&amp;lang=es\""), "{page}");
    let framed = BookingQuery { embed: Some("1".to_owned()), ..query };
    let page = render_link_over_page(&context(Locale::En), &framed, None);
    assert!(!page.contains("class=\"button\"") && !page.contains("<footer"), "{page}");
}

fn organization(query: OrganizationQuery, slugs: &[&str]) -> String {
    let listed = |slug: &&str| ListedEventType {
        slug: (*slug).to_owned(),
        title: format!("Title of {slug}"),
        description: String::new(),
        durations: vec![30, 90],
        location: LocationView { kind: "meet".to_owned(), detail: None, needs_phone: false },
    };
    let state = OrganizationState {
        org: "studio".to_owned(),
        organization_name: "Studio Luz".to_owned(),
        event_types: slugs.iter().map(listed).collect(),
        query,
    };
    render_organization_page(&context(Locale::En), &state)
}

#[test]
fn an_organization_lists_what_can_be_booked_with_length_and_place() {
    let page = organization(OrganizationQuery::default(), &["intro", "consult"]);
    assert!(page.contains("<h1>Studio Luz</h1>") && page.contains("href=\"/studio/intro\">Title of intro"), "{page}");
    assert!(page.contains("30 min · 1 h 30 min") && page.contains("Google Meet"), "{page}");
    assert!(page.contains("href=\"/studio?lang=es\""));
}

#[test]
fn a_list_keeps_frame_and_language_and_an_empty_one_says_so() {
    let query = OrganizationQuery { embed: Some("1".to_owned()), lang: Some("en".to_owned()) };
    let page = organization(query, &["intro"]);
    assert!(page.contains("href=\"/studio/intro?embed=1&amp;lang=en\"") && !page.contains("<footer"), "{page}");
    let empty = organization(OrganizationQuery::default(), &[]);
    assert!(empty.contains("There is nothing to book here at the moment."));
}
