//! A way to the server on which connections are cut, stalled, delayed and reset.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::dice::Dice;
use crate::peer::Problem;

/// What becomes of one direction of a connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Passes,
    /// Ends in the middle of whatever it is.
    Cut {
        after: u64,
    },
    /// Stops for a while, which may be longer than anybody waits.
    Stalls {
        after: u64,
        ms: u64,
    },
    /// Each read comes late.
    Late {
        ms: u64,
    },
}

impl Fate {
    fn of(dice: &mut Dice) -> Self {
        // Few bytes as often as many: heads, hellos and handshakes are short.
        let bits = dice.below(21);
        let after = dice.below(1 << bits);
        match dice.below(10) {
            0..3 => Self::Cut { after },
            3 => Self::Stalls {
                after,
                ms: dice.below(4000),
            },
            4 => Self::Late { ms: dice.below(20) },
            _ => Self::Passes,
        }
    }
}

/// Starts it in front of the server at `port`; its own port.
pub(super) async fn start(port: u16) -> Result<u16, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let own = listener.local_addr()?.port();
    tokio::spawn(async move {
        let mut dice = Dice(1 << 32);
        while let Ok((client, _)) = listener.accept().await {
            let fates = [Fate::of(&mut dice), Fate::of(&mut dice)];
            let resets = dice.below(2) == 0;
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
                    return;
                };
                carry(client, server, fates, resets).await;
            });
        }
    });
    Ok(own)
}

/// Carries both directions until one is cut or both have ended.
async fn carry(client: TcpStream, server: TcpStream, fates: [Fate; 2], resets: bool) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).ok();
        if resets {
            stream.set_zero_linger().ok();
        }
    }
    let (from_client, to_client) = split(client);
    let (from_server, to_server) = split(server);
    let [there, back] = fates;
    let both = async {
        tokio::try_join!(
            pass(from_client, to_server, there),
            pass(from_server, to_client, back)
        )
    };
    both.await.ok();
}

/// An error where the connection is to end.
async fn pass(
    mut from: ReadHalf<TcpStream>,
    mut to: WriteHalf<TcpStream>,
    fate: Fate,
) -> std::io::Result<()> {
    let mut passed = 0;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let room = match fate {
            // To the byte.
            Fate::Cut { after } | Fate::Stalls { after, .. } if passed < after => buffer
                .len()
                .min(usize::try_from(after - passed).unwrap_or(usize::MAX)),
            _ => buffer.len(),
        };
        match fate {
            Fate::Cut { after } if passed >= after => {
                return Err(std::io::ErrorKind::ConnectionAborted.into());
            }
            Fate::Stalls { after, ms } if passed == after => sleep(Duration::from_millis(ms)).await,
            Fate::Late { ms } => sleep(Duration::from_millis(ms)).await,
            _ => {}
        }
        let read = from
            .read(buffer.get_mut(..room).unwrap_or_default())
            .await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..read).unwrap_or_default()).await?;
        passed += read as u64;
    }
}
