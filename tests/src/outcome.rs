//! What a command said, and how it ended.

use std::fmt;
use std::process::Output;

/// The end of a command.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What ran, for messages.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// From what [`std::process::Command::output`] returns.
    pub fn new(command: String, output: &Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Whether it exited with 0.
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output and error, one after the other.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Insists on exit code 0.
    #[track_caller]
    pub fn works(self, why: &str) -> Self {
        assert!(self.succeeded(), "{why}, but:\n{self}");
        self
    }

    /// Insists on a failure with this exit code.
    #[track_caller]
    pub fn fails_with(self, code: i32, why: &str) -> Self {
        assert_eq!(self.code, Some(code), "{why}, but:\n{self}");
        self
    }

    /// Insists on any failure.
    #[track_caller]
    pub fn fails(self, why: &str) -> Self {
        assert!(!self.succeeded(), "{why}, but:\n{self}");
        self
    }

    /// Insists that this text is in the output.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.said().contains(text), "it should say {text:?}, but:\n{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "$ {command}\nexit code: {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
