//! `Host` entries as tools print them for `~/.ssh/config` (`ssh_config(5)`). Host, port, user, alias and the relay
//! are taken; a command never is, it only tells which kind of link the entry stands for.

use moorline_model::session::RelayTarget;
use moorline_ssh_files::{Alias, HostName, InvalidName, Place, Port, UserName};

use super::super::places::{is_never, is_nowhere, is_placeholder, link_to};
use super::super::text::{Line, Text};
use super::super::{Confidence, Doubt, Finding, FoundLink, Notice, NoticeKind, What, ssh_command};
use super::google_cli::proxied_session;
use super::refused::refused;
use super::relay_target::relay_target;

const NAME: &str = "host-block";

/// Directives that may follow `Host`; what is none of them ends the entry, since a paste has no other end mark.
const KEYWORDS: [&str; 34] = [
    "addkeystoagent",
    "addressfamily",
    "checkhostip",
    "ciphers",
    "compression",
    "connectionattempts",
    "connecttimeout",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "forwardagent",
    "forwardx11",
    "hostkeyalgorithms",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityfile",
    "localforward",
    "loglevel",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "pubkeyauthentication",
    "remotecommand",
    "remoteforward",
    "requesttty",
    "sendenv",
    "serveralivecountmax",
    "serveraliveinterval",
    "stricthostkeychecking",
    "user",
    "userknownhostsfile",
];

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut lines = text.lines.as_slice();
    while let Some((line, rest)) = lines.split_first() {
        lines = rest;
        let Some(patterns) = directive(line).filter(|(key, _)| key == "host").map(|(_, value)| value) else {
            continue;
        };
        let (block, rest) = Block::read(line.number, &patterns, rest);
        if let Some(block) = block {
            lines = rest;
            block.findings(&mut found);
        }
    }
    found
}

/// `Key value`, `Key=value`, `Key "value"`; the key in lower case.
fn directive(line: &Line) -> Option<(String, String)> {
    let text = Some(line.text.trim()).filter(|_| !line.source)?;
    let end = text.find(|c: char| c.is_whitespace() || c == '=')?;
    let value = text[end..].trim_start().trim_start_matches('=').trim();
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    Some((text[..end].to_ascii_lowercase(), value.to_owned()))
}

/// A value and its line.
type Told = Option<(String, usize)>;

#[derive(Default)]
struct Block {
    line: usize,
    patterns: String,
    host_name: Told,
    port: Told,
    user: Told,
    jump: Told,
    command: Told,
    checking_off: Option<usize>,
}

impl Block {
    /// Reads what follows `Host`; `None` when no directive does, as after a sentence that begins with the word.
    fn read<'a>(number: usize, patterns: &str, lines: &'a [Line]) -> (Option<Self>, &'a [Line]) {
        let mut block = Self { line: number, patterns: patterns.to_owned(), ..Self::default() };
        let mut rest = lines;
        let mut any = false;
        while let Some((line, tail)) = rest.split_first() {
            let text = line.text.trim();
            if !text.is_empty() && !text.starts_with('#') {
                let Some((key, value)) = directive(line).filter(|(key, _)| KEYWORDS.contains(&key.as_str()))
                else {
                    break;
                };
                any = true;
                block.set(&key, value, line.number);
            }
            rest = tail;
        }
        (any.then_some(block), rest)
    }

    /// OpenSSH takes the first value of each directive.
    fn set(&mut self, key: &str, value: String, line: usize) {
        let slot = match key {
            "hostname" => &mut self.host_name,
            "port" => &mut self.port,
            "user" => &mut self.user,
            "proxyjump" => &mut self.jump,
            "proxycommand" => &mut self.command,
            "stricthostkeychecking"
                if ["no", "off", "accept-new"].contains(&value.to_ascii_lowercase().as_str()) =>
            {
                self.checking_off.get_or_insert(line);
                return;
            }
            "userknownhostsfile" if value == "/dev/null" => {
                self.checking_off.get_or_insert(line);
                return;
            }
            _ => return,
        };
        if slot.is_none() && !is_placeholder(&value) || key == "proxycommand" {
            *slot = slot.take().or(Some((value, line)));
        }
    }

    fn findings(&self, found: &mut Vec<Finding>) {
        let likely =
            |line, what| Finding::new(NAME, line, Confidence::Likely, what).labelled(self.patterns.as_str());
        let user = parsed::<UserName>(self.user.as_ref(), found);
        if let Some((alias, doubt)) = self.alias() {
            found.extend(alias.map(|alias| likely(self.line, What::Name(alias))));
            found.extend(doubt.map(|reason| refused(NAME, self.line, &reason)));
        }
        if let Some(user) = &user {
            let line = self.user.as_ref().map_or(self.line, |(_, line)| *line);
            found.push(likely(line, What::User(user.clone())));
        }
        match self.way(user, found) {
            Ok(Some((line, what))) => found.push(likely(line, what)),
            Ok(None) => {}
            Err((line, reason)) => found.push(refused(NAME, line, &reason)),
        }
        if let Some((_, line)) = self.command {
            found.push(likely(line, What::Notice(Notice { kind: NoticeKind::ProxyCommandIgnored, line })));
        }
        if let Some(line) = self.checking_off {
            found.push(likely(line, What::Notice(Notice { kind: NoticeKind::CheckingOff, line })));
        }
    }

    /// The name to suggest, and the doubt when the patterns look like an attack rather than like another tool's taste.
    fn alias(&self) -> Option<(Option<Alias>, Option<InvalidName>)> {
        let patterns = self.patterns.as_str();
        let is_generic = patterns.contains('.') || patterns.starts_with('*') || is_placeholder(patterns);
        if is_generic && !patterns.contains(char::is_whitespace) {
            return None;
        }
        Some(match patterns.parse() {
            Ok(alias) => (Some(alias), None),
            Err(_) if patterns.parse::<HostName>().is_ok() => (None, None),
            Err(reason) => (None, Some(reason)),
        })
    }

    fn way(
        &self,
        user: Option<UserName>,
        found: &mut Vec<Finding>,
    ) -> Result<Option<(usize, What)>, (usize, InvalidName)> {
        if let Some((command, line)) = &self.command
            && let Some(session) = proxied_session(command)
        {
            return Ok(Some((
                *line,
                What::Link {
                    link: FoundLink::GoogleColab { session: session.parse().ok(), runtime: None },
                    user,
                },
            )));
        }
        let Some((line, host)) = self.host()? else { return Ok(None) };
        let port = match &self.port {
            Some((port, line)) => port.parse().map_err(|reason| (*line, reason))?,
            None => Port::SSH,
        };
        if is_never(&host) || is_nowhere(&host) {
            return Ok(None);
        }
        if self
            .command
            .as_ref()
            .is_some_and(|(command, _)| command.contains(" access ") && command.contains("--hostname"))
        {
            return Ok(Some((line, What::Link { link: FoundLink::Cloudflare(host), user })));
        }
        Ok(Some((
            line,
            match self.relay()? {
                Some(relay) if host.is_loopback() => {
                    What::Link { link: FoundLink::Relay { relay, port }, user }
                }
                Some(relay) => What::Doubt(Doubt::JumpElsewhere { relay, host, line }),
                None if host.is_loopback() => What::LoopbackPort { port, user },
                None => {
                    let link = link_to(host, port);
                    if let (FoundLink::Direct(Place { .. }), Some((_, line))) = (&link, &self.command) {
                        // Without its command, an entry of an unknown kind may lead elsewhere.
                        found.push(Finding::new(NAME, *line, Confidence::Guess, What::Link { link, user }));
                        return Ok(None);
                    }
                    What::Link { link, user }
                }
            },
        )))
    }

    /// `HostName`, with `%h` resolved, else the pattern itself if it is a host's name.
    fn host(&self) -> Result<Option<(usize, HostName)>, (usize, InvalidName)> {
        let (value, line) = match &self.host_name {
            Some((value, line)) if value == "%h" => (self.patterns.as_str(), *line),
            Some((value, line)) => (value.as_str(), *line),
            None => (self.patterns.as_str(), self.line),
        };
        let own_pattern = value == self.patterns;
        match value.parse() {
            Ok(_) if own_pattern && !value.contains('.') => Ok(None),
            Ok(host) => Ok(Some((line, host))),
            Err(_) if own_pattern => Ok(None),
            Err(reason) => Err((line, reason)),
        }
    }

    fn relay(&self) -> Result<Option<RelayTarget>, (usize, InvalidName)> {
        if let Some((jump, line)) = &self.jump
            && jump != "none"
        {
            return Ok(Some(jump.parse().map_err(|reason| (*line, reason))?));
        }
        let Some((command, line)) = &self.command else { return Ok(None) };
        let inner = ssh_command::parse(command, *line).filter(|c| c.stdio_forward.is_some());
        let Some(inner) = inner else { return Ok(None) };
        relay_target(&inner).map(Some).map_err(|reason| (*line, reason))
    }
}

fn parsed<T: std::str::FromStr<Err = InvalidName>>(
    told: Option<&(String, usize)>,
    found: &mut Vec<Finding>,
) -> Option<T> {
    let (value, line) = told?;
    match value.parse() {
        Ok(value) => Some(value),
        Err(reason) => {
            found.push(refused(NAME, *line, &reason));
            None
        }
    }
}
