//! Google's own command line (`google-colab-cli`): its session lines and its `ProxyCommand`.

use moorline_ssh_files::Alias;

use super::super::text::Text;
use super::super::{Confidence, Finding, FoundLink, What};
use super::refused::refused;

const NAME: &str = "google-cli";

/// `[trainer] gpu-t4-s-… | Hardware: T4 | …`, as `colab sessions` and `colab status` print it.
pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    for line in &text.lines {
        let Some((name, rest)) = line.text.strip_prefix('[').and_then(|l| l.split_once("] ")) else {
            continue;
        };
        // `[?]` stands for a runtime that the command line did not make itself.
        if !rest.contains(" | Hardware: ") || name == "?" {
            continue;
        }
        match name.parse::<Alias>() {
            Ok(session) => {
                let runtime = rest.split(" | ").next().and_then(|id| id.trim().parse().ok());
                let link = FoundLink::GoogleColab { session: Some(session), runtime };
                let what = What::Link { link, user: None };
                found.push(Finding::new(NAME, line.number, Confidence::Certain, what).labelled(name));
            }
            Err(reason) => found.push(refused(NAME, line.number, &reason)),
        }
    }
    found
}

/// The session's name in `colab ssh --proxy-mode -s NAME`, not yet believed; empty when it has none.
pub fn proxied_session(command: &str) -> Option<&str> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let is_colab =
        words.first().is_some_and(|w| w.rsplit(['/', '\\']).next().is_some_and(|w| w.starts_with("colab")));
    if !is_colab || !words.contains(&"ssh") || !words.contains(&"--proxy-mode") {
        return None;
    }
    let after = words.windows(2).find(|w| matches!(w[0], "-s" | "--session")).map(|w| w[1]);
    Some(after.unwrap_or_default())
}
