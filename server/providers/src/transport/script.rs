//! Answers that are told beforehand, instead of a network: for what must be tried with answers that no server gives.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::ProviderResponse;

/// One answer after the other, whatever is asked.
#[derive(Debug)]
pub(super) struct Script(Mutex<VecDeque<ProviderResponse>>);

impl Script {
    /// Answers are separated by a zero byte. Each is as in HTTP, with a status for its first line, header lines and an empty
    /// line before the body; one that does not begin so is all body, with status `status`.
    pub(super) fn read(bytes: &[u8], status: StatusCode) -> Self {
        Self(Mutex::new(bytes.split(|byte| *byte == 0).map(|answer| read(answer, status)).collect()))
    }

    /// `None` when there are no more.
    pub(super) fn next(&self) -> Option<ProviderResponse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

fn read(answer: &[u8], status: StatusCode) -> ProviderResponse {
    whole(answer).unwrap_or_else(|| ProviderResponse {
        status,
        headers: HeaderMap::new(),
        body: answer.to_vec().into(),
    })
}

fn whole(answer: &[u8]) -> Option<ProviderResponse> {
    let (status, mut rest) = line(answer)?;
    let status = StatusCode::from_bytes(status).ok()?;
    let mut headers = HeaderMap::new();
    loop {
        let (header, after) = line(rest)?;
        rest = after;
        if header.is_empty() {
            return Some(ProviderResponse { status, headers, body: rest.to_vec().into() });
        }
        let colon = header.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&header[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(header[colon + 1..].trim_ascii()).ok()?);
    }
}

/// The first line and what comes after it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((bytes[..end].trim_ascii_end(), &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_one_after_the_other_with_or_without_status_and_headers() {
        let script = b"503\nRetry-After: 7\n\nbusy\0{\"items\": []}\n\0";
        let script = Script::read(script, StatusCode::MULTI_STATUS);
        let first = script.next().unwrap();
        assert_eq!(
            (first.status, &first.headers["retry-after"], &first.body[..]),
            (StatusCode::SERVICE_UNAVAILABLE, &HeaderValue::from_static("7"), &b"busy"[..])
        );
        let second = script.next().unwrap();
        assert_eq!((second.status, &second.body[..]), (StatusCode::MULTI_STATUS, &b"{\"items\": []}\n"[..]));
        assert!(script.next().unwrap().body.is_empty());
        assert!(script.next().is_none());
    }
}
