//! The command line `moorline`, for what it does already and the tray need not do again.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::Context as _;
use moorline_ssh_files::Alias;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const NAME: &str = if cfg!(windows) { "moorline.exe" } else { "moorline" };

/// The command line that was installed beside this program, if one was. It also answers ssh's questions.
pub fn beside() -> Option<PathBuf> {
    let beside = std::env::current_exe().map(|own| own.with_file_name(NAME)).ok();
    beside.filter(|path| path.is_file())
}

/// Adds the session that a pasted text tells of; what to say about it. Whatever `moorline add` would ask about, such
/// as leading a session that is there already elsewhere, is refused: nobody can be asked here.
///
/// # Errors
/// The command line is missing or cannot be fed.
pub async fn add(pasted: &str) -> anyhow::Result<Result<String, String>> {
    run(&["add", "--from", "-"], pasted).await
}

/// Forgets a session, of which the person was asked; what to say about it.
///
/// # Errors
/// The command line is missing.
pub async fn forget(name: &Alias) -> anyhow::Result<Result<String, String>> {
    run(&["forget", name.as_str(), "--yes"], "").await
}

async fn run(arguments: &[&str], input: &str) -> anyhow::Result<Result<String, String>> {
    let mut command = Command::new(program());
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child =
        command.spawn().context("the command line `moorline` is missing: install it beside the app")?;
    let mut stdin = child.stdin.take().context("moorline has no input")?;
    // It may end without reading; what it says then tells why.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.context("moorline cannot be waited for")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(Ok(text(&output.stdout)));
    }
    let said = text(&output.stderr);
    Ok(Err(said.strip_prefix("moorline: ").map_or(said.clone(), str::to_owned)))
}

/// The one beside this program, else the one on the path.
fn program() -> PathBuf {
    beside().unwrap_or_else(|| PathBuf::from(NAME))
}
