//! Weighs `moorline proxy`: time to the first byte, speed, processor time and memory.

/// Prints the table.
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn main() {
    print!("{}", moorline_tests::carry_bench::table());
}

/// Elsewhere there is no stage to measure on.
#[cfg(not(target_os = "linux"))]
fn main() {}
