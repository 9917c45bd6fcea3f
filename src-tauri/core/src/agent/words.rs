//! The agent's words: short, concrete, cause first, one next step; the same in menu, window, notifications and CLI.

use super::cause::Cause;
use super::health::Health;
use super::snapshot::SessionView;
use super::vitals::{Usage, Vitals};

/// Health in a few words.
pub fn state(health: &Health) -> String {
    match health {
        Health::Waiting => "waiting".to_owned(),
        Health::Paused => "paused".to_owned(),
        Health::Connecting => "connecting".to_owned(),
        Health::Online { .. } => "online".to_owned(),
        Health::Suspect { .. } => "lost, looking why".to_owned(),
        Health::Down { cause, .. } => format!("down: {}", cause_words(cause)),
        Health::NewHostKey { .. } => "shows a new key".to_owned(),
        Health::AuthFailed { .. } => "refuses the login".to_owned(),
    }
}

/// A cause as the middle of a sentence.
pub fn cause_words(cause: &Cause) -> String {
    match cause {
        Cause::LocalOffline => "this computer is offline".to_owned(),
        Cause::TunnelDown => "its tunnel is gone, the machine may still run".to_owned(),
        Cause::SshdDown => "the tunnel answers, sshd behind it does not".to_owned(),
        Cause::SaidGoodbye => "it said goodbye".to_owned(),
        Cause::RuntimeGone => "nothing answers, the machine is probably gone".to_owned(),
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
    parts.extend(vitals.memory.map(|memory| format!("RAM {}", usage(memory))));
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// `used/total GB` with one decimal.
fn usage(usage: Usage) -> String {
    let tenths = |bytes: u64| bytes / 100_000_000;
    let (used, total) = (tenths(usage.used), tenths(usage.total));
    format!("{}.{}/{}.{} GB", used / 10, used % 10, total / 10, total % 10)
}
