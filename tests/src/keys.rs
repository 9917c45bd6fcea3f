//! Key pairs, made by the real `ssh-keygen`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A key pair on disk.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The private key's file; the public one is beside it, with `.pub` added.
    pub path: PathBuf,
}

impl KeyPair {
    /// Makes a key pair of this type (`ed25519`, `ecdsa`, `rsa`) without a passphrase.
    pub fn generate(path: &Path, kind: &str) -> Self {
        let status = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", "", "-C", "", "-f"])
            .arg(path)
            .status()
            .expect("ssh-keygen is installed");
        assert!(status.success(), "ssh-keygen makes {}", path.display());
        Self { path: path.to_path_buf() }
    }

    /// The public key: its type and its base64 text, without comment or line end.
    pub fn public(&self) -> String {
        let path = format!("{}.pub", self.path.display());
        let line = fs::read_to_string(path).expect("the public key is there");
        line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// The fingerprint as `ssh-keygen -l` prints it: `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        let output = Command::new("ssh-keygen").arg("-lf").arg(&self.path).output().expect("ssh-keygen runs");
        let text = String::from_utf8(output.stdout).expect("ssh-keygen prints text");
        text.split_whitespace().nth(1).expect("the fingerprint is the second word").to_owned()
    }
}
