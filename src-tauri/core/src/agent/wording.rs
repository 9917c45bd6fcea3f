//! The agent's words: short, concrete, cause first, one next step; the same in menu, window, notifications and CLI.

use moorline_model::cause::Cause;
use moorline_model::health::Health;
use moorline_model::vitals::{Units, Usage, Vitals};

use super::snapshot::SessionView;

/// In place of a health, when all that is missing is the keyring.
pub const VAULT_SHUT: &str = "waits for the keyring, which is locked";

/// In place of a health, before the session's first runtime.
pub const NO_RUNTIME_YET: &str = "waiting for you to run the cell";

/// Beside the state of a session that is online while an announcement says that it is elsewhere.
pub const RIVAL: &str = "announces itself elsewhere";

/// That, and what is in the way besides: a relay that does not answer would keep the cell from its port, too.
pub fn no_runtime_yet(found: Option<&Cause>) -> String {
    match found {
        Some(Cause::Way { sentence } | Cause::Unknown { sentence }) => {
            format!("{NO_RUNTIME_YET}; {sentence}")
        }
        _ => NO_RUNTIME_YET.to_owned(),
    }
}

/// Health in a few words.
pub fn state(health: &Health) -> String {
    match health {
        Health::Waiting => "waiting".to_owned(),
        Health::Paused => "paused".to_owned(),
        Health::Connecting => "connecting".to_owned(),
        Health::Online { .. } => "online".to_owned(),
        Health::Suspect { .. } => "lost, looking why".to_owned(),
        Health::Down { cause, .. } => format!("down: {}", cause_words(cause)),
        Health::NewHostKey { .. } => "shows a fingerprint seen for the first time".to_owned(),
        Health::AuthFailed { .. } => "refuses this computer's access".to_owned(),
    }
}

/// A cause as the middle of a sentence.
pub fn cause_words(cause: &Cause) -> String {
    match cause {
        Cause::LocalOffline => "this computer is offline".to_owned(),
        Cause::TunnelDown => "its tunnel is gone, the machine may still run".to_owned(),
        Cause::SshdDown => "the tunnel answers, sshd behind it does not".to_owned(),
        Cause::NoServer => "no SSH server is at its address, the machine may still run".to_owned(),
        Cause::HangsUp => "its address answers, sshd does not".to_owned(),
        Cause::RuntimeGone => "nothing answers, the machine is probably gone".to_owned(),
        Cause::Ended => "its runtime has ended".to_owned(),
        Cause::Way { sentence } | Cause::Unknown { sentence } => sentence.clone(),
    }
}

/// The vitals in a few words, such as `T4 37 % · RAM 5.1/12.7 GB`; `None` without any.
pub fn vitals(session: &SessionView) -> Option<String> {
    let vitals: &Vitals = session.vitals.as_ref()?;
    let mut parts = Vec::new();
    if let Some(gpu) = vitals.gpus.first() {
        let name = gpu.name.trim_start_matches("Tesla ").trim_start_matches("NVIDIA ").to_owned();
        let several = if vitals.gpus.len() > 1 { format!("{}× ", vitals.gpus.len()) } else { String::new() };
        let load = gpu.load.map(|load| format!(" {load} %")).unwrap_or_default();
        parts.push(format!("{several}{name}{load}"));
    }
    if let Some(colab) = &vitals.colab {
        parts.extend(colab.accelerator.clone().filter(|_| vitals.gpus.is_empty()));
        parts.extend(colab.high_ram.then(|| "High-RAM".to_owned()));
    }
    parts.extend(vitals.memory.map(|memory| format!("RAM {}", usage(memory))));
    if let Some(colab) = &vitals.colab {
        parts.extend(
            colab.idle_minutes.filter(|minutes| *minutes > 0).map(|minutes| format!("idle {minutes} min")),
        );
        parts.extend(colab.units.map(units));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// The account's balance, and how long it lasts.
fn units(units: Units) -> String {
    let left = units.left;
    match units.hours_left() {
        Some(hours) => format!("{left:.1} units, {hours:.0} h"),
        None => format!("{left:.1} units"),
    }
}

/// `used/total GB` with one decimal.
fn usage(usage: Usage) -> String {
    let tenths = |bytes: u64| bytes / 100_000_000;
    let (used, total) = (tenths(usage.used), tenths(usage.total));
    format!("{}.{}/{}.{} GB", used / 10, used % 10, total / 10, total % 10)
}
