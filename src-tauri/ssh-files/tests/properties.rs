//! Whatever the files hold: foreign bytes stay, a second run writes nothing, forgetting restores.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set up must stop")]

mod common;

use moorline_ssh_files::config::{self, BEGIN, END};
use moorline_ssh_files::known_hosts;
use proptest::collection::vec;
use proptest::prelude::*;

use common::{NEW_KEY, OLD_KEY, THIRD_KEY, session};

fn line_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("\n"), 2 => Just("\r\n")]
}

fn config_line() -> impl Strategy<Value = Vec<u8>> {
    let word = "[a-zA-Z0-9.*?!%~/_-]{1,12}";
    prop_oneof![
        Just(Vec::new()),
        word.prop_map(|w| format!("Host {w}").into_bytes()),
        (word, word).prop_map(|(a, b)| format!("host={a} \"{b}\"").into_bytes()),
        word.prop_map(|w| format!("Match host {w} exec \"test -e {w}\"").into_bytes()),
        (word, word).prop_map(|(k, v)| format!("    {k} {v}").into_bytes()),
        word.prop_map(|w| format!("\tInclude {w}").into_bytes()),
        Just(b"Host colab".to_vec()),
        Just(b"\thost=\"colab\" # a note".to_vec()),
        Just(b"  StrictHostKeyChecking no".to_vec()),
        Just(b"UserKnownHostsFile=/dev/null".to_vec()),
        Just(b"# >>> somebody else >>>".to_vec()),
        Just(b"# caf\xe9 \xff\xfe \xa0".to_vec()),
        vec(prop_oneof![1_u8..=9, 11_u8..=255], 0..40),
    ]
}

fn config_file() -> impl Strategy<Value = Text> {
    (vec((config_line(), line_end()), 0..20), any::<bool>()).prop_map(|(lines, cut)| joined(lines, cut))
}

fn known_hosts_line() -> impl Strategy<Value = Vec<u8>> {
    let key =
        prop_oneof![Just(OLD_KEY), Just(NEW_KEY), Just(THIRD_KEY), Just("ssh-dss AAAA"), Just("ssh-rsa")];
    let name = prop_oneof![
        3 => "[a-z]{1,6}\\.example",
        2 => Just("[h.example]:7423".to_owned()),
        1 => Just("[H.Example]:7424".to_owned()),
        1 => Just("colab".to_owned()),
        1 => Just("*.example".to_owned()),
        1 => Just("|1|ZA2H50HmqkxmmoKkzTBHh5YFE6s=|OjnTqJQG4AQPQl/j9TfINfh01Hk=".to_owned()),
    ];
    let marker =
        prop_oneof![6 => Just(""), 1 => Just("@revoked "), 1 => Just("@cert-authority\t"), 1 => Just("  ")];
    prop_oneof![
        8 => (marker, vec(name, 1..4), key, "[ -~]{0,12}")
            .prop_map(|(m, names, key, rest)| format!("{m}{} {key} {rest}", names.join(",")).into_bytes()),
        1 => Just(Vec::new()),
        1 => Just(b"# comment".to_vec()),
        1 => vec(prop_oneof![1_u8..=9, 11_u8..=255], 0..40),
    ]
}

fn known_hosts_file() -> impl Strategy<Value = Text> {
    (vec((known_hosts_line(), line_end()), 0..16), any::<bool>()).prop_map(|(lines, cut)| joined(lines, cut))
}

/// Shown as text when a test fails.
#[derive(Clone)]
struct Text(Vec<u8>);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

fn joined(lines: Vec<(Vec<u8>, &'static str)>, cut: bool) -> Text {
    let mut text = Vec::new();
    for (line, end) in lines {
        text.extend_from_slice(&line);
        text.extend_from_slice(end.as_bytes());
    }
    while cut && matches!(text.last(), Some(b'\n' | b'\r')) {
        text.pop();
    }
    Text(text)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn configs_round_trip(Text(original) in config_file()) {
        let one = [session("colab", "h.example", 7423, &[]).entry()];
        let two = [session("colab", "g.example", 22, &[]).entry(), session("x", "h", 1, &[]).entry()];
        let Ok(added) = config::apply(&original, &one) else {
            // Only what `check` names is refused.
            prop_assert!(config::check(&original).is_err());
            return Ok(());
        };
        prop_assert!(added.ends_with(&original) && added.starts_with(BEGIN.as_bytes()));
        prop_assert_eq!(&config::apply(&added, &one).unwrap(), &added);
        let updated = config::apply(&added, &two).unwrap();
        prop_assert!(updated.ends_with(&original));
        prop_assert_eq!(config::apply(&updated, &[]).unwrap(), original);
    }

    #[test]
    fn loose_entries_come_back_byte_for_byte(Text(original) in config_file(), Text(more) in config_file()) {
        let colab = "colab".parse().unwrap();
        let Ok(out) = config::comment_out(&original, &colab) else {
            prop_assert!(config::check(&original).is_err());
            return Ok(());
        };
        let is_colab = |entry: &config::LooseEntry| entry.alias == colab;
        let found = config::loose_entries(&original).iter().any(is_colab);
        prop_assert_eq!(out != original, found);
        prop_assert!(!config::loose_entries(&out).iter().any(is_colab));
        prop_assert_eq!(&config::comment_out(&out, &colab).unwrap(), &out);
        prop_assert_eq!(&config::bring_back(&out, &colab), &original);
        prop_assert_eq!(&config::bring_back(&original, &colab), &original);
        let others = |text: &[u8]| config::loose_entries(text).into_iter().filter(|e| !is_colab(e)).count();
        prop_assert_eq!(others(&out), others(&original));
        // With the session's own entry above, and other text at both ends.
        if let Ok(added) = config::apply(&out, &[session("colab", "h.example", 7423, &[]).entry()]) {
            let back = config::bring_back(&added, &colab);
            prop_assert_eq!(config::apply(&back, &[]).unwrap(), original.clone());
        }
        let mut above = more.clone();
        above.push(b'\n');
        let around = [&above[..], &out, b"\n", &more].concat();
        prop_assert_eq!(config::bring_back(&around, &colab), [&above[..], &original, b"\n", &more].concat());
    }

    #[test]
    fn blocks_are_replaced_where_they_stand(Text(before) in config_file(), Text(after) in config_file()) {
        let mut start = before;
        if !matches!(start.last(), None | Some(b'\n')) {
            start.push(b'\n');
        }
        let text = [&start[..], format!("{BEGIN} x\nanything\n{END}\n").as_bytes(), &after].concat();
        let entries = [session("colab", "h.example", 7423, &[]).entry()];
        if let Ok(edited) = config::apply(&text, &entries) {
            prop_assert!(edited.starts_with(&start) && edited.ends_with(&after));
            prop_assert_eq!(config::apply(&edited, &[]).unwrap(), [start, after].concat());
        }
    }

    #[test]
    fn known_hosts_edits_settle_at_once(Text(original) in known_hosts_file()) {
        let edit = session("colab", "h.example", 7423, &[NEW_KEY]).pin(None);
        if let Ok(first) = known_hosts::apply(&original, &edit) {
            let second = known_hosts::apply(&first.bytes, &edit).unwrap();
            prop_assert_eq!(&second.bytes, &first.bytes);
            prop_assert_eq!((second.added, second.dropped, second.narrowed), (0, 0, 0));
            for name in &edit.pin_names {
                let keys = known_hosts::keys_of(&first.bytes, name);
                prop_assert_eq!(keys.len(), 1, "exactly the pinned key is left under {}", name);
                prop_assert_eq!(keys[0].to_string(), NEW_KEY);
            }
        }
    }

    #[test]
    fn known_hosts_lines_of_others_stay_whole_and_in_order(Text(original) in known_hosts_file()) {
        let edit = session("colab", "h.example", 7423, &[NEW_KEY]).pin(None);
        if let Ok(outcome) = known_hosts::apply(&original, &edit) {
            let ours = |line: &[u8]| {
                let text = String::from_utf8_lossy(line).to_lowercase();
                text.contains("colab") || text.contains("[h.example]:7423")
            };
            let split = |text: &[u8]| -> Vec<Vec<u8>> {
                text.split_inclusive(|b| *b == b'\n').filter(|l| !ours(l)).map(<[u8]>::to_vec).collect()
            };
            // A hashed line that we wrote names nobody; it is not among the original's lines.
            let after: Vec<_> = split(&outcome.bytes);
            let mut rest = after.iter();
            for line in split(&original) {
                prop_assert!(rest.any(|l| *l == line), "{:?} is gone", String::from_utf8_lossy(&line));
            }
        }
    }

    #[test]
    fn strangers_files_come_back_from_add_update_forget(Text(original) in known_hosts_file()) {
        let one = session("trainer", "t.test", 15873, &[OLD_KEY]);
        let two = session("trainer", "u.test", 22, &[NEW_KEY, THIRD_KEY]);
        if let Ok(added) = known_hosts::apply(&original, &one.pin(None)) {
            prop_assert_eq!((added.dropped, added.narrowed, added.foreign), (0, 0, 0));
            let updated = known_hosts::apply(&added.bytes, &two.pin(Some(&one))).unwrap();
            let forgotten = known_hosts::apply(&updated.bytes, &two.unpin()).unwrap();
            prop_assert_eq!(forgotten.bytes, original);
        }
    }
}
