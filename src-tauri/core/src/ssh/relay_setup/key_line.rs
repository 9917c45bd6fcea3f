//! The line in a relay's `authorized_keys` that lets one session's runtime in. Pure.
//!
//! Its options are those of sshd(8), AUTHORIZED_KEYS FILE FORMAT. `restrict` takes everything away;
//! `port-forwarding` gives forwarding back, `permitlisten` for one port of the loopback, `permitopen` for one port
//! where nothing can listen (an empty list would mean any); `command` runs instead of whatever is asked for.

use moorline_model::session_key::{KeyId, SessionKey};
use moorline_ssh_files::{Alias, HostKey, Port};

use super::receiver;

/// What the line begins with, up to the port.
const BEGIN: &str = "restrict,port-forwarding,permitlisten=\"127.0.0.1:";

/// The key with which a session's runtime logs in to the relay, and what it may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeKey {
    /// The session.
    pub session: Alias,
    /// The session key that it is derived from.
    pub kid: KeyId,
    /// Its public half.
    pub key: HostKey,
    /// The port of the relay's `127.0.0.1` that it may listen on.
    pub port: Port,
}

impl RuntimeKey {
    /// What is derived from a session's key, for this port.
    pub fn of(session: &Alias, key: &SessionKey, port: Port) -> Self {
        Self { session: session.clone(), kid: key.id(), key: key.relay_login_key(), port }
    }

    /// The line, without a line end.
    pub fn line(&self) -> String {
        format!(
            "{BEGIN}{}\",permitopen=\"127.0.0.1:1\",command=\"{}\" {} {} {}",
            self.port,
            // The only escape that sshd knows there.
            receiver::command(&self.kid).replace('"', "\\\""),
            self.key.algorithm().as_str(),
            self.key.base64(),
            mark(&self.session),
        )
    }
}

/// What an edit makes of `authorized_keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The whole file after it.
    pub bytes: Vec<u8>,
    /// The key ids of the session's lines that went.
    pub dropped: Vec<KeyId>,
    /// How many lines went.
    pub lines_dropped: usize,
}

/// Why `authorized_keys` is not edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OddFile {
    /// UTF-16, or bytes that are no text.
    #[error("it holds NUL bytes, at which sshd stops reading; save it as plain text")]
    Nul,
    /// Lines end with CR alone.
    #[error("its lines end with CR alone, so sshd reads them as one; save it with LF line ends")]
    CrOnly,
}

/// Puts the session's line into the file, in the place of an older one of the same session, else at its end. Every
/// other byte stays, but for a line end that the last line lacks. Applied twice, the second changes nothing.
///
/// # Errors
/// The file is not lines of text.
pub fn install(old: &[u8], key: &RuntimeKey) -> Result<Edit, OddFile> {
    let line = key.line();
    edit(old, &key.session, Some(&line))
}

/// Takes the session's lines out. Every other byte stays.
///
/// # Errors
/// The file is not lines of text.
pub fn remove(old: &[u8], session: &Alias) -> Result<Edit, OddFile> {
    edit(old, session, None)
}

fn edit(old: &[u8], session: &Alias, wanted: Option<&str>) -> Result<Edit, OddFile> {
    if old.contains(&0) {
        return Err(OddFile::Nul);
    }
    if old.contains(&b'\r') && !old.contains(&b'\n') {
        return Err(OddFile::CrOnly);
    }
    let mark = mark(session);
    let mut edit =
        Edit { bytes: Vec::with_capacity(old.len() + 1024), dropped: Vec::new(), lines_dropped: 0 };
    let mut missing = wanted;
    for whole in old.split_inclusive(|b| *b == b'\n') {
        let line = whole.trim_ascii_end();
        if !is_ours(line, &mark) {
            edit.bytes.extend_from_slice(whole);
            continue;
        }
        if missing.is_some_and(|wanted| wanted.as_bytes() == line) {
            edit.bytes.extend_from_slice(whole);
            missing = None;
            continue;
        }
        edit.lines_dropped += 1;
        edit.dropped.extend(std::str::from_utf8(line).ok().and_then(receiver::key_id_in));
        if let Some(wanted) = missing.take() {
            push_line(&mut edit.bytes, wanted);
        }
    }
    if let Some(wanted) = missing {
        push_line(&mut edit.bytes, wanted);
    }
    Ok(edit)
}

fn push_line(bytes: &mut Vec<u8>, line: &str) {
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
}

/// A person's own line is never ours, even with our comment: it lacks what ours begins with.
fn is_ours(line: &[u8], mark: &str) -> bool {
    let ends = line.strip_suffix(mark.as_bytes()).is_some_and(|rest| rest.ends_with(b" "));
    ends && line.starts_with(BEGIN.as_bytes())
}

/// The comment that tells whose line it is.
fn mark(session: &Alias) -> String {
    format!("moorline:{session}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(session: &str, kid: &str, filling: u8, port: u16) -> RuntimeKey {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend([filling; 32]);
        RuntimeKey {
            session: session.parse().unwrap(),
            kid: kid.parse().unwrap(),
            key: HostKey::from_blob(&blob).unwrap(),
            port: port.try_into().unwrap(),
        }
    }

    fn first() -> RuntimeKey {
        key("colab", "AAAAAAAAAAA1", 1, 7423)
    }

    #[test]
    fn the_line_forbids_everything_but_one_port_and_one_command() {
        let line = first().line();
        assert!(
            line.starts_with(
                "restrict,port-forwarding,permitlisten=\"127.0.0.1:7423\",permitopen=\"127.0.0.1:1\",command=\""
            ),
            "{line}"
        );
        assert!(line.ends_with(&format!("\" ssh-ed25519 {} moorline:colab", first().key.base64())), "{line}");
        assert!(!line.contains('\n') && line.is_ascii(), "{line}");
        // sshd ends the option at the first quote without a backslash before it.
        let command = line.split("command=\"").nth(1).unwrap();
        let end = command.match_indices('"').find(|(at, _)| !command[..*at].ends_with('\\')).unwrap().0;
        assert_eq!(command[..end].replace("\\\"", "\""), receiver::command(&first().kid));
    }

    #[test]
    fn a_line_is_added_once_and_taken_out_without_a_trace() {
        for old in ["", "# mine\nssh-ed25519 AAAA me\n", "ssh-rsa AAAA \u{fc}\r\n\r\n  \n"] {
            let added = install(old.as_bytes(), &first()).unwrap();
            assert_eq!(added.bytes, format!("{old}{}\n", first().line()).into_bytes());
            assert_eq!(install(&added.bytes, &first()).unwrap().bytes, added.bytes, "a second time");
            let removed = remove(&added.bytes, &first().session).unwrap();
            assert_eq!(removed.bytes, old.as_bytes());
            assert_eq!((removed.dropped, removed.lines_dropped), (vec![first().kid], 1));
        }
        let cut = install(b"ssh-ed25519 AAAA me", &first()).unwrap();
        assert_eq!(cut.bytes, format!("ssh-ed25519 AAAA me\n{}\n", first().line()).into_bytes());
    }

    #[test]
    fn a_new_key_takes_the_place_of_all_older_ones_of_its_session() {
        let (other, newer) = (key("trainer", "TTTTTTTTTTTT", 9, 7424), key("colab", "BBBBBBBBBBB2", 2, 7425));
        let old = format!("a\n{}\nb\n{}\n{}\nc", first().line(), other.line(), first().line());
        let edit = install(old.as_bytes(), &newer).unwrap();
        assert_eq!(edit.bytes, format!("a\n{}\nb\n{}\nc", newer.line(), other.line()).into_bytes());
        assert_eq!(edit.dropped, vec![first().kid, first().kid]);
    }

    #[test]
    fn what_only_looks_like_ours_stays() {
        let session = first().session;
        for line in [
            "ssh-ed25519 AAAA moorline:colab",
            "# restrict,port-forwarding,permitlisten=\"127.0.0.1:7423\" moorline:colab",
            "restrict,port-forwarding,permitlisten=\"127.0.0.1:7423\" ssh-ed25519 AAAA xmoorline:colab",
            "restrict,port-forwarding,permitlisten=\"127.0.0.1:7423\" ssh-ed25519 AAAA moorline:colab2",
            "restrict ssh-ed25519 AAAA moorline:colab",
        ] {
            assert_eq!(remove(line.as_bytes(), &session).unwrap().bytes, line.as_bytes(), "{line}");
        }
    }

    #[test]
    fn what_sshd_could_not_read_is_refused() {
        assert_eq!(install(b"\xff\xfea\0b\0\n\0", &first()), Err(OddFile::Nul));
        assert_eq!(install(b"a\rb\r", &first()), Err(OddFile::CrOnly));
    }

    proptest::proptest! {
        #[test]
        fn foreign_bytes_stay(lines in proptest::collection::vec("[^\0\r\n]{0,60}", 0..8), last in "[^\0\r\n]{0,20}") {
            let old = [lines, vec![last]].concat().join("\n");
            let added = install(old.as_bytes(), &first()).unwrap();
            proptest::prop_assert!(added.bytes.starts_with(old.as_bytes()));
            let removed = remove(&added.bytes, &first().session).unwrap().bytes;
            let kept = String::from_utf8(removed).unwrap();
            proptest::prop_assert_eq!(kept.trim_end_matches('\n'), old.trim_end_matches('\n'));
        }
    }
}
