use super::*;

const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";
const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID4j6BYAOVlKM4lPZWThsTSLvXoAiNQsSstz7q7VnACd";
const THIRD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC59LAOpUHriZez1tTVohaUzk6ICnSQTlJlyZaGiWu/G";

fn alias(name: &str) -> KnownName {
    KnownName::Alias(name.parse().unwrap())
}

fn place(host: &str, port: u16) -> KnownName {
    KnownName::Place(Place { host: host.parse().unwrap(), port: port.try_into().unwrap() })
}

fn key(line: &str) -> HostKey {
    line.parse().unwrap()
}

/// What a session `colab` at `[h.example]:7423` asks for.
fn pin(keys: &[&str]) -> KnownHostsEdit {
    let names = vec![alias("colab"), place("h.example", 7423)];
    KnownHostsEdit {
        drop: names.clone(),
        drop_pairs: Vec::new(),
        pin_names: names,
        pin_keys: keys.iter().map(|k| key(k)).collect(),
    }
}

fn forget(key_line: &str) -> KnownHostsEdit {
    KnownHostsEdit {
        drop: vec![alias("colab")],
        drop_pairs: vec![(place("h.example", 7423), key(key_line))],
        ..KnownHostsEdit::default()
    }
}

fn applied(original: &str, edit: &KnownHostsEdit) -> String {
    let once = apply(original.as_bytes(), edit).unwrap().bytes;
    let twice = apply(&once, edit).unwrap();
    assert_eq!(twice.bytes, once, "a second run writes nothing");
    assert_eq!((twice.added, twice.dropped, twice.narrowed), (0, 0, 0));
    String::from_utf8(once).unwrap()
}

#[test]
fn one_line_per_key_under_both_names() {
    let text = applied("a ssh-rsa AAAA\n", &pin(&[OLD, NEW]));
    assert_eq!(text, format!("a ssh-rsa AAAA\ncolab,[h.example]:7423 {OLD}\ncolab,[h.example]:7423 {NEW}\n"));
    assert_eq!(applied("", &pin(&[])), "", "without keys nothing is pinned");
}

#[test]
fn a_new_key_takes_the_old_ones_place() {
    let before = applied("a x y\n", &pin(&[OLD])) + "z x y\n";
    let after = applied(&before, &pin(&[NEW]));
    assert_eq!(after, format!("a x y\ncolab,[h.example]:7423 {NEW}\nz x y\n"));
    assert_eq!(applied(&after, &forget(NEW)), "a x y\nz x y\n");
}

#[test]
fn a_new_endpoint_with_the_old_key_leaves_no_old_name() {
    let before = applied("", &pin(&[OLD]));
    let names = vec![alias("colab"), place("other", 22)];
    let edit = KnownHostsEdit { drop: names.clone(), pin_names: names, ..pin(&[OLD]) };
    let edit = KnownHostsEdit { drop_pairs: vec![(place("h.example", 7423), key(OLD))], ..edit };
    assert_eq!(applied(&before, &edit), format!("colab,other {OLD}\n"));
}

#[test]
fn shared_lines_lose_only_our_names() {
    let shared = format!("x,[H.Example]:7423,y {OLD} a  comment\r\n[h.example]:7423\t{OLD}\n");
    assert_eq!(
        applied(&shared, &pin(&[NEW])),
        format!("x,y {OLD} a  comment\r\ncolab,[h.example]:7423 {NEW}\n")
    );
    let ports = KnownHostsEdit { drop: vec![place("h", 22)], ..KnownHostsEdit::default() };
    let text = format!("h,[h]:22,[h]:23 {OLD}\n[h]:22 {OLD}\nhh {OLD}\n");
    assert_eq!(applied(&text, &ports), format!("[h]:23 {OLD}\nhh {OLD}\n"), "[h]:22 is h");
}

#[test]
fn somebody_elses_line_with_the_right_key_stays_through_everything() {
    let theirs = format!("[h.example]:7423 {OLD} mine\n");
    let added = applied(&theirs, &pin(&[OLD]));
    assert_eq!(added, format!("{theirs}colab,[h.example]:7423 {OLD}\n"));
    assert_eq!(applied(&added, &forget(OLD)), theirs);
}

#[test]
fn markers_and_patterns_are_left_and_named() {
    let text = format!(
        "@revoked [h.example]:7423 {OLD}\n@cert-authority\tcolab {OLD}\n[h.example]:7423,*.x {OLD}\n!colab,colab {OLD}\n@x * {OLD}\n"
    );
    let outcome = apply(text.as_bytes(), &pin(&[])).unwrap();
    assert_eq!(outcome.bytes, text.as_bytes());
    assert_eq!(outcome.remarks.len(), 4, "{:?}", outcome.remarks);
    assert!(
        outcome.remarks[0].contains("line 1, is a @revoked line that names [h.example]:7423"),
        "{:?}",
        outcome.remarks
    );
}

#[test]
fn lines_that_ssh_cannot_read_stay_and_do_no_harm() {
    let junk = "garbage\ncolab\ncolab ssh-ed25519\n# colab ssh-ed25519 AAAA\n|1|notbase64|xx ssh-rsa AAAA\n|1| x y\n \t\n";
    let text = format!("{junk}colab {OLD}\ncolab ssh-dss AAAAB3NzaC1kc3MAAACBAP\n");
    assert_eq!(applied(&text, &forget(OLD)), junk, "an entry of a dead key type is stale all the same");
}

#[test]
fn hashed_entries_are_found_and_ours_are_hashed_among_hashed_ones() {
    let hashed = |name: &str, key: &str| format!("{} {key}\n", hashed::hash(name.as_bytes()).unwrap());
    let foreign = hashed("a", OLD) + &hashed("b", NEW);
    let text = foreign.clone() + &hashed("[h.example]:7423", OLD) + &hashed("colab", OLD);
    let edit = pin(&[NEW]);
    let once = apply(text.as_bytes(), &edit).unwrap();
    assert_eq!((once.dropped, once.added, once.foreign), (2, 2, 1));
    assert!(once.bytes.starts_with(foreign.as_bytes()));
    let twice = apply(&once.bytes, &edit).unwrap();
    assert_eq!(twice.bytes, once.bytes, "our own hashed lines are known again");
    for name in &edit.pin_names {
        assert_eq!(keys_of(&once.bytes, name), [key(NEW)], "{name}");
    }
    assert_eq!(apply(&once.bytes, &forget(NEW)).unwrap().bytes, foreign.as_bytes());

    let plain = format!("a {OLD}\nb {OLD}\n") + &hashed("c", OLD);
    assert!(applied(&plain, &pin(&[NEW])).ends_with(&format!("colab,[h.example]:7423 {NEW}\n")));
}

#[test]
fn a_missing_final_newline_comes_back() {
    let text = format!("a {OLD}\r\nb {OLD}");
    let added = applied(&text, &pin(&[NEW]));
    assert_eq!(added, format!("a {OLD}\r\ncolab,[h.example]:7423 {NEW}\r\nb {OLD}"));
    assert_eq!(applied(&added, &forget(NEW)), text);
}

#[test]
fn proxied_links_touch_the_alias_alone() {
    let edit = KnownHostsEdit {
        drop: vec![alias("colab")],
        pin_names: vec![alias("colab")],
        pin_keys: vec![key(NEW)],
        ..KnownHostsEdit::default()
    };
    let text = format!("[127.0.0.1]:7423 {OLD}\ncolab {OLD}\n");
    assert_eq!(applied(&text, &edit), format!("[127.0.0.1]:7423 {OLD}\ncolab {NEW}\n"));
}

#[test]
fn keys_are_read_under_exactly_one_name() {
    let text = format!(
        "colab,x {OLD}\n@revoked colab {NEW}\n[colab]:22 {NEW}\ncolab* {NEW}\nColab {THIRD}\ncolab {OLD}\n"
    );
    assert_eq!(keys_of(text.as_bytes(), &alias("colab")), [key(OLD), key(THIRD)]);
    assert_eq!(keys_of(text.as_bytes(), &place("colab", 22)), [key(OLD), key(NEW), key(THIRD)]);
    assert!(keys_of(b"", &alias("colab")).is_empty());
}

#[test]
fn unreadable_files_are_refused() {
    for (text, error) in [
        (&b"\xff\xfea\0"[..], KnownHostsError::Utf16),
        (b"a b c\nd\0 e\n", KnownHostsError::Nul { line: 2 }),
        (b"a b c\rd e f\r", KnownHostsError::CrOnly),
    ] {
        assert_eq!(apply(text, &pin(&[OLD])), Err(error));
    }
}

#[test]
fn many_lines_are_read_by_several_threads_alike() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for n in 0..20_000 {
        writeln!(text, "host{n}.example {OLD}").unwrap();
        if n % 5000 == 4999 {
            writeln!(text, "[h.example]:7423 {OLD}").unwrap();
        }
    }
    let outcome = apply(text.as_bytes(), &pin(&[NEW])).unwrap();
    assert_eq!((outcome.dropped, outcome.added), (4, 1));
    let rest = text.replace(&format!("[h.example]:7423 {OLD}\n"), "");
    assert_eq!(outcome.bytes, format!("{rest}colab,[h.example]:7423 {NEW}\n").into_bytes());
}
