//! What a person sees and types at a terminal.
#![cfg(target_os = "linux")]

use moorline_tests::clients::Client;
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::{Stage, Story, Terminal, tree};

/// What wipes the waiting line.
const WIPE: &str = "\r\u{1b}[2K";

/// What the cell prints. The runtime has a name, since a port of 127.0.0.1 alone is asked about.
fn cell(story: &Story) -> String {
    let (port, user) = (story.runtime.port(), story.runtime.user());
    story.stage.knows_host("127.0.0.1", "gpu.example.net");
    format!("ssh -p {port} {user}@gpu.example.net\nRoot password: {}\n", story.runtime.password())
}

/// `moorline add colab`, up to the question about the key.
fn asked(story: &Story) -> Terminal {
    let mut terminal = Terminal::moorline(&story.stage, &["add", "colab"]);
    terminal.awaits("then press Ctrl-D:");
    terminal.types(&cell(story));
    terminal.types("\u{4}");
    terminal.awaits("nobody vouched for");
    terminal.awaits(&story.runtime.host_key().fingerprint());
    terminal.awaits("Type `yes`");
    terminal
}

/// What `ssh-keygen -lf` prints of each of these keys in the notebook.
fn notebook_says(story: &Story, keys: &[&KeyPair]) -> String {
    let print = |key: &&KeyPair| {
        let path = key.path.display().to_string();
        story.stage.run("ssh-keygen", &["-lf", &path]).works("ssh-keygen prints it").stdout
    };
    keys.iter().map(print).collect()
}

fn trust(story: &Story) -> String {
    let status = story.stage.moorline(&["status", "colab", "--json"]).works("the session is there");
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
    status["sessions"][0]["host_keys"][0]["trust"].as_str().unwrap_or("none").to_owned()
}

#[test]
fn a_person_compares_and_says_yes() {
    let story = Story::begin();
    let mut terminal = asked(&story);
    terminal.types("yes\n");
    terminal.ends().works("the key was compared").says("Ready: ssh colab");
    assert_eq!(trust(&story), "approved");
    story.help_login_without_root();
    Client::OpenSsh.connects(&story.stage, "colab");
    story.foreign_bytes_are_kept();
}

#[test]
fn a_person_pastes_what_the_notebook_printed() {
    let mut story = Story::begin();
    let keys = story.runtime.hold_keys(&["ed25519", "ecdsa", "rsa"]);
    // As the shell lists them: the key that is shown comes neither first nor last.
    let lines = notebook_says(&story, &[&keys[1], &keys[0], &keys[2]]);
    // hold_keys makes the Ed25519 key the runtime's present one.
    let mut terminal = asked(&story);
    terminal.types(&lines);
    terminal.ends().works("the notebook shows the same key").says("it is the same");
    assert_eq!(trust(&story), "pasted");
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(known_hosts.contains(&keys[0].public()), "the key that was compared is pinned:\n{known_hosts}");
}

#[test]
fn a_person_pastes_the_line_of_another_of_the_runtimes_keys() {
    let mut story = Story::begin();
    let keys = story.runtime.hold_keys(&["ed25519", "ecdsa"]);
    let mut terminal = asked(&story);
    terminal.types(&notebook_says(&story, &[&keys[1]]));
    terminal.ends().works("the runtime proves that one, too");
    assert_eq!(trust(&story), "pasted");
    let known_hosts = story.stage.text(".ssh/known_hosts");
    assert!(known_hosts.contains(&keys[1].public()), "the key that the notebook shows:\n{known_hosts}");
}

#[test]
fn anything_else_changes_nothing() {
    for answer in ["no\n", "\n", "y\n", "yes please\n", "\u{4}"] {
        let story = Story::begin();
        let before = tree::fingerprint(&story.stage.home());
        let mut terminal = asked(&story);
        terminal.types(answer);
        terminal.ends().fails_with(1, "that is no yes").says("nothing was changed");
        assert_eq!(tree::fingerprint(&story.stage.home()), before, "nothing was written after {answer:?}");
        let log = story.runtime.machine().log();
        assert!(!log.contains("password for"), "nothing was sent:\n{log}");
    }
}

/// The line that lets this computer in names its login key, which is made for that.
#[test]
fn a_login_key_that_was_made_is_said_where_nothing_else_was_changed() {
    let story = Story::begin();
    let text = cell(&story);
    let mut terminal = Terminal::moorline(&story.stage, &["add", "colab"]);
    terminal.awaits("then press Ctrl-D:");
    terminal.types(&format!("{}\n\u{4}", text.lines().next().unwrap_or_default()));
    terminal.awaits("Type `yes`");
    terminal.types("no\n");
    let refused = terminal.ends().fails_with(1, "that is no yes");
    refused.says("nothing was changed").says("only this computer's login key was made, and stays");
    assert!(story.stage.home().join(".ssh/moorline_ed25519").exists(), "it stays");
    assert!(!story.stage.home().join(".config/moorline/config.toml").exists(), "and nothing else is there");
}

#[test]
fn a_wrong_fingerprint_refuses() {
    let story = Story::begin();
    let before = tree::fingerprint(&story.stage.home());
    let stranger = KeyPair::generate(&story.runtime.machine().keys().join("stranger"), "ed25519");
    let mut terminal = asked(&story);
    terminal.types(&notebook_says(&story, &[&stranger]));
    terminal.ends().fails_with(1, "the endpoint leads elsewhere").says("it is another machine");
    assert_eq!(tree::fingerprint(&story.stage.home()), before, "nothing was written");
}

/// `moorline add colab`, with this text typed.
fn add(story: &Story, text: &str) -> Terminal {
    let mut terminal = Terminal::moorline(&story.stage, &["add", "colab"]);
    terminal.awaits("Ctrl-D:");
    terminal.types(&format!("{text}\n\u{4}"));
    terminal
}

/// A text about a port of this host where nobody listens, with the host key.
fn elsewhere(story: &Story, host: &str) -> String {
    let key = KeyPair::generate(&story.runtime.machine().keys().join(host), "ed25519");
    format!("ssh -p {} {}@{host}\n{}", free_port(), story.runtime.user(), key.public())
}

/// Insists that the text re-points the session when the person says yes to this question, and not before.
fn is_asked_about(story: &Story, text: &str, question: &str) {
    let before = tree::fingerprint(&story.stage.home());
    for answer in ["\n", "n\n", "maybe\n"] {
        let mut terminal = add(story, text);
        terminal.awaits(question);
        terminal.awaits("re-point it");
        terminal.awaits("[y/N]");
        terminal.types(answer);
        terminal.ends().fails_with(1, "the person did not say yes").says("nothing was changed");
        assert_eq!(tree::fingerprint(&story.stage.home()), before, "nothing was written after {answer:?}");
    }
    let mut terminal = add(story, text);
    terminal.awaits("[y/N]");
    terminal.types("y\n");
    terminal.ends().works("the person said yes");
    assert_ne!(tree::fingerprint(&story.stage.home()), before, "it is re-pointed");
}

#[test]
fn a_paste_that_re_targets_is_asked_about() {
    let story = Story::begin();
    let first = cell(&story);
    story.paste(&["add", "colab"], &first).works("a first session needs no question");
    is_asked_about(&story, &elsewhere(&story, "gpu.example.net"), "answers where it is");

    let known = format!("{first}{}", story.runtime.host_key().public());
    let shown = add(&story, &known).ends().works("the one before does not answer");
    assert!(!shown.stdout.contains("[y/N]"), "a restart is no question:\n{shown}");
}

#[test]
fn a_paste_of_another_way_is_asked_about() {
    let mut story = Story::begin();
    let first = cell(&story);
    story.paste(&["add", "colab"], &first).works("a first session needs no question");
    story.runtime.lose_sshd();
    is_asked_about(&story, &elsewhere(&story, "nowhere.invalid"), "now leads to");
}

#[test]
fn a_secret_is_typed_without_echo() {
    let story = Story::begin();
    let cell = cell(&story);
    let (without_password, _) = cell.split_once('\n').unwrap_or_default();
    story.paste(&["add", "colab"], without_password).works("there is a session");
    let secret = "typed-by-hand-and-not-shown";
    story.stage.hide(secret);
    let mut terminal = Terminal::moorline(&story.stage, &["secret", "set", "colab", "password"]);
    terminal.awaits("(not shown):");
    terminal.awaits_no_echo();
    terminal.types(&format!("{secret}\n"));
    let shown = terminal.ends().works("it is stored").says("stored the password of colab");
    assert!(!shown.stdout.contains(secret), "it does not show:\n{shown}");
    story.stage.moorline(&["secret", "list"]).works("it is there").says("colab/password");
}

#[test]
fn colour_is_for_terminals() {
    let story = Story::begin();
    let cell = cell(&story);
    story.paste(&["add", "colab"], &cell).works("there is a session");
    let status = |env: &[(&str, &str)]| {
        let terminal = Terminal::with_env(&story.stage, &["status"], env);
        terminal.ends().works("the session is shown").says("colab").stdout
    };
    assert!(status(&[]).contains("\u{1b}["), "colour on a terminal");
    assert!(!status(&[("NO_COLOR", "1")]).contains('\u{1b}'), "none where the person wants none");
    assert!(!status(&[("TERM", "dumb")]).contains('\u{1b}'), "none where the terminal has none");
    let piped = story.stage.moorline(&["status"]).works("the session is shown");
    assert!(!piped.said().contains('\u{1b}'), "none in a pipe:\n{piped}");
}

#[test]
fn the_waiting_line_is_wiped() {
    let story = Story::begin();
    let mut terminal = asked(&story);
    terminal.types("yes\n");
    let shown = terminal.ends().works("the key was compared").stdout;
    for waited in ["reaching", "logging in"] {
        let (_, rest) = shown.split_once(waited).unwrap_or_else(|| panic!("{waited} shows:\n{shown:?}"));
        let (line, _) = rest.split_once(WIPE).unwrap_or_else(|| panic!("{waited} is wiped:\n{shown:?}"));
        assert!(!line.contains('\n'), "it is wiped on its own line:\n{shown:?}");
    }
    let piped = story.stage.moorline(&["status", "--check"]);
    assert!(!piped.said().contains("knocking"), "no waiting line in a pipe:\n{piped}");
}

/// A shell that says what `moorline add colab` left behind: its status, the terminal, and unread input.
const SHELL: &str = "\
sh -c 'echo pid $$; exec moorline add colab'
echo ended with $?.
stty -a | tr ';\\n' '  '
read line
echo \"the shell got <$line>\"";

/// The shell's report, after the person has typed `fine` to it.
fn shell_goes_on(mut terminal: Terminal, status: i32) -> String {
    terminal.awaits(&format!("ended with {status}."));
    terminal.awaits(" icanon ");
    terminal.awaits(" echo ");
    terminal.types("fine\n");
    terminal.awaits("the shell got <fine>");
    terminal.ends().works("the shell ends").stdout
}

#[test]
fn what_was_typed_before_a_question_is_no_answer() {
    let story = Story::begin();
    let before = tree::fingerprint(&story.stage.home());
    let mut terminal = Terminal::moorline(&story.stage, &["add", "colab"]);
    terminal.awaits("then press Ctrl-D:");
    terminal.types(&format!("{}\u{4}yes\n", cell(&story)));
    terminal.awaits("Type `yes`");
    terminal.types("no\n");
    terminal.ends().fails_with(1, "nobody said yes").says("nothing was changed");
    assert_eq!(tree::fingerprint(&story.stage.home()), before, "nothing was written");
}

#[test]
fn what_was_typed_while_the_runtime_is_reached_is_no_answer() {
    let story = Story::begin();
    let text = cell(&story);
    // The line with the password has no place on this disk.
    story.stage.put("cell.txt", text.lines().next().unwrap_or_default());
    let file = story.stage.home_inside().join("cell.txt").display().to_string();
    let mut terminal = Terminal::moorline(&story.stage, &["add", "colab", "--from", &file]);
    // Long before the runtime has answered.
    terminal.types("yes\n");
    terminal.awaits("Type `yes`");
    terminal.types("no\n");
    terminal.ends().fails_with(1, "nobody said yes").says("nothing was changed");
}

#[test]
fn ctrl_c_in_the_demo_leaves_nothing_behind() {
    let stage = Stage::new();
    let place = stage.home().join("throw-away");
    std::fs::create_dir(&place).expect("a place");
    stage.set_env("TMPDIR", stage.home_inside().join("throw-away"));
    let mut terminal = Terminal::moorline(&stage, &["demo"]);
    terminal.awaits("2. The runtime restarts");
    terminal.types("\u{3}");
    terminal.ends().fails_with(130, "it was interrupted");
    let left = tree::content(&place);
    assert_eq!(left.len(), 1, "the private key and all else is gone: {:?}", left.keys());
}

#[test]
fn what_is_left_of_a_paste_never_reaches_the_shell() {
    let story = Story::begin();
    let mut terminal = Terminal::shell(&story.stage, SHELL);
    terminal.awaits("then press Ctrl-D:");
    terminal.types(&format!("{}\u{3}touch stolen\n", cell(&story)));
    terminal.types("\u{4}");
    terminal.awaits("Type `yes`");
    terminal.types("no\nrm -rf /\nyes\n\u{4}more of it\n");
    shell_goes_on(terminal, 1);
}

#[test]
fn ctrl_c_ends_a_text_and_a_question() {
    let story = Story::begin();
    let mut terminal = Terminal::shell(&story.stage, SHELL);
    terminal.awaits("then press Ctrl-D:");
    terminal.types("\u{3}");
    shell_goes_on(terminal, 130);
    let mut terminal = Terminal::shell(&story.stage, SHELL);
    terminal.awaits("then press Ctrl-D:");
    terminal.types(&format!("{}\u{4}", cell(&story)));
    terminal.awaits("Type `yes`");
    terminal.types("\u{3}");
    shell_goes_on(terminal, 130);
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let story = Story::begin();
    let mut terminal = Terminal::shell(&story.stage, SHELL);
    terminal.awaits("then press Ctrl-D:");
    assert!(!terminal.echoes(), "moorline has taken the terminal over");
    let shown = terminal.text();
    let pid = shown.lines().find_map(|line| line.trim().strip_prefix("pid ")).expect("the shell said it");
    story.stage.run("kill", &["-TERM", pid]).works("it is told to end");
    shell_goes_on(terminal, 143);
}

#[test]
fn a_long_line_without_an_end_is_read_whole() {
    let story = Story::begin();
    let mut terminal = Terminal::moorline(&story.stage, &["add", "colab"]);
    terminal.awaits("then press Ctrl-D:");
    let port = story.runtime.port();
    story.stage.knows_host("127.0.0.1", "gpu.example.net");
    terminal.types(&format!("{} ssh -p {port} root@gpu.example.net", "=".repeat(6000)));
    terminal.types("\u{4}");
    terminal.awaits("Type `yes`");
    terminal.types("\u{1b}[200~no\u{1b}[201~\n");
    terminal.ends().fails_with(1, "the person said no").says("nothing was changed");
}
