//! The clipboard, as the agent needs it: a face that has one lends it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use secrecy::SecretString;

/// How long a secret stays in the clipboard; faces say it where one is copied.
pub const SECRET_STAYS: Duration = Duration::from_secs(30);

/// What lies in the clipboard, once it was read.
pub type ReadClipboard<'a> = Pin<Box<dyn Future<Output = Result<SecretString, String>> + Send + 'a>>;

/// A clipboard that the agent may read when a person presses *Paste*, and write when they press *Copy*.
pub trait Clipboard: Send + Sync + 'static {
    /// The text that lies there, which may hold a password; or why there is none, in one sentence.
    fn text(&self) -> ReadClipboard<'_>;
    /// Puts a text there.
    fn put(&self, text: String);
    /// Puts a secret there: left out of clipboard histories, and gone after [`SECRET_STAYS`].
    fn put_secret(&self, secret: SecretString);
}

/// No clipboard: a computer without a desktop.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoClipboard;

impl Clipboard for NoClipboard {
    fn text(&self) -> ReadClipboard<'_> {
        Box::pin(std::future::ready(Err("there is no clipboard here; type the text instead".to_owned())))
    }

    fn put(&self, _text: String) {}

    fn put_secret(&self, _secret: SecretString) {}
}
