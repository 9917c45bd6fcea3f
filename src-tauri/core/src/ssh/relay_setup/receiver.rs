//! The one command that a runtime's key may run on the relay: it takes one announcement from its standard input.
//!
//! It must work in whatever `/bin/sh` the relay has, and reach it through whatever login shell: one line, in single
//! quotes, without an exclamation mark. What is sent stays data: it is cut after 2050 bytes, and only a line of
//! base64url and dots in one variable, in double quotes, gets to the file.

use moorline_model::session_key::KeyId;

/// Where announcements lie on the relay, below the login's home.
pub const FOLDER: &str = ".moorline";

/// The longest announcement, in bytes, without its line end.
pub const LONGEST: usize = 2048;

const BEGIN: &str = "exec /bin/sh -c 'k=";

/// What follows the key id. `head` bounds what is read; `tr` makes a NUL byte, which shells drop, and a line end
/// visible. The file grows by appending writes, so that whoever follows it sees each line at once, and is cut to its
/// last lines now and then. The lock (flock(1), where there is one) keeps an append out of the cutting.
const REST: &str = concat!(
    "; set -eu; umask 077; LC_ALL=C; export LC_ALL; ",
    "no() { echo \"moorline: send one announcement of this session, one line of at most 2048 bytes\" >&2; exit 1; }; ",
    "l=$(head -c 2050 | tr \"\\000\\n\" ==); ",
    "case $l in ml1.$k.*=) ;; *) no ;; esac; ",
    "l=${l%=}; [ ${#l} -le 2048 ] || no; ",
    "r=$(printf %s \"$l\" | tr -d A-Za-z0-9_.-); [ -z \"$r\" ] || no; ",
    "d=$HOME/.moorline; f=$d/$k; n=$f.new.$$; mkdir -p \"$d\"; ",
    "exec 9>>\"$d/.lock\"; flock 9 2>/dev/null || :; ",
    "printf \"%s\\n\" \"$l\" >> \"$f\"; ",
    "if [ $(wc -c < \"$f\") -gt 16384 ]; then ",
    "clean() { rm -f \"$n\"; }; trap clean EXIT; tail -n 3 \"$f\" > \"$n\"; mv -f \"$n\" \"$f\"; fi'",
);

/// The command, for the session key with this id.
pub(super) fn command(kid: &KeyId) -> String {
    format!("{BEGIN}{kid}{REST}")
}

/// The key id in a line of `authorized_keys` that holds such a command.
pub(super) fn key_id_in(line: &str) -> Option<KeyId> {
    let (_, rest) = line.split_once(BEGIN)?;
    rest.split(';').next()?.parse().ok()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::*;

    const KID: &str = "Ab-_0123abcd";

    /// A relay's disk, and the shells that its login and its `/bin/sh` may be.
    struct Disk(tempfile::TempDir);

    impl Disk {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn file(&self) -> PathBuf {
            self.0.path().join(FOLDER).join(KID)
        }

        fn held(&self) -> String {
            std::fs::read_to_string(self.file()).unwrap_or_default()
        }

        /// Sends `input` as a runtime does; whether it was taken, and what was complained of.
        fn send(&self, shell: &[&str], input: &[u8]) -> (bool, String) {
            let script = command(&KID.parse().unwrap());
            let mut child = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", &script])
                .env_clear()
                .env("HOME", self.0.path())
                .env("PATH", "/usr/bin:/bin")
                .env("SSH_ORIGINAL_COMMAND", "id; touch /tmp/x")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            // It reads no more than it must, so a long text may meet a closed pipe.
            let _ = child.stdin.take().unwrap().write_all(input);
            let output = child.wait_with_output().unwrap();
            assert!(output.stdout.is_empty(), "it says nothing on standard output");
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Every shell of this machine that a login may have.
    fn shells() -> Vec<Vec<&'static str>> {
        let all = [
            vec!["/bin/dash"],
            vec!["/bin/bash"],
            vec!["/bin/bash", "--posix"],
            vec!["/bin/busybox", "sh"],
            vec!["/usr/bin/zsh"],
            vec!["/usr/bin/fish"],
            vec!["/usr/bin/tcsh"],
            vec!["/usr/bin/mksh"],
        ];
        all.into_iter().filter(|shell| Path::new(shell[0]).exists()).collect()
    }

    /// The command as it is when `/bin/sh` is another shell.
    fn inner(shell: &str) -> String {
        command(&KID.parse().unwrap()).replacen("exec /bin/sh -c", &format!("exec {shell} -c"), 1)
    }

    fn announcement(length: usize) -> String {
        let head = format!("ml1.{KID}.");
        format!("{head}{}", "x".repeat(length - head.len()))
    }

    #[test]
    fn one_announcement_is_kept_whole_and_for_the_login_alone() {
        for shell in shells() {
            let disk = Disk::new();
            for line in [announcement(300), announcement(LONGEST)] {
                let (taken, said) = disk.send(&shell, format!("{line}\n").as_bytes());
                assert!(taken, "{shell:?}: {said}");
                assert!(disk.held().ends_with(&format!("{line}\n")), "{shell:?}: {}", disk.held());
            }
            assert_eq!(disk.held().lines().count(), 2, "{shell:?}");
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&disk.file()), 0o600);
            assert_eq!(mode(disk.file().parent().unwrap()), 0o700);
        }
    }

    #[test]
    fn anything_else_is_refused_and_changes_nothing() {
        let good = announcement(300);
        let refused: Vec<(&str, Vec<u8>)> = vec![
            ("nothing", vec![]),
            ("an empty line", b"\n".to_vec()),
            ("a line that was cut off", good.clone().into_bytes()),
            ("two lines", format!("{good}\n{good}\n").into_bytes()),
            ("a line and the beginning of another", format!("{good}\nx").into_bytes()),
            ("one byte too many", format!("{}\n", announcement(LONGEST + 1)).into_bytes()),
            ("3 KiB", format!("{}\n", announcement(3072)).into_bytes()),
            ("megabytes", format!("{}\n", announcement(4 << 20)).into_bytes()),
            ("another session's", format!("{}\n", good.replace(KID, "Zb-_0123abcd")).into_bytes()),
            ("another kind", format!("{}\n", good.replace("ml1", "ml2")).into_bytes()),
            ("a NUL byte inside", format!("{good}\0x\n").into_bytes()),
            ("a NUL byte at the end", format!("{good}\0\n").into_bytes()),
            ("a carriage return", format!("{good}\r\n").into_bytes()),
            ("bytes that are no text", [good.as_bytes(), b"\xff\xfe\n"].concat()),
            ("a blank", format!("{good} x\n").into_bytes()),
            ("padding", format!("{good}=\n").into_bytes()),
            ("a path", format!("{good}/../x\n").into_bytes()),
            ("a command", format!("{good}$(touch here)`touch here`;touch here\n").into_bytes()),
            ("quotes", format!("{good}'\"'\"\n").into_bytes()),
            ("a pattern", format!("ml1.{KID}.*?[a]\n").into_bytes()),
            ("random bytes", (0..=255).cycle().skip(7).take(5000).collect()),
        ];
        for shell in shells() {
            let disk = Disk::new();
            assert!(disk.send(&shell, format!("{good}\n").as_bytes()).0);
            let before = disk.held();
            for (what, input) in &refused {
                let (taken, said) = disk.send(&shell, input);
                assert!(!taken, "{shell:?} took {what}");
                assert!(said.contains("one line of at most 2048 bytes"), "{shell:?}, {what}: {said}");
                assert_eq!(disk.held(), before, "{shell:?}, {what}");
            }
            let left: Vec<_> = std::fs::read_dir(disk.file().parent().unwrap()).unwrap().collect();
            assert_eq!(left.len(), 2, "{shell:?}: the file and the lock: {left:?}");
        }
    }

    #[test]
    fn the_file_does_not_grow_for_ever_and_keeps_the_newest() {
        let disk = Disk::new();
        for nth in 0..120 {
            let line = format!("{}{nth:03}", announcement(400));
            assert!(disk.send(&["/bin/sh"], format!("{line}\n").as_bytes()).0);
            let held = disk.held();
            assert!(held.len() < 20_000, "{}", held.len());
            assert_eq!(held.lines().last(), Some(line.as_str()));
        }
        assert!(disk.held().lines().count() < 50);
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let disk = Disk::new();
        std::thread::scope(|all| {
            for nth in 0..16 {
                let disk = &disk;
                all.spawn(move || {
                    let line = format!("{}{nth:02}\n", announcement(1500));
                    assert!(disk.send(&["/bin/sh"], line.as_bytes()).0);
                });
            }
        });
        let held = disk.held();
        assert!(held.lines().all(|line| line.len() == 1502), "whole lines only");
        assert!(held.len() > 3000 && held.len() <= 24_100, "{}", held.len());
    }

    #[test]
    fn every_sh_that_a_relay_may_have_reads_it_alike() {
        for shell in ["/bin/dash", "/bin/bash", "busybox sh", "/usr/bin/mksh"] {
            if !Path::new(shell).exists() {
                continue;
            }
            let disk = Disk::new();
            let script = inner(shell);
            let send = |input: &str| {
                let mut child = Command::new("/bin/sh")
                    .args(["-c", &script])
                    .env("HOME", disk.0.path())
                    .stdin(Stdio::piped())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
                child.wait().unwrap().success()
            };
            let good = announcement(LONGEST);
            assert!(send(&format!("{good}\n")), "{shell}");
            assert!(!send(&format!("{good}\0\n")) && !send(&format!("{good}x\n")), "{shell}");
            assert_eq!(disk.held(), format!("{good}\n"), "{shell}");
        }
    }

    #[test]
    fn a_line_tells_its_key_id() {
        let kid: KeyId = KID.parse().unwrap();
        assert_eq!(key_id_in(&format!("x,command=\"{}\" y", command(&kid))), Some(kid));
        assert_eq!(key_id_in("ssh-ed25519 AAAA me"), None);
        assert_eq!(key_id_in("exec /bin/sh -c 'k=$(id); x"), None);
    }
}
