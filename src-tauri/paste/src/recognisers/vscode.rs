//! Links that open a folder over SSH in Visual Studio Code: `vscode://vscode-remote/ssh-remote+root@host:22/content/x`
//! and `vscode-remote://ssh-remote+host/content/x`.

use moorline_model::session::RemotePath;
use moorline_ssh_files::Port;

use super::super::places::{Authority, is_never, is_nowhere, link_to, looks_public};
use super::super::text::Text;
use super::super::{Confidence, Finding, What};
use super::refused::refused;

const NAME: &str = "vscode-link";
/// A line with more links than this is noise.
const MOST_IN_LINE: usize = 8;

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for line in &text.lines {
        for (at, mark) in line.text.match_indices("ssh-remote").take(MOST_IN_LINE) {
            let is_link =
                line.text[..at].ends_with("vscode-remote/") || line.text[..at].ends_with("vscode-remote://");
            if !is_link {
                continue;
            }
            let tail = &line.text[at + mark.len()..];
            let Some(tail) = tail.strip_prefix('+').or_else(|| tail.strip_prefix("%2B")) else { continue };
            let end = tail
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '?' | '#'));
            let tail = &tail[..end.unwrap_or(tail.len())];
            let (authority, path) = tail.split_once('/').map_or((tail, None), |(a, p)| (a, Some(p)));
            read(&unescaped(authority), path, line.number, &mut found);
        }
    }
    found
}

fn read(authority: &str, path: Option<&str>, line: usize, found: &mut Vec<Finding>) {
    let certain = |what| Finding::new(NAME, line, Confidence::Certain, what);
    match Authority::split(authority).check(Some(Port::SSH)) {
        Ok(Some((_, host, _))) if is_never(&host) || is_nowhere(&host) => {}
        Ok(Some((user, host, port))) if host.is_loopback() => {
            found.push(certain(What::LoopbackPort { port, user }));
        }
        Ok(Some((user, host, port))) if looks_public(&host) => {
            found.push(certain(What::Link { link: link_to(host, port), user }));
        }
        // An alias of the person's own leads nowhere new, but its folder is meant.
        Ok(_) => {}
        Err(reason) => return found.push(refused(NAME, line, &reason)),
    }
    let folder = path.filter(|p| !p.is_empty()).map(|p| unescaped(&format!("/{p}")));
    if let Some(folder) = folder.and_then(|f| f.parse::<RemotePath>().ok()) {
        found.push(certain(What::Folder(folder)));
    }
}

/// Resolves `%40` and the like (RFC 3986 section 2.1); what is no valid UTF-8 stays as it was.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|h| std::str::from_utf8(h).ok())
            .filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
