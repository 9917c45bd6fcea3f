//! What a keyring says of its state.

/// The service under which all of Moorline's secrets lie.
pub const SERVICE: &str = "moorline";

/// What the keyring itself says of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It is not there; the sentence says what to do.
    #[cfg_attr(
        not(all(unix, not(target_os = "macos"))),
        allow(dead_code, reason = "found out on Linux alone")
    )]
    Absent(&'static str),
    /// It is locked.
    #[cfg_attr(
        not(all(unix, not(target_os = "macos"))),
        allow(dead_code, reason = "found out on Linux alone")
    )]
    Locked,
    /// It is open, or does not say.
    Open,
}
