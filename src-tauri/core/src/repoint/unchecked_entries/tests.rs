use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::{Place, UserName};

use super::*;
use crate::repoint::change::Change;
use crate::repoint::write;
use crate::ssh::{Prompts, SystemSsh};
use crate::store::dirs::Dirs;
use crate::store::vault::MemoryVault;

const OWN: &str = "User me

Host colab
  HostName 0.tcp.eu.ngrok.io
  StrictHostKeyChecking no

# home
Host home
  HostName home.example
Host old-colab
  UserKnownHostsFile /dev/null";

struct Home {
    _dir: tempfile::TempDir,
    tools: Tools,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ssh =
            SystemSsh { program: "ssh".into(), config: None, known_hosts: None, prompts: Prompts::Never };
        let dirs = Dirs::under(dir.path());
        fs::create_dir_all(&dirs.ssh).unwrap();
        fs::write(dirs.ssh.join("config"), OWN).unwrap();
        let tools = Tools { dirs, vault: Box::new(MemoryVault::default()), ssh, askpass: None };
        Self { _dir: dir, tools }
    }

    fn config_path(&self) -> PathBuf {
        self.tools.dirs.ssh.join("config")
    }

    fn config(&self) -> String {
        fs::read_to_string(self.config_path()).unwrap()
    }
}

fn alias(name: &str) -> Alias {
    name.parse().unwrap()
}

#[tokio::test]
async fn forgetting_a_session_brings_the_persons_entry_back() {
    let home = Home::new();
    let tools = &home.tools;
    let colab = alias("colab");
    assert!(preview(tools, &colab).unwrap().changed());
    assert_eq!(home.config(), OWN, "a preview writes nothing");
    assert!(comment_out(tools, &colab).unwrap().backup.is_some());
    let session = Session {
        name: colab.clone(),
        link: Link::Direct(Place {
            host: "0.tcp.eu.ngrok.io".parse().unwrap(),
            port: 15873.try_into().unwrap(),
        }),
        user: UserName::root(),
        folder: None,
        identity_file: None,
    };
    write::settle(tools, &Change::of(session, Timestamp::UNIX_EPOCH)).await.unwrap();
    assert!(home.config().contains("#moorline colab# Host colab\n"), "the session's entry is in its place");
    let with_session = home.config();

    let report = write::forget(tools, &colab).unwrap();
    assert_eq!(home.config(), OWN);
    assert_eq!(report.remarks, [brought_back(&colab)]);
    assert_eq!(report.config.before.as_deref(), Some(with_session.as_bytes()), "both edits, as one change");
    assert_eq!(report.config.after(), Some(OWN.as_bytes()));
    assert!(write::forget(tools, &colab).unwrap().remarks.is_empty(), "said once");
}

#[test]
fn what_is_commented_out_can_be_undone_one_by_one_or_altogether() {
    let home = Home::new();
    let tools = &home.tools;
    for name in ["colab", "old-colab"] {
        assert!(comment_out(tools, &alias(name)).unwrap().changed(), "{name}");
    }
    assert_eq!(find(&tools.dirs.ssh, &tools.dirs.home), []);
    assert!(bring_back(tools, &alias("colab")).unwrap().changed());
    let names: Vec<_> = find(&tools.dirs.ssh, &tools.dirs.home).into_iter().map(|f| f.entry.alias).collect();
    assert_eq!(names, [alias("colab")]);
    comment_out(tools, &alias("colab")).unwrap();
    assert_eq!(bring_all_back(tools).unwrap(), [alias("colab"), alias("old-colab")]);
    assert_eq!(home.config(), OWN);
    assert_eq!(bring_all_back(tools).unwrap(), []);
    fs::remove_file(home.config_path()).unwrap();
    assert_eq!(bring_all_back(tools).unwrap(), [], "nothing is there to bring back");
}

#[test]
fn entries_in_included_files_are_named_and_never_edited() {
    let home = Home::new();
    let tools = &home.tools;
    let included = tools.dirs.ssh.join("work");
    let text = "Host kaggle\n StrictHostKeyChecking no\n";
    fs::write(&included, text).unwrap();
    fs::write(home.config_path(), "Include work\n").unwrap();
    let found = find(&tools.dirs.ssh, &tools.dirs.home);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!((&one.file, one.entry.line, one.editable), (&included, 1, false));
    assert!(!comment_out(tools, &alias("kaggle")).unwrap().changed());
    assert_eq!(fs::read_to_string(&included).unwrap(), text);
}
