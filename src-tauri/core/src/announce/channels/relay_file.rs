//! Announcements that lie in a file on the session's relay, pushed over the person's own `ssh` as they come.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use moorline_model::announcement;
use moorline_model::random::random as jitter;
use moorline_model::session::{Link, RelayTarget};
use tokio::time::Instant;

use super::channel::{Channel, Ear, Heard, Post};
use crate::net::backoff::Backoff;
use crate::ssh::reach::relay_ssh;
use crate::ssh::{SshFailure, SshRunError};

/// Reads the key id, then prints the last lines of its file and each further one as it comes. It ends when its input
/// does, that is, with the connection, and takes `tail` with it. GNU tail polls where there is no file at first.
const FOLLOW: &str = concat!(
    "exec /bin/sh -c '",
    "IFS= read -r k; case $k in \"\"|*/*) exit 1 ;; esac; ",
    "umask 077; d=$HOME/.moorline; mkdir -p \"$d\" && : >> \"$d/$k\" || exit 1; ",
    "tail -n 3 -F \"$d/$k\" 2>/dev/null & t=$!; ",
    "end() { kill $t 2>/dev/null; }; trap end EXIT; trap \"exit 0\" HUP INT TERM; ",
    "cat > /dev/null'",
);

/// A connection that stood this long was a good one.
const PROVEN: Duration = Duration::from_secs(60);

/// When the file is cut on the relay, its last lines come again.
const REMEMBERED: usize = 8;

/// The file of one session's announcements on its relay.
pub(super) struct RelayFile {
    post: Post,
    relay: RelayTarget,
    /// What was handed on last, newest first.
    seen: VecDeque<String>,
}

impl RelayFile {
    /// `None` for a session without a relay.
    pub(super) fn new(post: &Post) -> Option<Self> {
        let Link::Relay(link) = &post.session.link else { return None };
        Some(Self { relay: link.relay.clone(), post: post.clone(), seen: VecDeque::new() })
    }

    async fn run(mut self, ear: Ear) {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let ended = tokio::select! {
                ended = self.follow(&ear) => ended,
                () = ear.closed() => return,
            };
            let Some(error) = ended else { return };
            let for_a_person = needs_a_person(&error);
            let wait = if for_a_person || began.elapsed() < PROVEN {
                backoff.failed(for_a_person, jitter())
            } else {
                backoff.lost(began.elapsed(), jitter())
            };
            tracing::info!(session = %self.post.session.name, %error, ?wait, "the relay's announcements are not heard");
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = ear.closed() => return,
            }
        }
    }

    /// Follows the file over one connection, until that ends: the reason; `None` when nobody listens any more.
    async fn follow(&mut self, ear: &Ear) -> Option<SshRunError> {
        let (tools, session) = (Arc::clone(&self.post.tools), self.post.session.clone());
        // The keyring blocks. Its password for the relay may have come since the last time.
        let found = tokio::task::spawn_blocking(move || relay_ssh(&tools, &session)).await;
        let ssh = found.unwrap_or_else(|_| self.post.tools.ssh.clone());
        let input = format!("{}\n", self.post.kid);
        let mut following = match ssh.follow(&self.relay, FOLLOW, input.as_bytes()).await {
            Ok(following) => following,
            Err(error) => return Some(error),
        };
        loop {
            let line = match following.line(announcement::LONGEST).await {
                Ok(line) => line,
                Err(error) => return Some(error),
            };
            // A login shell's profile may print what it likes.
            let Ok(line) = String::from_utf8(line) else { continue };
            if !line.starts_with(announcement::PREFIX) || self.seen.contains(&line) {
                continue;
            }
            self.seen.truncate(REMEMBERED - 1);
            self.seen.push_front(line.clone());
            if !ear.hear(Heard::line(line)).await {
                return None;
            }
        }
    }
}

impl Channel for RelayFile {
    fn listen(self: Box<Self>, ear: Ear) -> BoxFuture<'static, ()> {
        Box::pin(self.run(ear))
    }
}

/// Whether trying again soon is of no use until a person has done something.
fn needs_a_person(error: &SshRunError) -> bool {
    use SshFailure::{BadConfig, HostKeyChanged, HostKeyUnknown, PermissionDenied};
    match error {
        SshRunError::Ssh { failure, .. } => {
            matches!(failure, HostKeyUnknown | HostKeyChanged | PermissionDenied | BadConfig(_))
        }
        SshRunError::NotInstalled | SshRunError::Start { .. } => true,
        SshRunError::TimedOut { .. } | SshRunError::Pipe { .. } => false,
    }
}
