//! Finding and writing the marked block.

use std::fmt::Write as _;
use std::ops::Range;

use super::entry::{ConfigError, HostEntry};
use crate::text::{self, BYTE_ORDER_MARK, Eol, Lines};

/// What a line that opens the block starts with.
pub const BEGIN: &str = "# >>> moorline >>>";
/// The line that closes the block.
pub const END: &str = "# <<< moorline <<<";

const BEGIN_LINE: &str = "# >>> moorline >>> managed: edits inside are replaced";

/// Against what a `Host *` would leak in. `CheckHostIP` would hold a new runtime to the key of the last one that had
/// its IP address, and write lines of its own.
const FIXED_FOR_THE_KEY: &str = "    UpdateHostKeys no
    CheckHostIP no
    ForwardAgent no
    ControlPath none
    RemoteCommand none
";

/// Ours first, then what a person can type; and no waiting for a runtime that is gone.
const FIXED_FOR_THE_LOGIN: &str = "    IdentitiesOnly yes
    PubkeyAuthentication yes
    PreferredAuthentications publickey,keyboard-interactive,password
    ServerAliveInterval 15
    ServerAliveCountMax 3
    ConnectTimeout 15
";

/// The block's bytes: from the start of its begin marker's line to behind the line end of its end marker.
pub(super) fn find(config: &[u8]) -> Result<Option<Range<usize>>, ConfigError> {
    refuse_what_ssh_misreads(config)?;
    let mut open = None;
    let mut found: Option<Range<usize>> = None;
    for line in Lines::of(config) {
        let text = text::trim(line.text);
        if text.starts_with(BEGIN.as_bytes()) {
            if open.is_some() || found.is_some() {
                return Err(ConfigError::Duplicate { line: line.number });
            }
            open = Some((line.start, line.number));
        } else if text.starts_with(END.as_bytes()) {
            let Some((start, _)) = open.take() else {
                return Err(ConfigError::Unopened { line: line.number });
            };
            found = Some(start..line.end);
        }
    }
    match open {
        Some((_, line)) => Err(ConfigError::Unclosed { line }),
        None => Ok(found),
    }
}

/// Appends the block to `out`.
pub(super) fn render(entries: &[HostEntry], eol: Eol, out: &mut Vec<u8>) {
    let mut block = format!("{BEGIN_LINE}\n");
    for entry in entries {
        // Writing to a String cannot fail.
        let _ = render_entry(entry, &mut block);
    }
    block.push_str("Host *\n");
    block.push_str(END);
    block.push('\n');
    match eol {
        Eol::Lf => out.extend_from_slice(block.as_bytes()),
        Eol::CrLf => out.extend_from_slice(block.replace('\n', eol.as_str()).as_bytes()),
    }
}

fn render_entry(entry: &HostEntry, out: &mut String) -> std::fmt::Result {
    writeln!(out, "Host {}", entry.alias)?;
    writeln!(out, "    HostName {}", entry.host_name)?;
    if let Some(port) = entry.port {
        writeln!(out, "    Port {port}")?;
    }
    writeln!(out, "    User {}", entry.user)?;
    writeln!(out, "    HostKeyAlias {}", entry.alias)?;
    out.push_str("    StrictHostKeyChecking yes\n");
    writeln!(out, "    UserKnownHostsFile {}", entry.known_hosts_file.rendered())?;
    out.push_str(FIXED_FOR_THE_KEY);
    writeln!(out, "    IdentityFile {}", entry.identity_file.rendered())?;
    out.push_str(FIXED_FOR_THE_LOGIN);
    if let Some(command) = &entry.proxy_command {
        writeln!(out, "    ProxyCommand {}", command.as_str())?;
    }
    Ok(())
}

fn refuse_what_ssh_misreads(config: &[u8]) -> Result<(), ConfigError> {
    if config.starts_with(BYTE_ORDER_MARK) {
        return Err(ConfigError::ByteOrderMark);
    }
    if text::is_utf16(config) {
        return Err(ConfigError::Utf16);
    }
    if let Some(at) = memchr::memchr(0, config) {
        return Err(ConfigError::Nul { line: text::line_number(config, at) });
    }
    if text::is_cr_only(config) {
        return Err(ConfigError::CrOnly);
    }
    Ok(())
}
