//! ngrok's TCP endpoints, as agents, gists and `colab_ssh` print them: `tcp://0.tcp.eu.ngrok.io:15873`, with or without
//! the scheme, with or without a user.

use super::super::places::{Authority, after_scheme, authority_of, is_ngrok, is_ngrok_tcp, link_to};
use super::super::text::{Text, bare};
use super::super::{Confidence, Finding, What};
use super::refused::refused;

const NAME: &str = "ngrok";

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for line in &text.lines {
        // `Successfully running` is what colab_ssh prints from the tunnel itself; its Host block may be wrong.
        let told = line.text.contains("Successfully running");
        let urls = after_scheme(&line.text, "tcp://").map(|u| (authority_of(u), true));
        let words = line.text.split_whitespace().filter(|w| !w.contains("://")).map(|w| (bare(w), told));
        for (word, explicit) in urls.chain(words) {
            let authority = Authority::split(word);
            // `[host]:port` is how ssh names a known host when it complains.
            if word.starts_with('[') || authority.port.is_none() || !(word.contains("ngrok") || told) {
                continue;
            }
            match authority.check(None) {
                Ok(Some((user, host, port)))
                    if is_ngrok_tcp(&host) || (explicit && (told || is_ngrok(&host))) =>
                {
                    let link = link_to(host, port);
                    found.push(Finding::new(
                        NAME,
                        line.number,
                        Confidence::Certain,
                        What::Link { link, user },
                    ));
                }
                Ok(_) => {}
                Err(reason) => found.push(refused(NAME, line.number, &reason)),
            }
        }
    }
    found
}
