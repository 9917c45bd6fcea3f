//! The `[settings]` table.

use jiff::SignedDuration;
use moorline_model::settings::{NoticeKind, Settings};
use toml_edit::{Item, TableLike};

use super::fault::{Fault, start};

/// Longest lifetime that makes sense, in hours: a year.
const HOURS: std::ops::RangeInclusive<i64> = 1..=8784;

pub(super) fn settings(root: &dyn TableLike) -> Result<Settings, Fault> {
    let mut settings = Settings::default();
    let Some(item) = root.get("settings") else { return Ok(settings) };
    let Some(table) = item.as_table_like() else {
        return Err(fault(item, "settings must be a table: [settings]"));
    };
    if let Some(item) = table.get("lifetime_hours") {
        let hours = item.as_integer().filter(|hours| HOURS.contains(hours));
        let hours = hours.ok_or_else(|| {
            fault(item, "settings: lifetime_hours must be a whole number from 1 to 8784, without quotes")
        })?;
        settings.lifetime = SignedDuration::from_hours(hours);
    }
    if let Some(item) = table.get("disk_percent") {
        let percent = item.as_integer().and_then(|n| u8::try_from(n).ok()).filter(|n| (1..=100).contains(n));
        settings.disk_percent = percent.ok_or_else(|| {
            fault(item, "settings: disk_percent must be a whole number from 1 to 100, without quotes")
        })?;
    }
    if let Some(item) = table.get("silent") {
        let wrong = "settings: silent must be a list of dropped, back, needed, lifetime, disk, idle and units, each in quotes";
        let list = item.as_array().ok_or_else(|| fault(item, wrong))?;
        settings.silent = list
            .iter()
            .map(|word| word.as_str().and_then(kind).ok_or_else(|| fault(item, wrong)))
            .collect::<Result<_, _>>()?;
    }
    settings.idle = minutes(table, "idle_minutes", SignedDuration::from_mins)?.unwrap_or(settings.idle);
    settings.units = minutes(table, "units_hours", SignedDuration::from_hours)?.unwrap_or(settings.units);
    if let Some(item) = table.get("terminal_in_tmux") {
        settings.terminal_in_tmux = item
            .as_bool()
            .ok_or_else(|| fault(item, "settings: terminal_in_tmux must be true or false, without quotes"))?;
    }
    Ok(settings)
}

/// A whole number of minutes or hours; 0 switches the warning off.
fn minutes(
    table: &dyn TableLike,
    key: &str,
    unit: fn(i64) -> SignedDuration,
) -> Result<Option<SignedDuration>, Fault> {
    let Some(item) = table.get(key) else { return Ok(None) };
    let count = item.as_integer().filter(|count| (0..=8784).contains(count));
    let wrong =
        || fault(item, &format!("settings: {key} must be a whole number from 0 to 8784, without quotes"));
    count.map(|count| Some(unit(count))).ok_or_else(wrong)
}

fn kind(word: &str) -> Option<NoticeKind> {
    let kinds = [
        NoticeKind::Dropped,
        NoticeKind::Back,
        NoticeKind::Needed,
        NoticeKind::Lifetime,
        NoticeKind::Disk,
        NoticeKind::Idle,
        NoticeKind::Units,
    ];
    kinds.into_iter().find(|kind| kind.word() == word)
}

fn fault(item: &Item, what: &str) -> Fault {
    Fault { offset: start(item.span()), what: what.to_owned() }
}
