//! Showing what happened to the ssh files.

use std::path::Path;

use moorline_ssh_files::{FileChange, Report};
use serde_json::{Value, json};
use similar::TextDiff;

use crate::printer::Printer;

/// One line per file, with where the old bytes are kept, then the remarks.
pub fn print(report: &Report, printer: &Printer) {
    for change in [&report.known_hosts, &report.config] {
        if change.changed() {
            printer.done(format!("wrote {}", change.path.display()));
            if let Some(backup) = &change.backup {
                printer.detail(format!("the file as it was is kept at {}", backup.display()));
            }
        }
    }
    for remark in &report.remarks {
        printer.note(remark);
    }
}

/// Unified diffs of what changed, or would change.
pub fn print_diffs(report: &Report, printer: &Printer) {
    for change in [&report.known_hosts, &report.config] {
        if change.changed() {
            printer.diff(&diff(change));
        }
    }
}

/// The change as a unified diff; bytes that are no UTF-8 are shown as replacement characters.
fn diff(change: &FileChange) -> String {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let (before, after) = (text(change.before.as_deref()), text(change.after()));
    let name = change.path.display().to_string();
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(2).header(&name, &name).to_string()
}

/// The same for machines.
pub fn to_json(report: &Report) -> Value {
    let file = |change: &FileChange| {
        json!({
            "path": change.path.to_string_lossy(),
            "changed": change.changed(),
            "backup": change.backup.as_deref().map(Path::to_string_lossy),
        })
    };
    json!({
        "known_hosts": file(&report.known_hosts),
        "config": file(&report.config),
        "remarks": report.remarks,
    })
}

/// What would change, and that nothing did.
pub fn print_preview(preview: &Report, printer: &Printer) {
    if !preview.known_hosts.changed() && !preview.config.changed() {
        printer.done("the ssh files are in order");
    }
    print_diffs(preview, printer);
    for remark in &preview.remarks {
        printer.note(remark);
    }
    printer.line("Nothing was changed (--dry-run).");
}
