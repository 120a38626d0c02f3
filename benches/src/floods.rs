//! Good calls beside floods of rude connections: how long they take, and what each of the others costs.
//!
//! The server is a process of its own, with default limits. Five hundred and then five thousand
//! connections send a byte a second, a fifth each in a TLS handshake, a head, a body, a line and a frame;
//! one that is let go comes again. Then ten thousand say nothing but a hello. Beside all of them a thousand
//! good calls a second are made at fixed times, and each is timed from when it should have begun.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use farcall::{Limits, Server, ServerTls};
use hdrhistogram::Histogram;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::ALLOCATOR;
use crate::options::Runtime;
use crate::peer::Problem;
use crate::usage::Usage;

#[farcall::service]
trait Good {
    async fn add(&self, x: u64, y: u64) -> u64;
}

struct Plain;

impl Good for Plain {
    async fn add(&self, x: u64, y: u64) -> u64 {
        x.wrapping_add(y)
    }
}

/// Good clients, by their ways; each makes a hundred calls a second.
const WAYS: [&str; 10] = [
    "bincode+tcp",
    "bincode+tcp",
    "bincode+tcp",
    "json+tcp",
    "json+tcp",
    "json+http",
    "json+http",
    "xml+http",
    "bincode+http",
    "json+ws",
];
const BETWEEN: Duration = Duration::from_millis(10);
/// How many rude connections one task looks after.
const EACH: usize = 100;

/// The hello of a client that speaks bincode.
const HELLO: [u8; 16] = [
    0xfc, 0x66, 0x61, 0x72, 1, 1, 1, 0, 0, 0, 0x40, 0, 0, 4, 0, 0,
];

/// How a rude connection begins, and with which byte it goes on.
fn stages() -> [(&'static str, Vec<u8>, u8); 5] {
    let body = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 1000000\r\n\r\n[";
    // A request of a megabyte.
    let frame = [0, 0, 0x10, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    [
        ("handshake", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], 7),
        ("head", b"POST / HTTP/1.1\r\nX: ".to_vec(), b'x'),
        ("body", body.into(), b' '),
        ("line", b"{\"jsonrpc\":\"2.0\",\"method\":\"".to_vec(), b'x'),
        ("frame", [&HELLO[..], &frame].concat(), 0),
    ]
}

/// Measures; an error if a good call was not answered.
pub(crate) fn run() -> Result<(), Problem> {
    raise_descriptors()?;
    Runtime::Multi.build()?.block_on(measure())
}

async fn measure() -> Result<(), Problem> {
    let mut server = Process::start()?;
    let at = server.at;
    println!("1,000 good calls a second over {}", WAYS.join(", "));
    let good = Callers::start(at).await?;
    sleep(Duration::from_secs(2)).await;
    good.take();
    server
        .row("unloaded", 0, &good, Duration::from_secs(8))
        .await?;
    for many in [500, 5000] {
        let rude = Rude::start(at, many).await;
        sleep(Duration::from_secs(1)).await;
        good.take();
        let what = format!("{many} send a byte a second");
        server
            .row(&what, many, &good, Duration::from_secs(14))
            .await?;
        println!("    {}", rude.stop().await);
        sleep(Duration::from_secs(2)).await;
        good.take();
        server
            .row("after them", 0, &good, Duration::from_secs(5))
            .await?;
    }
    let idle = hold(at, 10_000).await?;
    sleep(Duration::from_secs(2)).await;
    good.take();
    server
        .row("10000 idle", 10_000, &good, Duration::from_secs(8))
        .await?;
    // And what they cost while nobody calls.
    good.stop().await?;
    sleep(Duration::from_secs(1)).await;
    let (before, _) = server.usage()?;
    sleep(Duration::from_secs(8)).await;
    let used = server.usage()?.0.since(&before);
    println!(
        "10000 idle and no calls: {:.2} % of a core",
        used.cpu_us / 8e4
    );
    drop(idle);
    sleep(Duration::from_secs(2)).await;
    let (usage, heap) = server.usage()?;
    let (rss, heap) = (usage.rss / 1e6, heap / 1e6);
    println!("after all of them: {rss:.1} MB, of which {heap:.1} are allocated");
    Ok(())
}

/// Connections that say hello, and nothing more.
async fn hold(at: SocketAddr, many: usize) -> Result<Vec<TcpStream>, Problem> {
    let mut held = Vec::with_capacity(many);
    for _ in 0..many {
        let mut io = TcpStream::connect(at).await?;
        io.write_all(&HELLO).await?;
        held.push(io);
    }
    Ok(held)
}

/// Those who make the good calls.
struct Callers {
    tasks: JoinSet<Result<(), Problem>>,
    times: Arc<std::sync::Mutex<Histogram<u64>>>,
    is_over: Arc<AtomicBool>,
}

impl Callers {
    async fn start(at: SocketAddr) -> Result<Self, Problem> {
        let mut callers = Self {
            tasks: JoinSet::new(),
            times: Arc::new(std::sync::Mutex::new(Histogram::new(3)?)),
            is_over: Arc::default(),
        };
        for way in WAYS {
            let client = GoodClient::connect(&format!("{way}://{at}")).await?;
            let (times, is_over) = (Arc::clone(&callers.times), Arc::clone(&callers.is_over));
            callers.tasks.spawn(async move {
                let mut ticks = interval(BETWEEN);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                for n in 0.. {
                    let began = ticks.tick().await;
                    if is_over.load(Relaxed) {
                        break;
                    }
                    let sum = client.add(n, 1).await;
                    let sum = sum.map_err(|error| format!("a good call over {way}: {error}"))?;
                    if sum != n + 1 {
                        return Err("a wrong answer".into());
                    }
                    let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                    let mut times = times.lock().map_err(|_| "a caller panicked")?;
                    times.record(took)?;
                }
                Ok(())
            });
        }
        Ok(callers)
    }

    /// How long the calls took since this was asked last.
    fn take(&self) -> Option<Histogram<u64>> {
        let mut times = self.times.lock().ok()?;
        let taken = times.clone();
        times.reset();
        Some(taken)
    }

    async fn stop(mut self) -> Result<(), Problem> {
        self.is_over.store(true, Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

/// Those who send a byte a second.
struct Rude {
    tasks: JoinSet<()>,
    let_go: Arc<[AtomicU64; 5]>,
    longest_ms: Arc<[AtomicU64; 5]>,
    is_over: Arc<AtomicBool>,
}

impl Rude {
    async fn start(at: SocketAddr, many: usize) -> Self {
        let mut rude = Self {
            tasks: JoinSet::new(),
            let_go: Arc::default(),
            longest_ms: Arc::default(),
            is_over: Arc::default(),
        };
        for first in (0..many).step_by(EACH) {
            let (let_go, longest) = (Arc::clone(&rude.let_go), Arc::clone(&rude.longest_ms));
            let is_over = Arc::clone(&rude.is_over);
            let connections = (first..(first + EACH).min(many)).map(|number| number % 5);
            let connections: Vec<_> = connections.collect();
            rude.tasks.spawn(async move {
                let stages = stages();
                let mut open: Vec<Option<(TcpStream, Instant)>> = Vec::new();
                open.resize_with(connections.len(), || None);
                while !is_over.load(Relaxed) {
                    let began = Instant::now();
                    for (place, stage) in open.iter_mut().zip(&connections) {
                        let (_, start, next) = &stages[*stage];
                        let goes_on = match place {
                            Some((io, _)) => io.try_write(&[*next]).is_ok() && !is_closed(io),
                            None => false,
                        };
                        if !goes_on {
                            if let Some((_, since)) = place.take() {
                                let ms = u64::try_from(since.elapsed().as_millis());
                                let_go[*stage].fetch_add(1, Relaxed);
                                longest[*stage].fetch_max(ms.unwrap_or(u64::MAX), Relaxed);
                            }
                            if let Ok(mut io) = TcpStream::connect(at).await {
                                let _ = io.write_all(start).await;
                                *place = Some((io, Instant::now()));
                            }
                        }
                        // All of them would otherwise send at once.
                        sleep(Duration::from_millis(1)).await;
                    }
                    sleep(Duration::from_secs(1).saturating_sub(began.elapsed())).await;
                }
            });
        }
        rude
    }

    /// How many were let go, and how long those lasted at most.
    async fn stop(mut self) -> String {
        self.is_over.store(true, Relaxed);
        while self.tasks.join_next().await.is_some() {}
        let mut words = Vec::new();
        let counts = self.let_go.iter().zip(self.longest_ms.iter());
        for ((name, ..), (count, longest)) in stages().iter().zip(counts) {
            let (count, longest) = (count.load(Relaxed), longest.load(Relaxed) as f64 / 1e3);
            words.push(match count {
                0 => format!("{name} none let go"),
                _ => format!("{name} {count} let go, after {longest:.1} s at most"),
            });
        }
        words.join("; ")
    }
}

/// True if the server has closed, whatever it said before.
fn is_closed(io: &TcpStream) -> bool {
    let mut said = [0; 256];
    loop {
        match io.try_read(&mut said) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

/// The server's process.
struct Process {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    at: SocketAddr,
    /// Its memory, and what is allocated of it, when nothing went on.
    least: Option<(f64, f64)>,
}

impl Process {
    fn start() -> Result<Self, Problem> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["floods", "serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let asks = child.stdin.take().ok_or("no pipe")?;
        let mut answers = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let at = line.trim().parse()?;
        Ok(Self {
            child,
            asks,
            answers,
            at,
            least: None,
        })
    }

    fn usage(&mut self) -> Result<(Usage, f64), Problem> {
        self.asks.write_all(b"usage\n")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Waits, and prints how it went.
    async fn row(
        &mut self,
        what: &str,
        many: usize,
        good: &Callers,
        time: Duration,
    ) -> Result<(), Problem> {
        let (before, _) = self.usage()?;
        sleep(time).await;
        let (now, heap) = self.usage()?;
        let cpu = now.since(&before).cpu_us / time.as_micros() as f64 * 100.0;
        let times = good.take().ok_or("a caller panicked")?;
        let (least, least_heap) = *self.least.get_or_insert((now.rss, heap));
        let ms = |percent: f64| times.value_at_quantile(percent / 100.0) as f64 / 1e3;
        print!(
            "{what}: {} good calls, p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms; server {cpu:.1} % of a \
             core, {:.1} MB",
            times.len(),
            ms(50.0),
            ms(99.0),
            ms(100.0),
            now.rss / 1e6,
        );
        match many {
            0 => println!(),
            _ => {
                let each = |bytes: f64| bytes / 1024.0 / many as f64;
                let (rss, heap) = (each(now.rss - least), each(heap - least_heap));
                println!(", {rss:.1} KiB each ({heap:.1} allocated)");
            }
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until the input ends.
pub(crate) fn serve() -> Result<(), Problem> {
    raise_descriptors()?;
    std::thread::spawn(|| {
        for _ in std::io::stdin().lines() {
            let Ok(usage) = Usage::now() else { break };
            let heap = ALLOCATOR.stats();
            let held = heap.bytes_allocated.saturating_sub(heap.bytes_deallocated);
            let said = (usage, held as f64);
            println!("{}", serde_json::to_string(&said).unwrap_or_default());
        }
        std::process::exit(0);
    });
    Runtime::Multi.build()?.block_on(async {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let tls = ServerTls::from_pem(pair.cert.pem(), pair.signing_key.serialize_pem())?;
        let mut limits = Limits::default();
        // The idle ones, and those who call.
        limits.connections = 10_100;
        let server = Server::new()
            .service(GoodServer::new(Plain))
            .limits(limits)
            .tls(tls)
            .tls_beside_plain();
        let listening = server.listen("tcp://127.0.0.1:0").await?;
        println!("{}", listening.local_addr().ok_or("no address")?);
        listening.run().await;
        Ok(())
    })
}

/// As many descriptors as may be had.
fn raise_descriptors() -> Result<(), Problem> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(())
}
