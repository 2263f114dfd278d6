//! `sandbox serve`: serves the simulated API on a port.

use super::{Console, interrupt};
use crate::cli::ServeArgs;
use crate::error::{Exit, Result};
use crate::render::Count;
use crate::sandbox::{Config, start};

pub async fn serve(args: &ServeArgs, console: &mut Console) -> Result<Exit> {
    let config = Config {
        listen: Some(args.listen),
        state: args.state.clone(),
        latency: args.latency,
        error_rate: args.error_rate,
        lost_answer_rate: args.lost_answer_rate,
        rate_limit: args.rate_limit,
        seed: args.seed,
        ..Config::default()
    };
    // Listens for signals before printing the address, so that an immediate signal is not lost.
    let mut stopped = interrupt::channel()?;
    let sandbox = start(config).await?;
    console.print(&format!(
        "listening on {}\nany widget; secret key `secret_key`, login `admin`, password `admin`; stop with Ctrl-C\n",
        sandbox.base_url()
    ))?;
    // An error means that no more signals can arrive.
    drop(stopped.wait_for(|stopped| *stopped).await);
    let stats = sandbox.stats();
    sandbox.stop().await?;
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    console.print(&format!(
        "served {} over {}, {} of them writes\n",
        Count(count(stats.calls()), "call"),
        Count(count(stats.connections), "connection"),
        stats.writes()
    ))?;
    Ok(Exit::Done)
}
