//! `moorline proxy`: what ssh ran as a `ProxyCommand` before there was a program for that alone, and what a person may run.

use std::process::ExitCode;

use moorline_core::ssh::proxy;

use crate::args::ProxyArgs;

/// Runs the command; what fails is one line on standard error, which ssh shows to the person.
pub fn run(args: &ProxyArgs) -> anyhow::Result<ExitCode> {
    Ok(proxy::run(&args.name, args.shared)?)
}
