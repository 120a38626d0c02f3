//! What goes on without its handler learns that the call is over, however it ended.

use std::time::Duration;

use farcall::{Context, Encoding, Limits, Server};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

#[farcall::service]
trait Work {
    /// Starts a task, and answers or waits.
    async fn start(&self, answer: bool);
    /// Blocks until it is over.
    #[rpc(blocking)]
    async fn grind(&self, cx: &Context);
    /// Waits in the handler itself for what can only come when it is gone.
    async fn watch(&self, cx: &Context) -> bool;
}

/// Tells `begun` and `over` of what it started.
struct Worker(UnboundedSender<&'static str>);

impl Work for Worker {
    async fn start(&self, answer: bool) {
        let (cx, say) = (Context::current().unwrap(), self.0.clone());
        tokio::spawn(async move {
            say.send("begun").unwrap();
            cx.cancelled().await;
            // Whoever asks later knows it at once, and so do several.
            let both = futures_util::future::join(cx.cancelled(), cx.clone().cancelled());
            both.await;
            assert!(cx.is_cancelled());
            say.send("over").unwrap();
        });
        if !answer {
            std::future::pending().await
        }
    }
    async fn grind(&self, cx: &Context) {
        self.0.send("begun").unwrap();
        while !cx.is_cancelled() {
            std::thread::yield_now();
        }
        cx.cancelled().await;
        self.0.send("over").unwrap();
    }
    async fn watch(&self, cx: &Context) -> bool {
        let cancelled = cx.cancelled();
        let (none, asked) = (
            futures_util::FutureExt::now_or_never(cancelled),
            cx.is_cancelled(),
        );
        none.is_none() && !asked
    }
}

type Said = UnboundedReceiver<&'static str>;

async fn says(said: &mut Said, what: &str, way: &str) {
    let said = tokio::time::timeout(Duration::from_secs(60), said.recv());
    assert_eq!(said.await.ok().flatten(), Some(what), "{way}");
}

async fn workers() -> Vec<(&'static str, WorkClient, Said)> {
    let mut workers = Vec::new();
    for way in [
        "bincode+tcp",
        "xml+tcp",
        "json+tcp",
        "json+http",
        "bincode+http",
    ] {
        let (say, said) = unbounded_channel();
        let server = Server::new().service(WorkServer::new(Worker(say)));
        let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
        let at = listening.local_addr().unwrap();
        tokio::spawn(listening.run());
        let client = WorkClient::connect(&format!("{way}://{at}")).await.unwrap();
        workers.push((way, client, said));
    }
    workers
}

#[tokio::test]
async fn an_answer_ends_it() {
    for (way, work, mut said) in workers().await {
        assert!(work.watch().await.unwrap(), "{way}");
        work.start(true).await.unwrap();
        says(&mut said, "begun", way).await;
        says(&mut said, "over", way).await;
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_ends_it() {
    for (way, work, mut said) in workers().await {
        let calling = work.clone();
        let calling = tokio::spawn(async move { calling.start(false).await });
        says(&mut said, "begun", way).await;
        calling.abort();
        says(&mut said, "over", way).await;
        let grinding = work.clone();
        let grinding = tokio::spawn(async move { grinding.grind().await });
        says(&mut said, "begun", way).await;
        grinding.abort();
        says(&mut said, "over", way).await;
    }
}

#[tokio::test]
async fn a_lost_connection_ends_it() {
    for encoding in [Encoding::Bincode, Encoding::Json, Encoding::Xml] {
        let (say, mut said) = unbounded_channel();
        let (mine, theirs) = tokio::io::duplex(1024);
        let server = Server::new().service(WorkServer::new(Worker(say)));
        let serving = tokio::spawn(server.serve_stream(theirs));
        let work = WorkClient::new(farcall::over(mine, encoding, Limits::default()));
        let calling = tokio::spawn(async move { work.start(false).await });
        says(&mut said, "begun", "a stream").await;
        serving.abort();
        says(&mut said, "over", "a stream").await;
        assert!(calling.await.unwrap().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_it() {
    let (say, mut said) = unbounded_channel();
    let channel = farcall::in_memory(WorkServer::new(Worker(say)), Encoding::Bincode);
    let work = WorkClient::new(channel);
    let start = tokio::time::Instant::now();
    let call = work.start(false).timeout(Duration::from_secs(5));
    assert!(call.await.unwrap_err().is_timeout());
    says(&mut said, "begun", "mem").await;
    says(&mut said, "over", "mem").await;
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_client_that_closed_its_half_and_then_broke_off_ends_it() {
    let (say, mut said) = unbounded_channel();
    let mut limits = Limits::default();
    limits.silence_time = Duration::from_millis(50);
    let server = Server::new()
        .service(WorkServer::new(Worker(say)))
        .limits(limits);
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let at = listening.local_addr().unwrap();
    tokio::spawn(listening.run());
    let mut io = tokio::net::TcpStream::connect(at).await.unwrap();
    let call = b"{\"jsonrpc\":\"2.0\",\"method\":\"start\",\"params\":[false],\"id\":1}\n";
    tokio::io::AsyncWriteExt::write_all(&mut io, call)
        .await
        .unwrap();
    says(&mut said, "begun", "json").await;
    tokio::io::AsyncWriteExt::shutdown(&mut io).await.unwrap();
    // Until here it might still read its answer.
    tokio::time::timeout(Duration::from_millis(200), said.recv())
        .await
        .unwrap_err();
    io.set_zero_linger().unwrap();
    drop(io);
    says(&mut said, "over", "json").await;
}
