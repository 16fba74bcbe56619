//! The secrets of notification channels, which come back with each notification.
//!
//! A token is derived and not drawn, so that a channel that nobody remembers (the answer to its opening was lost, or
//! the process ended before it was stored) is known for one of ours when it tells something: it names the organization
//! and the account that can stop it. It reads `organization (16 bytes) | account (16) | HMAC-SHA256 (32)` in base64url:
//! 86 characters, which with the channel's id and a dot are within the 128 of Graph's `clientState`.
//!
//! Of a channel that is stored the digest of its token decides, whatever the token looks like.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cupo_core::ids::{AccountId, OrganizationId};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;

use crate::engine::{SessionSecret, digest};

/// Longer than any that was ever given to a channel: it is not even digested.
const LONGEST: usize = 256;
/// An organization, an account.
const NAMES: usize = 32;
const MAC: usize = 32;

/// Who opened a channel, by its token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Opener {
    pub(crate) organization_id: OrganizationId,
    pub(crate) account_id: AccountId,
}

fn bytes_of(id: &str) -> [u8; 16] {
    Uuid::parse_str(id).expect("an id is a UUID").into_bytes()
}

fn id_of<T: TryFrom<String>>(bytes: &[u8]) -> Option<T> {
    T::try_from(Uuid::from_slice(bytes).ok()?.hyphenated().to_string()).ok()
}

fn mac(secret: &SessionSecret, names: &[u8], channel_id: &str) -> [u8; MAC] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).expect("HMAC takes a key of any length");
    mac.update(b"channel\0");
    mac.update(names);
    mac.update(channel_id.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The token of the channel with this id.
pub(crate) fn token_of(secret: &SessionSecret, opener: &Opener, channel_id: &str) -> String {
    let mut token = Vec::with_capacity(NAMES + MAC);
    token.extend(bytes_of(opener.organization_id.as_str()));
    token.extend(bytes_of(opener.account_id.as_str()));
    let mac = mac(secret, &token, channel_id);
    token.extend(mac);
    URL_SAFE_NO_PAD.encode(token)
}

/// Who opened the channel, when the token is one of ours.
pub(crate) fn opener_of(secret: &SessionSecret, channel_id: &str, presented: &str) -> Option<Opener> {
    if presented.len() > LONGEST {
        return None;
    }
    let token = URL_SAFE_NO_PAD.decode(presented).ok().filter(|token| token.len() == NAMES + MAC)?;
    let (names, presented) = token.split_at(NAMES);
    if !bool::from(mac(secret, names, channel_id).as_slice().ct_eq(presented)) {
        return None;
    }
    let (organization, account) = names.split_at(NAMES / 2);
    Some(Opener { organization_id: id_of(organization)?, account_id: id_of(account)? })
}

/// Whether the token is the one whose digest is stored, in a time that does not tell how much of it is right. The type
/// of the answer is made by `subtle` alone.
pub(crate) fn is_right(stored_digest: &[u8], presented: &str) -> Choice {
    if presented.len() > LONGEST {
        return Choice::from(0);
    }
    digest(presented).as_slice().ct_eq(stored_digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: &str = "018f4e9e-7a3b-7c21-9d7e-3b1f6a2c4d5e";

    fn secret() -> SessionSecret {
        SessionSecret::new(vec![9; 32])
    }

    fn opener() -> Opener {
        Opener {
            organization_id: OrganizationId::parse("018f4e9e-7a3b-7c21-9d7e-000000000001").unwrap(),
            account_id: AccountId::parse("018f4e9e-7a3b-7c21-9d7e-000000000002").unwrap(),
        }
    }

    #[test]
    fn a_token_names_who_opened_its_channel() {
        let token = token_of(&secret(), &opener(), CHANNEL);
        assert_eq!(opener_of(&secret(), CHANNEL, &token), Some(opener()));
        assert_eq!(token_of(&secret(), &opener(), CHANNEL), token, "it is the same again");
    }

    #[test]
    fn a_token_fits_into_what_graph_takes_with_the_id_of_its_channel() {
        let token = token_of(&secret(), &opener(), CHANNEL);
        assert!(CHANNEL.len() + ".".len() + token.len() <= 128);
        assert!(!token.contains('.'));
    }

    #[test]
    fn a_token_of_another_channel_secret_or_account_is_none_of_ours() {
        let token = token_of(&secret(), &opener(), CHANNEL);
        let other_channel = CHANNEL.replace('e', "d");
        assert_eq!(opener_of(&secret(), &other_channel, &token), None);
        assert_eq!(opener_of(&SessionSecret::new(vec![8; 32]), CHANNEL, &token), None);
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        bytes[31] ^= 1;
        assert_eq!(opener_of(&secret(), CHANNEL, &URL_SAFE_NO_PAD.encode(&bytes)), None);
        for wrong in ["", ".", "AAAA", &token[..85], &format!("{token}A"), &"A".repeat(1 << 20), "ñ"] {
            assert_eq!(opener_of(&secret(), CHANNEL, wrong), None);
        }
    }

    #[test]
    fn a_wrong_token_of_any_length_is_refused_by_the_comparison_that_takes_constant_time() {
        let token = token_of(&secret(), &opener(), CHANNEL);
        let stored = digest(&token);
        // That this is `subtle`'s own type is what is tested: `==` makes none.
        let of = |presented: &str| -> subtle::Choice { is_right(&stored, presented) };
        assert!(bool::from(of(&token)));
        let last_differs = format!("{}{}", &token[..85], if token.ends_with('A') { 'B' } else { 'A' });
        let first_differs = format!("{}{}", if token.starts_with('A') { 'B' } else { 'A' }, &token[1..]);
        let longer = format!("{token}A");
        let endless = format!("{token}{}", "A".repeat(1 << 20));
        for wrong in ["", &token[..1], &token[..85], &last_differs, &first_differs, &longer, &endless] {
            assert!(!bool::from(of(wrong)), "{}", wrong.len());
        }
    }

    #[test]
    fn a_token_that_was_drawn_at_random_is_still_right_by_its_digest() {
        let drawn = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA";
        assert!(bool::from(is_right(&digest(drawn), drawn)));
        assert_eq!(opener_of(&secret(), CHANNEL, drawn), None, "it names nobody");
    }
}
