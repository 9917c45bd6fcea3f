//! The machine itself: keyring, clock, WSL.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::check::Check;
use super::config::sentence;
use super::surroundings::Surroundings;
use crate::editors::Os;

/// Announcements are refused beyond five minutes; a minute is early enough to say so.
const SKEW: u64 = 60;

pub(super) fn keyring(found: &Surroundings) -> Check {
    const ID: &str = "keyring";
    const TITLE: &str = "Keyring";
    let Err(reason) = &found.keyring else {
        return Check::ok(ID, TITLE, "It answers; passwords and session keys are kept there.");
    };
    let next = match found.os {
        Os::Linux if found.wsl => "sudo apt install gnome-keyring, then set a login keyring up with seahorse",
        Os::Linux => "Unlock your keyring, or: sudo apt install gnome-keyring, and log in again",
        Os::MacOs => "Open Keychain Access and unlock the login keychain",
        Os::Windows => "Start the service \"Credential Manager\" in services.msc",
    };
    Check::problem(ID, TITLE, sentence(reason), next)
}

pub(super) fn clock(found: &Surroundings) -> Check {
    const ID: &str = "clock";
    const TITLE: &str = "Clock";
    let set = match found.os {
        Os::Linux => "sudo timedatectl set-ntp true",
        Os::MacOs => "sudo sntp -sS time.apple.com",
        Os::Windows => "w32tm /resync",
    };
    let clock = &found.clock;
    let time = Timestamp::try_from(clock.now).map(|now| now.to_zoned(TimeZone::UTC));
    let year = time.as_ref().ok().map(jiff::Zoned::year);
    if !year.is_some_and(|year| (2025..=2100).contains(&year)) {
        let year = year.map_or_else(|| "far away".to_owned(), |year| year.to_string());
        let detail =
            format!("It says that the year is {year}, so certificates and announcements look wrong.");
        return Check::problem(ID, TITLE, detail, set);
    }
    match (clock.file_skew, clock.synchronised) {
        (Some(skew), _) if skew > SKEW => {
            let detail = format!("Files are stamped {skew} s away from the clock.");
            Check::advice(ID, TITLE, detail, format!("Check the clock of the file server, or: {set}"))
        }
        (_, Some(false)) => {
            let detail = "It is not synchronised; a clock five minutes off makes announcements look stale.";
            Check::advice(ID, TITLE, detail, set)
        }
        (_, Some(true)) => Check::ok(ID, TITLE, "It is synchronised."),
        (_, None) => Check::ok(ID, TITLE, "It looks right."),
    }
}

/// Nothing outside WSL.
pub(super) fn wsl(found: &Surroundings) -> Option<Check> {
    found.wsl.then(|| {
        Check::advice(
            "wsl",
            "Linux inside Windows",
            "An editor that runs on Windows reads Windows' own ssh files, not these.",
            "Use Moorline for Windows for such an editor, or open sessions in a terminal here",
        )
    })
}
