//! Cloudflare tunnels: a quick tunnel's host name anywhere, and the host of `cloudflared access ssh --hostname`.

use std::net::IpAddr;

use moorline_ssh_files::HostName;

use super::super::places::{
    after_scheme, authority_of, is_file, is_never, is_ngrok, is_placeholder, is_public_service,
    is_quick_tunnel, looks_public,
};
use super::super::text::{Line, Text, bare};
use super::super::{Confidence, Finding, FoundLink, What};
use super::refused::refused;

const NAME: &str = "cloudflare";
const QUICK: &str = ".trycloudflare.com";

pub fn find(text: &Text) -> Vec<Finding> {
    let named = text.lines.iter().filter(|line| !is_failure(line)).flat_map(in_line);
    named.chain(alone(text)).collect()
}

/// A public host name, or `user@` one, that is the whole text: without a port, only such a tunnel is reached.
fn alone(text: &Text) -> Option<Finding> {
    let mut told = text.lines.iter().filter(|line| !line.text.trim().is_empty());
    let (line, None) = (told.next()?, told.next()) else { return None };
    let (user, name) = match line.text.trim().split_once('@') {
        Some((user, name)) => (Some(user.parse().ok()?), name),
        None => (None, line.text.trim()),
    };
    let host: HostName = name.parse().ok()?;
    let known = is_quick_tunnel(&host) || is_ngrok(&host) || is_public_service(&host) || is_never(&host);
    if known || name.parse::<IpAddr>().is_ok() || !looks_public(&host) || is_file(&host) {
        return None;
    }
    let what = What::Link { link: FoundLink::Cloudflare(host), user };
    Some(Finding::new(NAME, line.number, Confidence::Guess, what))
}

fn in_line(line: &Line) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut take = |value: &str, confidence| {
        // In a cell it may be a pattern that finds the name.
        let pattern = line.source && value.contains(['[', '*', '\\', '(', '+', '^']);
        if value.starts_with('*') || value.starts_with('.') || pattern || is_placeholder(value) {
            return;
        }
        match value.parse::<HostName>() {
            Ok(host) if is_quick_tunnel(&host) || (confidence == Confidence::Certain && !is_never(&host)) => {
                let what = What::Link { link: FoundLink::Cloudflare(host), user: None };
                found.push(Finding::new(NAME, line.number, confidence, what));
            }
            Ok(_) => {}
            Err(reason) => found.push(refused(NAME, line.number, &reason)),
        }
    };
    for url in after_scheme(&line.text, "https://").map(authority_of).filter(|u| u.ends_with(QUICK)) {
        // A quick tunnel may also serve something other than SSH.
        take(url, Confidence::Likely);
    }
    let words: Vec<&str> = line.text.split_whitespace().map(bare).collect();
    for word in words.iter().filter(|w| !w.contains("://") && w.ends_with(QUICK)) {
        let host = word.rsplit_once(['@', '=']).map_or(*word, |(_, host)| host);
        take(host, Confidence::Certain);
    }
    if line.text.contains("cloudflared access ") {
        let after_option = words.windows(2).filter(|w| w[0] == "--hostname").map(|w| w[1]);
        let joined = words.iter().filter_map(|w| w.strip_prefix("--hostname="));
        // `%h` stands for the host of the command or block around it, which has its own recogniser.
        for host in after_option.chain(joined).filter(|h| *h != "%h") {
            let host = host.strip_prefix("https://").or_else(|| host.strip_prefix("ssh://")).unwrap_or(host);
            if !host.ends_with(QUICK) {
                take(host, Confidence::Certain);
            }
        }
    }
    found
}

/// A client that could not reach the tunnel names it too.
fn is_failure(line: &Line) -> bool {
    line.text.contains("originURL=") || line.text.contains(" ERR ")
}
