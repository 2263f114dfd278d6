//! `sandbox serve`: the imitation of the API on a port.

use super::{Console, interrupt};
use crate::cli::ServeArgs;
use crate::error::{Error, Exit};
use crate::render::Count;
use crate::sandbox::{Config, start};

pub(super) async fn serve(args: &ServeArgs, console: &mut Console) -> Result<Exit, Error> {
    let config = Config {
        listen: args.listen,
        state: args.state.clone(),
        latency: args.latency,
        error_rate: args.error_rate,
        lost_answer_rate: args.lost_answer_rate,
        rate_limit: args.rate_limit,
        seed: args.seed,
        ..Config::default()
    };
    let sandbox = start(config).await?;
    console.print(&format!(
        "listening on {}\nany widget; secret key `secret_key`, login `admin`, password `admin`; end with Ctrl-C\n",
        sandbox.base_url()
    ))?;
    interrupt::first().await?;
    let stats = sandbox.stats();
    sandbox.stop().await?;
    let calls =
        stats.imba_rooms + stats.get_rooms + stats.get_users + stats.get_messages + stats.send_msg;
    let (calls, writes) = (
        usize::try_from(calls).unwrap_or(usize::MAX),
        usize::try_from(stats.writes()).unwrap_or(usize::MAX),
    );
    console.print(&format!(
        "served {}, {writes} of them writes\n",
        Count(calls, "call")
    ))?;
    Ok(Exit::Done)
}
