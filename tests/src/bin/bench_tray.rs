//! Times the tray's start and weighs it while it idles.

/// Prints the table.
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn main() -> anyhow::Result<()> {
    print!("{}", moorline_tests::tray_bench::table()?);
    Ok(())
}

/// Elsewhere there is no stage to measure on.
#[cfg(not(target_os = "linux"))]
fn main() {}
