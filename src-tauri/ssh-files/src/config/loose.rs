//! Entries of the person's own that lead to a short-lived machine behind a tunnel and switch host key checking off.

use super::{block, words};
use crate::names::{Alias, HostName};
use crate::text::{self, Line, Lines};

/// Where ngrok puts what it carries: everything below these.
pub const NGROK: [&str; 7] = [
    ".ngrok.io",
    ".ngrok.com",
    ".ngrok.app",
    ".ngrok.dev",
    ".ngrok-free.app",
    ".ngrok-free.dev",
    ".ngrok.pizza",
];

/// Where other tunnel services put what they carry. A name that starts with a dot stands for everything below it.
const SERVICES: [&str; 11] = [
    ".trycloudflare.com",
    ".bore.pub",
    ".serveo.net",
    ".serveousercontent.com",
    ".pinggy.link",
    ".pinggy.online",
    ".pinggy.io",
    ".pinggy-free.link",
    ".localhost.run",
    ".lhr.life",
    ".ply.gg",
];

/// Words of a name by which people call such a machine.
const CALLED: [&str; 2] = ["colab", "kaggle"];

/// Below it stand the ports of a computer's own services; a tunnel's end is above.
const FIRST_FREE_PORT: u16 = 1024;

/// One `Host` entry that switches checking off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseEntry {
    /// Its only pattern.
    pub alias: Alias,
    /// Its `Host` line, from 1.
    pub line: usize,
    /// Its last line that says anything.
    pub last_line: usize,
}

/// The entries outside the managed block that have one literal alias, lead to what looks like a runtime behind a
/// tunnel, and switch host key checking off themselves. Values from a `Host *` do not count.
///
/// It looks like one by its host name or command (a tunnel service, `cloudflared access`, google-colab-cli, root's port
/// on this computer) or by its name. Checking is off with `StrictHostKeyChecking no`, `off` or `accept-new`, or
/// with known hosts that are thrown away.
pub fn loose_entries(config: &[u8]) -> Vec<LooseEntry> {
    sections(config).iter().filter_map(Section::loose).collect()
}

/// A `Host` line and what belongs to it, up to its last line that says anything. Lines of the managed block are not in
/// it.
pub(super) struct Section<'a> {
    lines: Vec<Line<'a>>,
}

/// The `Host` sections outside the managed block. As ssh has it, a section ends at the next `Host` or `Match`, also at
/// one inside the block.
pub(super) fn sections(config: &[u8]) -> Vec<Section<'_>> {
    let block = block::find(config).ok().flatten().unwrap_or(0..0);
    let mut found = Vec::new();
    let mut open: Option<Section<'_>> = None;
    for line in Lines::of(config) {
        let ours = block.contains(&line.start);
        if words::opens_section(line.text) {
            found.extend(open.take());
            let is_host = words::argument(line.text, "host").is_some();
            open = (is_host && !ours).then(|| Section { lines: vec![line] });
        } else if !ours && let Some(section) = &mut open {
            section.lines.push(line);
        }
    }
    found.extend(open);
    for section in &mut found {
        let end = section.lines.iter().rposition(|line| is_live(line.text)).map_or(0, |last| last + 1);
        section.lines.truncate(end);
    }
    found
}

impl<'a> Section<'a> {
    pub(super) fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    pub(super) fn loose(&self) -> Option<LooseEntry> {
        let [first, .., last] = &self.lines[..] else { return None };
        let mut patterns = words::host_patterns(first.text);
        let (alias, None) = (patterns.next()?, patterns.next()) else { return None };
        let alias: Alias = String::from_utf8(alias).ok()?.parse().ok()?;
        let host = self.host(&alias);
        let is_loose = self.is_unchecked(&host) && self.is_tunnelled(&alias, &host);
        is_loose.then_some(LooseEntry { alias, line: first.number, last_line: last.number })
    }

    /// What stands for `keyword`: the first line wins.
    fn argument(&self, keyword: &str) -> Option<&'a [u8]> {
        self.lines[1..].iter().find_map(|line| words::argument(line.text, keyword))
    }

    fn words(&self, keyword: &str) -> Vec<String> {
        let words = words::words(self.argument(keyword).unwrap_or_default());
        words.iter().map(|word| String::from_utf8_lossy(word).to_ascii_lowercase()).collect()
    }

    fn word(&self, keyword: &str) -> Option<String> {
        self.words(keyword).into_iter().next()
    }

    /// Where it leads, in lower case and without a dot at the end. Without a `HostName`, ssh takes the alias.
    fn host(&self, alias: &Alias) -> String {
        let host = self.word("hostname").unwrap_or_else(|| "%h".to_owned()).replace("%h", alias.as_str());
        host.strip_suffix('.').map(str::to_owned).unwrap_or(host)
    }

    fn is_unchecked(&self, host: &str) -> bool {
        let says = |keyword: &str, words: &[&str]| {
            self.word(keyword).is_some_and(|said| words.contains(&said.as_str()))
        };
        let known = self.words("userknownhostsfile");
        let forgets = !known.is_empty()
            && known.iter().all(|file| matches!(file.as_str(), "/dev/null" | "nul" | "none"));
        says("stricthostkeychecking", &["no", "off", "false", "accept-new"])
            || (forgets && !says("stricthostkeychecking", &["yes", "true"]))
            || (is_loopback(host) && says("nohostauthenticationforlocalhost", &["yes", "true"]))
    }

    fn is_tunnelled(&self, alias: &Alias, host: &str) -> bool {
        let called = |name: &str| CALLED.iter().any(|word| name.contains(word));
        let by_command = is_tunnel_command(&self.words("proxycommand"));
        called(alias.as_str()) || called(host) || is_service(host) || by_command || self.is_roots_port(host)
    }

    /// The end of a tunnel on this computer, or on the relay that ssh jumps to. Machines that run here, such as Vagrant's,
    /// are logged in to as somebody else.
    fn is_roots_port(&self, host: &str) -> bool {
        let port = self.word("port").and_then(|port| port.parse::<u16>().ok());
        let is_free = port.is_some_and(|port| port >= FIRST_FREE_PORT);
        is_loopback(host) && is_free && self.word("user").is_none_or(|user| user == "root")
    }
}

/// Whether ssh reads anything in the line.
fn is_live(line: &[u8]) -> bool {
    !matches!(text::trim(line), [] | [b'#', ..])
}

fn is_loopback(host: &str) -> bool {
    host.parse::<HostName>().is_ok_and(|host| host.is_loopback())
}

fn services() -> impl Iterator<Item = &'static str> {
    NGROK.into_iter().chain(SERVICES)
}

fn is_service(host: &str) -> bool {
    services().any(|service| host.ends_with(service) || host == &service[1..])
}

/// In lower case. A service may stand anywhere in a word, as in a URL.
fn is_tunnel_command(words: &[String]) -> bool {
    let runs = |program: &str, with: &str| {
        let at = words.iter().position(|word| program_name(word) == program);
        at.is_some_and(|at| words[at..].iter().any(|word| word == with))
    };
    runs("cloudflared", "access")
        || runs("colab", "ssh")
        || words.iter().any(|word| services().any(|service| word.contains(service)))
}

fn program_name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

#[cfg(test)]
mod tests;
