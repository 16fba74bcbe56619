//! `Debug` for what holds a secret.

/// Writes a `Debug` that shows the named fields and no others, for a type that holds secrets: what comes by it into a log or a
/// panic's message gives nothing away.
///
/// ```
/// struct Hold {
///     start: u32,
///     token: String,
/// }
/// cupo_core::shown_in_debug!(Hold { start });
///
/// let hold = Hold { start: 9, token: "a secret".to_owned() };
/// assert_eq!(format!("{hold:?}"), "Hold { start: 9, .. }");
/// # let _ = hold.token;
/// ```
#[macro_export]
macro_rules! shown_in_debug {
    ($name:ident $(<$lifetime:lifetime>)? { $($field:ident),* $(,)? }) => {
        impl $(<$lifetime>)? ::std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        }
    };
}
