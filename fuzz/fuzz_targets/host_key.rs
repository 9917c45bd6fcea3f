//! Key lines: what is taken is re-encoded on one line, and read again as the same key.
#![no_main]

use moorline_ssh_files::{known_hosts, Fingerprint, HostKey, KnownHostsEdit, KnownName};

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(key) = HostKey::from_blob(data) {
        check(&key);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = text.parse::<Fingerprint>().map(|f| assert_eq!(f.to_string().parse(), Ok(f)));
    if let Ok(key) = text.parse::<HostKey>() {
        check(&key);
    }
});

fn check(key: &HostKey) {
    let line = key.to_string();
    assert!(line.bytes().all(|b| b.is_ascii_graphic() || b == b' '), "{line:?}");
    assert_eq!(line.split(' ').count(), 2);
    assert_eq!(line.parse::<HostKey>().as_ref(), Ok(key));
    let name = KnownName::Alias("colab".parse().unwrap());
    let edit = KnownHostsEdit { pin_names: vec![name.clone()], pin_keys: vec![key.clone()], ..Default::default() };
    let file = known_hosts::apply(b"", &edit).unwrap().bytes;
    assert_eq!(file.iter().filter(|b| **b == b'\n').count(), 1);
    assert_eq!(known_hosts::keys_of(&file, &name), [key.clone()]);
}
