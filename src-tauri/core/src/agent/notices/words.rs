//! The words in which a person is told that they are needed.

use moorline_model::announcement::RuntimeId;
use moorline_model::settings::NoticeKind;
use moorline_ssh_files::Alias;

use super::slots::{UNREADABLE, rival_slot};
use crate::agent::notice::{Notice, NoticeAction};

pub(in crate::agent) fn new_key(name: &Alias) -> Notice {
    Notice::new(
        NoticeKind::Needed,
        name,
        format!("{name} shows a fingerprint seen for the first time"),
        "A new machine has a new one; so would somebody in between.",
    )
    .about([name])
    .offering(NoticeAction::Compare(name.clone()))
}

pub(in crate::agent) fn key_changed_again(name: &Alias) -> Notice {
    Notice::new(
        NoticeKind::Needed,
        name,
        format!("{name} shows another fingerprint than the one you compared"),
        "Nothing was changed. Check it again.",
    )
    .about([name])
    .offering(NoticeAction::Compare(name.clone()))
}

/// Another runtime announces itself, or the very one says that it `moved`, while the one that is followed is `online`
/// or may still be there.
pub(in crate::agent) fn rival(name: &Alias, runtime: &RuntimeId, moved: bool, online: bool) -> Notice {
    let title = if moved { "its runtime says that it moved" } else { "another runtime announces itself" };
    let body = match (moved, online) {
        (true, true) => "It still answers where it was. Follow it to the new place?",
        (false, true) => "The one that you use is still online. Follow the new one?",
        (_, false) => "Nothing shows that the one before is gone. Follow the new one?",
    };
    Notice::new(NoticeKind::Needed, &rival_slot(name), format!("{name}: {title}"), body)
        .about([name])
        .offering(NoticeAction::TakeOver(name.clone(), runtime.clone()))
}

pub(in crate::agent) fn vault_shut(name: &Alias) -> Notice {
    Notice::new(
        NoticeKind::Needed,
        name,
        format!("{name} needs a password, and the keyring is locked"),
        "Unlock the keyring; Moorline goes on by itself then.",
    )
    .about([name])
    .offering(NoticeAction::Repair(name.clone()))
}

pub(in crate::agent) fn not_approved(name: &Alias) -> Notice {
    Notice::new(
        NoticeKind::Needed,
        name,
        format!("{name} does not answer any more"),
        "So nothing was changed. When it shows its fingerprint again, check it again.",
    )
    .about([name])
    .offering(NoticeAction::Compare(name.clone()))
}

pub(in crate::agent) fn login_refused(name: &Alias, why: &str) -> Notice {
    Notice::new(NoticeKind::Needed, name, format!("{name} refuses this computer's access"), why)
        .about([name])
        .offering(NoticeAction::Repair(name.clone()))
}

pub(in crate::agent) fn files_refused(name: &Alias, sentence: &str) -> Notice {
    Notice::new(NoticeKind::Needed, name, format!("{name}: the ssh files could not be written"), sentence)
        .about([name])
        .offering(NoticeAction::ShowWindow)
}

pub(in crate::agent) fn not_opened(name: &Alias, sentence: &str) -> Notice {
    Notice::new(NoticeKind::Needed, &format!("{name} open"), format!("{name} could not be opened"), sentence)
        .about([name])
        .offering(NoticeAction::ShowWindow)
}

pub(in crate::agent) fn not_kept(name: &Alias, sentence: &str) -> Notice {
    Notice::new(
        NoticeKind::Needed,
        &format!("{name} kept"),
        format!("{name}: pausing or resuming it is not kept over a restart"),
        format!("{sentence}. Once that is mended, choose it again."),
    )
    .about([name])
    .offering(NoticeAction::ShowWindow)
}

pub(in crate::agent) fn unreadable(sentence: &str) -> Notice {
    Notice::new(NoticeKind::Needed, UNREADABLE, "Moorline's files cannot be read", sentence)
        .offering(NoticeAction::ShowWindow)
}
