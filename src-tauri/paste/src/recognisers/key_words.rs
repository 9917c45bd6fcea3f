//! The words by which a line about host keys is known.

use super::super::text::Text;

/// Whether the line at `index` stands in a client's text about the key that an unknown server sent (the warnings of `OpenSSH`,
/// its debug output, the questions of `PuTTY` and VS Code): such a key proves nothing.
pub fn told_by_server(text: &Text, index: usize) -> bool {
    const NEAR: [&str; 10] = [
        "remote host identification has changed",
        "can't be established",
        "can’t be established",
        "sent by the remote host",
        "server host key:",
        "server's host key",
        "the server's ssh-",
        "the server's ecdsa-",
        "are you sure you want to continue",
        "has fingerprint",
    ];
    let near = |lower: &str| NEAR.iter().any(|mark| lower.contains(mark));
    let own = text.lines.get(index).is_some_and(|l| l.lower().contains("key fingerprint is sha256:"));
    own || text.around(index, 12, 4).iter().any(|line| near(&line.lower()))
}

/// Whether the line or one of the two before it speaks of host keys.
pub fn is_about_host_keys(text: &Text, index: usize) -> bool {
    const LABELS: [&str; 8] = [
        "host key",
        "hostkey",
        "ssh_host_",
        "known_hosts",
        "keyscan",
        "fingerprint of host",
        "host_key",
        "host fingerprint",
    ];
    text.around(index, 2, 0).iter().any(|line| {
        let lower = line.lower();
        // `Host key verification failed` is a client's complaint.
        LABELS.iter().any(|label| lower.contains(label)) && !lower.contains("verification failed")
    })
}
