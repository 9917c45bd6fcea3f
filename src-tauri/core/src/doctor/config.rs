//! The ssh config: whether it can be read, and what of it reaches into our entries.
//!
//! In OpenSSH the first value of an option wins (`ssh_config(5)`), so what stands above our block overrides it and
//! what stands below fills in what it leaves open.

use moorline_ssh_files::config::{BEGIN, END};

use super::check::{Check, Next};
use super::surroundings::Surroundings;

/// Options of our entries that decide whether a session connects, and to whom.
const DECISIVE: [&str; 15] = [
    "hostname",
    "port",
    "user",
    "hostkeyalias",
    "stricthostkeychecking",
    "forwardagent",
    "controlpath",
    "identitiesonly",
    "proxycommand",
    "proxyjump",
    "userknownhostsfile",
    "controlmaster",
    "remotecommand",
    "preferredauthentications",
    "pubkeyauthentication",
];

/// Options of our entries that only tune it.
const TUNING: [&str; 5] =
    ["updatehostkeys", "checkhostip", "serveraliveinterval", "serveralivecountmax", "connecttimeout"];

/// Options that people set for every host and that our entries are closed to.
const CLOSED: [&str; 8] = [
    "controlmaster",
    "controlpath",
    "forwardagent",
    "userknownhostsfile",
    "checkhostip",
    "remotecommand",
    "preferredauthentications",
    "pubkeyauthentication",
];

/// Options that our entries leave open and that change how a session connects.
const LEAKING: [(&str, &str); 5] = [
    ("proxyjump", "sends sessions without a proxy of their own through that host"),
    ("proxycommand", "sends sessions without a proxy of their own through that command"),
    ("sessiontype", "may leave sessions without a shell"),
    ("hostkeyalgorithms", "may leave out the pinned key's type"),
    ("pubkeyacceptedalgorithms", "may leave out the login key's type"),
];

pub(super) fn text(found: &Surroundings) -> Check {
    const ID: &str = "config-text";
    const TITLE: &str = "Text of the ssh config";
    match (&found.config, &found.config_refused) {
        (_, Some(reason)) => {
            let next = Next::then_repair("Do what the sentence says, then repair your sessions");
            Check::problem(ID, TITLE, sentence(reason), next)
        }
        (None, None) => Check::ok(ID, TITLE, "There is none yet; the first session makes it."),
        (Some(_), None) => Check::ok(ID, TITLE, "It can be edited safely."),
    }
}

/// Whether lines above our block take precedence over it.
pub(super) fn order(found: &Surroundings) -> Check {
    const ID: &str = "config-order";
    const TITLE: &str = "Place of Moorline's block";
    let lines = lines(found);
    if !lines.iter().any(|line| line.place == Place::Block) {
        return if found.sessions.is_empty() {
            Check::ok(ID, TITLE, "There is no block yet.")
        } else {
            let detail = "Moorline's block is missing in ~/.ssh/config.";
            Check::problem(ID, TITLE, detail, Next::REPAIR)
        };
    }
    let above = lines.iter().filter(|line| line.place == Place::Above);
    let mut winning = Vec::new();
    let mut decisive = false;
    for line in above {
        let known = DECISIVE.contains(&line.keyword.as_str());
        if line.keyword == "include" && line.reach != Reach::None {
            winning.push(format!("line {} includes other files", line.number));
        } else if line.reach != Reach::None && (known || TUNING.contains(&line.keyword.as_str())) {
            decisive |= known && line.reach == Reach::Certain;
            let sometimes = if line.reach == Reach::Perhaps { " under a condition" } else { "" };
            winning.push(format!("line {} sets {}{sometimes}", line.number, line.written));
        }
    }
    if winning.is_empty() {
        return Check::ok(ID, TITLE, "Nothing above it overrides it.");
    }
    let detail = format!("Above the block, where it takes precedence: {}.", some(&winning));
    let next = Next::then_repair(format!(
        "Cut the lines from `{BEGIN}` to `{END}` out of ~/.ssh/config, then repair your sessions, which puts them at the top"
    ));
    if decisive { Check::problem(ID, TITLE, detail, next) } else { Check::advice(ID, TITLE, detail, next) }
}

/// What a `Host *` or a global line elsewhere adds to our entries.
pub(super) fn leaks(found: &Surroundings) -> Check {
    const ID: &str = "config-leaks";
    const TITLE: &str = "Options that reach into sessions";
    let mut reaching = Vec::new();
    let mut covered = Vec::new();
    for line in lines(found) {
        if line.place != Place::Below || line.reach != Reach::Certain {
            continue;
        }
        if let Some((_, effect)) = LEAKING.iter().find(|(keyword, _)| *keyword == line.keyword) {
            reaching.push(format!("line {} ({}) {effect}", line.number, line.written));
        } else if CLOSED.contains(&line.keyword.as_str()) {
            covered.push(line.written);
        }
    }
    covered.dedup();
    let rest = if covered.is_empty() {
        String::new()
    } else {
        format!(" Moorline's entries are closed to {}.", covered.join(", "))
    };
    if reaching.is_empty() {
        return Check::ok(ID, TITLE, format!("None that matter.{rest}"));
    }
    let detail = format!("In ~/.ssh/config, {}.{rest}", some(&reaching));
    let next = "If a session does not connect, narrow that line's `Host *` so that it leaves the session out (`Host * !NAME`)";
    Check::advice(ID, TITLE, detail, next)
}

/// The aliases that stand in our block.
pub(super) fn block_aliases(found: &Surroundings) -> Vec<String> {
    let hosts = lines(found)
        .into_iter()
        .filter(|line| line.place == Place::Block && line.keyword == "host" && line.value != "*");
    hosts.map(|line| line.value).collect()
}

/// Where a line stands, seen from our block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Above,
    Block,
    Below,
}

/// Whether a line counts for one of our aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    None,
    Perhaps,
    Certain,
}

struct Directive {
    number: usize,
    place: Place,
    /// In lower case, as options are compared.
    keyword: String,
    /// As the person wrote it.
    written: String,
    value: String,
    reach: Reach,
}

fn lines(found: &Surroundings) -> Vec<Directive> {
    let config = found.config.as_deref().unwrap_or_default();
    let text = String::from_utf8_lossy(config);
    let has_block = text.lines().any(|line| line.trim().starts_with(BEGIN));
    let mut place = if has_block { Place::Above } else { Place::Below };
    let mut reach = Reach::Certain;
    let mut directives = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with(BEGIN) {
            place = Place::Block;
        } else if line == END {
            // The block ends in `Host *`, so what follows is global.
            (place, reach) = (Place::Below, Reach::Certain);
        }
        let Some((written, value)) = directive(line) else { continue };
        let keyword = written.to_ascii_lowercase();
        match keyword.as_str() {
            "host" => reach = host_reach(&value, found),
            "match" => {
                reach = if value.eq_ignore_ascii_case("all") { Reach::Certain } else { Reach::Perhaps };
            }
            _ => {}
        }
        directives.push(Directive { number: index + 1, place, keyword, written, value, reach });
    }
    directives
}

/// `Keyword value` or `Keyword=value`; `None` for blank lines and comments.
fn directive(line: &str) -> Option<(String, String)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(line.len());
    let (keyword, value) = line.split_at(end);
    let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '=');
    Some((keyword.to_owned(), value.to_owned()))
}

fn host_reach(patterns: &str, found: &Surroundings) -> Reach {
    let patterns: Vec<&str> =
        patterns.split_ascii_whitespace().map(|pattern| pattern.trim_matches('"')).collect();
    let counts_for = |alias: &str| {
        let refused = patterns
            .iter()
            .filter_map(|pattern| pattern.strip_prefix('!'))
            .any(|pattern| matches(pattern.as_bytes(), alias.as_bytes()));
        !refused
            && patterns
                .iter()
                .filter(|pattern| !pattern.starts_with('!'))
                .any(|pattern| matches(pattern.as_bytes(), alias.as_bytes()))
    };
    let none_yet = found.sessions.is_empty() && patterns == ["*"];
    if none_yet || found.sessions.iter().any(|alias| counts_for(alias.as_str())) {
        Reach::Certain
    } else {
        Reach::None
    }
}

/// OpenSSH's patterns: `*` for any run of characters, `?` for any one.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || Some(&c) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == b'*'))
}

/// The first few of a list, and how many more there are.
pub(super) fn some(items: &[String]) -> String {
    const SHOWN: usize = 4;
    let text = items.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    match items.len().checked_sub(SHOWN) {
        None | Some(0) => text,
        Some(more) => format!("{text}; and {more} more"),
    }
}

/// With a full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    format!("{text}.")
}
