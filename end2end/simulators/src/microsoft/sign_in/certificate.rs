//! The little of X.509 and DER that a client assertion needs: a certificate's public key and thumbprints.

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest;

/// A certificate that an application registered.
#[derive(Debug)]
pub struct Certificate {
    der: Vec<u8>,
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
/// The version of a certificate, tagged `[0]`.
const VERSION: u8 = 0xa0;

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub fn from_pem(pem: &str) -> anyhow::Result<Self> {
        let begin = "-----BEGIN CERTIFICATE-----";
        let (_, rest) = pem.split_once(begin).context("there is no certificate in the PEM text")?;
        let (text, _) = rest.split_once("-----END CERTIFICATE-----").context("the certificate does not end")?;
        let text: String = text.split_whitespace().collect();
        let certificate = Self { der: STANDARD.decode(text).context("the certificate is not base64")? };
        certificate.public_key().context("the certificate has no RSA key")?;
        Ok(certificate)
    }

    /// `RSAPublicKey` (RFC 8017, appendix A.1.1), as DER.
    pub fn public_key(&self) -> Option<&[u8]> {
        let (_, certificate, _) = element(&self.der)?;
        let (_, mut fields, _) = element(certificate)?;
        let (tag, _, after_version) = element(fields)?;
        if tag == VERSION {
            fields = after_version;
        }
        // serialNumber, signature, issuer, validity, subject
        for _ in 0..5 {
            fields = element(fields)?.2;
        }
        let (tag, key_info, _) = element(fields)?;
        let (algorithm, _, bits) = element(key_info)?;
        let (bits_tag, key, _) = element(bits)?;
        // The first byte of a bit string counts the bits of its last byte that do not belong.
        (tag == SEQUENCE && algorithm == SEQUENCE && bits_tag == BIT_STRING).then(|| key.strip_prefix(&[0])).flatten()
    }

    /// `x5t`: SHA-1 of the certificate, as RFC 7515 has it.
    pub fn sha1_thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der))
    }

    /// `x5t#S256`.
    pub fn sha256_thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.der))
    }
}

/// Tag and content of the first DER element, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count > 4 {
            return None;
        }
        let (digits, rest) = rest.split_at_checked(count)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}
