//! What each kind of secret is given for.

use std::fmt;

use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{RelayTarget, Session};
use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, Fingerprint, HostName, UserName};
use serde::{Deserialize, Serialize};

use crate::store::vault::Purpose;

/// For what a runtime's password is given: one user behind one link, on the machine with this host key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordFor {
    session: Alias,
    user: UserName,
    /// Kind and endpoint.
    link: String,
    /// `None` as long as no key was settled for that link; such a password is sent nowhere.
    key: Option<Fingerprint>,
}

impl PasswordFor {
    /// The session as it is, with the host key that its runtime has to prove.
    pub fn of(session: &Session, key: Option<Fingerprint>) -> Self {
        let Session { name, link, user, .. } = session;
        Self { session: name.clone(), user: user.clone(), link: link.described(), key }
    }

    /// Whether it is for the same user behind the same link, whatever the key.
    pub fn is_beside(&self, other: &Self) -> bool {
        (&self.session, &self.user, &self.link) == (&other.session, &other.user, &other.link)
    }
}

impl Purpose for PasswordFor {
    const KIND: SecretKind = SecretKind::Password;

    fn session(&self) -> Option<&Alias> {
        Some(&self.session)
    }

    fn slot(&self) -> Option<String> {
        let key = self.key.map(|key| key.to_string()).unwrap_or_default();
        Some(format!("{}\n{}\n{key}", self.user, self.link))
    }

    fn covers(&self, wanted: &Self) -> bool {
        self == wanted
    }
}

impl fmt::Display for PasswordFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (user {}, ", self.link, self.user)?;
        match self.key {
            Some(key) => write!(f, "host key {key})"),
            None => f.write_str("before a host key was known)"),
        }
    }
}

/// Whether a password that was given for `old` may be taken to be for `new`, whose key was settled with this trust.
///
/// It stays with its user and its link. Behind these it follows to another key only by an act of the person or by the word
/// of the session key; that a relay is theirs alone is such an act, and a key that its channel proves counts. Going
/// without comparing is no reason to send it there. Where no key was known when it was given, it was given for
/// whichever key the person settles.
pub fn may_rebind(old: &PasswordFor, new: &PasswordFor, trust: Trust) -> bool {
    let vouched = match trust {
        Trust::Approved | Trust::Pasted | Trust::Channel | Trust::Announced | Trust::Derived => true,
        Trust::FirstUse => false,
    };
    old.is_beside(new) && new.key.is_some() && (old.key.is_none() || old.key == new.key || vouched)
}

/// For what a relay's password is given: the relay as the session names it, and as the person's ssh understood that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayPasswordFor {
    session: Alias,
    /// `[user@]host[:port]`; the host may be an alias of the person's.
    relay: String,
    /// The user, host and port behind that; `None` if ssh did not say.
    login: Option<String>,
}

impl RelayPasswordFor {
    /// A session's relay, and the login that ssh makes of it.
    pub fn of(session: &Alias, relay: &RelayTarget, login: Option<String>) -> Self {
        Self { session: session.clone(), relay: relay.to_string(), login }
    }
}

impl Purpose for RelayPasswordFor {
    const KIND: SecretKind = SecretKind::RelayPassword;

    fn session(&self) -> Option<&Alias> {
        Some(&self.session)
    }

    fn slot(&self) -> Option<String> {
        Some(self.relay.clone())
    }

    fn covers(&self, wanted: &Self) -> bool {
        let same_login = self.login.is_none() || self.login == wanted.login;
        self.session == wanted.session && self.relay == wanted.relay && same_login
    }
}

impl fmt::Display for RelayPasswordFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.login {
            Some(login) => write!(f, "{}, which was {login}", self.relay),
            None => f.write_str(&self.relay),
        }
    }
}

/// For what a Cloudflare service token is given: the host name of one tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceTokenFor {
    session: Alias,
    host: HostName,
}

impl ServiceTokenFor {
    /// A session's tunnel.
    pub fn of(session: &Alias, host: &HostName) -> Self {
        Self { session: session.clone(), host: host.clone() }
    }
}

impl Purpose for ServiceTokenFor {
    const KIND: SecretKind = SecretKind::ServiceToken;

    fn session(&self) -> Option<&Alias> {
        Some(&self.session)
    }

    fn slot(&self) -> Option<String> {
        Some(self.host.to_string())
    }

    fn covers(&self, wanted: &Self) -> bool {
        self == wanted
    }
}

impl fmt::Display for ServiceTokenFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moorline_model::session::Link;
    use moorline_ssh_files::{HostKey, Place};

    #[expect(clippy::unnecessary_wraps, reason = "a purpose takes it so")]
    fn print(n: u8) -> Option<Fingerprint> {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend([n; 32]);
        Some(HostKey::from_blob(&blob).unwrap().fingerprint())
    }

    fn session(name: &str, user: &str, host: &str, port: u16) -> Session {
        let place = Place { host: host.parse().unwrap(), port: port.try_into().unwrap() };
        Session {
            name: name.parse().unwrap(),
            link: Link::Direct(place),
            user: user.parse().unwrap(),
            folder: None,
            identity_file: None,
        }
    }

    const EVERY: [Trust; 6] =
        [Trust::FirstUse, Trust::Approved, Trust::Pasted, Trust::Channel, Trust::Announced, Trust::Derived];

    #[test]
    fn a_password_follows_to_no_key_that_nobody_vouched_for() {
        let here = session("colab", "root", "a.example", 22);
        let (old, new) = (PasswordFor::of(&here, print(1)), PasswordFor::of(&here, print(2)));
        let allowed: Vec<Trust> = EVERY.into_iter().filter(|trust| may_rebind(&old, &new, *trust)).collect();
        let vouched = [Trust::Approved, Trust::Pasted, Trust::Channel, Trust::Announced, Trust::Derived];
        assert_eq!(allowed, vouched);
    }

    #[test]
    fn what_was_given_before_a_key_was_known_is_for_the_first_one_that_is_settled() {
        let here = session("colab", "root", "a.example", 22);
        let (none, some) = (PasswordFor::of(&here, None), PasswordFor::of(&here, print(1)));
        for trust in EVERY {
            assert!(may_rebind(&none, &some, trust), "{trust:?}");
            assert!(may_rebind(&some, &some, trust), "{trust:?}: it is for that one");
            assert!(!may_rebind(&some, &none, trust), "{trust:?}: nothing is ever for any key");
            assert!(!may_rebind(&none, &none, trust), "{trust:?}");
        }
    }

    #[test]
    fn no_trust_takes_it_to_another_session_user_or_address() {
        let here = session("colab", "root", "a.example", 22);
        for elsewhere in [
            session("trainer", "root", "a.example", 22),
            session("colab", "ada", "a.example", 22),
            session("colab", "root", "b.example", 22),
            session("colab", "root", "a.example", 23),
            Session { link: Link::Cloudflare("a.example".parse().unwrap()), ..here.clone() },
        ] {
            for key in [None, print(1)] {
                let (old, new) = (PasswordFor::of(&here, key), PasswordFor::of(&elsewhere, print(1)));
                assert!(!EVERY.into_iter().any(|trust| may_rebind(&old, &new, trust)), "{new}");
                assert!(!old.covers(&new), "{new}");
            }
        }
    }

    #[test]
    fn a_relay_s_name_that_leads_elsewhere_opens_nothing() {
        let session: Alias = "colab".parse().unwrap();
        let of = |relay: &str, login: Option<&str>| {
            RelayPasswordFor::of(&session, &relay.parse().unwrap(), login.map(str::to_owned))
        };
        let given = of("relay", Some("me@10.0.0.1:22"));
        assert!(given.covers(&of("relay", Some("me@10.0.0.1:22"))));
        for wanted in [
            of("relay", Some("me@10.0.0.2:22")),
            of("relay", Some("you@10.0.0.1:22")),
            of("relay", None),
            of("other", Some("me@10.0.0.1:22")),
        ] {
            assert!(!given.covers(&wanted), "{wanted}");
        }
        assert!(of("relay", None).covers(&of("relay", Some("me@10.0.0.1:22"))), "as far as it was known");
    }
}
