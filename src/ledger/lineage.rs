//! Records in a rewritten ledger which ledgers it replaces. A run in progress can then
//! distinguish the rewritten ledger from a file of another program.
//!
//! The header of a rewritten ledger holds the fingerprints of the ledgers that it was made
//! from, the newest first.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};

/// Maximum number of replaced ledgers that a header names. If a ledger is rewritten more often than
/// this between two writes of a run, the run stops.
const MOST: usize = 128;
/// The length of a fingerprint in bytes.
const LENGTH: usize = 8;

/// Makes a fingerprint of the text that is written to it.
#[derive(Default)]
pub(super) struct Fingerprint(Sha256);

impl Write for Fingerprint {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Fingerprint {
    pub(super) fn finish(self) -> String {
        let hash = self.0.finalize();
        let bytes = hash.iter().take(LENGTH);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the fingerprint of a text that is read piece by piece.
pub(super) fn fingerprint_of(mut text: impl Read) -> io::Result<String> {
    let mut fingerprint = Fingerprint::default();
    io::copy(&mut text, &mut fingerprint)?;
    Ok(fingerprint.finish())
}

#[cfg(feature = "object-store")]
pub(super) fn fingerprint(text: &[u8]) -> String {
    Fingerprint(Sha256::new_with_prefix(text)).finish()
}

/// Returns the fingerprints for the header of a rewritten ledger. `last` is the fingerprint of the
/// replaced ledger, and `earlier` are those in the header of the replaced ledger.
pub(super) fn predecessors(last: String, earlier: Vec<String>) -> Vec<String> {
    std::iter::once(last).chain(earlier).take(MOST).collect()
}
