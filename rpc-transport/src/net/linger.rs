//! Closing so that the last words are heard.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long a peer is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much of what it still sends is read, in pieces of [`PIECE`].
const PIECES: usize = 64;
const PIECE: usize = 1024;

/// Sends `last_words` and closes. Bytes that nobody reads would turn the close into a reset, and
/// take what was sent before it along; so some of them are read, for a while.
pub(crate) async fn close<IO>(io: &mut IO, last_words: &[u8])
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let closing = async {
        io.write_all(last_words).await?;
        io.shutdown().await?;
        // Not in place, where every connection's task would have room for it all its life.
        let mut rest = vec![0; PIECE];
        for _ in 0..PIECES {
            if io.read(&mut rest).await? == 0 {
                break;
            }
        }
        Ok::<(), io::Error>(())
    };
    // Whether the peer listened is its own affair.
    let _ = tokio::time::timeout(PATIENCE, closing).await;
}
