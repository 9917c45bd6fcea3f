//! Where Moorline's files and the person's ssh files lie.
//!
//! On Linux and the BSDs the places are those of the XDG Base Directory Specification; on macOS and Windows
//! those of the `directories` crate. `HOME` and the `XDG_*` variables redirect all of them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

const NAME: &str = "moorline";

/// The directories of one home. Nothing is made or touched until [`Dirs::create_private`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirs {
    /// The person's home.
    pub home: PathBuf,
    /// `~/.ssh`.
    pub ssh: PathBuf,
    /// Sessions and settings.
    pub config: PathBuf,
    /// Pins, accepted announcements, backups, logs, and the state lock.
    pub state: PathBuf,
    /// Larger things that Moorline keeps, such as its own stable copy for `ProxyCommand`.
    pub data: PathBuf,
    /// Sockets and what need not survive a logout.
    pub runtime: PathBuf,
    /// Whether this home is not the one in the user database, which is where OpenSSH looks whatever `HOME`
    /// says: then `ssh` needs `-F` and `UserKnownHostsFile`.
    pub redirected: bool,
}

/// Why the directories could not be found or made.
#[derive(Debug, thiserror::Error)]
pub enum DirsError {
    /// `HOME` is missing.
    #[error("HOME is not set: set it to your home directory and try again")]
    NoHome,
    /// `HOME` is relative.
    #[error("HOME is {0:?}, which is not an absolute path: set it to your home directory and try again")]
    RelativeHome(PathBuf),
    /// A directory could not be made or made private.
    #[error(
        "cannot make the private directory {path}: {source}; check the permissions of the directory above it"
    )]
    Create {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The directory belongs to somebody else, who could change what Moorline trusts.
    #[error("{0} does not belong to you: move it away, or give it back with chown, and try again")]
    Foreign(PathBuf),
}

impl Dirs {
    /// The directories that this process's environment names.
    ///
    /// # Errors
    /// `HOME` is missing or not absolute. Relative `XDG_*` values are ignored, as the XDG Base Directory
    /// Specification demands.
    pub fn from_env() -> Result<Self, DirsError> {
        Self::from_vars(&|name| std::env::var_os(name), platform::account_home().as_deref())
    }

    /// Everything below `home`, whatever the environment says: for a throw-away home.
    pub fn under(home: &Path) -> Self {
        let state = home.join(".local/state").join(NAME);
        Self {
            home: home.to_owned(),
            ssh: home.join(".ssh"),
            config: home.join(".config").join(NAME),
            data: home.join(".local/share").join(NAME),
            runtime: state.join("run"),
            state,
            redirected: true,
        }
    }

    /// `config.toml`: sessions and settings.
    pub fn sessions_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// `pins.json`: the runtimes' host keys and how each was learned.
    pub fn pins_file(&self) -> PathBuf {
        self.state.join("pins.json")
    }

    /// `told.json`: what the person was told of sessions that are down, and which machine they know.
    pub fn told_file(&self) -> PathBuf {
        self.state.join("told.json")
    }

    /// Where copies of the person's files go before Moorline changes them.
    pub fn backups(&self) -> PathBuf {
        self.state.join("backups")
    }

    /// The lock of whoever writes: one for all processes of a home, so never in the runtime directory, which
    /// may differ from login to login.
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("lock")
    }

    /// The lock of the one agent of this home; where its socket lies may differ from login to login.
    pub fn agent_lock_file(&self) -> PathBuf {
        self.state.join("agent.lock")
    }

    /// This desktop's login key: the one secret that lies outside the vault, because every ssh client must reach
    /// it without a prompt.
    pub fn login_key(&self) -> PathBuf {
        self.ssh.join("moorline_ed25519")
    }

    /// The program that proxied config entries name: a copy, which outlives upgrades and mounted images.
    pub fn proxy_program(&self) -> PathBuf {
        self.programs().join(if cfg!(windows) { "moorline-proxy.exe" } else { "moorline-proxy" })
    }

    /// The copy of the command line beside it, which is the hub where one is needed.
    pub fn hub_program(&self) -> PathBuf {
        self.programs().join(if cfg!(windows) { "moorline.exe" } else { "moorline" })
    }

    fn programs(&self) -> PathBuf {
        self.data.join("bin")
    }

    /// Makes `dir` and what is missing above it, for the person alone (0700). A directory that is there already
    /// loses write permission for others, and nothing else.
    ///
    /// # Errors
    /// It cannot be made, or belongs to another user.
    pub fn create_private(dir: &Path) -> Result<(), DirsError> {
        let failed = |source| DirsError::Create { path: dir.to_owned(), source };
        platform::make_private(dir).map_err(failed)?;
        if platform::is_mine(dir).map_err(failed)? { Ok(()) } else { Err(DirsError::Foreign(dir.to_owned())) }
    }

    fn from_vars(
        var: &dyn Fn(&str) -> Option<OsString>,
        account_home: Option<&Path>,
    ) -> Result<Self, DirsError> {
        let home = platform::home(var).filter(|h| !h.as_os_str().is_empty()).ok_or(DirsError::NoHome)?;
        if !home.is_absolute() {
            return Err(DirsError::RelativeHome(home));
        }
        let absolute = |name: &str| var(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let below = |name: &str, native: PathBuf| absolute(name).map_or(native, |base| base.join(NAME));
        let native = platform::native(&home);
        let state = below("XDG_STATE_HOME", native.state);
        let runtime = absolute("XDG_RUNTIME_DIR")
            .filter(|base| platform::is_private(base))
            .map_or_else(|| state.join("run"), |base| base.join(NAME));
        Ok(Self {
            ssh: home.join(".ssh"),
            config: below("XDG_CONFIG_HOME", native.config),
            data: below("XDG_DATA_HOME", native.data),
            runtime,
            state,
            redirected: platform::REDIRECTABLE && !account_home.is_some_and(|there| same_dir(&home, there)),
            home,
        })
    }
}

struct Native {
    config: PathBuf,
    state: PathBuf,
    data: PathBuf,
}

fn same_dir(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.components().collect());
    real(a) == real(b)
}

#[cfg(unix)]
mod platform {
    use std::ffi::OsString;
    use std::fs;
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    use std::path::{Path, PathBuf};

    use super::{NAME, Native};

    pub const REDIRECTABLE: bool = true;

    pub fn home(var: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        var("HOME").map(PathBuf::from)
    }

    pub fn account_home() -> Option<PathBuf> {
        nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|user| user.dir)
    }

    #[cfg(not(target_os = "macos"))]
    pub fn native(home: &Path) -> Native {
        Native {
            config: home.join(".config").join(NAME),
            state: home.join(".local/state").join(NAME),
            data: home.join(".local/share").join(NAME),
        }
    }

    #[cfg(target_os = "macos")]
    pub fn native(home: &Path) -> Native {
        let base = directories::ProjectDirs::from("", "", NAME)
            .map_or_else(|| home.join("Library/Application Support").join(NAME), |d| d.data_dir().to_owned());
        Native { config: base.clone(), state: base.join("state"), data: base.join("data") }
    }

    pub fn make_private(dir: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let mode = fs::metadata(dir)?.permissions().mode();
        if is_mine(dir)? && mode & 0o022 != 0 {
            fs::set_permissions(dir, fs::Permissions::from_mode(mode & 0o7777 & !0o022))?;
        }
        Ok(())
    }

    pub fn is_mine(dir: &Path) -> io::Result<bool> {
        Ok(fs::metadata(dir)?.uid() == nix::unistd::geteuid().as_raw())
    }

    pub fn is_private(dir: &Path) -> bool {
        let Ok(found) = fs::metadata(dir) else { return false };
        let for_others = found.mode() & 0o077;
        found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw() && for_others == 0
    }
}

#[cfg(not(unix))]
mod platform {
    use std::ffi::OsString;
    use std::fs;
    use std::io;
    use std::path::{Path, PathBuf};

    use super::{NAME, Native};

    pub const REDIRECTABLE: bool = false;

    pub fn home(var: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
        var("HOME")
            .map(PathBuf::from)
            .or_else(|| directories::BaseDirs::new().map(|d| d.home_dir().to_owned()))
    }

    pub fn account_home() -> Option<PathBuf> {
        None
    }

    pub fn native(home: &Path) -> Native {
        match directories::ProjectDirs::from("", "", NAME) {
            Some(found) => Native {
                config: found.config_dir().to_owned(),
                state: found.data_local_dir().join("state"),
                data: found.data_local_dir().to_owned(),
            },
            None => {
                let base = home.join(NAME);
                Native { config: base.join("config"), state: base.join("state"), data: base.join("data") }
            }
        }
    }

    // A new directory below the profile inherits its access list, which names the person alone.
    pub fn make_private(dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same signature as where ownership can be read")]
    pub fn is_mine(_dir: &Path) -> io::Result<bool> {
        Ok(true)
    }

    pub fn is_private(dir: &Path) -> bool {
        dir.is_dir()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn dirs(vars: &[(&str, &Path)]) -> Result<Dirs, DirsError> {
        let find = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_os_str().to_owned());
        Dirs::from_vars(&find, Some(Path::new("/home/nobody-in-particular")))
    }

    #[test]
    fn home_alone_gives_the_specifications_places() {
        let dirs = dirs(&[("HOME", Path::new("/home/nobody-in-particular"))]).unwrap();
        assert!(!dirs.redirected, "this is the account's own home");
        assert_eq!(dirs.ssh, Path::new("/home/nobody-in-particular/.ssh"));
        if cfg!(not(target_os = "macos")) {
            let below = |path: &str| dirs.home.join(path);
            assert_eq!(dirs.sessions_file(), below(".config/moorline/config.toml"));
            assert_eq!(dirs.pins_file(), below(".local/state/moorline/pins.json"));
            assert_eq!(dirs.lock_file(), below(".local/state/moorline/lock"));
            assert_eq!(dirs.backups(), below(".local/state/moorline/backups"));
            assert_eq!(dirs.data, below(".local/share/moorline"));
            assert_eq!(dirs.runtime, below(".local/state/moorline/run"));
        }
    }

    #[test]
    fn xdg_variables_redirect_and_relative_ones_do_not() {
        let home = ("HOME", Path::new("/somewhere/else"));
        let set = dirs(&[
            home,
            ("XDG_CONFIG_HOME", Path::new("/x/config")),
            ("XDG_STATE_HOME", Path::new("/x/state")),
            ("XDG_DATA_HOME", Path::new("/x/data")),
        ])
        .unwrap();
        assert!(set.redirected, "the account's home is another");
        assert_eq!(set.config, Path::new("/x/config/moorline"));
        assert_eq!(set.state, Path::new("/x/state/moorline"));
        assert_eq!(set.data, Path::new("/x/data/moorline"));
        let ignored = dirs(&[home, ("XDG_CONFIG_HOME", Path::new("config"))]).unwrap();
        assert_eq!(ignored, dirs(&[home]).unwrap());
    }

    #[test]
    fn a_runtime_directory_that_others_can_enter_is_not_used() {
        let temp = tempfile::tempdir().unwrap();
        let home = ("HOME", Path::new("/somewhere"));
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let used = dirs(&[home, ("XDG_RUNTIME_DIR", temp.path())]).unwrap();
        assert_eq!(used.runtime, temp.path().join("moorline"));
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let refused = dirs(&[home, ("XDG_RUNTIME_DIR", temp.path())]).unwrap();
        assert_eq!(refused.runtime, refused.state.join("run"));
    }

    #[test]
    fn a_missing_or_relative_home_is_refused() {
        assert!(matches!(dirs(&[]), Err(DirsError::NoHome)));
        assert!(matches!(dirs(&[("HOME", Path::new(""))]), Err(DirsError::NoHome)));
        assert!(matches!(dirs(&[("HOME", Path::new("root"))]), Err(DirsError::RelativeHome(_))));
    }

    #[test]
    fn one_home_reached_by_two_names_is_not_redirected() {
        let temp = tempfile::tempdir().unwrap();
        let link = temp.path().join("link");
        fs::create_dir(temp.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        assert!(same_dir(&link, &temp.path().join("real/")), "a linked home is the same home");
    }

    #[test]
    fn private_directories_are_made_private_and_stay_so() {
        let temp = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let deep = temp.path().join("a/b");
        Dirs::create_private(&deep).unwrap();
        assert_eq!((mode(&temp.path().join("a")), mode(&deep)), (0o700, 0o700));
        fs::set_permissions(&deep, fs::Permissions::from_mode(0o777)).unwrap();
        Dirs::create_private(&deep).unwrap();
        assert_eq!(mode(&deep), 0o755, "others must not be able to replace what lies in it");
        fs::write(temp.path().join("file"), "").unwrap();
        let error = Dirs::create_private(&temp.path().join("file/x")).unwrap_err().to_string();
        assert!(error.contains("file/x"), "{error}");
    }
}
