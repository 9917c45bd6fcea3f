//! How the command line words a next step: as the command that takes it.

use moorline_model::next_step::NextStep;
use moorline_model::secret_kind::SecretKind;
use moorline_ssh_files::Alias;

/// The command that takes the step. What a person has to fill in stands there in capitals.
pub fn command(step: &NextStep) -> String {
    match step {
        NextStep::Add { session: Some(name) } => format!("moorline add {name}"),
        NextStep::Add { session: None } => "moorline add".to_owned(),
        NextStep::ChooseRuntime => "moorline add NAME --colab".to_owned(),
        NextStep::CopyGoogleSignIn => "moorline secret set google-refresh-token --from-colab-cli".to_owned(),
        NextStep::LookAtStatus => "moorline status".to_owned(),
        NextStep::NewSessionKey { session } => {
            let name = named(session.as_ref());
            format!("moorline secret new-session-key {name}")
        }
        NextStep::NameFolders { session: name } => {
            format!("moorline cell {name} --folder PATH --runtime-folder PATH")
        }
        NextStep::Repair { session: Some(name) } => format!("moorline repair {name}"),
        NextStep::Repair { session: None } => "moorline repair".to_owned(),
        NextStep::StopNgrokAgents { session } => {
            let name = named(session.as_ref());
            format!("moorline repair {name} --stop-agents")
        }
        NextStep::StoreSecret { session, kind: SecretKind::SessionKey } => {
            let name = named(session.as_ref());
            format!(
                "moorline secret set {name} session-key, or moorline secret new-session-key {name} --rotate"
            )
        }
        NextStep::StoreSecret { session, kind } if SecretKind::OF_SESSION.contains(kind) => {
            let name = named(session.as_ref());
            format!("moorline secret set {name} {kind}")
        }
        NextStep::StoreSecret { kind, .. } => format!("moorline secret set {kind}"),
    }
}

fn named(session: Option<&Alias>) -> &str {
    session.map_or("NAME", Alias::as_str)
}
