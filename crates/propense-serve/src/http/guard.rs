//! Who may do what, and how often.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Settings;
use crate::error::Refusal;

/// The address that a connection came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) IpAddr);

impl Client {
    /// What a rate is counted for: whoever has a /64 has all of its addresses.
    pub(crate) fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_none() => {
                let mut octets = v6.octets();
                octets[8..].fill(0);
                IpAddr::from(octets)
            }
            other => other.to_canonical(),
        }
    }
}

/// The token and the rates.
#[derive(Debug)]
pub(crate) struct Guard {
    /// SHA-256 of the token: of one length whatever is shown.
    token: Option<[u8; 32]>,
    read_only: bool,
    rate: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Guard {
    pub(crate) fn new(settings: &Settings) -> Self {
        let token = settings.token.as_deref();
        Self {
            token: token.map(|token| Sha256::digest(token.as_bytes()).into()),
            read_only: settings.read_only,
            rate: settings
                .limits
                .rate
                .map(|rate| RateLimiter::keyed(Quota::per_second(rate))),
        }
    }

    /// Whether this address has requests left.
    pub(crate) fn allows(&self, client: Client) -> bool {
        let key = client.network();
        let check = |rate: &DefaultKeyedRateLimiter<IpAddr>| rate.check_key(&key).is_ok();
        self.rate.as_ref().is_none_or(check)
    }

    /// Forgets addresses that have not been heard of for a while.
    pub(crate) fn tidy(&self) {
        if let Some(rate) = &self.rate {
            rate.retain_recent();
        }
    }

    /// Lets those write who show the token.
    pub(crate) fn may_write(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.read_only {
            let message = "this service was started with --read-only";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "READ_ONLY", message));
        }
        self.may_ask(headers)
    }

    /// Lets those ask who show the token; everybody, where there is none.
    pub(crate) fn may_ask(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim())
        });
        let digest: [u8; 32] = Sha256::digest(shown.unwrap_or_default().as_bytes()).into();
        if shown.is_some() && bool::from(digest.ct_eq(token)) {
            return Ok(());
        }
        let message = "show the service's token: `Authorization: Bearer TOKEN`";
        Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHORIZED",
            message,
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn who_may_write() {
        let check = |read_only: bool, token: Option<&str>, shown: &str, expected: u16| {
            let guard = Guard::new(&Settings {
                read_only,
                token: token.map(str::to_owned),
                ..Settings::new("")
            });
            let mut headers = HeaderMap::new();
            if !shown.is_empty() {
                headers.insert(header::AUTHORIZATION, shown.parse().expect("a header"));
            }
            let status = guard
                .may_write(&headers)
                .err()
                .map_or(200, |refusal| refusal.status.as_u16());
            assert_eq!(status, expected, "{read_only} {token:?} {shown}");
        };
        let token = Some("0123456789abcdef");
        check(false, token, "Bearer 0123456789abcdef", 200);
        check(false, token, "bearer  0123456789abcdef", 200);
        check(false, token, "Bearer 0123456789abcdeF", 401);
        check(false, token, "Bearer 0123456789abcdef0", 401);
        check(false, token, "Bearer ", 401);
        check(false, token, "Basic 0123456789abcdef", 401);
        check(false, token, "", 401);
        check(true, token, "Bearer 0123456789abcdef", 403);
        check(true, None, "", 403);
    }

    #[test]
    fn each_address_has_its_own_rate() {
        let mut settings = Settings::new("");
        settings.limits.rate = NonZeroU32::new(2);
        let guard = Guard::new(&settings);
        let one = Client(Ipv4Addr::LOCALHOST.into());
        assert_eq!([(); 3].map(|()| guard.allows(one)), [true, true, false]);
        assert!(guard.allows(Client(Ipv4Addr::new(192, 0, 2, 1).into())));
        // Two addresses of one network share its rate.
        let [a, b] =
            [1, 2].map(|last| Client(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into()));
        assert_eq!(
            [a, b, a].map(|client| guard.allows(client)),
            [true, true, false]
        );
    }
}
