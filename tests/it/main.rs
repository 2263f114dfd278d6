//! All integration tests in one binary: they run the program against sandboxes and test servers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a failing unwrap fails the test"
)]

mod adopt;
mod apply;
mod browser;
#[cfg(feature = "object-store")]
mod bucket;
mod check_users;
mod ci;
mod claims;
mod completions;
mod count_members;
mod counting;
mod credentials;
mod curl_pages;
mod dates;
mod diff;
mod docs;
mod doctor;
mod drift;
mod exits;
mod explain;
mod export;
mod failed;
mod fault_matrix;
mod freshness;
mod fuzz_corpus;
#[path = "../../fuzz/entry.rs"]
mod fuzz_entry;
mod get;
mod get_shapes;
mod guards;
mod help;
mod history;
mod hostile;
mod http;
mod import_cycles;
mod interrupts;
mod jwt;
mod kill;
mod layers;
mod ledger;
mod ledger_forms;
mod ledger_in_use;
mod ledger_lines;
mod ledger_place;
mod library;
mod logs;
mod manifests;
mod names;
mod outputs;
mod pages;
mod patience;
mod php_pages;
mod plan;
mod presets;
mod properties;
mod recipes;
mod review;
mod review_story;
mod rosters;
mod row_counts;
mod sandbox;
mod saved;
mod school_term;
mod secrets;
mod send;
mod shard;
mod simulation;
mod spreadsheets;
mod support;
mod templates;
mod terminal;
mod todo;
mod uncertain_creates;
mod verification;
mod welcome;
mod where_operators;
mod wire_samples;
#[cfg(feature = "xlsx")]
mod workbooks;
mod wrong_files;
