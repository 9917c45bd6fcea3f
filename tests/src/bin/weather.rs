//! Plays the world behind a network device, as it is told on its standard input: see `moorline_tests::weather`.

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    moorline_tests::weather::play::play()
}

/// Elsewhere there are no network namespaces.
#[cfg(not(target_os = "linux"))]
fn main() {}
