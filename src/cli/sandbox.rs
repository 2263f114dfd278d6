//! The verbs of `sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::{duration, part};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform sandbox serve
  roomform plan --sandbox")]
pub struct SandboxArgs {
    #[command(subcommand)]
    pub verb: SandboxVerb,
}

#[derive(Debug, Subcommand)]
pub enum SandboxVerb {
    /// Serve the API on a port until interrupted
    Serve(ServeArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  roomform sandbox serve --state sandbox.json
  roomform sandbox serve --latency 50ms --error-rate 0.05")]
pub struct ServeArgs {
    /// Listen on this address
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8627")]
    pub listen: SocketAddr,
    /// Keep the state in this file; without it, in memory
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Delay each answer by this time, as in 50ms
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "0s")]
    pub latency: Duration,
    /// This part of the calls fails with HTTP 500 before anything is done, as in 0.05
    #[arg(long, value_name = "PART", value_parser = part, default_value_t = 0.0)]
    pub error_rate: f64,
    /// This part of the calls is done, but the answer is lost
    #[arg(long, value_name = "PART", value_parser = part, default_value_t = 0.0)]
    pub lost_answer_rate: f64,
    /// Answer HTTP 429 above this number of requests per second
    #[arg(long, value_name = "N")]
    pub rate_limit: Option<f64>,
    /// Decides which calls fail
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}
