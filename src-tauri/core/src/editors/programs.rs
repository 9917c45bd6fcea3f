//! Where programs are looked for. GUI applications often lack the shell's PATH, so the places that installers use
//! are searched after it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The kind of system whose places are searched; a value and not a `cfg`, so that every table is tested everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// Linux and the other systems with freedesktop.org conventions.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Os {
    /// The system that this program was built for.
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// All that finding and planning look at. [`SearchEnv::from_process`] fills it from the real environment; tests name
/// a temporary root.
#[derive(Debug, Clone)]
pub struct SearchEnv {
    /// Whose places and conventions to use.
    pub os: Os,
    /// Stands for `/` in absolute places such as `/usr/bin`; not applied to the other fields.
    pub root: PathBuf,
    /// The entries of PATH, in order.
    pub path: Vec<PathBuf>,
    /// The home directory.
    pub home: PathBuf,
    /// `$XDG_CONFIG_HOME`, if it is set and absolute.
    pub config_home: Option<PathBuf>,
    /// `%APPDATA%`.
    pub app_data: Option<PathBuf>,
    /// `%LOCALAPPDATA%`.
    pub local_app_data: Option<PathBuf>,
    /// `%ProgramFiles%`.
    pub program_files: Option<PathBuf>,
    /// `$TERMINAL`: the person's own choice of terminal.
    pub terminal: Option<OsString>,
    /// Whether there is a desktop to open windows on.
    pub has_display: bool,
    /// Whether the caller stands on a terminal in which ssh can run.
    pub on_tty: bool,
}

impl SearchEnv {
    /// The environment of this process, for the given home directory. `on_tty` is the caller's to know: only the
    /// command line may run ssh in place.
    pub fn from_process(home: &Path, on_tty: bool) -> Self {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let folder = |name: &str| set(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let os = Os::current();
        Self {
            os,
            root: PathBuf::from("/"),
            path: set("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default(),
            home: home.to_owned(),
            config_home: folder("XDG_CONFIG_HOME"),
            app_data: folder("APPDATA"),
            local_app_data: folder("LOCALAPPDATA"),
            program_files: folder("ProgramFiles"),
            terminal: set("TERMINAL"),
            has_display: os != Os::Linux || set("DISPLAY").is_some() || set("WAYLAND_DISPLAY").is_some(),
            on_tty,
        }
    }

    /// An absolute place of the system, such as `usr/bin`, below [`SearchEnv::root`].
    pub(super) fn place(&self, relative: &str) -> PathBuf {
        below(&self.root, relative)
    }

    /// Both places where macOS keeps applications.
    pub(super) fn mac_app(&self, app: &str) -> [PathBuf; 2] {
        [self.place("Applications").join(app), self.home.join("Applications").join(app)]
    }
}

/// A program by its plain name: on PATH (absolute entries only, since a relative one would run what lies in the
/// current folder), then in the places of the system.
pub fn find_program(name: &str, search: &SearchEnv) -> Option<PathBuf> {
    let usual: Vec<PathBuf> = match search.os {
        Os::Linux => ["usr/local/bin", "usr/bin", "bin", "snap/bin", "var/lib/flatpak/exports/bin"]
            .map(|place| search.place(place))
            .into_iter()
            .chain([".local/bin", ".local/share/flatpak/exports/bin"].map(|place| below(&search.home, place)))
            .collect(),
        Os::MacOs => ["usr/local/bin", "opt/homebrew/bin", "usr/bin", "bin"]
            .map(|place| search.place(place))
            .into_iter()
            .chain([below(&search.home, ".local/bin")])
            .collect(),
        Os::Windows => Vec::new(),
    };
    let file = if search.os == Os::Windows { format!("{name}.exe") } else { name.to_owned() };
    let on_path = search.path.iter().filter(|folder| folder.is_absolute());
    on_path.chain(&usual).map(|folder| folder.join(&file)).find(|path| is_program(path))
}

/// `base` and what lies at `relative`, a path with slashes, in the system's own separators.
pub(super) fn below(base: &Path, relative: &str) -> PathBuf {
    relative.split('/').fold(base.to_owned(), |path, part| path.join(part))
}

/// Whether `path` is a file that may be run.
pub(super) fn is_program(path: &Path) -> bool {
    let Ok(facts) = path.metadata() else { return false };
    facts.is_file() && may_run(&facts)
}

#[cfg(unix)]
fn may_run(facts: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    facts.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn may_run(_: &std::fs::Metadata) -> bool {
    true
}
