//! What must be put back however the program ends: by a signal, by Ctrl-C, by a panic.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

type Action = Box<dyn FnOnce() + Send>;

static ACTIONS: Mutex<Vec<(u64, Action)>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);
static WATCH: Once = Once::new();
static LEAVING: AtomicBool = AtomicBool::new(false);

/// Keeps an action that is due if the program ends while this is there. Dropped, it takes the action back: whoever
/// holds it tidies up by itself then.
#[must_use]
pub struct Due(u64);

impl Due {
    /// Has `action` done if a signal, [`leave`] or a panic ends the program.
    pub fn at_end(action: impl FnOnce() + Send + 'static) -> Self {
        WATCH.call_once(watch);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        actions().push((id, Box::new(action)));
        Self(id)
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        actions().retain(|(id, _)| *id != self.0);
    }
}

/// Does what is due, and ends the program with this status.
pub fn leave(status: i32) -> ! {
    LEAVING.store(true, Ordering::SeqCst);
    settle();
    std::process::exit(status)
}

/// Waits for the end where [`leave`] is under way: what fails now fails because things are being put away, and is nobody's
/// news.
pub fn let_who_leaves_end() {
    while LEAVING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

fn settle() {
    // Taken out first: an action may drop what holds another one.
    let due = std::mem::take(&mut *actions());
    for (_, action) in due.into_iter().rev() {
        action();
    }
}

fn actions() -> MutexGuard<'static, Vec<(u64, Action)>> {
    ACTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |what| {
        settle();
        before(what);
    }));
    // Without the watch a signal ends the program as it always did.
    let _ = signals::watch();
}

/// What a shell reports of a program that this signal ended.
#[cfg(unix)]
const AFTER_SIGNAL: i32 = 128;

#[cfg(unix)]
mod signals {
    use tokio::signal::unix::{SignalKind, signal};

    use super::{AFTER_SIGNAL, leave};

    pub fn watch() -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let mut hang_up = signal(SignalKind::hangup())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        drop(entered);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let came = runtime.block_on(async {
                tokio::select! {
                    _ = hang_up.recv() => SignalKind::hangup(),
                    _ = interrupt.recv() => SignalKind::interrupt(),
                    _ = terminate.recv() => SignalKind::terminate(),
                }
            });
            leave(AFTER_SIGNAL + came.as_raw_value())
        })?;
        Ok(())
    }
}

#[cfg(not(unix))]
mod signals {
    pub fn watch() -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                super::leave(130);
            }
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_what_is_still_held_is_done() {
        let done = Arc::new(AtomicUsize::new(0));
        let count = |by: usize| {
            let done = Arc::clone(&done);
            move || {
                done.fetch_add(by, Ordering::Relaxed);
            }
        };
        let dropped = Due::at_end(count(1));
        let _held = Due::at_end(count(10));
        drop(dropped);
        settle();
        settle();
        assert_eq!(done.load(Ordering::Relaxed), 10, "what is held is done, once");
    }
}
