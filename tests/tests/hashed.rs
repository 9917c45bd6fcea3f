//! A person whose `known_hosts` is hashed: our lines are, too, and everybody still finds them.
#![cfg(target_os = "linux")]

use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::{Story, clients};

fn cell(story: &Story) -> String {
    let (port, user) = (story.runtime.port(), story.runtime.user());
    format!("ssh -p {port} {user}@127.0.0.1\npassword: {}\n", story.runtime.password())
}

#[test]
fn a_hashed_known_hosts_stays_hashed_and_works() {
    let mut story = Story::begin();
    story.stage.run("ssh-keygen", &["-H"]).works("the person hashes the file");
    let hashed = story.stage.text(".ssh/known_hosts");
    assert!(hashed.contains("|1|"), "the file is hashed:\n{hashed}");
    for restart in 0..=2 {
        if restart > 0 {
            story.runtime.restart();
        }
        story.paste(&["add", "colab"], &cell(&story)).works("the cell's text is enough");
        story.help_login_without_root();
        for client in clients::ALL {
            client.connects(&story.stage, "colab");
        }
        let now = story.stage.text(".ssh/known_hosts");
        assert!(
            !now.contains("colab") && !now.contains("127.0.0.1"),
            "no name stands there in plain text:\n{now}"
        );
        let theirs = |line: &&str| hashed.lines().any(|old| old == *line);
        assert_eq!(
            now.lines().filter(theirs).count(),
            hashed.lines().count(),
            "every line of theirs is kept"
        );
        assert_eq!(now.lines().count() - hashed.lines().count(), 2, "one line of ours for each name:\n{now}");
    }
    story.stage.moorline(&["forget", "colab", "--yes"]).works("it is forgotten");
    assert_eq!(story.stage.text(".ssh/known_hosts"), hashed, "the file is as it was");
    assert_eq!(story.stage.text(".ssh/config"), PERSONS_CONFIG, "so is the config");
}
