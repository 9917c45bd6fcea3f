//! Reading what a person pastes into the compare view: the output of `ssh-keygen -lf` in the notebook.

use moorline_ssh_files::{Fingerprint, HostKey};

use super::Doubt;
use super::reading::LONGEST;
use super::recognisers::{leading_key, told_by_server};
use super::text::Text;

/// What the notebook said about the runtime's host keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompareAnswer {
    /// The fingerprints in the text and of the keys in it, without repetition.
    pub fingerprints: Vec<Fingerprint>,
    /// The keys in the text.
    pub keys: Vec<HostKey>,
    /// Lines that were left out, and why.
    pub doubts: Vec<Doubt>,
}

impl CompareAnswer {
    /// Whether the notebook named this key.
    pub fn vouches_for(&self, key: &HostKey) -> bool {
        self.fingerprints.contains(&key.fingerprint())
    }
}

/// The fingerprint of a line as `ssh-keygen -l` prints it: the key's bits, then the fingerprint (ssh-keygen(1)). One that
/// stands anywhere else may be what this very question shows, or what a client saw.
fn listed<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<Fingerprint> {
    let bits = words.next()?;
    bits.parse::<u32>().ok()?;
    words.next()?.parse().ok()
}

/// Reads the answer to "run this line in the notebook". Unlike in [`super::read_text::read`], a key line or fingerprint need not
/// say whose it is, since the person was asked for exactly that. What a client prints about an unknown server is left
/// out: that is the very key in question.
pub fn compare_answer(text: &str) -> CompareAnswer {
    let mut answer = CompareAnswer::default();
    if text.len() > LONGEST {
        answer.doubts.push(Doubt::TooLong { bytes: text.len() });
        return answer;
    }
    let text = Text::new(text);
    for (index, line) in text.lines.iter().enumerate() {
        let key = leading_key(&line.text);
        let names_one = key.is_some() || line.words().any(|word| word.parse::<Fingerprint>().is_ok());
        if names_one && told_by_server(&text, index) {
            answer.doubts.push(Doubt::SentByServer { line: line.number });
            continue;
        }
        let prints: Vec<Fingerprint> =
            listed(line.words()).into_iter().chain(key.iter().map(HostKey::fingerprint)).collect();
        answer.keys.extend(key.filter(|k| !answer.keys.contains(k)));
        for print in prints {
            if !answer.fingerprints.contains(&print) {
                answer.fingerprints.push(print);
            }
        }
    }
    if answer.fingerprints.is_empty() && answer.doubts.is_empty() {
        answer.doubts.push(Doubt::NothingFound);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";

    #[test]
    fn unlabelled_keys_and_fingerprints_count() {
        let key: HostKey = KEY.parse().unwrap();
        let print = key.fingerprint();
        for text in [
            format!("{KEY} root@9a1b2c3d4e5f"),
            format!("256 {print} root@9a1b2c3d4e5f (ED25519)"),
            format!("localhost {KEY}"),
        ] {
            let answer = compare_answer(&text);
            assert_eq!(answer.fingerprints, [print], "{text}");
            assert!(answer.vouches_for(&key) && answer.doubts.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_the_unknown_server_sent_never_vouches_for_itself() {
        let key: HostKey = KEY.parse().unwrap();
        let print = key.fingerprint();
        for text in [
            format!("The fingerprint for the ED25519 key sent by the remote host is\n{print}."),
            format!(
                "The authenticity of host 'x' can't be established.\nED25519 key fingerprint is {print}."
            ),
            format!("ED25519 key fingerprint is {print}."),
            format!("debug1: Server host key: ssh-ed25519 {print}"),
            format!("# 0.tcp.ngrok.io:1 SSH-2.0-OpenSSH_8.9\n[0.tcp.ngrok.io]:1 {KEY}"),
        ] {
            assert!(!compare_answer(&text).vouches_for(&key), "{text}");
        }
    }

    #[test]
    fn what_the_question_itself_shows_never_answers_it() {
        let key: HostKey = KEY.parse().unwrap();
        let print = key.fingerprint();
        for text in [print.to_string(), format!("  now     ssh-ed25519 {print}"), format!("Now {print}")] {
            assert!(!compare_answer(&text).vouches_for(&key), "{text}");
        }
    }

    #[test]
    fn an_answer_without_a_key_says_so() {
        assert_eq!(compare_answer("hello").doubts, [Doubt::NothingFound]);
    }
}
