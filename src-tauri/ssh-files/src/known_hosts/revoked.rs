//! Lines that declare a key to be worthless (`sshd(8)`, `SSH_KNOWN_HOSTS` FILE FORMAT, the `@revoked` marker).

use super::Target;
use super::edit::{KnownHostsEdit, KnownName};
use super::hashed::Sought;
use super::line::Entry;
use crate::host_key::HostKey;
use crate::text::{Lines, fits};

/// Line (from 1) that revokes `key` for one of `names`, by exact name, pattern or hash: ssh refuses the key there,
/// whatever other lines say.
pub fn is_revoked(known_hosts: &[u8], names: &[KnownName], key: &HostKey) -> Option<usize> {
    let edit = KnownHostsEdit { drop: names.to_vec(), ..KnownHostsEdit::default() };
    let targets = Target::of_edit(&edit);
    Lines::of(known_hosts).find_map(|line| {
        let text = line.text.strip_suffix(b"\n").unwrap_or(line.text);
        let entry = Entry::read(text).filter(|entry| entry.marker == Some(b"@revoked"))?;
        let named = targets.iter().any(|target| names_target(&entry, target));
        (named && entry.key().as_ref() == Some(key)).then_some(line.number)
    })
}

fn names_target(entry: &Entry<'_>, target: &Target<'_>) -> bool {
    if let Some((salt, hash)) = entry.hashed() {
        return Sought::new([&*target.text]).find(salt, hash).is_some();
    }
    let mut named = false;
    for pattern in entry.tokens() {
        match pattern.strip_prefix(b"!") {
            // A negated pattern that fits overrules all others of its line.
            Some(negated) if fits(negated, target.text.as_bytes()) => return false,
            Some(_) => {}
            None => named |= target.is(pattern) || fits(pattern, target.text.as_bytes()),
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::super::edit::Place;
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICEhISEhISEhISEhISEhISEhIiMkJSYnKCkqKywtLi8w";

    fn line_for(known_hosts: &str) -> Option<usize> {
        let place = Place { host: "vm.example.org".parse().unwrap(), port: "2222".parse().unwrap() };
        let names = [KnownName::Alias("colab".parse().unwrap()), KnownName::Place(place)];
        is_revoked(known_hosts.as_bytes(), &names, &KEY.parse().unwrap())
    }

    #[test]
    fn a_line_that_revokes_the_key_for_the_session_is_found() {
        for names in [
            "*",
            "colab",
            "COLAB",
            "x,colab",
            "c?l*b",
            "**b",
            "[vm.example.org]:2222",
            "[*.example.org]:*",
            "*,!other",
        ] {
            assert_eq!(line_for(&format!("# c\n@revoked {names} {KEY} c\r\n")), Some(2), "{names}");
        }
    }

    #[test]
    fn a_hashed_name_is_found_too() {
        let hashed = super::super::hashed::hash(b"colab").unwrap();
        assert_eq!(line_for(&format!("@revoked {hashed} {KEY}")), Some(1));
        let hashed = super::super::hashed::hash(b"other").unwrap();
        assert_eq!(line_for(&format!("@revoked {hashed} {KEY}")), None);
    }

    #[test]
    fn other_keys_names_and_markers_revoke_nothing_of_the_session() {
        for line in [
            format!("@revoked * {OTHER}"),
            format!("@revoked other {KEY}"),
            format!("@revoked cola? ,x {KEY}"),
            format!("@revoked c?lab? {KEY}"),
            format!("@revoked *,!colab,!\\[* {OTHER}"),
            format!("@revoked co*,!colab {KEY}"),
            format!("@revoked [vm.example.org]:22 {KEY}"),
            format!("@cert-authority * {KEY}"),
            format!("* {KEY}"),
            format!("#@revoked * {KEY}"),
            "@revoked *".to_owned(),
        ] {
            assert_eq!(line_for(&line), None, "{line}");
        }
    }
}
