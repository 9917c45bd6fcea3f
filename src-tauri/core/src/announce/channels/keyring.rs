//! Asking a keyring again that gave nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::ssh::context::Tools;

/// How soon it is asked again; each further time twice as long, up to the last: each asking may put a dialog before the
/// person.
pub(super) const ASK_AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// How often a locked one is looked at, which asks nobody for anything.
const LOOK: Duration = Duration::from_secs(2);

/// Waits for so long, or until a keyring that is locked now was unlocked.
pub(super) async fn pause(tools: &Arc<Tools>, wait: Duration) {
    let end = Instant::now() + wait;
    let mut locked = is_locked(tools).await;
    loop {
        tokio::time::sleep_until(end.min(Instant::now() + LOOK)).await;
        if Instant::now() >= end {
            return;
        }
        if locked {
            locked = is_locked(tools).await;
            if !locked {
                return;
            }
        }
    }
}

async fn is_locked(tools: &Arc<Tools>) -> bool {
    let tools = Arc::clone(tools);
    // The keyring blocks.
    tokio::task::spawn_blocking(move || tools.vault.is_locked()).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::{Prompts, SystemSsh};
    use crate::store::dirs::Dirs;
    use crate::store::vault::{MemoryVault, VaultError};

    #[tokio::test]
    async fn an_unlocked_keyring_is_noticed_long_before_its_time_and_another_failure_is_waited_out() {
        let temp = tempfile::tempdir().unwrap();
        let vault = Arc::new(MemoryVault::default());
        let dirs = Dirs::under(temp.path());
        let ssh =
            SystemSsh { program: "ssh".into(), config: None, known_hosts: None, prompts: Prompts::Never };
        let tools = Arc::new(Tools { dirs, vault: Box::new(Arc::clone(&vault)), ssh, askpass: None });

        vault.fail_with(Some(VaultError::Locked));
        let waiting = tokio::spawn({
            let tools = Arc::clone(&tools);
            async move { pause(&tools, ASK_AGAIN.1).await }
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!waiting.is_finished(), "it is locked");
        vault.fail_with(None);
        tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("long before 300 s").unwrap();

        vault.fail_with(Some(VaultError::Denied));
        let (began, wait) = (Instant::now(), Duration::from_millis(200));
        pause(&tools, wait).await;
        assert!(began.elapsed() >= wait, "nothing says that it would give more by now");
    }
}
