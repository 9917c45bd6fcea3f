//! Texts that hold no way in by SSH, and private keys: each is named, so that nobody wonders why nothing was found.

use super::super::text::Text;
use super::super::{Confidence, Finding, Notice, NoticeKind, What};

const NAME: &str = "no-ssh";

pub fn find(text: &Text) -> Vec<Finding> {
    let finding =
        |kind, line| Finding::new(NAME, line, Confidence::Certain, What::Notice(Notice { kind, line }));
    let mut found: Vec<Finding> =
        text.private_keys.iter().map(|line| finding(NoticeKind::PrivateKey, *line)).collect();
    let mut variables = 0;
    for line in &text.lines {
        let said = line.text.as_str();
        let lower = line.lower();
        if said.contains("vscode.dev/tunnel/")
            || lower.contains("remote tunnels")
            || lower.contains("remote-tunnels")
            || lower.contains("vs code tunnel")
            || said.contains("github.com/login/device and use code")
        {
            found.push(finding(NoticeKind::VsCodeTunnel, line.number));
        }
        if lower.starts_with("code server can be accessed")
            || lower.contains("code-server ")
            || said.contains("https://vscode.dev/?")
        {
            found.push(finding(NoticeKind::CodeServer, line.number));
        }
        if lower.contains("zrok access private") || lower.contains("zrok share") {
            found.push(finding(NoticeKind::Zrok, line.number));
        }
        if said.starts_with("COLAB_") || said.starts_with("TBE_") || said.starts_with("KMP_") {
            variables += 1;
            if variables == 3 {
                found.push(finding(NoticeKind::RuntimeEnvironment, line.number));
            }
        }
    }
    found
}
