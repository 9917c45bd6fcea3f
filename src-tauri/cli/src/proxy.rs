//! `moorline-proxy NAME`: what config entries name as `ProxyCommand`. A program that holds nothing else: ssh runs one for
//! each connection, and all of its pages count.

mod steps;

use std::io::Write;
use std::process::ExitCode;

use moorline_core::ssh::proxy;
use moorline_model::text;
use moorline_ssh_files::Alias;

/// Reads the arguments, and carries. ssh shows what is said on standard error.
fn main() -> ExitCode {
    let (name, shared) = match asked() {
        Ok(asked) => asked,
        Err(wrong) => {
            say(&format!("{wrong}; usage: moorline-proxy NAME"));
            return ExitCode::from(2);
        }
    };
    proxy::run(&name, shared).unwrap_or_else(|error| {
        say(&text::sentence(&error));
        if let Some(step) = error.next_step() {
            let command = steps::command(&step.of(&name));
            let _ = writeln!(std::io::stderr(), "  {}", text::visible(&command));
        }
        ExitCode::FAILURE
    })
}

/// Which session, and whether its hub is wanted whatever its link.
fn asked() -> Result<(Alias, bool), String> {
    let (mut name, mut shared) = (None, false);
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--shared") => shared = true,
            Some(text) if name.is_none() && !text.starts_with('-') => {
                name = Some(text.parse().map_err(|error| format!("{error}"))?);
            }
            _ => return Err(format!("{} is not understood", argument.display())),
        }
    }
    Ok((name.ok_or("there is no name of a session")?, shared))
}

fn say(what: &str) {
    // Where nobody reads it, nobody misses it.
    let _ = writeln!(std::io::stderr(), "moorline: {}", text::visible(what));
}
