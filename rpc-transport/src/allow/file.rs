//! A list's file, read whole or not at all.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest file that is read: about a million entries.
const MOST: u64 = 16 * 1024 * 1024;

/// Reads the file there, if nobody seems to be writing it.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    // To open a pipe would be to wait for whoever writes into it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(unfit("it is no regular file".to_owned()));
    }
    let mut file = File::open(path)?;
    let before = file.metadata()?;
    let mut text = Vec::new();
    file.by_ref().take(MOST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MOST {
        return Err(unfit(format!("it has more than {MOST} bytes")));
    }
    let after = file.metadata()?;
    let is_still = before.len() == after.len() && before.modified()? == after.modified()?;
    if !is_still || after.len() != text.len() as u64 {
        return Err(unfit("it changed while it was read".to_owned()));
    }
    // Cut off within a line, an entry could be another: 192.0.2.17 and 192.0.2.1.
    if text.last().is_some_and(|&last| last != b'\n') {
        let words = "its last line has no line feed, as if it were still being written";
        return Err(unfit(words.to_owned()));
    }
    Ok(text)
}

fn unfit(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
