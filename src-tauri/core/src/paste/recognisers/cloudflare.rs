//! Cloudflare tunnels: a quick tunnel's host name anywhere, and the host of `cloudflared access ssh --hostname`.

use moorline_ssh_files::HostName;

use super::super::places::{after_scheme, authority_of, is_never, is_placeholder, is_quick_tunnel};
use super::super::text::{Line, Text, bare};
use super::super::{Confidence, Finding, FoundLink, What};
use super::refused;

const NAME: &str = "cloudflare";
const QUICK: &str = ".trycloudflare.com";

pub fn find(text: &Text) -> Vec<Finding> {
    text.lines.iter().filter(|line| !is_failure(line)).flat_map(in_line).collect()
}

fn in_line(line: &Line) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut take = |value: &str, confidence| {
        if value.starts_with('*') || value.starts_with('.') || is_placeholder(value) {
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
