//! The cell itself, where a person pasted it rather than what it printed.

use super::super::text::Text;
use super::super::{Confidence, Finding, Notice, NoticeKind, What};

const NAME: &str = "cell";

/// What a cell that opens a way to its runtime speaks of.
const OPENS: [&str; 10] = [
    "sshd",
    "openssh-server",
    "ngrok",
    "cloudflared",
    "colab_ssh",
    "launch_ssh",
    "remocolab",
    "chpasswd",
    "bore local",
    "autossh ",
];

pub fn find(text: &Text) -> Vec<Finding> {
    let opens = |said: &str| OPENS.iter().any(|mark| said.contains(mark));
    let Some(line) = text.lines.iter().find(|line| line.source && opens(&line.text)) else {
        return Vec::new();
    };
    let notice = Notice { kind: NoticeKind::CellItself, line: line.number };
    vec![Finding::new(NAME, line.number, Confidence::Certain, What::Notice(notice))]
}
