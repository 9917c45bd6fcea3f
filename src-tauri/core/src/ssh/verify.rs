//! Asking `ssh -G` whether an entry means what it should.
//!
//! `ssh -G` runs the commands of `Match exec` lines. So where the person's file has one, or includes other files
//! (which may have one), a private copy of our block alone is asked instead. Our block stands at the top and ssh
//! takes the first value it finds (`ssh_config(5)`), so for the options that an entry sets the answer is the same;
//! what then goes unseen is what a `Host *` below adds where an entry is open: a `ProxyCommand`, a `SessionType`, a list
//! of algorithms. [`SystemSsh::logs_in`] meets them in the end.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::text::shown;
use moorline_ssh_files::config::{ConfigError, block_of};
use moorline_ssh_files::{Alias, HostEntry, HostKey, KeyAlgorithm};

use super::failure::last_line;
use super::system_ssh::{SshRunError, SystemSsh};

/// Why an entry is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// ssh could not be run.
    #[error(transparent)]
    Run(#[from] SshRunError),
    /// ssh does not read the file.
    #[error("ssh cannot read {file}: {said}")]
    Unreadable {
        /// The file.
        file: String,
        /// ssh's own line, escaped and bounded; it names the line of the file.
        said: String,
    },
    /// Our block is missing or damaged.
    #[error("Moorline's block in {file} cannot be found{}; it is written anew when the session is repaired", cause.map(|c| format!(" ({c})")).unwrap_or_default())]
    NoBlock {
        /// The file.
        file: String,
        /// What is wrong with its markers.
        cause: Option<ConfigError>,
    },
    /// A private copy could not be written.
    #[error("cannot write a private copy of the block to check it: {0}")]
    PrivateCopy(std::io::Error),
    /// Another part of the file overrules the entry.
    #[error(
        "`ssh {alias}` would use {option} {got}, not {wanted}; find the line of {file} that says so (it wins above Moorline's block) and exclude the session there with `Host * !{alias}`"
    )]
    Differs {
        /// The entry.
        alias: Alias,
        /// The option.
        option: &'static str,
        /// What the entry says.
        wanted: String,
        /// What ssh would use.
        got: String,
        /// The file.
        file: String,
    },
    /// The person's own file sends every host through a proxy.
    #[error(
        "your {file} sends {alias} through `{command}` (a ProxyCommand or ProxyJump for all hosts); exclude it there with `Host * !{alias}`"
    )]
    ForeignProxy {
        /// The entry.
        alias: Alias,
        /// The command or jump host, escaped and bounded.
        command: String,
        /// The file.
        file: String,
    },
    /// The person's own file leaves out a kind of key that the session needs.
    #[error(
        "your {file} allows {option} {got} alone for {alias}, without {wanted}, which {purpose} needs; exclude it there with `Host * !{alias}`, or add {wanted}"
    )]
    LeavesOut {
        /// The entry.
        alias: Alias,
        /// The option.
        option: &'static str,
        /// What it allows, escaped and bounded.
        got: String,
        /// What is missing.
        wanted: &'static str,
        /// What for.
        purpose: &'static str,
        /// The file.
        file: String,
    },
}

impl VerifyError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        matches!(self, Self::NoBlock { .. }).then_some(NextStep::Repair { session: None })
    }
}

impl SystemSsh {
    /// What ssh would use for `alias` by `config_file` alone: pairs of option (lower case) and value, in ssh's
    /// order. Runs the file's `Match exec` commands: see [`SystemSsh::check_entry`].
    pub async fn effective(
        &self,
        config_file: &Path,
        alias: &Alias,
        limit: Duration,
    ) -> Result<Vec<(String, String)>, VerifyError> {
        let file = config_file.to_string_lossy().into_owned();
        let argv = ["-G", "-F", &file, "--", alias.as_str()].map(str::to_owned);
        let output = self.run_local(&argv, &format!("ssh -G {alias}"), limit).await?;
        if output.status != 0 {
            return Err(VerifyError::Unreadable { file, said: first_complaint(&output.stderr) });
        }
        Ok(pairs(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Whether `config` makes ssh do what `entry` says and lets it take the `pinned` keys. `config_file` is where it lies, or is going to lie; only
    /// messages name it, since a private copy is what ssh reads. No command of the person's is run: where one could
    /// be, the copy holds our block alone.
    pub async fn check_entry(
        &self,
        entry: &HostEntry,
        pinned: &[HostKey],
        config_file: &Path,
        config: &[u8],
        limit: Duration,
    ) -> Result<(), VerifyError> {
        let file = config_file.to_string_lossy().into_owned();
        let mut checked = config;
        if may_run_commands(config) {
            checked = block_of(config)
                .map_err(|cause| VerifyError::NoBlock { file: file.clone(), cause: Some(cause) })?
                .ok_or_else(|| VerifyError::NoBlock { file: file.clone(), cause: None })?;
        }
        // Created 0600 in the system's directory for temporary files, and gone when dropped.
        let mut copy = tempfile::NamedTempFile::new().map_err(VerifyError::PrivateCopy)?;
        copy.write_all(checked).map_err(VerifyError::PrivateCopy)?;
        let found = self.effective(copy.path(), &entry.alias, limit).await.map_err(|error| match error {
            VerifyError::Unreadable { said, .. } => {
                let said = said.replace(&*copy.path().to_string_lossy(), &file);
                VerifyError::Unreadable { file: file.clone(), said }
            }
            other => other,
        })?;
        compare(entry, &found, &file)?;
        allows_keys(entry, pinned, &found, &file)
    }
}

/// Whether what ssh printed (second) means what the entry says (first).
type Agrees = fn(&str, &str) -> bool;

/// Whether `ssh -G` on this file could run a command: it has a `Match … exec`, or it includes files. Errs towards yes.
fn may_run_commands(config: &[u8]) -> bool {
    let odd = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | 0x0b);
    // A lone CR is no line end to ssh; taking it for one can only find more.
    config.split(|b| matches!(b, b'\n' | b'\r')).any(|line| {
        let line: Vec<u8> = line.iter().copied().skip_while(odd).map(|b| b.to_ascii_lowercase()).collect();
        let mentions_exec = || line.windows(4).any(|word| word == b"exec");
        line.starts_with(b"include") || (line.starts_with(b"match") && mentions_exec())
    })
}

/// The first value of an option that `ssh -G` printed.
fn value<'a>(found: &'a [(String, String)], name: &str) -> Option<&'a str> {
    found.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
}

fn compare(entry: &HostEntry, found: &[(String, String)], file: &str) -> Result<(), VerifyError> {
    let alias = &entry.alias;
    let get = |name: &str| value(found, name);
    let proxy = ["proxycommand", "proxyjump"].into_iter().find_map(|o| get(o).filter(|v| *v != "none"));
    if let (None, Some(command)) = (&entry.proxy_command, proxy) {
        let command = shown(command, 160);
        return Err(VerifyError::ForeignProxy { alias: alias.clone(), command, file: file.to_owned() });
    }
    let same = |wanted: &str, got: &str| wanted == got;
    let yes = |_: &str, got: &str| matches!(got, "yes" | "true");
    let no = |_: &str, got: &str| matches!(got, "no" | "false");
    // A proxied entry has no port, and its proxy knows the way whatever a `Host *` says.
    let port = entry.port.map(|port| port.to_string());
    let proxy_command = entry.proxy_command.as_ref().map(|c| c.as_str().to_owned());
    let expect: [(&'static str, Option<&str>, Agrees); 14] = [
        ("hostname", Some(entry.host_name.as_str()), same),
        ("port", port.as_deref(), same),
        ("user", Some(entry.user.as_str()), same),
        ("hostkeyalias", Some(alias.as_str()), same),
        ("stricthostkeychecking", Some("yes"), yes),
        ("userknownhostsfile", Some(entry.known_hosts_file.as_str()), same_path),
        ("checkhostip", Some("no"), no),
        ("forwardagent", Some("no"), no),
        ("remotecommand", Some("none"), same),
        // A version without the option has no other type of session.
        ("sessiontype", get("sessiontype").and(Some("default")), same),
        ("pubkeyauthentication", Some("yes"), yes),
        ("preferredauthentications", Some("publickey"), |wanted, got| got.split(',').any(|m| m == wanted)),
        ("identityfile", Some(entry.identity_file.as_str()), same_path),
        ("proxycommand", proxy_command.as_deref(), same),
    ];
    for (option, wanted, agrees) in expect {
        let Some(wanted) = wanted else { continue };
        let got = get(option).unwrap_or("none");
        if !agrees(wanted, got) {
            return Err(VerifyError::Differs {
                alias: alias.clone(),
                option,
                wanted: shown(wanted, 160),
                got: shown(got, 160),
                file: file.to_owned(),
            });
        }
    }
    Ok(())
}

/// Whether the person's lists of algorithms, to which an entry is open, leave room for the pinned keys and, where the
/// session uses it, for our login key.
fn allows_keys(
    entry: &HostEntry,
    pinned: &[HostKey],
    found: &[(String, String)],
    file: &str,
) -> Result<(), VerifyError> {
    // An old ssh has other names for the options; without a list nothing is left out.
    let allowed = |option: &str, kinds: &[&str]| {
        value(found, option).is_none_or(|list| list.split(',').any(|one| kinds.contains(&one)))
    };
    let refuse = |option, wanted, purpose| VerifyError::LeavesOut {
        alias: entry.alias.clone(),
        option,
        got: shown(value(found, option).unwrap_or_default(), 160),
        wanted,
        purpose,
        file: file.to_owned(),
    };
    let fits = |key: &HostKey| allowed("hostkeyalgorithms", signatures(key.algorithm()));
    if let Some(first) = pinned.first().filter(|_| !pinned.iter().any(fits)) {
        return Err(refuse("hostkeyalgorithms", signatures(first.algorithm())[0], "the pinned host key"));
    }
    let own_login_key = entry.identity_file.as_str().ends_with("/moorline_ed25519");
    if own_login_key && !allowed("pubkeyacceptedalgorithms", &["ssh-ed25519"]) {
        return Err(refuse("pubkeyacceptedalgorithms", "ssh-ed25519", "the login key"));
    }
    Ok(())
}

/// The signature algorithms of a kind of key, the best first (RFC 8332 section 3 for RSA).
fn signatures(kind: KeyAlgorithm) -> &'static [&'static str] {
    match kind {
        KeyAlgorithm::Ed25519 => &["ssh-ed25519"],
        KeyAlgorithm::EcdsaP256 => &["ecdsa-sha2-nistp256"],
        KeyAlgorithm::EcdsaP384 => &["ecdsa-sha2-nistp384"],
        KeyAlgorithm::EcdsaP521 => &["ecdsa-sha2-nistp521"],
        KeyAlgorithm::Rsa => &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
    }
}

/// ssh prints the path as the file has it (`%` doubled) or, by version, with `~` expanded.
fn same_path(wanted: &str, got: &str) -> bool {
    let got = got.replace("%%", "%");
    got == wanted || wanted.strip_prefix('~').is_some_and(|tail| got.ends_with(tail))
}

fn pairs(printed: &str) -> Vec<(String, String)> {
    let split =
        |line: &str| line.split_once(' ').map(|(o, v)| (o.to_ascii_lowercase(), v.trim_end().to_owned()));
    printed.lines().filter_map(split).collect()
}

/// ssh complains line by line and then says that it gives up: the first line is the one that helps.
fn first_complaint(stderr: &str) -> String {
    match stderr.lines().find(|line| line.contains(" line ")) {
        Some(line) => shown(line.trim(), 200),
        None => last_line(stderr),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_run_a_command_is_noticed() {
        for config in [
            "Match exec \"touch x\"\n",
            "  match host a EXEC true",
            "Host a\n\tMatch=!exec true\n",
            "\"Match\" exec true",
            "Host a\r\nInclude ~/.ssh/more\r\n",
            "Host a\rInclude more",
            "include=more",
        ] {
            assert!(may_run_commands(config.as_bytes()), "{config:?}");
        }
        for config in [
            "",
            "Host execute\n",
            "# Match exec true\n",
            "Match host a\n  User executor\n",
            "Host a\n# Include x\n",
        ] {
            assert!(!may_run_commands(config.as_bytes()), "{config:?}");
        }
    }
}
