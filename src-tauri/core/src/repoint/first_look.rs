//! What this computer has already that could become a session: seen once, when somebody is about to add one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use moorline_model::colab_runtime::EndpointId;
use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

use crate::net::google::account::LISTED;
use crate::net::google::answer::Assignment;
use crate::net::google::{Account, CliSession, GoogleError, cli_sessions};
use crate::repoint::unchecked_entries;
use crate::ssh::context::Tools;

/// How long Google may take: who opens the view is waiting.
const GOOGLE_LIMIT: Duration = Duration::from_secs(5);

/// What was found. None of it is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct FirstLook {
    /// Entries of the person's own for Colab runtimes, which switch checking off and can be taken over.
    pub loose: Vec<LooseEntry>,
    /// The runtimes of the person's Google account.
    pub google: Vec<GoogleRuntime>,
    /// Whether a sign-in with Google was found here.
    pub google_sign_in: bool,
    /// Why the runtimes are not known, in one sentence; `None` where they are, or nobody is signed in.
    pub google_problem: Option<String>,
}

/// An entry of the person's own that could be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LooseEntry {
    /// Its name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub alias: Alias,
    /// The file.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// A runtime of the person's Google account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct GoogleRuntime {
    /// Its id.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub endpoint: EndpointId,
    /// What it computes with, such as `T4, High-RAM`.
    pub hardware: String,
    /// What google-colab-cli calls it, where it knows it.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub name: Option<Alias>,
}

/// Looks. Takes a few seconds at most, however slow Google is.
pub async fn first_look(tools: &Arc<Tools>) -> FirstLook {
    let account = Account::new(tools.sign_ins());
    let seconds = GOOGLE_LIMIT.as_secs();
    let late = GoogleError::TimedOut { host: "Google".to_owned(), seconds };
    let listed = tokio::time::timeout(GOOGLE_LIMIT, account.runtimes(LISTED)).await;
    let listed = listed.unwrap_or(Err(late));
    let here = Arc::clone(tools);
    let files = tokio::task::spawn_blocking(move || (loose_entries(&here), names(&here))).await;
    let (loose, names) = files.unwrap_or_default();
    match listed {
        Ok(listed) => {
            FirstLook { loose, google: runtimes(&listed, &names), google_sign_in: true, google_problem: None }
        }
        Err(error) => {
            let google_sign_in = !matches!(error, GoogleError::SignedOut);
            let google_problem = google_sign_in.then(|| error.to_string());
            FirstLook { loose, google: Vec::new(), google_sign_in, google_problem }
        }
    }
}

/// The entries of the person's own that can be taken over: those of a file that is edited.
fn loose_entries(tools: &Tools) -> Vec<LooseEntry> {
    let found =
        unchecked_entries::find(&tools.dirs.ssh, &tools.dirs.home).into_iter().filter(|found| found.editable);
    found
        .map(|found| LooseEntry { alias: found.entry.alias, file: found.file, line: found.entry.line })
        .collect()
}

fn runtimes(listed: &[Assignment], names: &[CliSession]) -> Vec<GoogleRuntime> {
    let one = |one: &Assignment| {
        let shape = if one.high_ram { ", High-RAM" } else { "" };
        let hardware = format!("{}{shape}", one.accelerator.as_deref().unwrap_or("CPU"));
        let name = names.iter().find(|known| known.runtime == one.endpoint).map(|known| known.name.clone());
        GoogleRuntime { endpoint: one.endpoint.clone(), hardware, name }
    };
    listed.iter().map(one).collect()
}

/// google-colab-cli's names are a comfort: without them there are the runtimes' own.
fn names(tools: &Tools) -> Vec<CliSession> {
    cli_sessions(&tools.dirs).unwrap_or_else(|error| {
        tracing::debug!(%error, "google-colab-cli's names are not known");
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::net::google::answer::assignments;
    use crate::ssh::{Prompts, SystemSsh};
    use crate::store::dirs::Dirs;
    use crate::store::vault::MemoryVault;
    use moorline_model::clock;

    const LIST: &str = r#"{"assignments":[
     {"accelerator":"T4","endpoint":"gpu-t4-s-abc","variant":1,"machineShape":1,
      "runtimeProxyInfo":{"token":"tok-1","tokenExpiresInSeconds":3600,"url":"https://h.example"}},
     {"accelerator":"NONE","endpoint":"m-s-def","variant":0,"machineShape":0,
      "runtimeProxyInfo":{"token":"tok-2","tokenExpiresInSeconds":60,"url":"https://i.example"}}]}"#;

    #[test]
    fn a_runtime_is_shown_with_its_hardware_and_its_name_and_without_its_token() {
        let listed = assignments(LIST, clock::moment()).unwrap();
        let runtime = "gpu-t4-s-abc".parse().unwrap();
        let names = [CliSession { name: "trainer".parse().unwrap(), runtime }];
        let shown = serde_json::to_value(runtimes(&listed, &names)).unwrap();
        let wanted = serde_json::json!([
            { "endpoint": "gpu-t4-s-abc", "hardware": "T4, High-RAM", "name": "trainer" },
            { "endpoint": "m-s-def", "hardware": "CPU", "name": null },
        ]);
        assert_eq!(shown, wanted);
    }

    fn tools(home: &Path) -> Arc<Tools> {
        let ssh = SystemSsh {
            program: "/usr/bin/ssh".into(),
            config: None,
            known_hosts: None,
            prompts: Prompts::Never,
        };
        let (dirs, vault) = (Dirs::under(home), Box::new(MemoryVault::default()));
        Arc::new(Tools { dirs, vault, ssh, askpass: None })
    }

    #[tokio::test]
    async fn an_entry_that_can_be_taken_over_is_shown_with_its_place() {
        let home = tempfile::tempdir().unwrap();
        let tools = tools(home.path());
        let config = tools.dirs.ssh.join("config");
        fs::create_dir_all(&tools.dirs.ssh).unwrap();
        let loose = "    HostName 0.tcp.ngrok.io\n    StrictHostKeyChecking no\n";
        fs::write(&config, format!("Include more\nHost colab\n{loose}")).unwrap();
        fs::write(tools.dirs.ssh.join("more"), format!("Host other\n{loose}")).unwrap();
        let shown = LooseEntry { alias: "colab".parse().unwrap(), file: config, line: 2 };
        assert_eq!(first_look(&tools).await.loose, [shown], "not the one of a file that is left alone");
    }

    #[tokio::test]
    async fn who_is_not_signed_in_is_no_problem_and_a_sign_in_that_is_none_is_one() {
        let home = tempfile::tempdir().unwrap();
        let tools = tools(home.path());
        assert_eq!(first_look(&tools).await, FirstLook::default());

        let file = home.path().join(".config/colab-cli/token.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, r#"{"type":"service_account","refresh_token":"1//geheim"}"#).unwrap();
        let look = first_look(&tools).await;
        assert!(look.google_sign_in && look.google.is_empty(), "{look:?}");
        let problem = look.google_problem.unwrap();
        assert!(problem.contains("cannot be used") && !problem.contains("geheim"), "{problem}");
    }
}
