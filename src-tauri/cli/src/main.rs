//! moorline
fn main() {}
