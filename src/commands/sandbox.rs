//! `sandbox serve`: serves the simulated API on a port.

use super::{Console, interrupt};
use crate::cli::{self, BehaviourFlags, ServeArgs};
use crate::error::Result;
use crate::render::Count;
use crate::sandbox::{Config, CountUsers, Quirks, start};

pub async fn serve(args: &ServeArgs, console: &mut Console) -> Result<()> {
    let config = Config {
        listen: Some(args.listen),
        state: args.state.clone(),
        latency: args.latency,
        error_rate: args.error_rate,
        lost_answer_rate: args.lost_answer_rate,
        rate_limit: args.rate_limit,
        seed: args.seed,
        quirks: quirks(&args.behaviour),
    };
    // Listen for signals before the address is printed, so that even an immediate signal stops the
    // server cleanly.
    let mut stopped = interrupt::finish(None);
    let sandbox = start(config).await?;
    let address = sandbox.addr();
    if !address.ip().to_canonical().is_loopback() {
        console.warn(&format!(
            "listening on {address}: other machines can reach the sandbox, and its credentials are public; to allow only this machine, listen on 127.0.0.1"
        ));
    }
    console.print(&format!(
        "listening on {}\nany widget; secret key `secret_key`, login `admin`, password `admin`; stop with Ctrl-C\n",
        sandbox.base_url()
    ))?;
    interrupt::first(&mut stopped).await;
    let stats = sandbox.stats();
    sandbox.stop().await?;
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    console.print(&format!(
        "served {} ({} of them writes) over {}\n",
        Count(count(stats.calls()), "call"),
        stats.writes(),
        Count(count(stats.connections), "connection")
    ))
}

fn quirks(flags: &BehaviourFlags) -> Quirks {
    Quirks {
        keep_title: flags.keep_title,
        ignore_updates: flags.ignore_updates,
        lag: 0,
        lag_time: flags.list_lag,
        duplicate_pipes: flags.duplicate_pipes,
        show_deleted: flags.show_deleted,
        errors_with_200: flags.errors_with_200,
        jwt_lists_own: flags.jwt_lists_own,
        drop_unknown_users: flags.drop_unknown_users,
        count_users: match flags.count_users {
            cli::CountUsers::Exact => CountUsers::Exact,
            cli::CountUsers::AtLeast => CountUsers::AtLeast,
            cli::CountUsers::Ignored => CountUsers::Ignored,
        },
        count_admin: flags.count_admin,
        strict_messages: flags.strict_messages,
    }
}
