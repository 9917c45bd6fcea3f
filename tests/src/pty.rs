//! A person at a terminal: a command on a pseudo-terminal of its own.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::outcome::Outcome;
use crate::processes::{Program, until};
use crate::stage::Stage;

/// How long a text may take to show.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command whose input, output and errors are one terminal, which is also its `/dev/tty`.
#[derive(Debug)]
pub struct Terminal {
    command: String,
    screen: File,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    /// How much of what was seen an earlier [`Terminal::awaits`] has used up.
    read: usize,
    program: Program,
}

impl Terminal {
    /// Starts `moorline ARGUMENTS` on the stage.
    pub fn moorline(stage: &Stage, arguments: &[&str]) -> Self {
        Self::with_env(stage, arguments, &[])
    }

    /// As [`Terminal::moorline`], with these variables besides.
    pub fn with_env(stage: &Stage, arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let command: Vec<&str> = std::iter::once("moorline").chain(arguments.iter().copied()).collect();
        Self::start(stage, &command, env)
    }

    /// A shell's script, in which `moorline` is a command among others.
    pub fn shell(stage: &Stage, script: &str) -> Self {
        Self::start(stage, &["sh", "-c", script], &[])
    }

    fn start(stage: &Stage, words: &[&str], env: &[(&str, &str)]) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&controller).expect("it is ours");
        unlockpt(&controller).expect("it opens");
        let name = ptsname(&controller, Vec::new()).expect("it has a name");
        let side = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty());
        let side: OwnedFd = side.expect("its other side opens");
        let stdio = || Stdio::from(side.try_clone().expect("a descriptor can be copied"));
        // setsid makes it the controlling terminal, as a terminal program does.
        let mut command = stage.command("setsid");
        command.arg("--ctty").args(words).env("TERM", "xterm");
        command.envs(env.iter().copied()).stdin(stdio()).stdout(stdio()).stderr(stdio());
        let child = command.spawn().expect("setsid (package util-linux) is installed");
        let command = words.join(" ");
        let screen = File::from(controller);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut output, kept) = (screen.try_clone().expect("a file can be copied"), Arc::clone(&seen));
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            // The kernel reports the end of a terminal's last user as an error.
            while let Ok(count @ 1..) = output.read(&mut chunk) {
                kept.lock().expect("nobody panics with it").extend_from_slice(&chunk[..count]);
            }
        });
        let program = Program::adopt(child, &command);
        Self { command, screen, seen, reader, read: 0, program }
    }

    /// Waits until this text shows after what was awaited before.
    ///
    /// # Panics
    /// When it does not within 20 seconds, or the command ends first.
    #[track_caller]
    pub fn awaits(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let at = loop {
            // Asked first: what an ended command showed last is read by then.
            let over = self.reader.is_finished();
            let seen = self.text();
            let rest = seen.get(self.read..).unwrap_or_default();
            if let Some(start) = rest.find(text) {
                break self.read + start + text.len();
            }
            assert!(!over, "`{}` ended without {text:?}:\n{seen}", self.command);
            assert!(Instant::now() < deadline, "`{}` does not show {text:?}:\n{seen}", self.command);
            thread::sleep(Duration::from_millis(5));
        };
        self.read = at;
    }

    /// Waits until what is typed does not show, as at a question for a password.
    pub fn awaits_no_echo(&self) {
        until("the terminal to stop echoing", || !self.echoes());
    }

    /// Whether what is typed shows.
    pub fn echoes(&self) -> bool {
        tcgetattr(&self.screen).expect("it is a terminal").local_modes.contains(LocalModes::ECHO)
    }

    /// Types this, as it is: `\n` is Enter, `\u{4}` is Ctrl-D.
    pub fn types(&mut self, text: &str) {
        self.screen.write_all(text.as_bytes()).expect("the terminal takes what is typed");
    }

    /// What was shown so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().expect("nobody panics with it")).into_owned()
    }

    /// Waits for the command's end. Everything that was shown is its standard output.
    pub fn ends(self) -> Outcome {
        let Self { command, screen, seen, reader, mut program, .. } = self;
        let status = program.wait_in_time(&command);
        reader.join().expect("the output is read");
        drop(screen);
        let shown = seen.lock().expect("nobody panics with it").clone();
        let output = std::process::Output { status, stdout: shown, stderr: Vec::new() };
        Outcome::new(command, &output)
    }
}
