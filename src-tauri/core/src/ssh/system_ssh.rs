//! The person's own `ssh`: finding it, starting it with the right files, running a constant command with it.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::session::RelayTarget;
use moorline_model::text::shown;
use moorline_ssh_files::{Alias, Port};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::child;
use super::failure::SshFailure;
use super::route::{ProxyArgv, Route};

/// More than this on either output stream ends a run: nothing that is asked for comes near it.
const OUTPUT_LIMIT: u64 = 64 * 1024 * 1024;

/// Whether an `ssh` that runs for us may ask the person something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Prompts {
    /// Never: whatever would ask fails (`BatchMode=yes`).
    #[default]
    Never,
    /// On the terminal, as plain ssh does.
    Terminal,
    /// Through a program of ours, which answers from the vault (`SSH_ASKPASS`, ssh(1), ENVIRONMENT).
    Askpass {
        /// The program, which acts as [`crate::ssh::askpass`] says when [`ASKPASS_SESSION`] is set.
        program: PathBuf,
        /// The session whose relay password it may give.
        session: Alias,
        /// The relay for which that was given. The session itself may not be on file yet.
        relay: RelayTarget,
    },
}

/// The variable that tells our askpass program for which session it is asked.
pub const ASKPASS_SESSION: &str = "MOORLINE_ASKPASS";

/// The variable that tells it for which relay.
pub const ASKPASS_RELAY: &str = "MOORLINE_ASKPASS_RELAY";

impl Prompts {
    /// What this needs in the environment of the one ssh that it is for.
    pub(super) fn env(&self) -> Vec<(&'static str, OsString)> {
        let Self::Askpass { program, session, relay } = self else { return Vec::new() };
        vec![
            ("SSH_ASKPASS", program.clone().into_os_string()),
            ("SSH_ASKPASS_REQUIRE", "force".into()),
            (ASKPASS_SESSION, session.as_str().into()),
            (ASKPASS_RELAY, relay.to_string().into()),
        ]
    }
}

/// The person's `ssh` program and, where HOME is redirected, the files that it must be told of: OpenSSH asks the
/// password database for the home directory and ignores HOME.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemSsh {
    /// The program.
    pub program: PathBuf,
    /// `-F`, if not the person's default.
    pub config: Option<PathBuf>,
    /// `UserKnownHostsFile`, if not the person's default.
    pub known_hosts: Option<PathBuf>,
    /// Whether it may ask the person something.
    pub prompts: Prompts,
}

/// What `ssh` makes of a relay's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelayLogin {
    /// The user.
    pub(crate) user: String,
    /// The name by which ssh's prompts call the machine.
    pub(crate) shown: String,
    host: String,
    port: String,
}

impl fmt::Display for RelayLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.user, self.host, self.port)
    }
}

/// What a command on the other side left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The remote command's exit status.
    pub status: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error, with whatever ssh itself printed.
    pub stderr: String,
}

impl SshRunError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        if let Self::Ssh { failure, .. } = self { failure.next_step() } else { None }
    }
}

/// Why a run of the system's `ssh` failed.
#[derive(Debug, thiserror::Error)]
pub enum SshRunError {
    /// There is no `ssh` on `PATH`.
    #[error("there is no ssh program on your PATH; install the OpenSSH client")]
    NotInstalled,
    /// The program could not be started.
    #[error("cannot start {program}: {cause}; check that the OpenSSH client is installed")]
    Start {
        /// The program.
        program: String,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// ssh said why it gave up.
    #[error("{}", failure.sentence(host, login))]
    Ssh {
        /// The machine, as the person names it.
        host: String,
        /// The command that logs in there, for the message.
        login: String,
        /// What ssh said.
        failure: SshFailure,
    },
    /// It did not end in time.
    #[error("ssh to {host} did not finish within {} s; check your network and that you can log in there", after.as_secs())]
    TimedOut {
        /// The machine.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// The pipe to the child broke, or it printed without end.
    #[error("lost ssh to {host}: {cause}")]
    Pipe {
        /// The machine.
        host: String,
        /// The system's reason.
        cause: std::io::Error,
    },
}

impl SystemSsh {
    /// Finds `ssh` on `PATH` (on Windows also in `System32\OpenSSH`). With a redirected home, its `.ssh/config`
    /// and `.ssh/known_hosts` are passed to every run.
    pub fn find(redirected_home: Option<&Path>) -> Result<Self, SshRunError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = candidates(&path).into_iter().find(|p| p.is_file()).ok_or(SshRunError::NotInstalled)?;
        let dir = redirected_home.map(|home| home.join(".ssh"));
        Ok(Self {
            program,
            config: dir.as_ref().map(|d| d.join("config")),
            known_hosts: dir.as_ref().map(|d| d.join("known_hosts")),
            prompts: Prompts::Never,
        })
    }

    /// The program, the files it must be told of, then `extra`.
    pub fn argv<S: AsRef<str>>(&self, extra: &[S]) -> Vec<String> {
        let mut argv = vec![self.program.to_string_lossy().into_owned()];
        argv.extend(self.file_options());
        argv.extend(extra.iter().map(|s| s.as_ref().to_owned()));
        argv
    }

    /// The version as `ssh -V` prints it, such as `OpenSSH_9.2p1`.
    pub async fn version(&self, limit: Duration) -> Result<String, SshRunError> {
        let output = self.run_local(&["-V".to_owned()], "ssh -V", limit).await?;
        Ok(version_word(&output.stderr))
    }

    /// The argument list of a `ProxyCommand` to a port on the relay's own `127.0.0.1`. Its first word is plain
    /// `ssh` where a shell will find it by that name.
    pub fn relay_proxy_argv(&self, target: &RelayTarget, port: Port) -> Vec<String> {
        let mut argv = vec![self.word()];
        argv.extend(self.file_options());
        for option in ["StrictHostKeyChecking=yes", "ForwardAgent=no"] {
            argv.extend(["-o".to_owned(), option.to_owned()]);
        }
        argv.extend(["-W".to_owned(), format!("127.0.0.1:{port}")]);
        argv.extend(destination(target));
        argv
    }

    /// The same way for our own dials: never a new shared master, no prompt unless [`Self::prompts`] allows it.
    pub fn relay_route(&self, target: &RelayTarget, port: Port) -> Route {
        let mut argv = vec![self.program.to_string_lossy().into_owned()];
        argv.extend(self.present_file_options());
        argv.extend(self.strict_options());
        argv.extend(["-W".to_owned(), format!("127.0.0.1:{port}")]);
        argv.extend(destination(target));
        Route::Program(ProxyArgv { argv, env: self.prompts.env() })
    }

    /// Runs one of this program's constant commands on a relay, with `stdin` as its standard input. A remote
    /// command's own failure is no error here: see [`Output::status`]. The child is killed when this future is
    /// dropped or the limit passes.
    pub async fn run(
        &self,
        target: &RelayTarget,
        remote_command: &'static str,
        stdin: Option<&[u8]>,
        limit: Duration,
    ) -> Result<Output, SshRunError> {
        let argv = self.remote_argv(target, &[], remote_command);
        let host = target.to_string();
        let output =
            self.run_child(&argv, self.prompts.env(), stdin.unwrap_or_default(), &host, limit).await?;
        // 255 is ssh's own status (ssh(1), EXIT STATUS); no constant command of ours ends with it.
        if output.status == 255 {
            let login = login_command(target);
            return Err(SshRunError::Ssh { host, login, failure: SshFailure::read(&output.stderr) });
        }
        Ok(output)
    }

    /// What a run of a constant command on a relay is started with, after the program.
    pub(super) fn remote_argv(
        &self,
        target: &RelayTarget,
        more: &[&str],
        remote_command: &'static str,
    ) -> Vec<String> {
        let mut argv = self.present_file_options();
        argv.extend(self.strict_options());
        for option in ["ClearAllForwardings=yes", "RemoteCommand=none", "PermitLocalCommand=no"] {
            argv.extend(["-o".to_owned(), option.to_owned()]);
        }
        argv.extend(more.iter().map(|option| (*option).to_owned()));
        argv.push("-T".to_owned());
        argv.extend(destination(target));
        argv.push(remote_command.to_owned());
        argv
    }

    /// The login that ssh would use for `target`.
    pub(crate) async fn login_at(
        &self,
        target: &RelayTarget,
        limit: Duration,
    ) -> Result<RelayLogin, SshRunError> {
        let printed = self.resolved(target, limit).await?;
        let value = |option| option_in(&printed, option);
        let host = value("hostname").unwrap_or_default();
        Ok(RelayLogin {
            user: value("user").unwrap_or_default(),
            shown: value("hostkeyalias").unwrap_or_else(|| host.clone()),
            host,
            port: value("port").unwrap_or_default(),
        })
    }

    /// What `ssh -G` prints for `target`.
    pub(super) async fn resolved(
        &self,
        target: &RelayTarget,
        limit: Duration,
    ) -> Result<String, SshRunError> {
        let mut argv = self.present_file_options();
        argv.push("-G".to_owned());
        argv.extend(destination(target));
        let output = self.run_local(&argv, &format!("ssh -G {target}"), limit).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs `ssh` for something that needs no network (`-V`, `-G`).
    pub(super) async fn run_local(
        &self,
        argv: &[String],
        what: &str,
        limit: Duration,
    ) -> Result<Output, SshRunError> {
        self.run_child(argv, Vec::new(), &[], what, limit).await
    }

    pub(super) async fn run_child(
        &self,
        argv: &[String],
        env: Vec<(&'static str, OsString)>,
        stdin: &[u8],
        host: &str,
        limit: Duration,
    ) -> Result<Output, SshRunError> {
        let mut command = child::command(&self.program);
        command.args(argv);
        command.envs(env);
        let mut child = command
            .spawn()
            .map_err(|cause| SshRunError::Start { program: self.program.display().to_string(), cause })?;
        let (mut input, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let talk = async {
            let feed = async {
                if let Some(mut pipe) = input.take() {
                    // A remote command that ends without reading everything is its own business: its status tells.
                    let _ = pipe.write_all(stdin).await;
                    let _ = pipe.shutdown().await;
                }
                Ok::<_, std::io::Error>(())
            };
            let ((), stdout, stderr) = tokio::try_join!(feed, read_bounded(out), read_bounded(err))?;
            let status = child.wait().await?;
            Ok::<_, std::io::Error>(Output {
                status: status.code().unwrap_or(255),
                stdout,
                stderr: String::from_utf8_lossy(&stderr).into_owned(),
            })
        };
        match tokio::time::timeout(limit, talk).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(cause)) => Err(SshRunError::Pipe { host: host.to_owned(), cause }),
            Err(_) => Err(SshRunError::TimedOut { host: host.to_owned(), after: limit }),
        }
    }

    fn file_options(&self) -> Vec<String> {
        self.options_with(self.config.as_deref())
    }

    /// For a run of our own: ssh fails on a `-F` file that does not exist, as in a fresh redirected home.
    pub(super) fn present_file_options(&self) -> Vec<String> {
        let present = |config| if Path::exists(config) { config } else { Path::new("none") };
        self.options_with(self.config.as_deref().map(present))
    }

    fn options_with(&self, config: Option<&Path>) -> Vec<String> {
        let mut options = Vec::new();
        if let Some(config) = config {
            options.extend(["-F".to_owned(), config.to_string_lossy().into_owned()]);
        }
        if let Some(known_hosts) = &self.known_hosts {
            options.extend(["-o".to_owned(), known_hosts_option(known_hosts)]);
        }
        options
    }

    fn strict_options(&self) -> Vec<String> {
        let batch = if self.prompts == Prompts::Never { "BatchMode=yes" } else { "BatchMode=no" };
        // A password from the vault is not more right the second time.
        let once = matches!(self.prompts, Prompts::Askpass { .. }).then_some("NumberOfPasswordPrompts=1");
        // A master that we start would outlive the run and hold our pipes open; its stderr would be needed to tell
        // why a login failed, so a quiet LogLevel of the person's is overruled.
        [
            batch,
            "StrictHostKeyChecking=yes",
            "ForwardAgent=no",
            "ControlMaster=no",
            "ConnectTimeout=15",
            "LogLevel=INFO",
        ]
        .into_iter()
        .chain(once)
        .flat_map(|option| ["-o".to_owned(), option.to_owned()])
        .collect()
    }

    fn word(&self) -> String {
        let found_by_name = cfg!(unix) && self.program.file_name().is_some_and(|name| name == "ssh");
        if found_by_name { "ssh".to_owned() } else { self.program.to_string_lossy().into_owned() }
    }
}

/// The value of an option in what `ssh -G` printed.
pub(super) fn option_in(printed: &str, option: &str) -> Option<String> {
    let mut lines = printed.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == option).map(|(_, value)| value.to_owned())
}

fn candidates(path: &OsString) -> Vec<PathBuf> {
    let name = if cfg!(windows) { "ssh.exe" } else { "ssh" };
    let absolute = |dir: &PathBuf| dir.is_absolute();
    let mut found: Vec<PathBuf> =
        std::env::split_paths(path).filter(absolute).map(|d| d.join(name)).collect();
    if cfg!(windows)
        && let Some(root) = std::env::var_os("SystemRoot")
    {
        found.push(PathBuf::from(root).join("System32").join("OpenSSH").join(name));
    }
    found
}

/// The command that a person would type to log in on `target`.
pub(super) fn login_command(target: &RelayTarget) -> String {
    format!("ssh {}", destination(target).join(" "))
}

fn destination(target: &RelayTarget) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(port) = target.port {
        words.extend(["-p".to_owned(), port.to_string()]);
    }
    words.push(match &target.user {
        Some(user) => format!("{user}@{}", target.host),
        None => target.host.to_string(),
    });
    words
}

/// ssh splits this option at blanks, takes quotes and backslashes for its own, and expands `%` and `${…}` in it (`ssh_config(5)`, TOKENS).
fn known_hosts_option(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%%");
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%~".contains(c) || (cfg!(windows) && c == '\\');
    if path.chars().all(plain) {
        format!("UserKnownHostsFile={path}")
    } else {
        let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
        format!("UserKnownHostsFile=\"{escaped}\"")
    }
}

fn version_word(stderr: &str) -> String {
    let line =
        stderr.lines().find(|line| line.contains("OpenSSH")).or(stderr.lines().next()).unwrap_or_default();
    let word = line.split([',', ' ']).find(|word| word.contains("OpenSSH")).unwrap_or(line);
    shown(word, 60)
}

async fn read_bounded<R: AsyncRead + Unpin>(pipe: Option<R>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(pipe) = pipe else { return Ok(bytes) };
    pipe.take(OUTPUT_LIMIT + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > OUTPUT_LIMIT {
        return Err(std::io::Error::other("it printed more than 64 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ssh(home: Option<&str>) -> SystemSsh {
        let dir = home.map(|h| PathBuf::from(h).join(".ssh"));
        SystemSsh {
            program: PathBuf::from("/usr/bin/ssh"),
            config: dir.as_ref().map(|d| d.join("config")),
            known_hosts: dir.as_ref().map(|d| d.join("known_hosts")),
            prompts: Prompts::Never,
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_proxy_to_a_relay_is_strict_and_literal() {
        let port = "7423".parse().unwrap();
        assert_eq!(
            ssh(None).relay_proxy_argv(&"relay".parse().unwrap(), port).join(" "),
            "ssh -o StrictHostKeyChecking=yes -o ForwardAgent=no -W 127.0.0.1:7423 relay"
        );
        assert_eq!(
            ssh(None).relay_proxy_argv(&"me@relay.example:2222".parse().unwrap(), port).join(" "),
            "ssh -o StrictHostKeyChecking=yes -o ForwardAgent=no -W 127.0.0.1:7423 -p 2222 me@relay.example"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_redirected_home_is_named_with_ssh_s_own_quoting() {
        let argv = ssh(Some("/tmp/a b%c")).relay_proxy_argv(&"relay".parse().unwrap(), "1".parse().unwrap());
        assert_eq!(
            argv[1..5],
            [
                "-F".to_owned(),
                "/tmp/a b%c/.ssh/config".to_owned(),
                "-o".to_owned(),
                "UserKnownHostsFile=\"/tmp/a b%%c/.ssh/known_hosts\"".to_owned()
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn quotes_in_a_home_are_not_ssh_s() {
        let option = |path: &str| known_hosts_option(Path::new(path));
        assert_eq!(option("/home/me/.ssh/k"), "UserKnownHostsFile=/home/me/.ssh/k");
        assert_eq!(option("/home/o'hara/k"), "UserKnownHostsFile=\"/home/o'hara/k\"");
        assert_eq!(option(r#"/a"b\c"#), r#"UserKnownHostsFile="/a\"b\\c""#);
    }

    #[test]
    fn versions_are_cut_out_of_the_banner() {
        assert_eq!(version_word("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19\n"), "OpenSSH_9.2p1");
        assert_eq!(version_word("OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2\n"), "OpenSSH_for_Windows_9.5p1");
    }
}
