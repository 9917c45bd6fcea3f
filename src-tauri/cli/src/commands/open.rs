//! `moorline open`: an editor or a terminal on a session.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Args;
use moorline_core::editors::{self, EditorError, Launch, LaunchOptions, SearchEnv, Started};
use moorline_model::editor::Editor;
use moorline_model::session::RemotePath;
use moorline_ssh_files::Alias;
use serde_json::json;

use crate::printer::Printer;

/// `moorline open`
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// Which session.
    pub name: Alias,
    /// The program.
    #[arg(long = "in", value_name = "EDITOR", default_value = "vscode")]
    pub editor: Editor,
    /// The folder on the runtime. Default: the session's, else /content.
    pub path: Option<RemotePath>,
    /// In a terminal: inside `tmux new -A -s main`, so that what runs there outlives a lost connection.
    #[arg(long)]
    pub tmux: bool,
    /// Print the argument list or the link, one argument a line, and start nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
pub fn run(args: &OpenArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let session = super::session(&tools, Some(&args.name))?;
    let on_tty = !printer.is_json() && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let search = SearchEnv::from_process(&tools.dirs.home, on_tty);
    let default: RemotePath = "/content".parse()?;
    let folder = match args.editor {
        // A terminal starts in the login directory unless a folder was asked for.
        Editor::Terminal => args.path.as_ref(),
        _ => args.path.as_ref().or(session.folder.as_ref()).or(Some(&default)),
    };
    let options = LaunchOptions { tmux: args.tmux, user: Some(session.user.clone()) };
    let plan = match editors::launch_plan(args.editor, &session.name, folder, &search, &options) {
        // What would be opened does not depend on who would take it.
        Err(EditorError::NoJetBrains { link }) if args.dry_run => Launch::Url(link),
        planned => planned?,
    };
    let shown = show(&plan);
    if args.dry_run {
        for line in &shown {
            printer.line(line);
        }
        printer
            .json(&json!({ "session": session.name, "editor": args.editor.as_str(), "would_start": shown }));
        return Ok(ExitCode::SUCCESS);
    }
    if let Err(error) = editors::note_platform(args.editor, &session.name, &search) {
        printer.note(format!(
            "{} may ask which platform {} is: {error}",
            args.editor.display_name(),
            session.name
        ));
    }
    let started = editors::start(&plan, &search, editors::clean_env(std::env::vars_os()))?;
    match started {
        Started::Detached => {
            printer.done(format!("opened {} in {}", session.name, args.editor.display_name()));
            printer
                .json(&json!({ "session": session.name, "editor": args.editor.as_str(), "started": shown }));
            Ok(ExitCode::SUCCESS)
        }
        Started::Ended(code) => Ok(ExitCode::from(code)),
    }
}

fn show(plan: &Launch) -> Vec<String> {
    match plan {
        Launch::Url(url) => vec![url.clone()],
        Launch::Argv(argv) | Launch::InPlace(argv) => {
            argv.iter().map(|word| word.to_string_lossy().into_owned()).collect()
        }
    }
}
