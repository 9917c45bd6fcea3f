//! Moorline's words as types: sessions, links, trust, health, announcements and what follows from them. Pure: no file,
//! no network, no clock of its own.

pub mod announcement;
pub mod cause;
pub mod cell_options;
pub mod channel_settings;
pub mod clock;
pub mod colab_runtime;
pub mod editor;
pub mod health;
pub mod next_step;
pub mod ngrok_refusal;
pub mod random;
pub mod remembered;
pub mod secret_kind;
pub mod session;
pub mod session_key;
pub mod settings;
pub mod text;
pub mod trust;
pub mod vitals;
