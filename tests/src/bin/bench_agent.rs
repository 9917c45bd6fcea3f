//! Times how soon the agent sees, says and mends, and weighs it while it idles.

/// Prints the table.
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn main() -> anyhow::Result<()> {
    let only = std::env::args().nth(1);
    print!("{}", moorline_tests::agent_bench::table(only.as_deref())?);
    Ok(())
}

/// Elsewhere there is no stage to measure on.
#[cfg(not(target_os = "linux"))]
fn main() {}
