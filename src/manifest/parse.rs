//! Texts -> what each of them says, several at a time: no file of a manifest needs another to be parsed.
//!
//! Main entry: [`parse_files`]. The order of what comes out is that of what went in, whatever was ready first.

use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::decode::{FileDecoder, STREAMED};
use super::raw::{RawFile, RawManifest};
use super::yaml::{self, Item};
use crate::model::FileId;
use crate::tables::diagnostic::{Problems, Source};

/// Texts that have fewer bytes together are parsed before a thread is there to help.
const WORTH_THREADS: usize = 256 << 10;

/// A file's name and text.
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

/// What a file says.
pub(super) struct ParsedFile {
    pub(super) source: Source,
    pub(super) raw: RawManifest,
    /// The files with rows that it names.
    pub(super) rosters: Vec<RawFile>,
    pub(super) problems: Problems,
}

/// Parses texts; their ids count up from `first`.
pub(super) fn parse_files(texts: Vec<Text>, first: FileId) -> Vec<ParsedFile> {
    let bytes: usize = texts.iter().map(|text| text.text.len()).sum();
    let workers = match bytes {
        0..WORTH_THREADS => 1,
        _ => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let ids = (first.0..).map(FileId);
    if workers.min(texts.len()) < 2 {
        return ids
            .zip(texts)
            .map(|(id, text)| parse_file(text, id))
            .collect();
    }
    let queue = Mutex::new(ids.zip(texts));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || std::iter::from_fn(next).map(|(id, text)| (id, parse_file(text, id)));
    let mut parts: Vec<(FileId, ParsedFile)> = thread::scope(|scope| {
        // One that the system does not allow is done without.
        let helper = |_| thread::Builder::new().spawn_scoped(scope, || work().collect::<Vec<_>>());
        let helpers: Vec<_> = (1..workers).flat_map(helper).collect();
        let mut parts: Vec<_> = work().collect();
        for helper in helpers {
            match helper.join() {
                Ok(more) => parts.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_by_key(|(id, _)| *id);
    parts.into_iter().map(|(_, part)| part).collect()
}

fn parse_file(Text { name, text }: Text, file: FileId) -> ParsedFile {
    let source = Source::new(name, text);
    let mut problems = Problems::default();
    let mut decoder = FileDecoder::new(file, source.lines(), &mut problems);
    let mut take = |item: Item<'_>| decoder.take(item);
    let end = yaml::read(&source.text, file, STREAMED, &mut take);
    let (raw, rosters) = decoder.finish(end.is_ok());
    problems.extend(end.err().map(|mistake| *mistake));
    ParsedFile {
        source,
        raw,
        rosters,
        problems,
    }
}
