//! How a rewritten ledger names what it replaces, so that a run in progress can tell our own rewriting from a foreign file.
//!
//! The header of a rewritten ledger holds the fingerprints of the ledgers that it was made from, the last one first.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// How many predecessors a header names. A run stops if the ledger is rewritten more often than this between two of its writes.
const MOST: usize = 128;
/// The bytes of a fingerprint.
const LENGTH: usize = 8;

/// The fingerprint of a ledger's text.
pub(super) fn fingerprint(text: &[u8]) -> String {
    name(Sha256::new().chain_update(text))
}

/// The fingerprint of a text that is read piece by piece.
pub(super) fn fingerprint_of(mut text: impl Read) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 << 10]);
    loop {
        match text.read(&mut piece) {
            Ok(0) => return Ok(name(hash)),
            Ok(length) => hash.update(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn name(hash: Sha256) -> String {
    let hash = hash.finalize();
    let bytes = hash.iter().take(LENGTH);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The fingerprints in the header of a rewritten ledger: `last` is that of the ledger it replaces, and `earlier` are those in that
/// ledger's header.
pub(super) fn predecessors(last: String, earlier: Vec<String>) -> Vec<String> {
    std::iter::once(last).chain(earlier).take(MOST).collect()
}
