//! Repairing the relay's own `known_hosts`, for people who hop to the runtime from there.

use std::net::Ipv4Addr;
use std::time::Duration;

use moorline_ssh_files::known_hosts::{KnownHostsError, apply, keys_of};
use moorline_ssh_files::{HostKey, HostName, InvalidName, KnownHostsEdit, KnownName, Place, Port};
use tokio::time::Instant;

use super::failure::last_line;
use super::system::{SshRunError, SystemSsh};
use crate::session::RelayTarget;

/// Prints the file's POSIX checksum and size, then the file. Both scripts are one line in single quotes, without
/// what a login shell other than sh would take apart.
const READ: &str = concat!(
    "exec /bin/sh -c '",
    "f=$HOME/.ssh/known_hosts; ",
    "if [ -f \"$f\" ]; then echo moorline:file $(cksum < \"$f\"); exec cat \"$f\"; fi; ",
    "echo moorline:none'",
);

/// Reads `CRC SIZE NEW-SIZE`, then the new content. Writes it beside the file (behind a symlink, beside its
/// target) with the file's own mode and owner, and puts it in place only if it came whole and the file still has
/// that checksum; status 3 says that it has not.
const WRITE: &str = concat!(
    "exec /bin/sh -c '",
    "set -eu; umask 077; IFS= read -r head; ",
    "f=$HOME/.ssh/known_hosts; t=$(readlink -f \"$f\" 2>/dev/null) || t=$f; ",
    "n=$t.moorline-new.$$; clean() { rm -f \"$n\"; }; trap clean EXIT; ",
    "cp -p \"$t\" \"$n\"; cat > \"$n\"; ",
    "[ $(wc -c < \"$n\") -eq \"${head##* }\" ] || { echo the new content arrived incomplete >&2; exit 1; }; ",
    "cp -p \"$t\" \"$f.moorline-backup\"; ",
    "set -- $(cksum < \"$t\"); [ \"$1 $2\" = \"${head% *}\" ] || exit 3; ",
    "mv -f \"$n\" \"$t\"'",
);

/// What became of the relay's `known_hosts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayRepair {
    /// There was nothing stale.
    Unchanged,
    /// It was rewritten; the former content is beside it, as `known_hosts.moorline-backup`.
    Written {
        /// How many lines went.
        dropped: usize,
        /// How many lines lost a name.
        narrowed: usize,
        /// How many lines were added.
        added: usize,
    },
}

/// Why the relay's `known_hosts` was not repaired. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RelayRepairError {
    /// The relay could not be asked.
    #[error(transparent)]
    Ssh(#[from] SshRunError),
    /// The file is of a kind that is not edited.
    #[error("~/.ssh/known_hosts of {relay}: {cause}")]
    Refused {
        /// The relay.
        relay: String,
        /// Why.
        cause: KnownHostsError,
    },
    /// Someone else wrote it at the same time.
    #[error("~/.ssh/known_hosts of {relay} was changed by another program just now; try again")]
    Busy {
        /// The relay.
        relay: String,
    },
    /// The relay could not read or write it.
    #[error("{relay} cannot change its ~/.ssh/known_hosts: {said}")]
    Failed {
        /// The relay.
        relay: String,
        /// What it printed, escaped and bounded.
        said: String,
    },
    /// A name that cannot be.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// Drops what the relay's own `known_hosts` holds for `[127.0.0.1]:port` and `[localhost]:port`, and puts `key`
/// under `[127.0.0.1]:port` if a key stood there before: whoever never hopped from there gets no new line.
pub async fn repair_relay_known_hosts(
    system: &SystemSsh,
    target: &RelayTarget,
    port: Port,
    key: &HostKey,
    limit: Duration,
) -> Result<RelayRepair, RelayRepairError> {
    let relay = target.to_string();
    let end = Instant::now() + limit;
    let left = || end.saturating_duration_since(Instant::now());
    let read = system.run(target, READ, None, left()).await?;
    if read.status != 0 {
        return Err(RelayRepairError::Failed { relay, said: last_line(&read.stderr) });
    }
    let Some((sum, old)) = split(&read.stdout) else { return Ok(RelayRepair::Unchanged) };
    if !sum.ends_with(&format!(" {}", old.len())) {
        return Err(RelayRepairError::Busy { relay });
    }
    let edit = edit_for(old, port, key)?;
    let done =
        apply(old, &edit).map_err(|cause| RelayRepairError::Refused { relay: relay.clone(), cause })?;
    if done.bytes == old {
        return Ok(RelayRepair::Unchanged);
    }
    let mut input = format!("{sum} {}\n", done.bytes.len()).into_bytes();
    input.extend_from_slice(&done.bytes);
    let written = system.run(target, WRITE, Some(&input), left()).await?;
    match written.status {
        0 => Ok(RelayRepair::Written { dropped: done.dropped, narrowed: done.narrowed, added: done.added }),
        3 => Err(RelayRepairError::Busy { relay }),
        _ => Err(RelayRepairError::Failed { relay, said: last_line(&written.stderr) }),
    }
}

fn edit_for(known_hosts: &[u8], port: Port, key: &HostKey) -> Result<KnownHostsEdit, InvalidName> {
    let name = |host: HostName| KnownName::Place(Place { host, port });
    let literal = name(Ipv4Addr::LOCALHOST.to_string().parse()?);
    let hopped_before = !keys_of(known_hosts, &literal).is_empty();
    Ok(KnownHostsEdit {
        pin_names: if hopped_before { vec![literal.clone()] } else { Vec::new() },
        pin_keys: if hopped_before { vec![key.clone()] } else { Vec::new() },
        drop: vec![literal, name("localhost".parse()?)],
        ..KnownHostsEdit::default()
    })
}

/// The checksum line's fields and the file; `None` if there is no file. A login shell's profile may have printed
/// lines of its own first.
fn split(printed: &[u8]) -> Option<(String, &[u8])> {
    const MARK: &[u8] = b"moorline:file ";
    let starts = |at: usize| at == 0 || printed.get(at - 1) == Some(&b'\n');
    let at = (0..printed.len())
        .find(|at| starts(*at) && printed.get(*at..).is_some_and(|p| p.starts_with(MARK)))?;
    let rest = printed.get(at + MARK.len()..)?;
    let end = rest.iter().position(|b| *b == b'\n')?;
    let sum = std::str::from_utf8(rest.get(..end)?).ok()?;
    let plain = sum.bytes().all(|b| b.is_ascii_digit() || b == b' ');
    plain.then(|| (sum.to_owned(), rest.get(end + 1..).unwrap_or_default()))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    use super::*;

    fn run(script: &str, home: &Path, input: &[u8]) -> Output {
        let mut child = Command::new("/bin/sh")
            .args(["-c", script])
            .env("HOME", home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    #[test]
    fn only_whole_content_replaces_only_the_file_that_was_read() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join(".ssh");
        let file = dir.join("known_hosts");
        assert_eq!(run(READ, home.path(), b"").stdout, b"moorline:none\n");
        std::fs::create_dir(&dir).unwrap();
        // Bytes that are no text, and no final line end, must come through.
        let old: &[u8] = b"a ssh-ed25519 \xff\x00\r\nmoorline:file 1 2\nlast";
        std::fs::write(&file, old).unwrap();
        let read = run(READ, home.path(), b"").stdout;
        let (sum, content) = split(&read).unwrap();
        assert_eq!(content, old);

        let send = |head: &str, body: &str| {
            let status = run(WRITE, home.path(), format!("{head}\n{body}").as_bytes()).status.code();
            let names: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
            assert!(!names.iter().any(|n| n.to_string_lossy().contains("moorline-new")), "{names:?}");
            (status, std::fs::read(&file).unwrap())
        };
        assert_eq!(send(&format!("{sum} 4"), "new"), (Some(1), old.to_vec()), "cut off on the way");
        assert_eq!(send("1 2 3", "new"), (Some(3), old.to_vec()), "another program wrote meanwhile");
        assert_eq!(send(&format!("{sum} 3"), "new"), (Some(0), b"new".to_vec()));
        assert_eq!(std::fs::read(dir.join("known_hosts.moorline-backup")).unwrap(), old);
    }

    #[test]
    fn what_a_profile_prints_first_is_passed_over() {
        let split = |text: &'static str| split(text.as_bytes());
        assert_eq!(
            split("Welcome to moorline:file x\nmoorline:file 1 3\nabc"),
            Some(("1 3".to_owned(), &b"abc"[..]))
        );
        assert_eq!(split("Welcome\nmoorline:none\n"), None);
    }
}
