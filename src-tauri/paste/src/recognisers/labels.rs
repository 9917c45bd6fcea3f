//! Values with a label of their own line: `Host: x`, `Port: 123`, `User: root`.

use moorline_ssh_files::{HostName, Port, UserName};

use super::super::places::{is_never, is_nowhere, is_other_service, is_placeholder, link_to, looks_public};
use super::super::text::{Text, bare};
use super::super::{Confidence, Finding, What};
use super::refused::refused;

const NAME: &str = "labels";
const HOSTS: [&str; 9] = [
    "host",
    "hostname",
    "ssh host",
    "ssh_host",
    "server",
    "address",
    "ssh server",
    "remote host",
    "endpoint",
];
const PORTS: [&str; 5] = ["port", "ssh port", "ssh_port", "remote port", "sshport"];
const USERS: [&str; 6] = ["user", "username", "user name", "ssh user", "ssh_user", "login"];
/// How many lines may lie between a host and its port.
const REACH: usize = 5;

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut host: Option<(usize, HostName)> = None;
    let mut port: Option<(usize, Port)> = None;
    // A variable of a cell may be the relay's.
    for (index, line) in text.lines.iter().enumerate().filter(|(_, line)| !line.source) {
        for (label, value) in pairs(&line.text) {
            if HOSTS.contains(&label.as_str()) {
                match value.parse() {
                    Ok(value) => host = Some((index, value)),
                    Err(reason) if value.contains('.') && !value.contains(['/', ':']) => {
                        found.push(refused(NAME, line.number, &reason));
                    }
                    Err(_) => {}
                }
            } else if PORTS.contains(&label.as_str()) {
                match value.parse() {
                    Ok(value) => port = Some((index, value)),
                    Err(reason) => found.push(refused(NAME, line.number, &reason)),
                }
            } else if USERS.contains(&label.as_str()) {
                match value.parse::<UserName>() {
                    Ok(user) => {
                        found.push(Finding::new(NAME, line.number, Confidence::Likely, What::User(user)));
                    }
                    Err(reason) => found.push(refused(NAME, line.number, &reason)),
                }
            }
        }
        let (Some((host_at, host_name)), Some((port_at, number))) = (&host, &port) else { continue };
        let usable = looks_public(host_name)
            && !host_name.is_loopback()
            && !is_nowhere(host_name)
            && !is_never(host_name);
        if host_at.abs_diff(*port_at) <= REACH && usable && !is_other_service(*number) {
            let at = text.lines.get(*host_at).map_or(line.number, |l| l.number);
            let link = link_to(host_name.clone(), *number);
            found.push(Finding::new(NAME, at, Confidence::Likely, What::Link { link, user: None }));
        }
        (host, port) = (None, None);
    }
    found
}

/// `label: value` and `label = value`; several on one line when commas stand between.
fn pairs(line: &str) -> impl Iterator<Item = (String, &str)> {
    line.split(", ").filter_map(|part| {
        let (label, value) = part.split_once([':', '='])?;
        let label = label.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase();
        let mut words = value.split_whitespace();
        let value = bare(words.next()?);
        // A sentence is no value.
        (words.next().is_none() && !value.is_empty() && !is_placeholder(value)).then_some((label, value))
    })
}
