//! Fingerprints of the runtime's host key, as `ssh-keygen -lf` prints them, when the text says that they are that.

use moorline_ssh_files::Fingerprint;

use super::super::text::Text;
use super::super::{Confidence, Doubt, Finding, What};
use super::key_line::is_about_host_keys;
use super::refused;

const NAME: &str = "fingerprint";

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines.iter().enumerate() {
        for word in line.words().filter(|w| w.starts_with("SHA256:")) {
            let what = match word.parse::<Fingerprint>() {
                Err(reason) => {
                    found.push(refused(NAME, line.number, &reason));
                    continue;
                }
                // That text has a notice of its own.
                Ok(_) if told_by_server(text, index) => {
                    What::Doubt(Doubt::SentByServer { line: line.number })
                }
                Ok(print) if is_about_host_keys(text, index) => What::Fingerprint(print),
                Ok(_) => What::Doubt(Doubt::KeyOfWhom { line: line.number }),
            };
            found.push(Finding::new(NAME, line.number, Confidence::Likely, what));
        }
    }
    found
}

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
