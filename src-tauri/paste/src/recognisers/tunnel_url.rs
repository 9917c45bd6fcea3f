//! `tcp://host:port` and `ssh://user@host:port` of any service, and the bare endpoints of services that publish ports
//! (bore, pinggy, serveo, playit).

use moorline_ssh_files::Port;

use super::super::places::{
    Authority, after_scheme, authority_of, is_never, is_ngrok, is_nowhere, is_placeholder, is_public_service,
    link_to,
};
use super::super::text::{Text, bare};
use super::super::{Confidence, Finding, What};
use super::refused::refused;

const NAME: &str = "tunnel-url";

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for line in &text.lines {
        let tcp = after_scheme(&line.text, "tcp://").map(|u| (u, None, true));
        let ssh = after_scheme(&line.text, "ssh://").map(|u| (u, Some(Port::SSH), true));
        let words = line
            .text
            .split_whitespace()
            .filter(|w| !w.contains("://") && !w.contains("]:"))
            .map(|w| (bare(w), None, false));
        for (word, default, is_url) in tcp.chain(ssh).chain(words) {
            let authority = Authority::split(authority_of(word));
            if is_placeholder(authority.host)
                || authority.host.is_empty()
                || (!is_url && authority.port.is_none())
            {
                continue;
            }
            if let Some(secret) = authority.secret().filter(|_| is_url) {
                let user = authority.user.and_then(|u| u.parse().ok());
                found.push(Finding::new(
                    NAME,
                    line.number,
                    Confidence::Certain,
                    What::Password { user, secret },
                ));
            }
            match authority.check(default) {
                Ok(Some((_, host, _))) if is_never(&host) || is_nowhere(&host) || host.is_loopback() => {}
                // ngrok's own recogniser has them.
                Ok(Some((_, host, _))) if default.is_none() && is_ngrok(&host) => {}
                Ok(Some((user, host, port))) => {
                    let confidence = match is_public_service(&host) || default.is_some() {
                        true => Confidence::Certain,
                        false if is_url => Confidence::Likely,
                        false => continue,
                    };
                    let link = link_to(host, port);
                    found.push(Finding::new(NAME, line.number, confidence, What::Link { link, user }));
                }
                Err(reason) if is_url && !authority.host.contains("ngrok") => {
                    found.push(refused(NAME, line.number, &reason));
                }
                Ok(None) | Err(_) => {}
            }
        }
    }
    found
}
