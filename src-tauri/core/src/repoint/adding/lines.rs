//! The lines that a person runs in the notebook, or keeps in their cell.

use moorline_ssh_files::UserName;

/// Prints the fingerprints of the runtime's own host keys; `!` is a notebook's way to run a command.
const FINGERPRINTS: &str = "for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done";

/// Shows the runtime's fingerprints.
pub fn show_fingerprints() -> String {
    format!("!{FINGERPRINTS}")
}

/// Lets this computer in. Running it twice adds nothing.
pub fn let_in(user: &UserName, login_key: &str) -> String {
    format!("!{}", authorise(user, login_key))
}

/// Both in one line, so that one run is enough.
pub fn let_in_and_show(user: &UserName, login_key: &str) -> String {
    format!("!{}; {FINGERPRINTS}", authorise(user, login_key))
}

/// `login_key` is a public line of ours: base64 and a plain comment, without a quote.
fn authorise(user: &UserName, login_key: &str) -> String {
    let home = if user.as_str() == "root" { "/root" } else { "~" };
    let file = format!("{home}/.ssh/authorized_keys");
    format!("mkdir -p -m 700 {home}/.ssh; grep -qsF '{login_key}' {file} || echo '{login_key}' >> {file}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_lets_in_can_be_run_twice() {
        let home = tempfile::tempdir().unwrap();
        let key = "ssh-ed25519 AAAAC3Nza moorline@laptop";
        let user: UserName = "ada".parse().unwrap();
        for line in [let_in(&user, key), let_in_and_show(&user, key), let_in(&user, key)] {
            let command = line.strip_prefix('!').unwrap();
            let done = std::process::Command::new("sh")
                .args(["-c", command])
                .env("HOME", home.path())
                .output()
                .unwrap();
            assert!(
                std::fs::read_to_string(home.path().join(".ssh/authorized_keys")).unwrap()
                    == format!("{key}\n"),
                "{done:?}"
            );
        }
    }
}
