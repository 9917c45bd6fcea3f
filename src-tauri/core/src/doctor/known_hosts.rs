//! The text of `known_hosts`: sshd(8), `SSH_KNOWN_HOSTS` FILE FORMAT.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::check::Check;
use super::surroundings::Surroundings;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Key types that a current OpenSSH reads; a line with another makes `ssh-keygen -R` refuse the whole file.
const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

pub(super) fn text(found: &Surroundings) -> Check {
    const ID: &str = "known-hosts-text";
    const TITLE: &str = "Text of known_hosts";
    let Some(bytes) = &found.known_hosts else { return Check::ok(ID, TITLE, "There is none yet.") };
    if bytes.contains(&0) {
        let detail = "~/.ssh/known_hosts holds NUL bytes (it may be UTF-16), so ssh cannot read it.";
        return Check::problem(ID, TITLE, detail, "mv ~/.ssh/known_hosts ~/.ssh/known_hosts.unreadable");
    }
    if bytes.starts_with(BOM) {
        let detail =
            "~/.ssh/known_hosts starts with a byte order mark, which hides its first entry from ssh.";
        let next = "Save it without a byte order mark (\"UTF-8\", not \"UTF-8 with BOM\") in your editor";
        return Check::advice(ID, TITLE, detail, next);
    }
    let invalid: Vec<usize> = bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !is_valid(line))
        .map(|(index, _)| index + 1)
        .collect();
    let Some(first) = invalid.first() else {
        return Check::ok(ID, TITLE, "Every line can be read.");
    };
    let detail = format!(
        "{} of ~/.ssh/known_hosts cannot be read, the first being line {first}; ssh passes over {}, but `ssh-keygen -R` refuses the whole file.",
        if invalid.len() == 1 { "One line".to_owned() } else { format!("{} lines", invalid.len()) },
        if invalid.len() == 1 { "it" } else { "them" },
    );
    Check::advice(ID, TITLE, detail, format!("Delete line {first} in your editor if you do not need it"))
}

fn is_valid(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    if line.is_empty() || line.starts_with(b"#") {
        return true;
    }
    let mut fields =
        line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|field| !field.is_empty()).peekable();
    if fields.peek().is_some_and(|field| field.starts_with(b"@")) {
        let marker = fields.next();
        if marker != Some(b"@cert-authority") && marker != Some(b"@revoked") {
            return false;
        }
    }
    let (Some(_), Some(kind), Some(encoded)) = (fields.next(), fields.next(), fields.next()) else {
        return false;
    };
    let Ok(blob) = BASE64_STANDARD.decode(encoded) else { return false };
    let Some((length, rest)) = blob.split_first_chunk::<4>() else { return false };
    let inner = usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|length| rest.get(..length));
    inner == Some(kind) && TYPES.iter().any(|known| known.as_bytes() == kind)
}
