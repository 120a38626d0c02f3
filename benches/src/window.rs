//! One window: one subject under one workload, in a process of its own, with its server in another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::load::{Load, Meter, drive};
use crate::options::Runtime;
use crate::peer::{Peer, Problem};
use crate::server::Server;
use crate::usage::Usage;
use crate::workload::{Kind, Large};

/// What was measured: a metric's name and its value.
pub(crate) type Figures = Vec<(String, f64)>;

/// What a window with a quota gives: totals since its processes began.
pub(crate) fn counted(calls: f64, allocations: f64) -> Figures {
    vec![("calls".into(), calls), ("allocations".into(), allocations)]
}

/// How much of it to measure.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Extent {
    /// The part that is thrown away: connections, caches, buffers that grow.
    pub(crate) warm: Duration,
    pub(crate) window: Duration,
    /// So many calls a caller in place of a time.
    pub(crate) quota: Option<u64>,
}

/// What a subject is to do.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) extent: Extent,
    pub(crate) server: Server,
}

impl Job {
    /// What both sides used until now.
    fn usage(&mut self) -> Result<(Usage, Usage), Problem> {
        Ok((Usage::now()?, self.server.usage()?))
    }

    /// The usual figures of calls in a loop, which `driven` makes.
    pub(crate) async fn steady<F>(
        &mut self,
        load: Load,
        driven: impl FnOnce(u16, Load, Arc<Meter>) -> F,
    ) -> Result<Figures, Problem>
    where
        F: Future<Output = Result<(), Problem>> + Send + 'static,
    {
        let meter = Arc::new(Meter::new(&load, self.extent.quota));
        let driven = tokio::spawn(driven(self.server.port, load, Arc::clone(&meter)));
        if self.extent.quota.is_some() {
            driven.await??;
            let (client, server) = self.usage()?;
            let allocations = client.allocations.unwrap_or(0.0) + server.allocations.unwrap_or(0.0);
            return Ok(counted(meter.calls() as f64, allocations));
        }
        while meter.calls() == 0 && !driven.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(self.extent.warm).await;
        let before = self.usage()?;
        let (calls, begun) = (meter.calls(), Instant::now());
        meter.forget();
        tokio::time::sleep(self.extent.window).await;
        let (calls, took) = (meter.calls() - calls, begun.elapsed());
        let after = self.usage()?;
        meter.stop();
        driven.await??;
        if calls == 0 {
            return Err("no call was answered".into());
        }
        let calls = calls as f64;
        let (client, server) = (after.0.since(&before.0), after.1.since(&before.1));
        let mut figures = vec![
            ("calls/s".into(), calls / took.as_secs_f64()),
            ("p50 us".into(), meter.percentile(50.0)),
            ("p99 us".into(), meter.percentile(99.0)),
            (
                "cpu us/call".into(),
                (client.cpu_us + server.cpu_us) / calls,
            ),
        ];
        let both = |client: Option<f64>, server: Option<f64>| Some((client? + server?) / calls);
        if let Some(allocations) = both(client.allocations, server.allocations) {
            figures.push(("allocations/call".into(), allocations));
        }
        if let Some(bytes) = both(client.bytes, server.bytes) {
            figures.push(("bytes allocated/call".into(), bytes));
        }
        figures.push(("client rss KiB".into(), after.0.rss / 1024.0));
        figures.push(("server rss KiB".into(), after.1.rss / 1024.0));
        Ok(figures)
    }

    async fn blocked<P: Peer>(&mut self, calls: usize) -> Result<Figures, Problem> {
        const CONNECTIONS: usize = 4;
        const MS: u32 = 5_000;
        let mut peers = Vec::new();
        for _ in 0..CONNECTIONS {
            let peer = P::connect(self.server.port).await?;
            peer.add(1, 1).await?;
            peers.push(peer);
        }
        let before = self.usage()?;
        let begun = Instant::now();
        let mut sleeping = JoinSet::new();
        for peer in peers.iter().cycle().take(calls) {
            let peer = peer.clone();
            sleeping.spawn(async move { peer.sleep(MS).await });
        }
        // By now all of them sleep, and none is answered.
        tokio::time::sleep(Duration::from_millis(u64::from(MS) - 500)).await;
        let asleep = self.usage()?;
        while let Some(woken) = sleeping.join_next().await {
            woken??;
        }
        let took = begun.elapsed().as_secs_f64();
        let after = self.usage()?;
        let calls = calls as f64;
        let cpu = after.0.since(&before.0).cpu_us + after.1.since(&before.1).cpu_us;
        Ok(vec![
            ("done s".into(), took),
            (
                "client bytes/call".into(),
                asleep.0.since(&before.0).rss / calls,
            ),
            (
                "server bytes/call".into(),
                asleep.1.since(&before.1).rss / calls,
            ),
            ("cpu us/call".into(), cpu / calls),
        ])
    }

    async fn idle<P: Peer>(&mut self, connections: usize) -> Result<Figures, Problem> {
        /// So many are made side by side: no accept queue is longer.
        const AT_ONCE: usize = 50;
        let port = self.server.port;
        P::connect(port).await?.add(1, 1).await?;
        let before = self.usage()?;
        let mut peers = Vec::with_capacity(connections);
        while peers.len() < connections {
            let mut connecting = JoinSet::new();
            for _ in 0..AT_ONCE {
                connecting.spawn(async move {
                    let peer = P::connect(port).await?;
                    peer.add(1, 1).await?;
                    Ok::<_, Problem>(peer)
                });
            }
            while let Some(peer) = connecting.join_next().await {
                peers.push(peer??);
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let after = self.usage()?;
        let connections = peers.len() as f64;
        Ok(vec![
            (
                "client bytes/connection".into(),
                after.0.since(&before.0).rss / connections,
            ),
            (
                "server bytes/connection".into(),
                after.1.since(&before.1).rss / connections,
            ),
        ])
    }

    async fn startup<P: Peer>(&mut self) -> Result<Figures, Problem> {
        /// Not more, as each leaves a port behind that cannot be used for a minute.
        const TIMES: u64 = 200;
        let mut latencies = hdrhistogram::Histogram::<u64>::new(3)?;
        for _ in 0..TIMES {
            let begun = Instant::now();
            P::connect(self.server.port).await?.add(1, 1).await?;
            latencies.record(u64::try_from(begun.elapsed().as_nanos())?)?;
        }
        Ok(percentiles(&latencies))
    }

    /// A small call each millisecond; then the same while large replies come on the same connection.
    async fn mixed<P: Peer>(&mut self, large: Large) -> Result<Figures, Problem> {
        let Large { bytes, every } = large;
        let peer = P::connect(self.server.port).await?;
        let window = self.extent.window.max(Duration::from_secs(1));
        small_calls(&peer, self.extent.warm).await?;
        // Where a reply is made once, it is now.
        peer.fetch(bytes).await?;
        let alone = small_calls(&peer, window).await?;
        let beside = peer.clone();
        let large = tokio::spawn(async move {
            let mut ticks = every.map(tokio::time::interval);
            loop {
                if let Some(ticks) = &mut ticks {
                    ticks.tick().await;
                }
                match beside.fetch(bytes).await {
                    Ok(len) if len == bytes as usize => {}
                    Ok(len) => return Problem::from(format!("{len} bytes came")),
                    Err(problem) => return problem,
                }
            }
        });
        let mixed = small_calls(&peer, window).await?;
        if large.is_finished() {
            return Err(large.await?);
        }
        large.abort();
        let mut figures = percentiles(&mixed);
        let p99 =
            |latencies: &hdrhistogram::Histogram<u64>| latencies.value_at_percentile(99.0) as f64;
        figures.push(("p99 alone us".into(), p99(&alone) / 1000.0));
        figures.push(("p99 over alone".into(), p99(&mixed) / p99(&alone)));
        Ok(figures)
    }
}

async fn small_calls<P: Peer>(
    peer: &P,
    window: Duration,
) -> Result<hdrhistogram::Histogram<u64>, Problem> {
    const PACE: Duration = Duration::from_millis(1);
    let mut latencies = hdrhistogram::Histogram::new(3)?;
    let end = Instant::now() + window;
    while Instant::now() < end {
        tokio::time::sleep(PACE).await;
        let begun = Instant::now();
        peer.add(1, 1).await?;
        // The calls that a long one kept from being made would have been slow as well.
        let took = u64::try_from(begun.elapsed().as_nanos())?;
        latencies.record_correct(took, u64::try_from(2 * PACE.as_nanos())?)?;
    }
    Ok(latencies)
}

fn percentiles(latencies: &hdrhistogram::Histogram<u64>) -> Figures {
    let at = |percent| latencies.value_at_percentile(percent) as f64 / 1000.0;
    vec![("p50 us".into(), at(50.0)), ("p99 us".into(), at(99.0))]
}

/// Measures a subject whose client is a `P`.
pub(crate) async fn measure<P: Peer>(mut job: Job) -> Result<Figures, Problem> {
    match job.kind {
        Kind::Steady(load) => job.steady(load, drive::<P>).await,
        Kind::Blocked(calls) => job.blocked::<P>(calls).await,
        Kind::Idle(connections) => job.idle::<P>(connections).await,
        Kind::Startup => job.startup::<P>().await,
        Kind::Mixed(large) => job.mixed::<P>(large).await,
        Kind::Inward(_) => Err("its records come back".into()),
        Kind::Codec(_) => Err("the codecs have no server".into()),
    }
}

/// Runs the window in this process.
pub(crate) fn run(
    subject: &crate::subjects::Subject,
    kind: Kind,
    runtime: Runtime,
    extent: Extent,
) -> Result<Figures, Problem> {
    runtime.pin()?;
    let server = Server::start(subject, runtime)?;
    runtime.build()?.block_on((subject.measure)(Job {
        kind,
        extent,
        server,
    }))
}
