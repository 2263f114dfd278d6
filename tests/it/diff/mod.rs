//! `diff`: two manifests without a server.

mod git;
mod manifests;
mod unified;
