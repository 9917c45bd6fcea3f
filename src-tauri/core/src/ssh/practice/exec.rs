//! Running what a guest of a practice runtime asks for.

use std::io;
use std::path::{Path, PathBuf};

use russh::server::Msg;
use russh::{Channel, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncReadExt};

pub(super) use platform::{furnish, run};

/// What `nvidia-smi` prints there.
const GPU: &str = "Practice T4 (no GPU: this machine is a practice runtime), 0 MiB / 15360 MiB, 0 %\n";

async fn finish(out: &ChannelWriteHalf<Msg>, status: u32) {
    // The other side may be gone already.
    let _ = out.exit_status(status).await;
    let _ = out.eof().await;
    let _ = out.close().await;
}

/// Runs command lines with `/bin/sh`, the disk as home.
#[cfg(unix)]
mod platform {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Stdio;

    use russh::{ChannelMsg, ChannelReadHalf};
    use tokio::io::AsyncWriteExt;
    use tokio::process::{Child, ChildStdin, Command};

    use super::{AsyncRead, AsyncReadExt, Channel, ChannelWriteHalf, GPU, Msg, Path, PathBuf, finish, io};
    use moorline_ssh_files::UserName;

    pub(in super::super) fn furnish(disk: &Path) -> io::Result<()> {
        let bin = disk.join("bin");
        std::fs::create_dir(&bin)?;
        let smi = bin.join("nvidia-smi");
        std::fs::write(&smi, format!("#!/bin/sh\ncat <<'END'\n{GPU}END\n"))?;
        std::fs::set_permissions(&smi, std::fs::Permissions::from_mode(0o755))
    }

    pub(in super::super) async fn run(
        channel: Channel<Msg>,
        disk: PathBuf,
        user: UserName,
        line: Option<String>,
    ) {
        let (mut read, write) = channel.split();
        let mut child = match start(&disk, &user, line) {
            Ok(child) => Group(child),
            Err(error) => {
                let said = format!("practice runtime: cannot start /bin/sh: {error}\n");
                let _ = write.extended_data_bytes(1, said.into_bytes()).await;
                return finish(&write, 127).await;
            }
        };
        let (stdin, stdout, stderr) = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take());
        let work = async {
            tokio::join!(copy(stdout, &write, None), copy(stderr, &write, Some(1)));
            child.0.wait().await
        };
        let status = tokio::select! {
            status = work => status,
            () = feed(&mut read, stdin) => return,
        };
        // 255 would read as a failure of ssh itself.
        let code = status.ok().and_then(|s| s.code()).and_then(|c| u32::try_from(c).ok());
        finish(&write, code.unwrap_or(254)).await;
    }

    /// A child that is killed with all that it started.
    struct Group(Child);

    impl Drop for Group {
        fn drop(&mut self) {
            let pid =
                self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                // Gone already is as good as killed.
                let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
            }
        }
    }

    fn start(disk: &Path, user: &UserName, line: Option<String>) -> io::Result<Child> {
        let home = super::super::house::home(disk);
        let mut command = Command::new("/bin/sh");
        match line {
            Some(line) => command.arg("-c").arg(line),
            None => command.arg("-s"),
        };
        command
            .env_clear()
            .env("HOME", &home)
            .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", disk.join("bin").display()))
            .env("USER", user.as_str())
            .env("LOGNAME", user.as_str())
            .env("SHELL", "/bin/sh")
            .current_dir(&home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }

    /// Hands what comes over the channel to the command; returns when the other side is gone.
    async fn feed(read: &mut ChannelReadHalf, mut stdin: Option<ChildStdin>) {
        while let Some(message) = read.wait().await {
            match message {
                ChannelMsg::Data { data } => {
                    if let Some(pipe) = &mut stdin
                        && pipe.write_all(&data).await.is_err()
                    {
                        stdin = None;
                    }
                }
                ChannelMsg::Eof => stdin = None,
                ChannelMsg::Close => return,
                _ => {}
            }
        }
    }

    async fn copy<R: AsyncRead + Unpin>(from: Option<R>, to: &ChannelWriteHalf<Msg>, ext: Option<u32>) {
        let Some(mut from) = from else { return };
        let mut chunk = vec![0; 32 * 1024];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            let data = chunk.get(..count).unwrap_or_default().to_vec();
            let sent = match ext {
                None => to.data_bytes(data).await,
                Some(kind) => to.extended_data_bytes(kind, data).await,
            };
            if sent.is_err() {
                return;
            }
        }
    }
}

/// Where there is no `/bin/sh`: a handful of commands, and the installing of a login key.
#[cfg(not(unix))]
mod platform {
    use super::{AsyncRead, AsyncReadExt, Channel, ChannelWriteHalf, GPU, Msg, Path, PathBuf, finish, io};
    use moorline_ssh_files::UserName;

    #[expect(clippy::unnecessary_wraps, reason = "the Unix form can fail")]
    pub(in super::super) fn furnish(_: &Path) -> io::Result<()> {
        Ok(())
    }

    pub(in super::super) async fn run(
        mut channel: Channel<Msg>,
        disk: PathBuf,
        _: UserName,
        line: Option<String>,
    ) {
        let line = line.unwrap_or_default();
        let (status, said) = if line == crate::ssh::login::INSTALL {
            let input = first_line(channel.make_reader()).await;
            install(&super::super::house::home(&disk), &input)
        } else {
            interpret(line.trim())
        };
        let (_, write): (_, ChannelWriteHalf<Msg>) = channel.split();
        let _ = write.data_bytes(said.into_bytes()).await;
        finish(&write, status).await;
    }

    fn interpret(line: &str) -> (u32, String) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("true" | "", _) => (0, String::new()),
            ("echo", rest) => (0, format!("{rest}\n")),
            ("hostname", _) => (0, "practice\n".to_owned()),
            ("nvidia-smi", _) => (0, GPU.to_owned()),
            _ => (127, "practice runtime: only true, echo, hostname and nvidia-smi work here\n".to_owned()),
        }
    }

    fn install(home: &Path, line: &str) -> (u32, String) {
        let dir = home.join(".ssh");
        let file = dir.join("authorized_keys");
        let held = std::fs::read_to_string(&file).unwrap_or_default();
        if held.lines().any(|l| l == line) {
            return (0, "moorline:there\n".to_owned());
        }
        let written =
            std::fs::create_dir_all(&dir).and_then(|()| std::fs::write(&file, format!("{held}{line}\n")));
        match written {
            Ok(()) => (0, "moorline:added\n".to_owned()),
            Err(error) => (1, format!("{error}\n")),
        }
    }

    async fn first_line(mut input: impl AsyncRead + Unpin) -> String {
        let mut bytes = Vec::new();
        let mut byte = [0; 1];
        while bytes.len() < 4096 && matches!(input.read(&mut byte).await, Ok(1)) && byte != *b"\n" {
            bytes.extend(byte);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
