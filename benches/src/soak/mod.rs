//! Mixed load over every protocol, for minutes, beside faults of all kinds.
//!
//! The server is a process of its own. Half of the callers reach it directly, and each of their calls
//! must end as it should. The others go through a proxy that cuts, stalls, delays and resets their
//! connections: their calls may fail, but each ends once, in its time. Strangers send nonsense
//! meanwhile. At the end nothing may be left: no descriptor, no call, no memory that grew.

mod caller;
mod plot;
mod process;
mod proxy;
mod samples;
mod service;
mod stranger;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::options::Runtime;
use crate::peer::Problem;
use process::Process;
use samples::Samples;
pub(crate) use service::serve;
use tally::Tally;

/// How to reach the server; `PORT` and `CA` are put in. All of them carry streams.
const WAYS: [&str; 11] = [
    "bincode+tcp://127.0.0.1:PORT",
    "json+tcp://127.0.0.1:PORT",
    "xml+tcp://127.0.0.1:PORT",
    "bincode+http://127.0.0.1:PORT/",
    "json+http://127.0.0.1:PORT/",
    "xml+http://127.0.0.1:PORT/?gzip=1",
    "json+http://127.0.0.1:PORT/?version=2",
    "json+ws://127.0.0.1:PORT/",
    "bincode+ws://127.0.0.1:PORT/",
    "bincode+tls://127.0.0.1:PORT?ca=CA",
    "json+https://127.0.0.1:PORT/?ca=CA",
];
/// On each way, and as many through the proxy.
const CALLERS: u64 = 3;
const STRANGERS: u64 = 8;

/// Where the plot and the samples go.
const FOLDER: &str = "target/soak";

/// Runs for so long; true if something was not as it must be.
pub(crate) fn run(time: Duration) -> Result<bool, Problem> {
    std::fs::create_dir_all(FOLDER)?;
    Runtime::Multi.build()?.block_on(soak(time))
}

async fn soak(time: Duration) -> Result<bool, Problem> {
    let server = Process::start()?;
    let proxy = proxy::start(server.port).await?;
    let tally = Arc::<Tally>::default();
    let over = Arc::new(AtomicBool::new(false));
    let before = server.held()?;

    let mut tasks = JoinSet::new();
    let mut number = 0;
    for way in WAYS {
        for port in [server.port, proxy] {
            let address = way
                .replace("PORT", &port.to_string())
                .replace("CA", service::CA);
            for _ in 0..CALLERS {
                number += 1;
                let caller = caller::Caller {
                    address: address.clone(),
                    is_direct: port == server.port,
                    tally: Arc::clone(&tally),
                    dice: Dice(number),
                };
                tasks.spawn(caller.run(Arc::clone(&over)));
            }
        }
    }
    for _ in 0..STRANGERS {
        number += 1;
        let dice = Dice(number);
        tasks.spawn(stranger::run(server.port, dice, Arc::clone(&over)));
    }

    let begun = Instant::now();
    let mut samples = Samples::default();
    println!("{}", samples::HEAD);
    while begun.elapsed() < time {
        sleep(Duration::from_secs(1)).await;
        samples.take(begun.elapsed(), &tally, &server)?;
    }
    over.store(true, Relaxed);
    let ended = tokio::time::timeout(caller::PATIENCE * 2, async {
        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        Ok::<_, Problem>(())
    });
    let ended = ended.await;
    let after = server.settled(before).await?;

    samples.write()?;
    plot::write(&samples)?;
    let mut wrong = tally.report();
    if ended.is_err() {
        wrong.push("some callers did not end".to_owned());
    }
    println!(
        "server: {} descriptors before, {} after; {:.1} MiB before, {:.1} after",
        before.descriptors,
        after.descriptors,
        before.mib(),
        after.mib()
    );
    if after.descriptors > before.descriptors {
        wrong.push("descriptors were left open".to_owned());
    }
    wrong.extend(samples.grew());
    println!("{FOLDER}/soak.svg has the plot, {FOLDER}/samples.json the samples");
    for what in &wrong {
        eprintln!("WRONG: {what}");
    }
    Ok(!wrong.is_empty())
}
