//! The `known_hosts` editor: strangers' files come back, edits settle at once, exactly the pinned key is left.
#![no_main]

use moorline_ssh_files::{known_hosts, HostKey, KnownHostsEdit, KnownName, Place};

use libfuzzer_sys::fuzz_target;

const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";
const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID4j6BYAOVlKM4lPZWThsTSLvXoAiNQsSstz7q7VnACd";

fn names(alias: &str) -> Vec<KnownName> {
    let place = Place { host: "127.0.0.1".parse().unwrap(), port: "7423".parse().unwrap() };
    vec![KnownName::Alias(alias.parse().unwrap()), KnownName::Place(place)]
}

fn pin(alias: &str, key: &str) -> KnownHostsEdit {
    KnownHostsEdit {
        drop: names(alias),
        drop_pairs: Vec::new(),
        pin_names: names(alias),
        pin_keys: vec![key.parse::<HostKey>().unwrap()],
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(first) = known_hosts::apply(data, &pin("colab", NEW)) else {
        assert!(known_hosts::check(data).is_err());
        return;
    };
    let second = known_hosts::apply(&first.bytes, &pin("colab", NEW)).unwrap();
    assert_eq!(second.bytes, first.bytes, "a second run writes nothing");
    for name in names("colab") {
        let keys = known_hosts::keys_of(&first.bytes, &name);
        assert!(keys.len() == 1 && keys[0].to_string() == NEW, "{name}: {keys:?}");
    }

    // Names that nobody else has: an update and a forget leave no trace.
    let alias = "a-name-that-no-fuzzer-guesses.example";
    let only_alias = |edit: KnownHostsEdit| KnownHostsEdit {
        drop: edit.drop[..1].to_vec(),
        pin_names: edit.pin_names[..1].to_vec(),
        ..edit
    };
    if data.windows(alias.len()).any(|w| w.eq_ignore_ascii_case(alias.as_bytes())) {
        return;
    }
    let added = known_hosts::apply(data, &only_alias(pin(alias, OLD))).unwrap();
    assert_eq!((added.dropped, added.narrowed, added.added), (0, 0, 1));
    let updated = known_hosts::apply(&added.bytes, &only_alias(pin(alias, NEW))).unwrap();
    let forget = KnownHostsEdit { drop: names(alias)[..1].to_vec(), ..KnownHostsEdit::default() };
    assert_eq!(known_hosts::apply(&updated.bytes, &forget).unwrap().bytes, data);
});
