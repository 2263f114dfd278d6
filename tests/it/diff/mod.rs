//! `diff`: two manifests without a server.

mod manifests;
