//! `moorline add`: from pasted text to an alias that works.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use moorline_core::repoint::adding::{TypedSecret, Wish};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::{RelayTarget, RemotePath};
use moorline_ssh_files::{Alias, IdentityFile, UserName};

use super::adding::Adding;
use super::leading::Given;
use crate::printer::Printer;
use crate::text_in;
use crate::trust_args::TrustArgs;

/// `moorline add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The session's name, which is also the ssh alias. Default: the one in the text, else `colab`.
    pub name: Option<Alias>,
    /// Where the pasted text comes from; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Follow a runtime of your Google account over Google's own SSH; without RUNTIME, the only one or the one you choose.
    #[arg(long, value_name = "RUNTIME", num_args = 0..=1, conflicts_with_all = ["from", "relay", "relay_is_mine_alone"])]
    #[expect(clippy::option_option, reason = "clap's form of an option whose value may be left out")]
    pub colab: Option<Option<EndpointId>>,
    /// The relay that holds the runtime's port, as your own ssh knows it.
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub relay: Option<RelayTarget>,
    /// Nobody but you can log in to the relay: a key seen on its port, held by your own login, is trusted.
    #[arg(long)]
    pub relay_is_mine_alone: bool,
    /// The user on the runtime, if the text does not say it. Default: root.
    #[arg(long)]
    pub user: Option<UserName>,
    /// The folder that editors open, such as /content.
    #[arg(long, value_name = "PATH")]
    pub folder: Option<RemotePath>,
    /// Log in with this key of yours instead of the one that Moorline makes.
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Answer yes to the questions about names and endpoints; never to one about a host key.
    #[arg(long, short)]
    pub yes: bool,
}

/// Runs the command.
pub fn run(args: &AddArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = Arc::new(super::tools()?);
    let chosen = match &args.colab {
        Some(runtime) => Some(super::colab::choose(&tools, runtime.as_ref(), printer)?),
        None => None,
    };
    let named = args.name.clone();
    let wish = Wish {
        name: named.or_else(|| chosen.as_ref().and_then(|(_, name)| name.clone())),
        relay: args.relay.clone(),
        mine_alone: args.relay_is_mine_alone,
        user: args.user.clone(),
        folder: args.folder.clone(),
        identity_file: args.identity.as_deref().map(identity_file).transpose()?,
        fingerprint: args.trust.fingerprint,
        first_use: args.trust.trust_first_use,
        dry_run: args.dry_run,
    };
    let adding = Adding {
        tools: &tools,
        printer,
        yes: args.yes,
        dry_run: args.dry_run,
        diffs: false,
        trust: &args.trust,
        named: args.name.is_some(),
    };
    let from = match chosen {
        Some((runtime, _)) => Given::Runtime(runtime),
        None => Given::Text(TypedSecret::from(text_in::read(args.from.as_deref(), printer)?.as_str())),
    };
    let outcome = super::block_on(adding.run(from, wish))?;
    if !args.dry_run {
        super::agent::reload(&tools);
    }
    outcome
}

fn identity_file(path: &Path) -> anyhow::Result<IdentityFile> {
    let whole = std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))?;
    if !whole.is_file() {
        bail!("there is no key at {}; name the private key's file", whole.display());
    }
    Ok(whole.as_path().try_into()?)
}
