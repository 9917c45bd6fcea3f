//! How a runtime tells of itself: the channels, and the notebook cell that does it.

pub mod cell;
pub mod channels;
