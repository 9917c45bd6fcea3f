//! What a settings file may look like, and why one was left as it is.

use jsonc_parser::ParseOptions;
use jsonc_parser::errors::ParseError;

pub(super) const PLATFORM: &str = "remote.SSH.remotePlatform";
pub(super) const NO_LIST: SettingsError =
    SettingsError::Unexpected { setting: PLATFORM, wanted: "a list of machines in {…}" };
/// Comments and trailing commas, nothing looser.
pub(super) const WHAT_VS_CODE_TAKES: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Why a settings file was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not JSON with comments.
    #[error("the settings cannot be read (line {line}: {reason}); mend that line in the editor first")]
    Unreadable {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A setting holds another kind of value than the editor expects.
    #[error("{setting} in the settings is not {wanted}; mend or remove it in the editor first")]
    Unexpected {
        /// The setting.
        setting: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
}

pub(super) fn unreadable(error: &ParseError) -> SettingsError {
    SettingsError::Unreadable { line: error.line_display(), reason: error.kind().to_string().to_lowercase() }
}

pub(super) fn not_settings() -> SettingsError {
    SettingsError::Unreadable { line: 1, reason: "it is not one {…} of settings".to_owned() }
}
