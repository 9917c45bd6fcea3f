//! Choosing one of the Google account's runtimes.

use anyhow::bail;
use moorline_core::net::google::answer::Assignment;
use moorline_core::net::google::{CliSession, Client, Credentials, cli_sessions};
use moorline_core::ssh::context::Tools;
use moorline_model::colab_runtime::EndpointId;
use moorline_ssh_files::Alias;

use crate::ask::Terminal;
use crate::printer::Printer;

/// The wanted runtime, the only one, or the one that the person chooses, and what google-colab-cli calls it.
///
/// # Errors
/// Google cannot be asked, has no runtime, or nobody can be asked which one.
pub fn choose(
    tools: &Tools,
    wanted: Option<&EndpointId>,
    printer: &Printer,
) -> anyhow::Result<(EndpointId, Option<Alias>)> {
    let waiting = printer.waiting("asking Google for your runtimes");
    let client = Client::new(Credentials::all(&tools.dirs, &*tools.vault)?)?;
    let listed = super::block_on(client.assignments())?;
    drop(waiting);
    let listed = listed?;
    let names = names(tools, printer);
    let lines: Vec<String> = listed.iter().map(|one| line(one, &names)).collect();
    let chosen = match (wanted, &listed[..]) {
        (_, []) => bail!("your Google account has no runtime; connect a notebook to one, then try again"),
        (Some(wanted), all) => match all.iter().find(|one| one.endpoint == *wanted) {
            Some(found) => found,
            None => bail!("your Google account has no runtime {wanted}; it has: {}", lines.join("; ")),
        },
        (None, [only]) => only,
        (None, all) => ask(all, &lines, printer)?,
    };
    let name = named(&chosen.endpoint, &names).cloned();
    Ok((chosen.endpoint.clone(), name))
}

fn ask<'a>(all: &'a [Assignment], lines: &[String], printer: &Printer) -> anyhow::Result<&'a Assignment> {
    let Some(mut terminal) = Terminal::open(printer.is_json()) else {
        bail!("say which runtime with --colab RUNTIME; your Google account has: {}", lines.join("; "));
    };
    for (number, line) in lines.iter().enumerate() {
        printer.line(format!("{}  {line}", number + 1));
    }
    let answer = terminal.ask_lines(&format!("Which one? [1-{}]", all.len())).unwrap_or_default();
    let number = answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    match number.and_then(|index| all.get(index)) {
        Some(chosen) => Ok(chosen),
        None => bail!("{answer:?} is none of the numbers; nothing was changed"),
    }
}

fn line(one: &Assignment, names: &[CliSession]) -> String {
    let hardware = one.accelerator.as_deref().unwrap_or("CPU");
    let shape = if one.high_ram { ", High-RAM" } else { "" };
    let name = named(&one.endpoint, names).map(|name| format!(", {name}")).unwrap_or_default();
    format!("{} ({hardware}{shape}{name})", one.endpoint)
}

/// google-colab-cli's names are a comfort: without them there are the runtimes' own.
fn names(tools: &Tools, printer: &Printer) -> Vec<CliSession> {
    cli_sessions(&tools.dirs).unwrap_or_else(|error| {
        printer.note(error);
        Vec::new()
    })
}

fn named<'a>(runtime: &EndpointId, names: &'a [CliSession]) -> Option<&'a Alias> {
    names.iter().find(|known| known.runtime == *runtime).map(|known| &known.name)
}
