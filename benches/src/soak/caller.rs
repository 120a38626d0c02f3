//! One caller: all kinds of calls by chance, over one way, each checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use farcall::types::Bytes;
use farcall::{Error, Failure};
use futures_util::{StreamExt, stream};
use tokio::time::{sleep, timeout};

use super::service::{Refused, SoakClient};
use super::tally::{Outcome, Tally};
use crate::dice::Dice;
use crate::peer::Record;

/// No call takes longer: its own time is 5 s, and what ends it late is a fault of farcall's.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(5);

pub(super) struct Caller {
    pub(super) address: String,
    pub(super) is_direct: bool,
    pub(super) tally: Arc<Tally>,
    pub(super) dice: Dice,
}

/// What a call must not be: another's answer, an error that cannot be.
struct Wrong(String);

impl Caller {
    pub(super) async fn run(mut self, over: Arc<AtomicBool>) {
        let mut client = None;
        while !over.load(Relaxed) {
            // Now and then a new connection.
            if self.dice.below(200) == 0 {
                client = None;
            }
            let connected = match client.take() {
                Some(connected) => connected,
                None => match timeout(PATIENCE, SoakClient::connect(&self.address)).await {
                    Ok(Ok(connected)) => connected.with_timeout(CALL),
                    Ok(Err(_)) if !self.is_direct => {
                        sleep(Duration::from_millis(20)).await;
                        continue;
                    }
                    Ok(Err(error)) => {
                        self.wrong(&format!("no connection: {error}"));
                        sleep(Duration::from_secs(1)).await;
                        continue;
                    }
                    Err(_) => {
                        self.wrong("a connection was neither made nor refused");
                        continue;
                    }
                },
            };
            match timeout(PATIENCE, self.call(&connected)).await {
                Ok(Ok(outcome)) => {
                    self.tally.ended(self.is_direct, outcome);
                    if outcome != Outcome::Lost {
                        client = Some(connected);
                    } else if self.is_direct {
                        self.wrong("a connection was lost");
                    }
                }
                Ok(Err(Wrong(what))) => self.wrong(&what),
                Err(_) => self.wrong("a call did not end in its time"),
            }
            sleep(Duration::from_millis(self.dice.below(20))).await;
        }
    }

    fn wrong(&self, what: &str) {
        let way = if self.is_direct {
            "directly"
        } else {
            "through faults"
        };
        let address = self.address.split("://").next().unwrap_or_default();
        self.tally.wrong(format!("{address} {way}: {what}"));
    }

    async fn call(&mut self, client: &SoakClient) -> Result<Outcome, Wrong> {
        let token = self.dice.throw() >> 12;
        match self.dice.below(20) {
            0 => {
                let records = Record::samples();
                answer(client.records(records.clone()).await, &records)
            }
            1 => {
                let length = self.dice.below(1 << 20) as usize;
                let blob = Bytes::from(vec![token as u8; length]);
                answer(client.blob(blob.clone()).await, &blob)
            }
            2 => match client.refuse(token).await {
                Err(Error::Fault(Refused { token: refused })) if refused == token => {
                    Ok(Outcome::Refused)
                }
                Err(Error::Fault(other)) => Err(Wrong(format!("another's error: {other}"))),
                Err(Error::Failed(failure)) => failed(&failure),
                Ok(_) => Err(Wrong("an error was answered with a result".to_owned())),
            },
            3 => {
                // Whichever is first.
                let call = client.sleep(10).timeout(Duration::from_millis(10));
                answer(call.await, &())
            }
            4 => {
                let call = client.sleep(10_000);
                let patience = Duration::from_millis(self.dice.below(20));
                match timeout(patience, call.into_future()).await {
                    Err(_) => Ok(Outcome::Dropped),
                    Ok(ended) => answer(ended, &()),
                }
            }
            5 => answer(client.grind(token).await, &token),
            6 => self.count(client).await,
            7 => {
                let to = self.dice.below(200);
                let total = client.total(stream::iter(0..to)).await;
                answer(total, &(to * to.saturating_sub(1) / 2))
            }
            _ => {
                let begun = Instant::now();
                let answered = client.echo(token).await;
                if self.is_direct {
                    self.tally.took(begun.elapsed());
                }
                answer(answered, &token)
            }
        }
    }

    /// Reads a stream, all of it or a part.
    async fn count(&mut self, client: &SoakClient) -> Result<Outcome, Wrong> {
        let (to, read) = (self.dice.below(200), self.dice.below(300));
        let mut items = match client.count(to).await {
            Ok(items) => items,
            Err(error) => return answer(Err::<(), _>(error), &()),
        };
        for expected in 0..read {
            match items.next().await {
                Some(Ok(item)) if item == expected => {}
                Some(Ok(item)) => return Err(Wrong(format!("{item} in the place of {expected}"))),
                Some(Err(error)) => return answer(Err::<(), _>(error), &()),
                None if expected == to => return Ok(Outcome::Answered),
                None => return Err(Wrong(format!("a stream of {to} ended at {expected}"))),
            }
        }
        Ok(Outcome::Dropped)
    }
}

/// What the end of a call is, whose answer must be `expected`.
fn answer<T: PartialEq>(ended: Result<T, Error>, expected: &T) -> Result<Outcome, Wrong> {
    match ended {
        Ok(value) if value == *expected => Ok(Outcome::Answered),
        Ok(_) => Err(Wrong("another's answer".to_owned())),
        Err(Error::Failed(failure)) => failed(&failure),
        Err(Error::Fault(never)) => match never {},
    }
}

fn failed(failure: &Failure) -> Result<Outcome, Wrong> {
    match failure.fault() {
        _ if failure.is_timeout() => Ok(Outcome::TimedOut),
        // The server had no time left for it, or half of it came.
        Some(fault) => Err(Wrong(format!("an unforeseen fault: {fault}"))),
        None => Ok(Outcome::Lost),
    }
}
