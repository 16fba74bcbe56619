//! No type prints a secret by `Debug`: whatever ends in a log, in a panic or in an error's text gives nothing away.
//!
//! The sources are read. A type that derives `Debug` may have no field that is named like a secret and has a type that prints
//! itself. Such a field is a [`Secret`](cupo_providers::Secret), or its type writes its own `Debug`, for which
//! [`shown_in_debug`](cupo_core::shown_in_debug) is there.

use std::collections::BTreeSet;

use syn::{Attribute, Fields, GenericArgument, Item, PathArguments, Type};

use crate::sources::{PRODUCT, rust_files};

/// A field with one of these words in its name holds something that opens doors, or may; and so does one without a name of a
/// type that has one in its own.
const WORDS: [&str; 16] = [
    "assertion",
    "authorization",
    "bearer",
    "ciphertext",
    "cookie",
    "credential",
    "jwt",
    "manage",
    "passphrase",
    "password",
    "pem",
    "refresh",
    "secret",
    "session",
    "token",
    "verifier",
];

/// The same of these names as a whole: within longer ones they are ordinary words.
const NAMES: [&str; 12] = [
    "client_state",
    "code",
    "headers",
    "hold",
    "key",
    "key_json",
    "link",
    "made_link",
    "private",
    "private_key",
    "replaces",
    "reschedule",
];

/// Types that show what they hold.
const PLAIN: [&str; 12] = [
    "String",
    "str",
    "u8",
    "Bytes",
    "Url",
    "Value",
    "HeaderMap",
    "HeaderValue",
    "HttpUrl",
    "HashMap",
    "BTreeMap",
    "OsString",
];

/// Fields that are named like a secret and are none, each with the reason.
const KNOWN: [(&str, &str, &str); 30] = [
    ("FieldProblem", "key", "of a sentence in the catalogue"),
    ("MemberView", "key", "of a row in a form"),
    ("Mistake", "key", "of a setting"),
    ("NoticeView", "link", "to a page of ours"),
    ("Problem", "code", "of an error"),
    ("Step", "code", "of an error"),
    ("AppError", "code", "of an error"),
    ("AccountCondition::Behind", "code", "of an error"),
    ("AccountCondition::Stale", "code", "of an error"),
    ("AccountCondition::ReconnectNeeded", "code", "of an error"),
    ("TellOperator", "code", "of an error"),
    ("FailedCalendar", "code", "of an error"),
    ("OperatorAlert", "code", "of an error"),
    ("MailboxForm", "credential_id", "an id"),
    ("AccountOverview", "credential_name", "the name that its provider gave it"),
    ("Smtp", "credentials", "the password is a `Secret`"),
    ("AppointmentRow", "token_hash", "a hash"),
    ("Certificate", "pem", "certificates are public"),
    ("ExtendedProperties", "private", "Google's name for what an application keeps in its events"),
    ("BatchResponse", "headers", "of an answer within an answer: when to ask again"),
    ("Position::SyncToken", "0", "how far a calendar was read; it opens nothing"),
    ("Multistatus", "sync_token", "how far a calendar was read; it opens nothing"),
    ("Properties", "sync_token", "how far a calendar was read; it opens nothing"),
    ("CalendarList", "next_page_token", "where a list goes on; it opens nothing"),
    ("EventPage", "next_page_token", "where a list goes on; it opens nothing"),
    ("EventPage", "next_sync_token", "how far a calendar was read; it opens nothing"),
    ("GoogleClient", "token_url", "an address of Google"),
    ("GoogleServiceAccount", "token_url", "an address of Google"),
    ("Google", "token_url", "an address of Google"),
    ("GoogleAddresses", "token_url", "an address of Google"),
];

/// A field that would print itself.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    file: String,
    owner: String,
    field: String,
}

#[test]
fn no_type_that_derives_debug_prints_a_field_that_is_named_like_a_secret() {
    let mut shown = BTreeSet::new();
    let mut types = 0;
    for (file, text) in rust_files(&PRODUCT) {
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file} cannot be read: {error}"));
        types += in_items(&file, &parsed.items, &mut shown);
    }
    assert!(types > 300, "only {types} types derive Debug: the reader is blind");
    let is_known = |it: &&Shown| KNOWN.iter().any(|(owner, field, _)| it.owner == *owner && it.field == *field);
    let unknown: Vec<_> = shown.iter().filter(|it| !is_known(it)).collect();
    assert!(
        unknown.is_empty(),
        "These are named like secrets and would be printed. Make each a `Secret`, or write the type's `Debug` by \
         `cupo_core::shown_in_debug!`; where the name misleads, add the field to KNOWN and say what it is: {unknown:#?}"
    );
    let left_over: Vec<_> = KNOWN
        .iter()
        .filter(|(owner, field, _)| !shown.iter().any(|it| it.owner == *owner && it.field == *field))
        .collect();
    assert!(left_over.is_empty(), "There are no such fields any more: {left_over:?}");
}

#[test]
fn a_derived_debug_of_a_secret_is_found_wherever_it_stands() {
    let text = r#"
        #[derive(Clone, Debug)] struct A { session_token: Option<String>, name: String }
        #[derive(Debug)] enum B { One { private_key: Vec<u8> }, Two(Password), Three }
        mod inner { #[derive(Debug)] pub struct C<'a> { pub link: Option<&'a str>, pub token: Secret } }
        #[derive(Debug)] struct SessionSecret(Vec<u8>);
        #[derive(Clone)] struct D { password: String }
        #[cfg(test)] mod tests { #[derive(Debug)] struct E { password: String } }
        #[cfg_attr(test, derive(Debug))] struct F { password: String }
    "#;
    let mut shown = BTreeSet::new();
    in_items("a file", &syn::parse_file(text).unwrap().items, &mut shown);
    let found: Vec<_> = shown.iter().map(|it| format!("{}.{}", it.owner, it.field)).collect();
    assert_eq!(found, ["A.session_token", "B::One.private_key", "C.link", "SessionSecret.0"]);
}

/// Reads the types of a module and of those within; gives how many derive `Debug`.
fn in_items(file: &str, items: &[Item], shown: &mut BTreeSet<Shown>) -> usize {
    let mut types = 0;
    for item in items {
        match item {
            Item::Struct(item) if derives_debug(&item.attrs) => {
                types += 1;
                in_fields(file, &item.ident.to_string(), &item.fields, shown);
            }
            Item::Enum(item) if derives_debug(&item.attrs) => {
                types += 1;
                for variant in &item.variants {
                    in_fields(file, &format!("{}::{}", item.ident, variant.ident), &variant.fields, shown);
                }
            }
            Item::Mod(item) if !is_for_tests(&item.attrs) => {
                types += item.content.as_ref().map_or(0, |(_, items)| in_items(file, items, shown));
            }
            _ => {}
        }
    }
    types
}

fn in_fields(file: &str, owner: &str, fields: &Fields, shown: &mut BTreeSet<Shown>) {
    for (number, field) in fields.iter().enumerate() {
        let name = field.ident.as_ref().map_or_else(|| number.to_string(), ToString::to_string);
        // A field without a name is named by its type.
        let named = if field.ident.is_some() { words(&name) } else { words(owner) };
        let is_named = NAMES.contains(&name.as_str()) || named.iter().any(|word| WORDS.contains(&word.as_str()));
        if is_named && is_plain(&field.ty) {
            shown.insert(Shown { file: file.to_owned(), owner: owner.to_owned(), field: name });
        }
    }
}

/// The words of a name in snake or camel case, in lower case, in the singular.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter == ':' || letter.is_uppercase() {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().expect("there is one").extend(letter.to_lowercase());
        }
    }
    words
        .iter()
        .map(|word| word.strip_suffix('s').filter(|_| !word.ends_with("ss")).unwrap_or(word).to_owned())
        .collect()
}

fn derives_debug(attributes: &[Attribute]) -> bool {
    let mut derives = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        attribute
            .parse_nested_meta(|meta| {
                derives |= meta.path.segments.last().is_some_and(|last| last.ident == "Debug");
                Ok(())
            })
            .expect("a list of traits is derived");
    }
    derives
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let mut is_test = false;
        let read = attribute.parse_nested_meta(|meta| {
            is_test |= meta.path.is_ident("test");
            Ok(())
        });
        read.is_ok() && is_test
    })
}

/// Whether the type, or one that it is made of, shows what it holds.
fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_plain(&reference.elem),
        Type::Slice(slice) => is_plain(&slice.elem),
        Type::Array(array) => is_plain(&array.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(is_plain),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let inner = match &last.arguments {
                PathArguments::AngleBracketed(inner) => inner.args.iter().any(|argument| match argument {
                    GenericArgument::Type(inner) => is_plain(inner),
                    _ => false,
                }),
                _ => false,
            };
            inner || PLAIN.contains(&last.ident.to_string().as_str())
        }),
        _ => false,
    }
}
