//! What the parts of a practice runtime share: who is let in, what was seen, and where its home is.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How a practice runtime lets people in; keys in its `authorized_keys` always work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PasswordBy {
    /// The `password` method.
    #[default]
    Password,
    /// The `keyboard-interactive` method with one hidden prompt, as PAM does it.
    KeyboardInteractive,
    /// Not at all.
    Nothing,
}

/// What a practice runtime saw, in order. No secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PracticeEvent {
    /// Someone connected.
    Connected,
    /// Someone asked what logins there are (`none`).
    AskedMethods,
    /// A password came.
    Password {
        /// For this user.
        user: String,
        /// Whether it was right.
        right: bool,
    },
    /// A public key was offered.
    Key {
        /// For this user.
        user: String,
        /// Whether it is authorised.
        known: bool,
    },
    /// A command (`None`: a shell) was started.
    Ran(Option<String>),
}

/// What was seen so far.
pub(super) type Seen = Arc<Mutex<Vec<PracticeEvent>>>;

/// The home directory on a disk.
pub(super) fn home(disk: &Path) -> PathBuf {
    disk.join("root")
}
