//! Fingerprints of the runtime's host key: whole lines of `ssh-keygen -lf`, and others that the text says are that.

use moorline_ssh_files::Fingerprint;

use super::super::text::Text;
use super::super::{Confidence, Doubt, Finding, What};
use super::key_words::is_about_host_keys;
use super::refused::refused;
use crate::recognisers::key_words::told_by_server;

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
                Ok(print) if is_about_host_keys(text, index) || printed_by_keygen(&line.text) => {
                    What::Fingerprint(print)
                }
                Ok(_) => What::Doubt(Doubt::KeyOfWhom { line: line.number }),
            };
            found.push(Finding::new(NAME, line.number, Confidence::Likely, what));
        }
    }
    found
}

/// Whether the line is what `ssh-keygen -lf` prints of a runtime's own key file: `BITS SHA256:… COMMENT (TYPE)`
/// (`OpenSSH` ssh-keygen(1), -l), with the comment that a machine's root gives its keys, or none. What a scan of a
/// server prints has the server's name there and proves nothing, and a person's key has the person's.
fn printed_by_keygen(line: &str) -> bool {
    const TYPES: [&str; 3] = ["(ED25519)", "(ECDSA)", "(RSA)"];
    let words: Vec<&str> = line.split_whitespace().collect();
    let [bits, print, ref comment @ .., kind] = words[..] else { return false };
    let of_machine = match comment {
        ["no", "comment"] => true,
        [one] => one.starts_with("root@"),
        _ => false,
    };
    of_machine
        && matches!(bits.parse(), Ok(256_u16..=16384))
        && print.starts_with("SHA256:")
        && TYPES.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINT: &str = "SHA256:3AO9ikqSgFBNYhSvW8pGJsPzpe9ozmyEaMlvxWJ5WCY";

    fn told(text: &str) -> What {
        let mut found = find(&Text::new(text));
        assert_eq!(found.len(), 1, "{text:?}");
        found.remove(0).what
    }

    #[test]
    fn what_ssh_keygen_prints_in_a_notebook_is_the_runtime_s() {
        for line in [
            format!("256 {PRINT} root@9a1b2c (ED25519)"),
            format!("  3072 {PRINT} no comment (RSA)\r"),
            format!("256 {PRINT} root@buildhost.example (ECDSA)"),
        ] {
            let what = told(&format!("ssh -p 15873 root@0.tcp.ngrok.io\n{line}\n"));
            assert!(
                matches!(&what, What::Fingerprint(print) if print.to_string() == PRINT),
                "{line:?}: {what}"
            );
        }
    }

    #[test]
    fn anything_short_of_that_still_has_to_say_whose_it_is() {
        for line in [
            PRINT.to_owned(),
            format!("256 {PRINT}"),
            format!("256 {PRINT} root@9a1b2c"),
            format!("256 {PRINT} ada@desk (ED25519)"),
            format!("256 {PRINT} [0.tcp.ngrok.io]:15873 (ED25519)"),
            format!("me: 256 {PRINT} root@9a1b2c (ED25519)"),
            format!("255 {PRINT} root@9a1b2c (ED25519)"),
            format!("{PRINT} root@9a1b2c (ED25519)"),
        ] {
            let what = told(&line);
            assert!(matches!(what, What::Doubt(Doubt::KeyOfWhom { line: 1 })), "{line:?}: {what}");
        }
    }

    #[test]
    fn a_client_s_warning_is_not_outdone_by_the_form_of_a_line() {
        let what = told(&format!(
            "The fingerprint for the ED25519 key sent by the remote host is\n256 {PRINT} root@9a1b2c (ED25519)\n"
        ));
        assert!(matches!(what, What::Doubt(Doubt::SentByServer { line: 2 })), "{what}");
    }
}
