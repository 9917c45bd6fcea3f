//! The clipboard, held by a thread of its own: on X11 and Wayland a text is there only as long as its owner is.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::Context as _;
use arboard::Clipboard;
use moorline_core::repoint::adding::clipboard::{self, ReadClipboard, SECRET_STAYS};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

/// The way to the clipboard's thread; it ends with the last of these.
#[derive(Debug, Clone)]
pub struct ClipboardThread {
    orders: mpsc::Sender<Order>,
}

enum Order {
    Put(String),
    PutSecret(SecretString),
    Get(tokio::sync::oneshot::Sender<anyhow::Result<Zeroizing<String>>>),
}

impl ClipboardThread {
    /// Starts the thread. The clipboard itself is opened when it is first needed.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start() -> anyhow::Result<Self> {
        let (orders, queue) = mpsc::channel();
        let body = move || serve(&queue);
        thread::Builder::new().name("clipboard".to_owned()).stack_size(256 * 1024).spawn(body)?;
        Ok(Self { orders })
    }

    /// Puts a text there.
    pub fn put(&self, text: String) {
        let _ = self.orders.send(Order::Put(text));
    }

    /// Puts a password there: marked, so that clipboard histories leave it out, and gone after [`SECRET_STAYS`] if it is still
    /// the one that lies there.
    pub fn put_secret(&self, secret: SecretString) {
        let _ = self.orders.send(Order::PutSecret(secret));
    }

    /// What lies there as text, wiped when it is dropped: it may hold a password.
    ///
    /// # Errors
    /// There is no clipboard, or no text on it.
    pub async fn get(&self) -> anyhow::Result<Zeroizing<String>> {
        let (answer, text) = tokio::sync::oneshot::channel();
        self.orders.send(Order::Get(answer)).context("the clipboard's thread is gone")?;
        text.await.context("the clipboard's thread is gone")?
    }
}

impl clipboard::Clipboard for ClipboardThread {
    fn text(&self) -> ReadClipboard<'_> {
        Box::pin(async {
            let text = self.get().await.map_err(|error| format!("{error:#}"))?;
            Ok(SecretString::from(text.as_str()))
        })
    }

    fn put(&self, text: String) {
        Self::put(self, text);
    }

    fn put_secret(&self, secret: SecretString) {
        Self::put_secret(self, secret);
    }
}

fn serve(queue: &mpsc::Receiver<Order>) {
    let mut clipboard: Option<Clipboard> = None;
    let mut secret: Option<(SecretString, Instant)> = None;
    loop {
        let order = match &secret {
            None => queue.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some((_, until)) => queue.recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        let done = match order {
            Ok(Order::Put(text)) => {
                secret = None;
                opened(&mut clipboard).and_then(|clipboard| Ok(clipboard.set_text(text)?))
            }
            Ok(Order::PutSecret(password)) => {
                let done = opened(&mut clipboard).and_then(|clipboard| put_concealed(clipboard, &password));
                secret = Some((password, Instant::now() + SECRET_STAYS));
                done
            }
            Ok(Order::Get(answer)) => {
                let text =
                    opened(&mut clipboard).and_then(|clipboard| Ok(Zeroizing::new(clipboard.get_text()?)));
                let _ = answer.send(text);
                Ok(())
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                clear(&mut clipboard, secret.take());
                Ok(())
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                clear(&mut clipboard, secret.take());
                return;
            }
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the clipboard cannot be used");
        }
    }
}

fn opened(clipboard: &mut Option<Clipboard>) -> anyhow::Result<&mut Clipboard> {
    let open = match clipboard.take() {
        Some(open) => open,
        None => Clipboard::new().context("there is no clipboard in this session")?,
    };
    Ok(clipboard.insert(open))
}

fn put_concealed(clipboard: &mut Clipboard, secret: &SecretString) -> anyhow::Result<()> {
    #[cfg(target_os = "macos")]
    use arboard::SetExtApple as _;
    #[cfg(all(unix, not(target_os = "macos")))]
    use arboard::SetExtLinux as _;
    #[cfg(windows)]
    use arboard::SetExtWindows as _;
    let set = clipboard.set().exclude_from_history();
    #[cfg(windows)]
    let set = set.exclude_from_cloud().exclude_from_monitoring();
    Ok(set.text(secret.expose_secret())?)
}

/// Empties the clipboard if the password is still what lies there.
fn clear(clipboard: &mut Option<Clipboard>, secret: Option<(SecretString, Instant)>) {
    let (Some(clipboard), Some((secret, _))) = (clipboard.as_mut(), secret) else { return };
    if clipboard.get_text().map(Zeroizing::new).is_ok_and(|text| *text == secret.expose_secret()) {
        let _ = clipboard.clear();
    }
}
