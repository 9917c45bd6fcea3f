//! What a program prints, bounded in time.

use std::io::Read;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Which of its streams is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Output,
    Errors,
}

/// Runs a command and collects one of its streams; `None` if it cannot be started or does not end within `patience`,
/// when it is ended.
pub(crate) fn printed(
    mut command: Command,
    stream: Stream,
    patience: Duration,
) -> Option<(ExitStatus, String)> {
    command.stdin(Stdio::null());
    match stream {
        Stream::Output => command.stdout(Stdio::piped()).stderr(Stdio::null()),
        Stream::Errors => command.stdout(Stdio::null()).stderr(Stdio::piped()),
    };
    let mut child = command.spawn().ok()?;
    let output = child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
    let errors = child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
    let mut pipe = output.or(errors)?;
    let (send, receive) = mpsc::sync_channel(1);
    let reader = thread::Builder::new().name("printed".to_owned()).spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.read_to_end(&mut bytes);
        // Nobody listens any more once the time is over.
        let _ = send.send(read.map(|_| bytes));
    });
    let answer = reader.ok().and_then(|_| receive.recv_timeout(patience).ok());
    if answer.is_none() {
        // It may have ended in this very moment.
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    let bytes = answer?.ok()?;
    Some((status, String::from_utf8_lossy(&bytes).into_owned()))
}
