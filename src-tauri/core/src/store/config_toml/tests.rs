use std::fs;

use moorline_model::editor::Editor;
use moorline_model::session::{ColabLink, Link, RelayLink};
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Place;

use super::*;

mod channels;

const BOTH: &str = r#"version = 1
# what the tray asks
ask_before_open = true

[session.colab]
link = "ngrok" # the free one
host = "0.tcp.eu.ngrok.io"
port = 15873
user = "root"
folder = "/content"
last_editor = "vscode"

# under the desk
[session.trainer]
link = "relay"
relay = "me@home.example:2222"
port = 7423
relay_is_mine_alone = true
user = "root"

[tray]
colour = "plain"
"#;

fn write(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("config.toml");
    fs::write(&path, text).unwrap();
    (temp, path)
}

fn alias(name: &str) -> Alias {
    name.parse().unwrap()
}

fn place(host: &str, port: u16) -> Place {
    Place { host: host.parse().unwrap(), port: port.try_into().unwrap() }
}

fn session(name: &str, link: Link) -> Session {
    Session { name: alias(name), link, user: "root".parse().unwrap(), folder: None, identity_file: None }
}

#[test]
fn both_kinds_are_read() {
    let (_temp, path) = write(BOTH);
    let file = SessionsFile::load(&path).unwrap();
    let colab = file.get(&alias("colab")).unwrap();
    assert_eq!(colab.link, Link::Ngrok(place("0.tcp.eu.ngrok.io", 15873)));
    assert_eq!(colab.folder.as_ref().unwrap().as_str(), "/content");
    let relay = RelayLink {
        relay: "me@home.example:2222".parse().unwrap(),
        port: 7423.try_into().unwrap(),
        mine_alone: true,
    };
    assert_eq!(file.get(&alias("trainer")).unwrap().link, Link::Relay(relay));
    assert_eq!(file.sessions().len(), 2);
}

#[test]
fn what_is_written_anew_reads_back() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("deep/config.toml");
    let mut file = SessionsFile::load(&path).unwrap();
    assert!(file.sessions().is_empty(), "a missing file has no sessions");
    assert!(!file.save().unwrap() && !path.exists(), "nothing to say, nothing written");
    let relay =
        RelayLink { relay: "home".parse().unwrap(), port: 7423.try_into().unwrap(), mine_alone: false };
    let all = [
        session("a", Link::Direct(place("192.0.2.7", 22))),
        session("b.dotted", Link::Cloudflare("x.trycloudflare.com".parse().unwrap())),
        session("c", Link::Relay(relay)),
        session("d", Link::Colab(ColabLink { runtime: "gpu-t4-s-1".parse().unwrap() })),
    ];
    for session in &all {
        file.upsert(session.clone());
    }
    assert!(file.save().unwrap());
    assert!(!file.save().unwrap(), "a second save has nothing to write");
    let again = SessionsFile::load(&path).unwrap();
    assert!(again.sessions().values().eq(&all), "{}", fs::read_to_string(&path).unwrap());
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "version = 1\n\n[session.a]\nlink = \"direct\"\nhost = \"192.0.2.7\"\nport = 22\nuser = \"root\"\n\n\
         [session.\"b.dotted\"]\nlink = \"cloudflare\"\nhost = \"x.trycloudflare.com\"\nuser = \"root\"\n\n\
         [session.c]\nlink = \"relay\"\nrelay = \"home\"\nport = 7423\nuser = \"root\"\n\n\
         [session.d]\nlink = \"colab\"\nruntime = \"gpu-t4-s-1\"\nuser = \"root\"\n"
    );
}

#[test]
fn a_change_touches_its_own_values_alone() {
    let (_temp, path) = write(BOTH);
    let mut file = SessionsFile::load(&path).unwrap();
    let mut colab = file.get(&alias("colab")).unwrap().clone();
    file.upsert(colab.clone());
    assert!(!file.save().unwrap(), "the same session again changes nothing");
    colab.link = Link::Direct(place("6.tcp.ngrok.io", 2));
    file.upsert(colab);
    assert!(file.save().unwrap());
    let expected = BOTH
        .replace("\"ngrok\" # the free one", "\"direct\" # the free one")
        .replace("0.tcp.eu.ngrok.io", "6.tcp.ngrok.io")
        .replace("15873", "2");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[test]
fn another_link_takes_the_old_links_keys_away() {
    let (_temp, path) = write(BOTH);
    let mut file = SessionsFile::load(&path).unwrap();
    file.upsert(session("trainer", Link::Cloudflare("x.example".parse().unwrap())));
    file.save().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("relay") && !text.contains("7423"), "{text}");
    assert!(text.contains("# under the desk") && text.contains("[tray]"), "{text}");
    assert_eq!(SessionsFile::load(&path).unwrap().sessions(), file.sessions());
}

#[test]
fn removal_takes_the_sessions_own_comment_and_leaves_the_rest() {
    let (_temp, path) = write(BOTH.replace("version = 1\n", "").replace("ask_before_open = true\n", ""));
    let mut file = SessionsFile::load(&path).unwrap();
    assert!(!file.remove(&alias("gone")));
    assert!(file.remove(&alias("colab")) && file.remove(&alias("trainer")));
    file.save().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "# what the tray asks\n\n[tray]\ncolour = \"plain\"\n");
    assert!(SessionsFile::load(&path).unwrap().sessions().is_empty());
}

#[test]
fn removal_of_the_last_table_keeps_a_separate_comment() {
    let (_temp, path) = write("# mine\n\n[session.a]\nlink = \"direct\"\nhost = \"h\"\nport = 1\n# end\n");
    let mut file = SessionsFile::load(&path).unwrap();
    assert!(file.remove(&alias("a")));
    file.save().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n\n# end\n");
}

#[test]
fn other_spellings_of_a_table_work_too() {
    for text in [
        "session = { a = { link = \"direct\", host = \"h\", port = 1, keep = 2 } }\n",
        "session.a = { link = \"direct\", host = \"h\", port = 1, keep = 2 }\n",
        "session.a.link = \"direct\"\nsession.a.host = \"h\"\nsession.a.port = 1\nsession.a.keep = 2\n",
        "[session]\na = { link = \"direct\", host = \"h\", port = 1, keep = 2 }\n",
        "[session.a]\nlink = 'direct'\nhost = \"\"\"h\"\"\"\nport = 0x1\nkeep = 2\n",
    ] {
        let (_temp, path) = write(text);
        let mut file = SessionsFile::load(&path).unwrap();
        assert_eq!(file.get(&alias("a")).unwrap(), &session("a", Link::Direct(place("h", 1))), "{text}");
        file.upsert(file.get(&alias("a")).unwrap().clone());
        assert!(!file.save().unwrap(), "{text}");
        file.upsert(session("a", Link::Direct(place("other", 1))));
        file.upsert(session("b", Link::Direct(place("new", 3))));
        assert!(file.save().unwrap());
        let again = SessionsFile::load(&path).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(again.sessions(), file.sessions(), "{written}");
        assert!(written.contains("keep = 2"), "{written}");
        file.remove(&alias("a"));
        file.remove(&alias("b"));
        file.save().unwrap();
        assert!(SessionsFile::load(&path).unwrap().sessions().is_empty());
    }
}

#[test]
fn line_ends_and_byte_order_mark_stay() {
    let (_temp, path) = write(format!("{BOM}{}", BOTH.replace('\n', "\r\n")));
    let mut file = SessionsFile::load(&path).unwrap();
    assert!(!file.save().unwrap());
    file.upsert(session("colab", Link::Direct(place("h", 5))));
    file.save().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(BOM), "the mark stays");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
    assert_eq!(SessionsFile::load(&path).unwrap().sessions(), file.sessions());
}

#[test]
fn mixed_line_ends_alone_are_no_change() {
    let mixed = BOTH.replacen('\n', "\r\n", 3);
    let (_temp, path) = write(&mixed);
    assert!(!SessionsFile::load(&path).unwrap().save().unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), mixed);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let ok = "[session.a]\nlink = \"direct\"\nhost = \"h\"\nport = 1\n";
    for (text, line, says) in [
        ("version = \n", 1, ""),
        ("version = \"1\"\n", 1, "version must be 1"),
        ("session = 3\n", 1, "[session.colab]"),
        ("\n[session.Colab]\n", 2, "alias"),
        ("\n[session.\"c *\"]\n", 2, "alias"),
        ("[session]\na = 1\n", 2, "must be a table"),
        ("[session.a]\nuser = \"root\"\n", 1, "link is missing"),
        ("[session.gpu.box]\nlink = \"direct\"\n", 1, "[session.\"gpu.box\"]"),
        (&ok.replace("direct", "carrier pigeon"), 2, "carrier pigeon"),
        (&ok.replace("\"h\"", "\"$(id)\""), 3, "host"),
        (&ok.replace("\"h\"", "7"), 3, "host must be a text"),
        (&ok.replace("= 1", "= 0"), 4, "port"),
        (&ok.replace("= 1", "= 65537"), 4, "port"),
        (&ok.replace("= 1", "= \"1\""), 4, "without quotes"),
        (&ok.replace("port = 1\n", ""), 1, "port is missing"),
        (&format!("{ok}user = \"-l\"\n"), 5, "user"),
        (&format!("{ok}folder = \"content\"\n"), 5, "/content"),
        (&format!("{ok}notebook = \"http://h/\"\n"), 5, "https"),
        (&format!("{ok}last_editor = \"emacs\"\n"), 5, "vscode"),
        (&format!("{ok}paused = 1\n"), 5, "true or false"),
        ("settings = 1\n", 1, "[settings]"),
        ("[settings]\nlifetime_hours = \"12\"\n", 2, "lifetime_hours"),
        ("[settings]\ndisk_percent = 0\n", 2, "1 to 100"),
        ("[settings]\nsilent = [\"back\", \"all\"]\n", 2, "lifetime, disk, idle and units"),
        ("[settings]\nterminal_in_tmux = \"yes\"\n", 2, "true or false"),
        (&format!("{ok}identity_file = \"id_work\"\n"), 5, "absolute path"),
        ("[settings]\nidle_minutes = -1\n", 2, "idle_minutes"),
        ("[settings]\nunits_hours = 1.5\n", 2, "units_hours"),
        (&ok.replace("direct", "relay"), 1, "relay is missing"),
        (&ok.replace("direct", "colab"), 1, "runtime is missing"),
        ("[session.a]\nlink = \"colab\"\nruntime = \"../x\"\n", 3, "choose one of yours"),
        (
            "[session.a]\nlink = \"relay\"\nport = 1\nrelay = \"h\"\nrelay_is_mine_alone = 1\n",
            5,
            "true or false",
        ),
    ] {
        let (_temp, path) = write(text);
        let error = SessionsFile::load(&path).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, SessionsFileError::Bad { line: at, .. } if at == line), "{said}\n{text}");
        assert!(said.contains(says) && said.contains("config.toml"), "{said}");
        assert!(!said.contains('\n'), "one sentence: {said:?}");
    }
    let (_temp, path) = write(b"a = 1\nb = \"\xff\"\n");
    assert!(SessionsFile::load(&path).unwrap_err().to_string().contains("line 2: the text is not UTF-8"));
}

#[test]
fn what_is_remembered_reads_back_and_goes_when_it_is_over() {
    let (_temp, path) = write(BOTH);
    let mut file = SessionsFile::load(&path).unwrap();
    let before = file.remembered(&alias("colab"));
    assert_eq!(before.last_editor, Some(Editor::VsCode));
    let after = Remembered {
        notebook: Some("https://colab.research.google.com/drive/1".parse().unwrap()),
        last_folder: Some("/content/x".parse().unwrap()),
        paused: true,
        ..before.clone()
    };
    assert!(file.remember(&alias("colab"), after.clone()));
    assert!(!file.remember(&alias("gone"), after.clone()), "a session that was forgotten stays so");
    file.save().unwrap();
    let mut file = SessionsFile::load(&path).unwrap();
    assert_eq!(file.remembered(&alias("colab")), after);
    let mut moved = file.get(&alias("colab")).unwrap().clone();
    moved.link = Link::Cloudflare("x.trycloudflare.com".parse().unwrap());
    file.upsert(moved);
    file.save().unwrap();
    let mut file = SessionsFile::load(&path).unwrap();
    assert_eq!(file.remembered(&alias("colab")), after, "it outlives the runtime");
    file.remember(&alias("colab"), Remembered { paused: false, ..after });
    file.save().unwrap();
    assert!(!fs::read_to_string(&path).unwrap().contains("paused"));
}

#[test]
fn what_the_setup_cell_does_besides_is_read_and_kept() {
    let head =
        "[session.colab]\nlink = \"direct\"\nhost = \"h.example\"\nport = 22\n\n[session.colab.cell]\n";
    let cell = "git = \"https://github.com/me/project.git\"\ndrive = true\nsetup = [\"a 'b'\", \"c\"]\nsshd_port = 2222\n";
    let (_temp, path) = write(format!("{head}{cell}"));
    let mut file = SessionsFile::load(&path).unwrap();
    let options = file.remembered(&alias("colab")).cell;
    assert_eq!(options.git.unwrap().as_str(), "https://github.com/me/project.git");
    assert!(options.drive && options.setup.len() == 2 && options.sshd_port.is_some());
    let paused = Remembered { paused: true, ..file.remembered(&alias("colab")) };
    file.remember(&alias("colab"), paused);
    file.save().unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(cell), "only the person writes it");
    for (wrong, said) in [
        ("git = \"https://hunter2@github.com/me/x\"", "cell: git: "),
        ("drive = \"yes\"", "cell: drive must be true or false"),
        ("setup = \"a\"", "cell: setup must be a list"),
        ("setup = [\"a\\nb\"]", "cell: setup: a set-up line is one line"),
        ("sshd_port = 0", "cell: sshd_port must be"),
        ("folder = \"here\"", "cell: folder: "),
    ] {
        let (_temp, path) = write(format!("{head}{wrong}\n"));
        let error = SessionsFile::load(&path).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("line 7") && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn settings_are_what_is_said_and_else_the_defaults() {
    let (_temp, path) = write("[settings]\nlifetime_hours = 24\nsilent = [\"back\"]\ncolour = \"plain\"\n");
    let file = SessionsFile::load(&path).unwrap();
    let silent = vec![NoticeKind::Back];
    let lifetime = jiff::SignedDuration::from_hours(24);
    assert_eq!(*file.settings(), Settings { lifetime, silent, ..Settings::default() });
    let (_temp, path) = write(BOTH);
    assert_eq!(*SessionsFile::load(&path).unwrap().settings(), Settings::default());
}

#[test]
fn a_newer_file_is_left_alone() {
    let (_temp, path) = write("version = 2\nsession = \"something new\"\n");
    let error = SessionsFile::load(&path).unwrap_err();
    assert!(matches!(error, SessionsFileError::Newer { found: 2, .. }), "{error}");
}

#[test]
fn what_another_program_wrote_meanwhile_is_not_lost() {
    let (_temp, path) = write(BOTH);
    let mut file = SessionsFile::load(&path).unwrap();
    file.remove(&alias("colab"));
    fs::write(&path, "# mine now\n").unwrap();
    assert!(matches!(file.save(), Err(SessionsFileError::Changed { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "# mine now\n");
}

#[cfg(unix)]
#[test]
fn the_file_is_private_and_a_link_to_it_stays() {
    use std::os::unix::fs::PermissionsExt;
    let (temp, real) = write(BOTH);
    let link = temp.path().join("link.toml");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let mut file = SessionsFile::load(&link).unwrap();
    file.remove(&alias("colab"));
    assert!(file.save().unwrap());
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!SessionsFile::load(&real).unwrap().sessions().contains_key(&alias("colab")));
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// Pieces of a file that a person could have written, in any order that is still TOML.
    fn document() -> impl Strategy<Value = String> {
        let root = prop::sample::subsequence(
            vec![
                "# top\n",
                "version = 1\n",
                "\n",
                "ask = true # yes\n",
                "list = [\n 1, # one\n]\n",
                "# last\n\n",
            ],
            0..=6,
        );
        let tables = prop::sample::subsequence(
            vec![
                "[tray]\ncolour = 'plain'\n",
                "\n\n# about a\n[session.a]\nlink = \"direct\"\nhost = \"h\"\nport = 1\nextra = { x = 1 }\n",
                "[session.a.memo]\nurl = \"u\"\n",
                "[session.\"d.d\"] # dotted\n  link = 'relay'\n  relay = 'me@r'\n  port = 7423\n",
                "[[rule]]\nwhen = 1\n[[rule]]\nwhen = 2\n",
                "[session.z]\nlink=\"cloudflare\"\nhost=\"x.example\"#tight\n\n",
            ],
            0..=6,
        );
        (root, tables, prop::sample::select(vec!["", "# end\n", "\n\n", "# cut off"]))
            .prop_map(|(root, tables, end)| format!("{}{}{end}", root.concat(), tables.concat()))
            // `[session.a.memo]` alone is a session without a link, which is refused.
            .prop_filter("a link each", |text| {
                text.contains("[session.a]") || !text.contains("[session.a.memo]")
            })
    }

    proptest! {
        #[test]
        fn adding_and_removing_leaves_every_byte(text in document(), port in 1_u16..) {
            let (_temp, path) = write(&text);
            let mut file = SessionsFile::load(&path).unwrap();
            prop_assert!(!file.save().unwrap(), "what was only read is not written");
            let added = session("new.one", Link::Ngrok(place("0.tcp.ngrok.io", port)));
            file.upsert(added.clone());
            prop_assert!(file.save().unwrap());
            let mut file = SessionsFile::load(&path).unwrap();
            prop_assert_eq!(file.get(&added.name), Some(&added));
            prop_assert!(file.remove(&added.name));
            file.save().unwrap();
            let left = fs::read_to_string(&path).unwrap();
            let begun = format!("version = 1\n{text}");
            prop_assert!(left == text || (text.trim().is_empty() || !text.contains('=')) && left == begun, "{:?}\n{:?}", text, left);
        }

        #[test]
        fn changing_one_session_keeps_the_others(text in document(), port in 1_u16..) {
            let (_temp, path) = write(&text);
            let mut file = SessionsFile::load(&path).unwrap();
            let mut expected = file.sessions().clone();
            let changed = session("a", Link::Direct(place("h", port)));
            expected.insert(changed.name.clone(), changed.clone());
            file.upsert(changed);
            file.save().unwrap();
            let again = SessionsFile::load(&path).unwrap();
            prop_assert_eq!(again.sessions(), &expected);
            let now = fs::read_to_string(&path).unwrap();
            for line in text.lines().filter(|line| !line.starts_with("port = 1")) {
                prop_assert!(now.lines().any(|l| l == line), "{:?} is gone from\n{}", line, now);
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let (_temp, path) = write(&text);
            drop(SessionsFile::load(&path));
            let (_temp, path) = write(format!("[session.a]\nlink = {text:?}\nhost = {text:?}\nport = 1\n"));
            drop(SessionsFile::load(&path));
        }
    }
}
