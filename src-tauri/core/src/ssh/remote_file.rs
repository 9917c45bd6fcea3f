//! A file in `~/.ssh` on a relay: read whole, and replaced in one step or not at all.
//!
//! Both commands are constants of the program. They are one line in single quotes, without what a login shell other
//! than sh would take apart; whatever varies goes through standard input.

use moorline_model::next_step::NextStep;
use moorline_model::session::RelayTarget;
use tokio::time::Instant;

use super::failure::last_line;
use super::system_ssh::{SshRunError, SystemSsh};

/// One of the files that are edited there.
#[derive(Debug)]
pub(crate) struct RemoteFile {
    name: &'static str,
    /// Prints the file's POSIX checksum and size, then the file.
    read: &'static str,
    /// Reads `CRC SIZE NEW-SIZE`, then the new content. Writes it beside the file (behind a symlink, beside its
    /// target) with the file's own mode and owner, and puts it in place only if it came whole and the file still
    /// has that checksum (`none 0`: there still is no file); status 3 says that it has not. The former content stays beside it.
    write: &'static str,
}

macro_rules! remote_file {
    ($name:literal) => {
        RemoteFile {
            name: $name,
            read: concat!(
                "exec /bin/sh -c '",
                "f=$HOME/.ssh/",
                $name,
                "; ",
                "if [ -f \"$f\" ]; then echo moorline:file $(cksum < \"$f\"); exec cat \"$f\"; fi; ",
                "echo moorline:none'",
            ),
            write: concat!(
                "exec /bin/sh -c '",
                "set -eu; umask 077; IFS= read -r head; mkdir -p \"$HOME/.ssh\"; ",
                "f=$HOME/.ssh/",
                $name,
                "; t=$(readlink -f \"$f\" 2>/dev/null) || t=$f; ",
                "n=$t.moorline-new.$$; clean() { rm -f \"$n\"; }; trap clean EXIT; ",
                "if [ -f \"$t\" ]; then cp -p \"$t\" \"$n\"; fi; cat > \"$n\"; ",
                "[ $(wc -c < \"$n\") -eq \"${head##* }\" ] || { echo the new content arrived incomplete >&2; exit 1; }; ",
                "set -- none 0; ",
                "if [ -f \"$t\" ]; then cp -p \"$t\" \"$f.moorline-backup\"; set -- $(cksum < \"$t\"); fi; ",
                "[ \"$1 $2\" = \"${head% *}\" ] || exit 3; ",
                "mv -f \"$n\" \"$t\"'",
            ),
        }
    };
}

/// The hosts that the relay's own ssh knows.
pub(crate) const KNOWN_HOSTS: RemoteFile = remote_file!("known_hosts");

/// The keys that may log in on the relay.
pub(crate) const AUTHORIZED_KEYS: RemoteFile = remote_file!("authorized_keys");

impl RemoteFileError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Ssh(error) = self { error.next_step() } else { None }
    }
}

/// Why a file on a relay was not read or replaced. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RemoteFileError {
    /// The relay could not be asked.
    #[error(transparent)]
    Ssh(#[from] SshRunError),
    /// Someone else wrote it at the same time.
    #[error("~/.ssh/{file} of {relay} was changed by another program just now; try again")]
    Busy {
        /// The relay.
        relay: String,
        /// The file's name.
        file: &'static str,
    },
    /// The relay could not read or write it.
    #[error("{relay} cannot change its ~/.ssh/{file}: {said}")]
    Failed {
        /// The relay.
        relay: String,
        /// The file's name.
        file: &'static str,
        /// What it printed, escaped and bounded.
        said: String,
    },
}

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Checksum and size, as `cksum` prints them; `none 0` where there is no file.
    sum: String,
    /// What is in it; `None` where there is no file.
    pub(crate) bytes: Option<Vec<u8>>,
}

impl RemoteFile {
    /// Reads the file.
    pub(crate) async fn read(
        &self,
        system: &SystemSsh,
        target: &RelayTarget,
        end: Instant,
    ) -> Result<Held, RemoteFileError> {
        let read = system.run(target, self.read, None, end.saturating_duration_since(Instant::now())).await?;
        if read.status != 0 {
            return Err(self.failed(target, &read.stderr));
        }
        match split(&read.stdout) {
            None => Ok(Held { sum: "none 0".to_owned(), bytes: None }),
            Some((sum, bytes)) if sum.ends_with(&format!(" {}", bytes.len())) => {
                Ok(Held { sum, bytes: Some(bytes.to_owned()) })
            }
            Some(_) => Err(RemoteFileError::Busy { relay: target.to_string(), file: self.name }),
        }
    }

    /// Puts `bytes` in the place of what was `held`.
    pub(crate) async fn replace(
        &self,
        system: &SystemSsh,
        target: &RelayTarget,
        held: &Held,
        bytes: &[u8],
        end: Instant,
    ) -> Result<(), RemoteFileError> {
        let mut input = format!("{} {}\n", held.sum, bytes.len()).into_bytes();
        input.extend_from_slice(bytes);
        let left = end.saturating_duration_since(Instant::now());
        let written = system.run(target, self.write, Some(&input), left).await?;
        match written.status {
            0 => Ok(()),
            3 => Err(RemoteFileError::Busy { relay: target.to_string(), file: self.name }),
            _ => Err(self.failed(target, &written.stderr)),
        }
    }

    fn failed(&self, target: &RelayTarget, stderr: &str) -> RemoteFileError {
        let said = last_line(stderr);
        let said = if said.is_empty() { "it did not say why".to_owned() } else { said };
        RemoteFileError::Failed { relay: target.to_string(), file: self.name, said }
    }
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
    use std::os::unix::fs::PermissionsExt;
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
        assert_eq!(run(KNOWN_HOSTS.read, home.path(), b"").stdout, b"moorline:none\n");
        std::fs::create_dir(&dir).unwrap();
        // Bytes that are no text, and no final line end, must come through.
        let old: &[u8] = b"a ssh-ed25519 \xff\x00\r\nmoorline:file 1 2\nlast";
        std::fs::write(&file, old).unwrap();
        let read = run(KNOWN_HOSTS.read, home.path(), b"").stdout;
        let (sum, content) = split(&read).unwrap();
        assert_eq!(content, old);

        let send = |head: &str, body: &str| {
            let input = format!("{head}\n{body}");
            let status = run(KNOWN_HOSTS.write, home.path(), input.as_bytes()).status.code();
            let names: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name()).collect();
            assert!(!names.iter().any(|n| n.to_string_lossy().contains("moorline-new")), "{names:?}");
            (status, std::fs::read(&file).unwrap())
        };
        assert_eq!(send(&format!("{sum} 4"), "new"), (Some(1), old.to_vec()), "cut off on the way");
        assert_eq!(send("1 2 3", "new"), (Some(3), old.to_vec()), "another program wrote meanwhile");
        assert_eq!(send("none 0 3", "new"), (Some(3), old.to_vec()), "a file came to be meanwhile");
        assert_eq!(send(&format!("{sum} 3"), "new"), (Some(0), b"new".to_vec()));
        assert_eq!(std::fs::read(dir.join("known_hosts.moorline-backup")).unwrap(), old);
    }

    #[test]
    fn a_missing_file_is_made_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let made = run(AUTHORIZED_KEYS.write, home.path(), b"none 0 4\nkey\n");
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        let file = home.path().join(".ssh/authorized_keys");
        assert_eq!(std::fs::read(&file).unwrap(), b"key\n");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&home.path().join(".ssh"))), (0o600, 0o700));
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
