//! Weighs `moorline-proxy`: time to the first byte, speed, processor time and memory.

use std::process::ExitCode;

/// Prints the table; `alone` only what the proxy costs by itself. `floor PORT` is what it is compared with, started by itself.
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn main() -> std::io::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("floor") {
        let port = arguments.next().and_then(|port| port.parse().ok());
        let port = port.ok_or_else(|| std::io::Error::other("floor wants a port"))?;
        return moorline_tests::carry_bench::floor::carry(port).map(|()| ExitCode::SUCCESS);
    }
    if let Some(code) = moorline_tests::carry_bench::capped::apart()? {
        return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
    }
    print!("{}", moorline_tests::carry_bench::table(first.as_deref() == Some("alone")));
    Ok(ExitCode::SUCCESS)
}

/// Elsewhere there is no stage to measure on.
#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    ExitCode::SUCCESS
}
