//! Reading the pasted text: from a file, from a pipe, or typed into the terminal.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use crate::printer::Printer;

/// More than any cell prints; the recognisers say so in their own words when less than this is too much.
const LIMIT: u64 = 1024 * 1024;

/// The text, which may hold a password: it is wiped when dropped. `None` and `-` mean standard input.
///
/// # Errors
/// The file cannot be read, is far too long, or nothing came.
pub fn read(from: Option<&Path>, printer: &Printer) -> anyhow::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let what = if let Some(path) = from.filter(|path| path.as_os_str() != "-") {
        let shown = path.display();
        let file =
            File::open(path).with_context(|| format!("cannot read {shown}; check the name and try again"))?;
        file.take(LIMIT + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read {shown}; check that it is a file"))?;
        shown.to_string()
    } else {
        let input = if std::io::stdin().is_terminal() {
            from_terminal(&mut bytes, printer)
        } else {
            rest(&mut bytes)
        };
        input.context("cannot read standard input")?;
        "standard input".to_owned()
    };
    if bytes.len() as u64 > LIMIT {
        bail!("{what} holds more than 1 MiB; give only what the cell printed");
    }
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    if text.trim().is_empty() {
        bail!(
            "{what} is empty; paste what the notebook's cell printed, for example a line such as `ssh -p 15873 root@0.tcp.eu.ngrok.io`"
        );
    }
    Ok(text)
}

#[cfg(unix)]
fn from_terminal(bytes: &mut Zeroizing<Vec<u8>>, printer: &Printer) -> std::io::Result<()> {
    let mut terminal = crate::tty::Bytes::of(std::io::stdin())?;
    printer.line("Paste what the notebook's cell printed, then press Ctrl-D:");
    let limit = usize::try_from(LIMIT).unwrap_or(usize::MAX);
    *bytes = terminal.read(crate::typed::Until::EndOfText, limit)?.unwrap_or_default();
    Ok(())
}

#[cfg(not(unix))]
fn from_terminal(bytes: &mut Zeroizing<Vec<u8>>, printer: &Printer) -> std::io::Result<()> {
    printer.line("Paste what the notebook's cell printed, then press Ctrl-Z and Enter:");
    rest(bytes)
}

fn rest(bytes: &mut Zeroizing<Vec<u8>>) -> std::io::Result<()> {
    std::io::stdin().lock().take(LIMIT + 1).read_to_end(bytes).map(drop)
}
