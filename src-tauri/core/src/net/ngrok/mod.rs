//! ngrok's account API: which endpoints are open, which agents run, stopping one that was forgotten.
//!
//! - [`answer`]: what the API says (ngrok's API reference, version 2), with every value checked.
//! - [`client`]: asking it, within its limit of 120 requests a minute.
//! - [`matching`]: which endpoints belong to a session, and which agents to nobody any more; pure.
//!
//! Its error numbers become sentences in [`ngrok_refusal`](moorline_model::ngrok_refusal).

pub mod answer;
pub mod client;
pub mod matching;

pub use answer::{Agent, AgentId, Endpoint};
pub use client::{Account, NgrokError, account};
