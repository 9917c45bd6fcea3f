//! A session that is on its way back.

use jiff::Timestamp;

use super::moments::{RECOGNISE, later};

/// What of a return has happened, in whichever order it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Return {
    /// Whether its files are known to be in order.
    pub files_written: bool,
    /// Whether the connection stands.
    pub online: bool,
    /// `None` until it is known whether it is another machine.
    pub new_machine: Option<bool>,
    /// It shows another key than before: another machine, if nothing better is known.
    pub key_changed: bool,
    /// When to stop waiting for the vitals to tell.
    until: Timestamp,
    /// Since when all is known; it may wait a moment for those that dropped with it.
    ready: Option<Timestamp>,
}

impl Return {
    /// Nothing of it has happened yet.
    pub(super) fn new(new_machine: Option<bool>, now: Timestamp) -> Self {
        let until = later(now, RECOGNISE);
        Self { files_written: false, online: false, new_machine, key_changed: false, until, ready: None }
    }

    /// With a key that is about to be pinned.
    pub(super) fn with_key(key_changed: bool, new_machine: Option<bool>, now: Timestamp) -> Self {
        Self { key_changed, ..Self::new(new_machine, now) }
    }

    /// It began with the connection.
    pub(super) fn connected(new_machine: Option<bool>, now: Timestamp) -> Self {
        Self { online: true, ..Self::new(new_machine, now) }
    }

    /// The files are in order; from here on the vitals have time to tell.
    pub(super) fn files_written(&mut self, now: Timestamp) {
        self.files_written = true;
        self.wait_for_vitals(now);
    }

    /// The vitals have time to tell from now on.
    pub(super) fn wait_for_vitals(&mut self, now: Timestamp) {
        self.until = self.until.max(later(now, RECOGNISE));
    }

    /// Whether it is another machine, as far as is known.
    pub(super) fn is_new_machine(&self) -> bool {
        self.new_machine.unwrap_or(self.key_changed)
    }

    /// Since when all of it has happened and is known.
    pub(super) fn ready_since(&mut self, now: Timestamp) -> Option<Timestamp> {
        let known = self.new_machine.is_some() || self.until <= now;
        if self.online && self.files_written && known {
            return Some(*self.ready.get_or_insert(now));
        }
        self.ready = None;
        None
    }
}
