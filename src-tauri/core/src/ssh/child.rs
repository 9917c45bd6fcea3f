//! Child processes that talk on their standard streams.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::process::Command;

use crate::editors::clean_env;

/// A command with piped standard streams, untranslated messages and no leftovers of an app bundle in its
/// environment; killed when its handle is dropped.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(clean_env(std::env::vars_os())).env("LC_ALL", "C").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // CREATE_NO_WINDOW: a program without a console would otherwise flash one for each child.
    #[cfg(windows)]
    command.creation_flags(0x0800_0000);
    command
}
