//! Every reply is for its own call: many callers share a few connections, each call echoes a number
//! that no other call has, and at random calls are given up in the middle or run out of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use farcall::{Limits, Server};
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::options::Runtime;
use crate::peer::Problem;

/// More than one, so that a reply could go to the wrong one of them as well.
const CONNECTIONS: u64 = 4;
/// On each connection.
const CALLERS: u64 = 256;

/// Echoes, some of them late.
#[farcall::service]
trait Tokens {
    /// Gives `token` back after so many milliseconds: replies overtake each other.
    async fn echo(&self, token: u64, ms: u32) -> u64;
}

struct Echo;

impl Tokens for Echo {
    async fn echo(&self, token: u64, ms: u32) -> u64 {
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms.into())).await;
        }
        token
    }
}

/// How the calls ended.
#[derive(Debug, Default)]
struct Tally {
    answered: AtomicU64,
    dropped: AtomicU64,
    timed_out: AtomicU64,
    mismatched: AtomicU64,
}

/// Makes `count` calls each way; true if a reply was another call's.
pub(crate) fn run(count: u64, runtime: Runtime) -> Result<bool, Problem> {
    let mut failed = false;
    for encoding in ["bincode", "json"] {
        let begun = Instant::now();
        let tally = runtime.build()?.block_on(all(encoding, count))?;
        let ended = |outcome: &AtomicU64| outcome.load(Relaxed);
        let mismatched = ended(&tally.mismatched);
        let (answered, dropped) = (ended(&tally.answered), ended(&tally.dropped));
        let timed_out = ended(&tally.timed_out);
        println!(
            "{encoding}/tcp: {answered} answered, {dropped} dropped, {timed_out} timed out, \
             {mismatched} mismatched, in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        if answered + dropped + timed_out + mismatched != count {
            return Err("some calls are not accounted for".into());
        }
        failed |= mismatched > 0;
    }
    Ok(failed)
}

async fn all(encoding: &str, count: u64) -> Result<Arc<Tally>, Problem> {
    let mut limits = Limits::default();
    // Those that were given up may still be in their handlers.
    limits.calls_per_connection = 65_536;
    let server = Server::new()
        .limits(limits)
        .service(TokensServer::new(Echo));
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let address = listening.local_addr().ok_or("no address")?;
    tokio::spawn(listening.run());
    let tally = Arc::<Tally>::default();
    let mut callers = JoinSet::new();
    let loops = CONNECTIONS * CALLERS;
    for connection in 0..CONNECTIONS {
        let channel = farcall::connect(&format!("{encoding}+tcp://{address}")).await?;
        for caller in 0..CALLERS {
            let id = connection * CALLERS + caller;
            let calls = count / loops + u64::from(id < count % loops);
            let client = TokensClient::new(channel.clone());
            callers.spawn(call(client, id << 32, calls, Arc::clone(&tally)));
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(tally)
}

/// One caller: its tokens are `first` and those that follow.
async fn call(
    client: TokensClient,
    first: u64,
    calls: u64,
    tally: Arc<Tally>,
) -> Result<(), Problem> {
    let mut dice = Dice(first);
    for token in first..first + calls {
        let thrown = dice.throw();
        let chance = (thrown >> 8) % 512;
        // One in 64 is late.
        let ms = u32::from(chance == 0 || thrown.is_multiple_of(64));
        let echo = client.echo(token, ms);
        let reply = match chance {
            // The handler and the caller's clock have the same millisecond: either may be first.
            0 => echo.timeout(Duration::from_millis(1)).await,
            1..32 => match given_up(echo, (thrown >> 32) % 8).await {
                Some(reply) => reply,
                None => {
                    tally.dropped.fetch_add(1, Relaxed);
                    continue;
                }
            },
            _ => echo.await,
        };
        let outcome = match reply {
            Ok(reply) if reply == token => &tally.answered,
            Ok(reply) => {
                eprintln!("{token:x} was answered with {reply:x}");
                &tally.mismatched
            }
            Err(error) if error.is_timeout() => &tally.timed_out,
            Err(error) => return Err(error.into()),
        };
        outcome.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// The reply, if it comes while others had so many turns; else the call is dropped where it is: not
/// written yet, on its way, in its handler, or answered and not read.
async fn given_up<F: IntoFuture>(call: F, turns: u64) -> Option<F::Output> {
    let patience = async {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        reply = call.into_future() => Some(reply),
        () = patience => None,
    }
}
