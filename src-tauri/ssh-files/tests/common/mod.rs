//! A throw-away home and the edits that a session makes.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up must stop")]

use std::path::{Path, PathBuf};

use moorline_ssh_files::{
    Alias, HostEntry, HostName, KnownHostsEdit, KnownName, Place, Port, Report, SshDir, SshFilesError,
    UserName,
};

pub const OLD_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7";
pub const NEW_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID4j6BYAOVlKM4lPZWThsTSLvXoAiNQsSstz7q7VnACd";
pub const THIRD_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC59LAOpUHriZez1tTVohaUzk6ICnSQTlJlyZaGiWu/G";

pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// A directly reached session.
#[derive(Debug, Clone)]
pub struct Session {
    pub alias: Alias,
    pub place: Place,
    pub keys: Vec<String>,
}

pub fn session(alias: &str, host: &str, port: u16, keys: &[&str]) -> Session {
    let host: HostName = host.parse().unwrap();
    Session {
        alias: alias.parse().unwrap(),
        place: Place { host, port: Port::try_from(port).unwrap() },
        keys: keys.iter().map(|k| (*k).to_owned()).collect(),
    }
}

impl Session {
    pub fn names(&self) -> Vec<KnownName> {
        vec![KnownName::Alias(self.alias.clone()), KnownName::Place(self.place.clone())]
    }

    pub fn pairs(&self) -> Vec<(KnownName, moorline_ssh_files::HostKey)> {
        self.keys.iter().map(|k| (KnownName::Place(self.place.clone()), k.parse().unwrap())).collect()
    }

    pub fn pin(&self, before: Option<&Self>) -> KnownHostsEdit {
        KnownHostsEdit {
            drop: self.names(),
            drop_pairs: before.map(Self::pairs).unwrap_or_default(),
            pin_names: self.names(),
            pin_keys: self.keys.iter().map(|k| k.parse().unwrap()).collect(),
        }
    }

    pub fn unpin(&self) -> KnownHostsEdit {
        KnownHostsEdit {
            drop: vec![KnownName::Alias(self.alias.clone())],
            drop_pairs: self.pairs(),
            ..KnownHostsEdit::default()
        }
    }

    pub fn entry(&self) -> HostEntry {
        HostEntry {
            alias: self.alias.clone(),
            host_name: self.place.host.clone(),
            port: Some(self.place.port),
            user: UserName::root(),
            identity_file: "~/.ssh/moorline_ed25519".parse().unwrap(),
            known_hosts_file: "~/.ssh/known_hosts".parse().unwrap(),
            proxy_command: None,
        }
    }
}

pub struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let home = Self::without_ssh_dir();
        std::fs::create_dir(home.ssh_dir()).unwrap();
        home
    }

    pub fn without_ssh_dir() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn with_config(self, bytes: &[u8]) -> Self {
        std::fs::write(self.path("config"), bytes).unwrap();
        self
    }

    pub fn with_known_hosts(self, bytes: &[u8]) -> Self {
        std::fs::write(self.path("known_hosts"), bytes).unwrap();
        self
    }

    pub fn root(&self) -> &Path {
        self.dir.path()
    }

    pub fn ssh_dir(&self) -> PathBuf {
        self.dir.path().join(".ssh")
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.ssh_dir().join(file)
    }

    pub fn backups(&self) -> PathBuf {
        self.dir.path().join("state/backups")
    }

    pub fn ssh(&self) -> SshDir {
        SshDir::new(self.ssh_dir(), self.backups())
    }

    pub fn config(&self) -> Vec<u8> {
        std::fs::read(self.path("config")).unwrap()
    }

    pub fn known_hosts(&self) -> Vec<u8> {
        std::fs::read(self.path("known_hosts")).unwrap()
    }

    pub fn try_write_edit(
        &self,
        edit: &KnownHostsEdit,
        entries: &[HostEntry],
    ) -> Result<Report, SshFilesError> {
        self.ssh().write(edit, entries)
    }

    pub fn try_write(&self, session: &Session, before: Option<&Session>) -> Result<Report, SshFilesError> {
        self.try_write_edit(&session.pin(before), &[session.entry()])
    }

    pub fn write(&self, session: &Session, before: Option<&Session>) -> Report {
        self.try_write(session, before).unwrap()
    }

    pub fn forget(&self, session: &Session) -> Report {
        self.try_write_edit(&session.unpin(), &[]).unwrap()
    }

    /// Locks and temporary files that nobody took away.
    pub fn leftovers(&self) -> Vec<String> {
        std::fs::read_dir(self.ssh_dir())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|n| n.contains("moorline-"))
            .collect()
    }
}
