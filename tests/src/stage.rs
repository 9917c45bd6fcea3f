//! The person's machine: a throw-away home where their own would be, and the commands they type.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::built::target_folder;
use crate::namespace::{Mount, Namespace};
use crate::outcome::Outcome;
use crate::person::passwd_entry;
use crate::secrets::Secrets;
use crate::weather::{self, Weather};

/// The person's machine. When it is dropped, it checks that no secret was left on it.
#[derive(Debug)]
pub struct Stage {
    namespace: Namespace,
    root: TempDir,
    home: PathBuf,
    env: RefCell<BTreeMap<OsString, OsString>>,
    secrets: RefCell<Secrets>,
}

impl Stage {
    /// An empty home with nothing in it, `moorline` on the path, and a machine of its own around them.
    ///
    /// # Panics
    /// When `moorline` was not built, or namespaces cannot be made.
    pub fn new() -> Self {
        Self::with_program(&moorline_binary())
    }

    /// As [`Stage::new`], on a network with weather and with its name server.
    pub fn on(weather: &Weather) -> Self {
        Self::made(&moorline_binary(), Some(weather))
    }

    /// As [`Stage::new`], with this file as `moorline`.
    pub fn with_program(moorline: &Path) -> Self {
        Self::made(moorline, None)
    }

    fn made(moorline: &Path, weather: Option<&Weather>) -> Self {
        let (user, home) = passwd_entry();
        // Not below the home, since that is what gets covered; and short, for the sake of sockets.
        let root = tempfile::Builder::new().prefix("moorline-").tempdir_in("/tmp").expect("/tmp is writable");
        let at = |name: &str| root.path().join(name);
        for name in ["home", "run", "programs", "venv", "logs"] {
            DirBuilder::new().mode(0o700).create(at(name)).expect("a fresh folder");
        }
        fs::write(at("hosts"), "127.0.0.1 localhost\n").expect("the stage's names");
        File::create(at("programs/moorline")).expect("a place for moorline");
        let bind = |from: PathBuf, to: PathBuf| Mount::Bind { from, at: to };
        let mut mounts = vec![bind(moorline.to_path_buf(), at("programs/moorline"))];
        for name in BESIDE {
            let built = moorline_binary().with_file_name(name);
            if built.is_file() {
                let place = at("programs").join(name);
                File::create(&place).expect("a place for a program");
                mounts.push(bind(built, place));
            }
        }
        let venv = venv();
        if venv.is_dir() {
            mounts.push(bind(venv, at("venv")));
        }
        mounts.push(bind(at("home"), home.clone()));
        mounts.push(bind(at("hosts"), PathBuf::from("/etc/hosts")));
        if weather.is_some() {
            let names = format!("nameserver {}\noptions timeout:2 attempts:2\n", weather::NAMES);
            fs::write(at("resolv.conf"), names).expect("the stage's name server");
            mounts.push(bind(at("resolv.conf"), PathBuf::from("/etc/resolv.conf")));
        }
        let namespace = weather.map_or_else(|| Namespace::new(&mounts), |w| Namespace::on(w, &mounts));
        let env = BTreeMap::from([
            ("HOME".into(), home.clone().into_os_string()),
            ("USER".into(), OsString::from(&user)),
            ("LOGNAME".into(), OsString::from(&user)),
            ("LANG".into(), "C.UTF-8".into()),
            ("XDG_RUNTIME_DIR".into(), at("run").into_os_string()),
            (
                "PATH".into(),
                format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin", at("programs").display()).into(),
            ),
        ]);
        let (env, secrets) = (RefCell::new(env), RefCell::default());
        Self { namespace, root, home, env, secrets }
    }

    /// The home as the test sees it; inside the stage it is [`Stage::home_inside`].
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// The home as commands on the stage see it.
    pub fn home_inside(&self) -> &Path {
        &self.home
    }

    /// `~/.ssh`, as the test sees it.
    pub fn ssh_dir(&self) -> PathBuf {
        self.home().join(".ssh")
    }

    /// `XDG_RUNTIME_DIR`, the same inside and outside.
    pub fn runtime_dir(&self) -> PathBuf {
        self.root.path().join("run")
    }

    /// A folder whose programs come first on the path, the same inside and outside.
    pub fn programs(&self) -> PathBuf {
        self.root.path().join("programs")
    }

    /// The Python of the test venv.
    ///
    /// # Panics
    /// When `make test` (or `scripts/venv.sh`) has not made it.
    pub fn python(&self) -> PathBuf {
        assert!(
            venv().is_dir(),
            "{} is missing: run scripts/venv.sh, which make test does",
            venv().display()
        );
        self.root.path().join("venv/bin/python3")
    }

    /// As [`Stage::python`], for what runs outside of the stage.
    pub fn python_outside(&self) -> PathBuf {
        assert!(venv().is_dir(), "{} is missing: run scripts/venv.sh", venv().display());
        venv().join("bin/python3")
    }

    /// Puts a file into the home, with folders (0700) as needed and mode 0600.
    pub fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let target = self.home().join(path);
        let folder = target.parent().expect("a file has a folder");
        DirBuilder::new().recursive(true).mode(0o700).create(folder).expect("folders for the file");
        fs::write(&target, content).expect("the file is written");
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("the mode is set");
    }

    /// As [`Stage::put`], beside and renamed, as programs do that keep folders in step.
    pub fn put_at_once(&self, path: &str, content: impl AsRef<[u8]>) {
        let beside = format!("{path}.tmp");
        self.put(&beside, content);
        fs::rename(self.home().join(&beside), self.home().join(path)).expect("the file is put in place");
    }

    /// Puts a script on the path, before all other programs of that name.
    pub fn put_program(&self, name: &str, script: &str) {
        let program = self.programs().join(name);
        fs::write(&program, script).expect("the script is written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("the mode is set");
    }

    /// A file of the home; empty when there is none.
    pub fn get(&self, path: &str) -> Vec<u8> {
        fs::read(self.home().join(path)).unwrap_or_default()
    }

    /// A file of the home as text.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.get(path)).into_owned()
    }

    /// Lets a host name lead to this address, on the stage only.
    pub fn knows_host(&self, address: &str, name: &str) {
        let path = self.root.path().join("hosts");
        let mut hosts = fs::read_to_string(&path).expect("the names are there");
        let _ = writeln!(hosts, "{address} {name}");
        // Written in place: the file is mounted, and a mount follows the inode.
        fs::write(&path, hosts).expect("the names are written");
    }

    /// The reverse of [`Stage::knows_host`], for all names.
    pub fn forgets_hosts(&self) {
        fs::write(self.root.path().join("hosts"), "127.0.0.1 localhost\n").expect("the names are written");
    }

    /// Sets a variable for all later commands.
    pub fn set_env(&self, name: &str, value: impl AsRef<OsStr>) {
        self.env.borrow_mut().insert(name.into(), value.as_ref().to_owned());
    }

    /// A command that will run on the stage; its working folder is `/`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.namespace.command(program);
        command.envs(&*self.env.borrow());
        command
    }

    /// Runs a program to its end, without input.
    pub fn run(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Outcome {
        self.run_with_input(program, arguments, "")
    }

    /// Runs a program to its end, with this input.
    pub fn run_with_input(&self, program: impl AsRef<OsStr>, arguments: &[&str], input: &str) -> Outcome {
        let mut command = self.command(&program);
        command.args(arguments);
        let words = std::iter::once(program.as_ref().to_string_lossy().into_owned());
        let words: Vec<String> = words.chain(arguments.iter().map(ToString::to_string)).collect();
        feed(command, &words.join(" "), input)
    }

    /// `moorline …`
    pub fn moorline(&self, arguments: &[&str]) -> Outcome {
        self.run("moorline", arguments)
    }

    /// `moorline …` with something pasted to its standard input.
    pub fn moorline_reads(&self, arguments: &[&str], pasted: &str) -> Outcome {
        self.run_with_input("moorline", arguments, pasted)
    }

    /// Says that this text must not be found on the stage's disk when the test is over.
    pub fn hide(&self, secret: &str) {
        self.secrets.borrow_mut().add(secret);
    }

    /// What must not be found anywhere.
    pub fn secrets(&self) -> Secrets {
        self.secrets.borrow().clone()
    }

    /// A file for what a program logs; not part of the person's machine.
    pub fn log(&self, name: &str) -> File {
        let path = self.root.path().join("logs").join(name);
        File::options().create(true).append(true).open(path).expect("a log can be written")
    }

    /// What was logged.
    pub fn read_log(&self, name: &str) -> String {
        fs::read_to_string(self.root.path().join("logs").join(name)).unwrap_or_default()
    }
}

impl Stage {
    /// Copies of the programs under test are large, were there before any secret, and take minutes to search.
    fn drop_copied_programs(&self) {
        let built =
            ["moorline", "moorline-proxy"].map(|name| fs::read(moorline_binary().with_file_name(name)));
        for name in ["moorline", "moorline-proxy"] {
            let copy = self.home().join(".local/share/moorline/bin").join(name);
            let Ok(copied) = fs::read(&copy) else { continue };
            if built.iter().flatten().any(|built| *built == copied) {
                let _ = fs::remove_file(&copy);
            }
        }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        self.drop_copied_programs();
        let found = self.secrets.borrow().find_below(self.root.path());
        assert!(found.is_empty(), "secrets were left on disk:\n{}", found.join("\n"));
    }
}

/// Runs a command to its end with this input.
pub fn feed(mut command: Command, name: &str, input: &str) -> Outcome {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("nsenter (package util-linux) is installed");
    let mut stdin = child.stdin.take().expect("its input is piped");
    let input = input.as_bytes().to_vec();
    // A program may end without reading; that is its own affair.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program runs to its end");
    feeder.join().expect("the input is fed");
    Outcome::new(name.to_owned(), &output)
}

/// The `moorline` that cargo built beside the tests, or the one that `MOORLINE_BIN` names.
///
/// # Panics
/// When there is none.
pub fn moorline_binary() -> PathBuf {
    let path =
        std::env::var_os("MOORLINE_BIN").map_or_else(|| target_folder().join("moorline"), PathBuf::from);
    assert!(path.is_file(), "{} is missing: run `cargo build -p moorline-cli`", path.display());
    path
}

/// What lies beside `moorline`: the program that ssh runs, and the desktop app's, which most tests do without.
const BESIDE: [&str; 3] = ["moorline-proxy", "moorline-tray", "moorline-window"];

/// Where `scripts/venv.sh` puts the independent clients and the Jupyter kernel.
pub(crate) fn venv() -> PathBuf {
    let target = target_folder();
    let target = target.parent().expect("the profile's folder lies in target");
    std::env::var_os("MOORLINE_TEST_VENV").map_or_else(|| target.join("test-venv"), PathBuf::from)
}
