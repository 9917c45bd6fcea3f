//! The door against everything that may come to it.
