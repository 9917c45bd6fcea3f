//! A Cloudflare Access service token, as it lies in the vault.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// Client id and client secret: what a program shows to Access in place of a login.
#[derive(Clone)]
pub struct ServiceToken {
    id: String,
    secret: SecretString,
}

impl ServiceToken {
    /// Reads an id and a secret, in this order, separated by spaces, a new line or a colon; the names of the headers,
    /// with which Cloudflare's dashboard shows them, may stand before them. `None` if there is anything else.
    pub fn read(text: &SecretString) -> Option<Self> {
        let names = ["cf-access-client-id", "cf-access-client-secret"];
        let is_name = |word: &&str| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        let mut words = text
            .expose_secret()
            .split(|c: char| c.is_whitespace() || c == ':')
            .filter(|word| !word.is_empty() && !is_name(word));
        let (id, secret) = (words.next()?, words.next()?);
        let plain = |word: &str| {
            word.len() >= 8
                && word.len() <= 256
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        let usable = words.next().is_none() && plain(id) && plain(secret);
        usable.then(|| Self { id: id.to_owned(), secret: secret.into() })
    }

    /// The client id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The client secret.
    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }
}

impl fmt::Debug for ServiceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServiceToken([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_people_copy_it() {
        for text in [
            "b1946ac92492d234.access 5891b5b522d5df086d0ff0b1",
            "b1946ac92492d234.access:5891b5b522d5df086d0ff0b1",
            "CF-Access-Client-Id: b1946ac92492d234.access\nCF-Access-Client-Secret: 5891b5b522d5df086d0ff0b1\n",
        ] {
            let token = ServiceToken::read(&text.into()).unwrap();
            assert_eq!(
                (token.id(), token.secret().expose_secret()),
                ("b1946ac92492d234.access", "5891b5b522d5df086d0ff0b1")
            );
            assert!(!format!("{token:?}").contains("5891"));
        }
    }

    #[test]
    fn what_could_be_anything_else_is_none() {
        for text in [
            "",
            "only-an-id.access",
            "a b",
            "id.access1 secret\u{7f}12345",
            "id.access1 secret12 third123",
            "{\"id\":\"x\"}",
        ] {
            assert!(ServiceToken::read(&text.into()).is_none(), "{text:?}");
        }
    }
}
