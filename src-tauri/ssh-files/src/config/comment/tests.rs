use super::*;

fn alias(name: &str) -> Alias {
    name.parse().unwrap()
}

fn out(config: &str, name: &str) -> String {
    String::from_utf8(comment_out(config.as_bytes(), &alias(name)).unwrap()).unwrap()
}

fn back(config: &str, name: &str) -> String {
    String::from_utf8(bring_back(config.as_bytes(), &alias(name))).unwrap()
}

const MIXED: &str = "User me

# the notebook
Host colab
\tHostName 0.tcp.eu.ngrok.io\r
   \t
  # changes every day
  StrictHostKeyChecking no

# home
Host home
  HostName h
Host trainer
  HostName a.ngrok.io
  UserKnownHostsFile /dev/null";

#[test]
fn every_line_of_the_entry_is_commented_out_and_no_other() {
    let expected = "User me

# the notebook
#moorline colab# Host colab
#moorline colab# \tHostName 0.tcp.eu.ngrok.io\r
   \t
#moorline colab#   # changes every day
#moorline colab#   StrictHostKeyChecking no

# home
Host home
  HostName h
Host trainer
  HostName a.ngrok.io
  UserKnownHostsFile /dev/null";
    assert_eq!(out(MIXED, "colab"), expected);
    assert_eq!(out(expected, "colab"), expected, "a second run changes nothing");
    assert_eq!(back(expected, "colab"), MIXED);
    assert_eq!(back(MIXED, "colab"), MIXED);
    assert_eq!(commented_out(expected.as_bytes()), [alias("colab")]);
    assert_eq!(loose::loose_entries(expected.as_bytes()).len(), 1, "the trainer is left");
}

#[test]
fn aliases_come_and_go_by_themselves_in_any_order() {
    let both = out(&out(MIXED, "trainer"), "colab");
    assert_eq!(out(&out(MIXED, "colab"), "trainer"), both);
    assert_eq!(commented_out(both.as_bytes()), [alias("colab"), alias("trainer")]);
    assert_eq!(back(&both, "trainer"), out(MIXED, "colab"));
    assert_eq!(back(&back(&both, "colab"), "trainer"), MIXED);
    let twins = "Host colab\n StrictHostKeyChecking no\nHost colab\n StrictHostKeyChecking no\n";
    let gone = out(twins, "colab");
    assert_eq!(gone.matches("#moorline colab# ").count(), 4, "both of one name");
    assert_eq!(back(&gone, "colab"), twins);
}

#[test]
fn entries_side_by_side_do_not_swallow_each_other() {
    let text = "Host colab\n StrictHostKeyChecking no\nHost kaggle\n StrictHostKeyChecking no\n";
    for order in [["colab", "kaggle"], ["kaggle", "colab"]] {
        let both = order.iter().fold(text.to_owned(), |text, name| out(&text, name));
        assert_eq!(both.lines().filter(|line| !line.starts_with('#')).count(), 0, "{both}");
        for way in [["colab", "kaggle"], ["kaggle", "colab"]] {
            assert_eq!(
                way.iter().fold(both.clone(), |text, name| back(&text, name)),
                text,
                "{order:?} {way:?}"
            );
        }
    }
    // A line that was added below a commented entry belongs to the one above, which is commented out after.
    let added = format!("{} User me\n", out(text, "kaggle"));
    let both = out(&added, "colab");
    assert!(both.ends_with("\n#moorline colab#  User me\n"), "it must not fall to the section above: {both}");
    assert_eq!(commented_out(both.as_bytes()), [alias("colab"), alias("kaggle")]);
}

#[test]
fn only_an_entry_that_is_loose_is_touched() {
    for text in
        ["", "Host colab\n  HostName 0.tcp.ngrok.io\n", "Host colab x\n StrictHostKeyChecking no\n", "# c"]
    {
        assert_eq!(out(text, "colab"), text);
    }
    for unsafe_text in
        [&b"\xef\xbb\xbfHost a\n"[..], b"Host a\r  Port 1\r", b"# >>> moorline >>>\n", b"a\0b\n"]
    {
        assert_eq!(comment_out(unsafe_text, &alias("colab")), Err(check(unsafe_text).unwrap_err()));
    }
}

#[test]
fn edits_of_the_person_in_between_stay() {
    let text = "Host colab\n  Port 1\n  StrictHostKeyChecking no\nHost z\n";
    let gone = out(text, "colab");
    let edited = gone.replace("#moorline colab#   Port 1\n", "# a note\n").replace("Host z", "Host y");
    assert_eq!(
        back(&format!("User me\n{edited}"), "colab"),
        "User me\nHost colab\n# a note\n  StrictHostKeyChecking no\nHost y\n"
    );
    let by_hand = gone.replace("#moorline colab# ", "");
    assert_eq!(back(&by_hand, "colab"), text, "the person undid it");
    let deleted = gone.replace("#moorline colab# Host colab\n", "");
    assert_eq!(back(&deleted, "colab"), deleted, "without its Host line it would hold for every host");
    let split = gone.replace("#moorline colab#   Strict", "Host new\n#moorline colab#   Strict");
    assert_eq!(back(&split, "colab"), split.replacen("#moorline colab# ", "", 2), "nor for another one");
}

#[test]
fn lines_that_only_look_like_ours_stay() {
    for text in [
        "#moorline# Host colab\n",
        "#moorline Colab# Host Colab\n",
        "#moorline colab#Host colab\n",
        " #moorline colab# Host colab\n",
        "#moorline colab2# Host colab2\n",
        "#moorline colab# HostName x\n",
    ] {
        assert_eq!(back(text, "colab"), text);
    }
    let doubled = "#moorline colab# #moorline colab# Host colab\n";
    assert_eq!(back(doubled, "colab"), "Host colab\n", "a second run must not change more");
}
