//! The edges that carry SSH in a WebSocket: what each is asked, and what its refusals mean. Pure.
//!
//! Cloudflare: what `cloudflared access ssh` sends and its edge answers. Colab: what google-colab-cli 0.7 sends to a
//! runtime's proxy. Both upgrade an HTTP/1.1 request (RFC 6455, section 4) without subprotocol or extension.

use std::fmt;

use moorline_ssh_files::HostName;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::access_token::ServiceToken;
use crate::net::error::CarryError;
use crate::store::colab_slot::Holder;

/// One edge, and what it wants to see.
#[derive(Clone)]
pub(super) struct Edge {
    pub(super) host: HostName,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    Cloudflare { token: Option<ServiceToken> },
    Colab { token: SecretString, public_key: String },
}

/// What an edge answered other than 101.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The `Location` header.
    pub(super) location: String,
    /// The beginning of the body.
    pub(super) body: String,
}

impl Edge {
    /// The request that upgrades the connection; `key` is the WebSocket's nonce.
    pub(super) fn request(&self, key: &str) -> Zeroizing<Vec<u8>> {
        let (mut target, mut more) = (Zeroizing::new("/".to_owned()), Zeroizing::new(String::new()));
        match &self.kind {
            Kind::Cloudflare { token: None } => {}
            Kind::Cloudflare { token: Some(token) } => {
                more = Zeroizing::new(format!(
                    "Cf-Access-Client-Id: {}\r\nCf-Access-Client-Secret: {}\r\n",
                    token.id(),
                    token.secret().expose_secret(),
                ));
            }
            Kind::Colab { token, public_key } => {
                let token = utf8_percent_encode(token.expose_secret(), NON_ALPHANUMERIC);
                target = Zeroizing::new(format!("/colab/ssh?colab-runtime-proxy-token={token}"));
                // A line of its own could end the header and begin another.
                let line = public_key.split(|c: char| c.is_control()).next().unwrap_or_default();
                more = Zeroizing::new(format!("X-Colab-Ssh-Pubkey: {line}\r\n"));
            }
        }
        let host = &self.host;
        let agent = concat!("Moorline/", env!("CARGO_PKG_VERSION"));
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{}\r\n",
            *target, *more
        );
        Zeroizing::new(request.into_bytes())
    }

    /// What a refusal means.
    pub(super) fn explain(&self, refusal: &Refusal) -> CarryError {
        let host = self.host.clone();
        match &self.kind {
            Kind::Cloudflare { token } => explain_cloudflare(host, token.is_some(), refusal),
            Kind::Colab { .. } => match refusal.status {
                400 => CarryError::ColabKey,
                401 => CarryError::ColabExpired,
                403 => CarryError::ColabForbidden,
                404 => CarryError::ColabNoSsh,
                429 => CarryError::ColabTaken(Holder::Elsewhere),
                502 => CarryError::ColabSshdDown,
                status => CarryError::Status { host, status },
            },
        }
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Cloudflare { .. } => "cloudflare",
            Kind::Colab { .. } => "colab",
        };
        f.debug_struct("Edge").field("host", &self.host).field("kind", &kind).finish_non_exhaustive()
    }
}

fn explain_cloudflare(host: HostName, token: bool, refusal: &Refusal) -> CarryError {
    match refusal.status {
        301 | 302 | 303 | 307 if refusal.location.contains("/cdn-cgi/access/") => {
            // With a token that Access does not know, it asks for a login as it asks anybody.
            if token { CarryError::Forbidden { host, token } } else { CarryError::WantsLogin(host) }
        }
        401 => CarryError::WantsLogin(host),
        403 => CarryError::Forbidden { host, token },
        530 => CarryError::TunnelGone(host),
        _ if refusal.body.contains("error code: 1033") => CarryError::TunnelGone(host),
        502 => CarryError::OriginDown(host),
        200..=299 | 400 | 404 | 426 => CarryError::Odd {
            host,
            reason: format!("it answers like a web site, with status {}", refusal.status),
        },
        status => CarryError::Status { host, status },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloudflare(token: Option<&str>) -> Edge {
        let token = token.map(|text| ServiceToken::read(&text.into()).unwrap());
        Edge { host: "a.example.com".parse().unwrap(), kind: Kind::Cloudflare { token } }
    }

    fn colab(public_key: &str) -> Edge {
        let kind = Kind::Colab { token: "to+ken/=&x".into(), public_key: public_key.to_owned() };
        Edge { host: "8080-gpu.example.dev".parse().unwrap(), kind }
    }

    fn text(edge: &Edge) -> String {
        String::from_utf8(edge.request("bm9uY2Ugb2YgMTYgYnl0ZXM=").to_vec()).unwrap()
    }

    #[test]
    fn a_tunnel_without_a_token_is_asked_in_the_plainest_way() {
        let text = text(&cloudflare(None));
        assert!(text.starts_with("GET / HTTP/1.1\r\nHost: a.example.com\r\n"), "{text}");
        assert!(text.contains("\r\nSec-WebSocket-Version: 13\r\n") && text.ends_with("\r\n\r\n"), "{text}");
        for never in ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Cf-Access", "Origin"] {
            assert!(!text.contains(never), "{text}");
        }
    }

    #[test]
    fn secrets_stand_in_the_request_and_nowhere_else() {
        let with_token = cloudflare(Some("b1946ac9.access 5891b5b522d5df086d0ff0b110fbd9d2"));
        let asked = text(&with_token);
        assert!(asked.contains("\r\nCf-Access-Client-Id: b1946ac9.access\r\n"), "{asked}");
        assert!(
            asked.contains("\r\nCf-Access-Client-Secret: 5891b5b522d5df086d0ff0b110fbd9d2\r\n"),
            "{asked}"
        );
        let colab = colab("ssh-ed25519 AAAA me\r\nX-Evil: 1");
        let asked = text(&colab);
        assert!(
            asked.starts_with("GET /colab/ssh?colab-runtime-proxy-token=to%2Bken%2F%3D%26x HTTP/1.1\r\n")
        );
        assert!(
            asked.contains("\r\nX-Colab-Ssh-Pubkey: ssh-ed25519 AAAA me\r\n") && !asked.contains("X-Evil")
        );
        let shown = format!("{with_token:?} {colab:?}");
        assert!(
            !shown.contains("5891") && !shown.contains("ken") && shown.contains("a.example.com"),
            "{shown}"
        );
    }

    #[test]
    fn each_refusal_of_cloudflare_has_its_sentence() {
        let login = "https://team.cloudflareaccess.com/cdn-cgi/access/login/a.example.com?kid=1";
        for (token, status, location, body, says) in [
            (false, 302, login, "", "wants a login"),
            (true, 302, login, "", "expired or not allowed"),
            (false, 403, "", "", "bot rule"),
            (true, 403, "", "", "expired or not allowed"),
            (false, 502, "", "", "sshd behind it does not answer"),
            (false, 530, "", "error code: 1033", "1033"),
            (false, 530, "", "", "is gone"),
            (false, 200, "", "<html>", "like a web site"),
            (false, 302, "https://elsewhere.example/", "", "302"),
            (false, 503, "", "", "503"),
        ] {
            let edge = cloudflare(token.then_some("id.access 5891b5b522d5df08"));
            let refusal = Refusal { status, location: location.to_owned(), body: body.to_owned() };
            let said = edge.explain(&refusal).to_string();
            assert!(said.contains(says) && said.contains("a.example.com"), "{status}: {said}");
            assert!(!said.contains('\n'), "one line: {said}");
        }
    }

    #[test]
    fn each_refusal_of_colab_has_its_sentence() {
        for (status, says) in [
            (400, "ssh-ed25519"),
            (401, "expired"),
            (403, "forbids"),
            (404, "no SSH"),
            (429, "another computer or program"),
            (502, "sshd on the runtime"),
            (500, "500"),
        ] {
            let said =
                colab("ssh-ed25519 AAAA").explain(&Refusal { status, ..Refusal::default() }).to_string();
            assert!(said.contains(says), "{status}: {said}");
        }
    }
}
