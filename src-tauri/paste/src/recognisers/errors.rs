//! Error texts of ngrok, cloudflared, OpenSSH and Google's command line that people paste instead of an endpoint.

use moorline_ssh_files::Place;

use super::super::places::Authority;
use super::super::text::{Line, Text};
use super::super::{Confidence, Finding, GoogleNotice, Notice, NoticeKind, What};

const NAME: &str = "errors";
const LONGEST_PATH: usize = 200;

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in text.lines.iter().enumerate() {
        let kind = google(line)
            .or_else(|| ngrok(line))
            .or_else(|| cloudflare(line))
            .or_else(|| openssh(text, index, line));
        if let Some(kind) = kind {
            let what = What::Notice(Notice { kind, line: line.number });
            found.push(Finding::new(NAME, line.number, Confidence::Certain, what));
        }
    }
    found
}

fn google(line: &Line) -> Option<NoticeKind> {
    const SAYS: [(&str, GoogleNotice); 12] = [
        ("no SSH public key found", GoogleNotice::NoPublicKey),
        ("unsupported key type", GoogleNotice::KeyTypeRefused),
        ("(HTTP 401)", GoogleNotice::TokenInvalid),
        ("(HTTP 404)", GoogleNotice::NoSsh),
        ("(HTTP 429)", GoogleNotice::SlotTaken),
        ("(HTTP 502)", GoogleNotice::SshdUnreachable),
        ("WebSocket connection failed", GoogleNotice::NoConnection),
        ("Allocation refused", GoogleNotice::AllocationRefused),
        ("appears to be lost", GoogleNotice::SessionLost),
        ("stale local session", GoogleNotice::SessionLost),
        ("No active sessions", GoogleNotice::NoSessions),
        (" not found.", GoogleNotice::SessionNotFound),
    ];
    let said = line.text.strip_prefix("[colab] ")?;
    SAYS.iter().find(|(mark, _)| said.contains(mark)).map(|(_, notice)| NoticeKind::Google(*notice))
}

fn ngrok(line: &Line) -> Option<NoticeKind> {
    if line.text.contains("[Errno 99]") || (line.text.contains("[Errno 111]") && line.text.contains("4040")) {
        return Some(NoticeKind::NgrokAgentSilent);
    }
    moorline_model::ngrok_refusal::code_in(&line.text).map(|code| NoticeKind::Ngrok { code })
}

fn cloudflare(line: &Line) -> Option<NoticeKind> {
    let said = line.text.as_str();
    let quick = said.contains("quick Tunnel") || said.contains("QuickTunnel");
    if said.contains("websocket: bad handshake") {
        Some(NoticeKind::CloudflaredHandshake)
    } else if said.contains("does not look like a TLS handshake") {
        Some(NoticeKind::CloudflaredNotTls)
    } else if said.contains("error code: 1033") || said.contains("Error 1033") {
        Some(NoticeKind::CloudflareTunnelGone)
    } else if quick && ["429", "1015", "1101", "failed to unmarshal"].iter().any(|mark| said.contains(mark)) {
        Some(NoticeKind::CloudflareQuickTunnelRefused)
    } else {
        None
    }
}

fn openssh(text: &Text, index: usize, line: &Line) -> Option<NoticeKind> {
    let said = line.text.as_str();
    if said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return Some(changed(text, index));
    }
    // Prose quotes these texts too; ssh prints them from the start of a line.
    let starts = |mark: &str| said.starts_with(mark);
    if starts("The authenticity of host") {
        Some(NoticeKind::HostKeyUnknown)
    } else if starts("kex_exchange_identification: ") || starts("ssh_exchange_identification: ") {
        Some(NoticeKind::ClosedBeforeSsh)
    } else if said.contains("remote port forwarding failed for listen port") {
        Some(NoticeKind::RelayPortTaken)
    } else if said.contains("Permission denied (") {
        Some(NoticeKind::LoginRefused)
    } else if starts("ssh: connect to host") && said.ends_with("Connection refused") {
        Some(NoticeKind::ConnectionRefused)
    } else {
        None
    }
}

/// The file, line and place that OpenSSH names after its warning.
fn changed(text: &Text, index: usize) -> NoticeKind {
    let mut file = None;
    let mut number = None;
    let mut place = None;
    for line in text.around(index, 0, 20) {
        if let Some((_, at)) =
            line.text.split_once(" key in ").filter(|_| line.text.starts_with("Offending "))
        {
            let (path, digits) = at.rsplit_once(':').unwrap_or((at, ""));
            file = Some(path.chars().take(LONGEST_PATH).collect::<String>().escape_debug().to_string());
            number = digits.trim().parse().ok();
        }
        if let Some(rest) = line.text.strip_prefix("Host key for ") {
            let named = rest.split(' ').next().unwrap_or_default();
            let checked = Authority::split(named).check(Some(moorline_ssh_files::Port::SSH));
            place = checked.ok().flatten().map(|(_, host, port)| Place { host, port });
        }
    }
    NoticeKind::HostKeyChanged { file, line: number, place }
}
