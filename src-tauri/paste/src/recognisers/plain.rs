//! Any text with a host and port: `host:port`, `root@host:port`, `host port 123`. The last resort, and only a guess.

use moorline_ssh_files::{HostName, Port, UserName};

use super::super::places::{
    Authority, is_file, is_never, is_ngrok_tcp, is_nowhere, is_other_service, is_placeholder,
    is_public_service, link_to, looks_public,
};
use super::super::text::{Line, Text, bare};
use super::super::{Confidence, Finding, What};
use super::refused::refused;

const NAME: &str = "plain";

/// Lines that name the other end of a connection, or a failure.
const NOT_OURS: [&str; 14] = [
    " from ",
    "closed by",
    "reset by",
    "connect to host",
    "disconnected",
    "listening",
    "listen_host",
    "lookup ",
    "dial ",
    "invalid user",
    "timed out",
    "refused",
    "host key for",
    "can't be established",
];

pub fn find(text: &Text) -> Vec<Finding> {
    // A place in a cell's source may be the relay's.
    text.lines.iter().filter(|line| !line.source && !is_not_ours(line)).flat_map(in_line).collect()
}

fn is_not_ours(line: &Line) -> bool {
    let lower = line.lower();
    NOT_OURS.iter().any(|mark| lower.contains(mark))
}

fn in_line(line: &Line) -> Vec<Finding> {
    let mut found = Vec::new();
    let words: Vec<&str> = line.text.split_whitespace().map(bare).collect();
    for word in words.iter().filter(|w| !w.contains(['/', '[']) && !is_inner_variable(w)) {
        let value = word.rsplit_once('=').map_or(*word, |(_, value)| value);
        let authority = Authority::split(value);
        match authority.check(None) {
            Ok(Some((user, host, port))) => push(&mut found, line, user, host, port),
            Err(reason) if is_near_miss(value, &authority) => found.push(refused(NAME, line.number, &reason)),
            _ => {}
        }
    }
    for three in words.windows(3).filter(|w| w[1].eq_ignore_ascii_case("port")) {
        if let (Ok(host), Ok(port)) = (three[0].parse(), three[2].parse()) {
            push(&mut found, line, None, host, port);
        }
    }
    if let [host, port] = words[..]
        && let (Ok(host), Ok(port)) = (host.parse(), port.parse())
    {
        push(&mut found, line, None, host, port);
    }
    found
}

/// `TBE_ADDR=172.28.0.1:8009`: a variable that the runtime needs itself.
fn is_inner_variable(word: &str) -> bool {
    word.split_once('=').is_some_and(|(key, _)| {
        let is_variable = key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        is_variable && !["SSH", "TUNNEL", "ENDPOINT"].iter().any(|word| key.contains(word))
    })
}

fn push(found: &mut Vec<Finding>, line: &Line, user: Option<UserName>, host: HostName, port: Port) {
    let is_file = is_file(&host) && user.is_none();
    let other = is_other_service(port) && user.is_none();
    // Other recognisers have these, and are surer.
    let known = is_ngrok_tcp(&host) || is_public_service(&host);
    if is_file
        || other
        || known
        || !looks_public(&host)
        || host.is_loopback()
        || is_nowhere(&host)
        || is_never(&host)
    {
        return;
    }
    let confidence = if user.is_some() { Confidence::Likely } else { Confidence::Guess };
    let link = link_to(host, port);
    let label = link.to_string();
    found.push(Finding::new(NAME, line.number, confidence, What::Link { link, user }).labelled(label));
}

/// `host:port` to the eye, but with a letter or an invisible character that no host name has.
fn is_near_miss(value: &str, authority: &Authority<'_>) -> bool {
    let port =
        authority.port.is_some_and(|p| (2..=6).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()));
    let suspicious = !value.is_ascii() || value.contains(['$', '`', ';', '|', '\0', '\u{8}']);
    port && authority.host.contains('.') && suspicious && !is_placeholder(value)
}
