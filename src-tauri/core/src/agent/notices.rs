//! When and in which words a person is told. All notifications of sessions are made here.

mod colab;
mod drops;
mod returns;
mod silence;
mod slots;
mod warnings;
mod words;

pub(super) use colab::offered;
pub(super) use drops::{drops, withdraw_together};
pub(super) use returns::returns;
pub(super) use silence::{hold_back, told};
pub(super) use slots::{UNREADABLE, all_slots, keep_track, rival_slot};
pub(super) use warnings::warnings;
pub(super) use words::{
    files_refused, key_changed_again, login_refused, new_key, not_approved, not_kept, not_opened, rival,
    unreadable, vault_shut,
};
