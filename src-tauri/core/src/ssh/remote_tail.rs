//! A command on a relay that goes on printing lines for as long as it is listened to.

use std::time::Duration;

use moorline_model::session::RelayTarget;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::child;
use super::failure::SshFailure;
use super::system_ssh::{SshRunError, SystemSsh, login_command};

/// How much is kept of what ssh complains of.
const COMPLAINT: u64 = 8 * 1024;

/// How long ssh may take to end, and to say why, once its output has ended.
const FAREWELL: Duration = Duration::from_secs(5);

/// A running command. Dropping it ends ssh, and with its connection the command.
#[derive(Debug)]
pub struct Following {
    host: String,
    login: String,
    child: Child,
    /// Held open: the command ends when its input does.
    _input: ChildStdin,
    lines: BufReader<ChildStdout>,
}

impl SystemSsh {
    /// Starts one of this program's constant commands on a relay and leaves it running; `input` is the first that it
    /// reads. A connection that goes silent is noticed within a minute.
    ///
    /// # Errors
    /// ssh cannot be started.
    pub async fn follow(
        &self,
        target: &RelayTarget,
        remote_command: &'static str,
        input: &[u8],
    ) -> Result<Following, SshRunError> {
        let alive = ["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"];
        let mut command = child::command(&self.program);
        command.args(self.remote_argv(target, &alive, remote_command)).envs(self.prompts.env());
        let start = |cause| SshRunError::Start { program: self.program.display().to_string(), cause };
        let mut child = command.spawn().map_err(start)?;
        let streams = child.stdin.take().zip(child.stdout.take());
        let (mut stdin, stdout) = streams.ok_or_else(|| start(std::io::ErrorKind::BrokenPipe.into()))?;
        // An ssh that ends at once says why on its own.
        let _ = stdin.write_all(input).await;
        let (host, login) = (target.to_string(), login_command(target));
        Ok(Following { host, login, child, _input: stdin, lines: BufReader::new(stdout) })
    }
}

impl Following {
    /// The next line of at most `longest` bytes, without its line end; longer ones are passed over.
    ///
    /// # Errors
    /// The connection has ended; says why as far as ssh does.
    pub async fn line(&mut self, longest: usize) -> Result<Vec<u8>, SshRunError> {
        let mut line = Vec::new();
        let mut too_long = false;
        loop {
            let chunk = match self.lines.fill_buf().await {
                Ok(chunk) if !chunk.is_empty() => chunk,
                _ => return Err(self.why_it_ended().await),
            };
            let end = chunk.iter().position(|b| *b == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            too_long |= line.len() + part.len() > longest;
            if !too_long {
                line.extend_from_slice(part);
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.lines.consume(used);
            if end.is_some() {
                if !too_long {
                    return Ok(line);
                }
                too_long = false;
                line.clear();
            }
        }
    }

    async fn why_it_ended(&mut self) -> SshRunError {
        let mut said = Vec::new();
        let farewell = async {
            if let Some(pipe) = self.child.stderr.take() {
                let _ = pipe.take(COMPLAINT).read_to_end(&mut said).await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        let failure = SshFailure::read(&String::from_utf8_lossy(&said));
        SshRunError::Ssh { host: self.host.clone(), login: self.login.clone(), failure }
    }
}
