//! One tray per home: the first holds a lock and listens, a second start knocks and ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use moorline_core::agent::door::Caller;
use moorline_core::agent::msg::Request;
use moorline_core::agent::wire::Role;
use moorline_core::dirs::Dirs;
use moorline_core::ssh_files::Alias;

/// What a start found.
#[derive(Debug)]
pub enum Claim {
    /// This is the tray now.
    First(Instance),
    /// Another tray runs for this home.
    Second,
}

/// The right to be the tray. It ends with the process, whatever becomes of it.
#[derive(Debug)]
pub struct Instance {
    // Held, never read: the lock is on it.
    _lock: File,
    #[cfg(unix)]
    door: tokio::net::UnixDatagram,
}

/// Becomes the tray, unless there is one. Needs a running tokio reactor.
///
/// # Errors
/// The runtime folder or what lies in it cannot be used.
pub fn claim(dirs: &Dirs) -> anyhow::Result<Claim> {
    Dirs::create_private(&dirs.runtime)?;
    let path = dirs.runtime.join("tray.lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.with_context(|| format!("cannot open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(Claim::Second),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    #[cfg(unix)]
    let door = {
        let path = door_path(dirs);
        // Whoever made it is gone: the lock was free.
        let _ = std::fs::remove_file(&path);
        let bound = tokio::net::UnixDatagram::bind(&path);
        bound.with_context(|| format!("cannot listen on {}", path.display()))?
    };
    Ok(Claim::First(Instance {
        _lock: lock,
        #[cfg(unix)]
        door,
    }))
}

impl Instance {
    /// Waits until a second start knocks; which session's keys it wants to see.
    pub async fn knocked(&self) -> Option<Alias> {
        #[cfg(unix)]
        loop {
            let mut bytes = [0; 256];
            match self.door.recv(&mut bytes).await {
                Ok(length) => {
                    return str::from_utf8(&bytes[..length]).ok().and_then(|name| name.parse().ok());
                }
                Err(error) => tracing::warn!(%error, "the door does not open"),
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        #[cfg(not(unix))]
        std::future::pending().await
    }
}

/// Asks the running tray to show its window.
///
/// # Errors
/// It does not listen.
pub async fn knock(dirs: &Dirs, compare: Option<Alias>) -> anyhow::Result<()> {
    if let Some(mut agent) = Caller::connect(dirs, Role::Window).await? {
        return Ok(agent.ask(Request::Show(compare)).await?);
    }
    // It may not have its agent yet.
    let name = compare.map(|name| name.to_string()).unwrap_or_default();
    send(&door_path(dirs), name.as_bytes())
        .context("Moorline runs already, and does not answer; end it and start it again")
}

#[cfg(unix)]
fn send(door: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::os::unix::net::UnixDatagram::unbound()?.send_to(bytes, door).map(drop)
}

#[cfg(not(unix))]
fn send(_door: &Path, _bytes: &[u8]) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn door_path(dirs: &Dirs) -> PathBuf {
    dirs.runtime.join("tray.door")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_start_knocks_at_the_first() {
        let home = tempfile::tempdir_in("/tmp").unwrap();
        let dirs = Dirs::under(home.path());
        let Claim::First(instance) = claim(&dirs).unwrap() else { panic!("nobody else is there") };
        assert!(matches!(claim(&dirs).unwrap(), Claim::Second), "there is one tray");
        knock(&dirs, Some("trainer".parse().unwrap())).await.unwrap();
        assert_eq!(instance.knocked().await, Some("trainer".parse().unwrap()));
        knock(&dirs, None).await.unwrap();
        assert_eq!(instance.knocked().await, None);
        drop(instance);
        assert!(knock(&dirs, None).await.is_err(), "nobody listens any more");
        assert!(
            matches!(claim(&dirs).unwrap(), Claim::First(_)),
            "what a crash left behind is in nobody's way"
        );
    }
}
