//! A batch takes no more of the server than it gives: it lets others have their turn, and ends early
//! where no reply fits any more.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use farcall::{Encoding, Limits, Server, code};

#[farcall::service]
trait Press {
    /// Notes at which tick it ran.
    async fn print(&self, size: usize) -> String;
    #[rpc(notify)]
    async fn note(&self);
}

#[derive(Clone, Default)]
struct Printer {
    /// How many turns the others had so far.
    ticks: Arc<AtomicUsize>,
    ran: Arc<Mutex<Vec<usize>>>,
    noted: Arc<AtomicUsize>,
}

impl Press for Printer {
    async fn print(&self, size: usize) -> String {
        let tick = self.ticks.load(Ordering::SeqCst);
        self.ran.lock().unwrap().push(tick);
        "x".repeat(size)
    }
    async fn note(&self) {
        self.noted.fetch_add(1, Ordering::SeqCst);
    }
}

const LIMIT: usize = 1024 * 1024;

/// A printer, somebody beside it who counts his turns, and clients whose batches are one message.
async fn served() -> (Printer, Vec<(String, PressClient)>) {
    let printer = Printer::default();
    let mut limits = Limits::default();
    limits.message_bytes = LIMIT;
    let server = Server::new().service(PressServer::new(printer.clone()));
    let server = server.limits(limits).listen("tcp://127.0.0.1:0");
    let listening = server.await.unwrap();
    let port = listening.local_addr().unwrap().port();
    tokio::spawn(listening.run_until(std::future::pending::<()>()));
    let ticks = Arc::clone(&printer.ticks);
    // (`yield_now` would wait until the runtime has looked at its sockets, which is seldom.)
    tokio::spawn(poll_fn(move |cx| {
        ticks.fetch_add(1, Ordering::SeqCst);
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    }));
    let mut clients = Vec::new();
    let http = Encoding::ALL.map(|encoding| format!("{encoding}+http"));
    for way in http.into_iter().chain(["json+tcp".to_owned()]) {
        let address = format!("{way}://127.0.0.1:{port}");
        clients.push((way, PressClient::connect(&address).await.unwrap()));
    }
    (printer, clients)
}

#[tokio::test]
async fn a_long_batch_lets_others_have_their_turn() {
    let (printer, clients) = served().await;
    for (way, press) in clients {
        for (members, size) in [(900, 1), (10, 80_000)] {
            printer.ran.lock().unwrap().clear();
            let calls = (0..members).map(|_| press.print(size)).collect::<Vec<_>>();
            let results = press.batch(calls).await.unwrap();
            assert!(results.into_iter().all(|result| result.is_ok()), "{way}");
            let mut ran = std::mem::take(&mut *printer.ran.lock().unwrap());
            assert_eq!(ran.len(), members, "{way}");
            ran.dedup();
            assert!(ran.len() > 4, "{way}, {size}: {} turns", ran.len());
        }
    }
}

#[tokio::test]
async fn members_whose_replies_cannot_fit_do_not_run() {
    let (printer, clients) = served().await;
    for (way, press) in clients {
        printer.ran.lock().unwrap().clear();
        let calls = (0..500).map(|_| press.print(700_000)).collect::<Vec<_>>();
        let mut results = press.batch(calls).await.unwrap().into_iter();
        assert_eq!(results.next().unwrap().unwrap().len(), 700_000, "{way}");
        let refused: Vec<_> = results.map(|result| result.unwrap_err()).collect();
        assert_eq!(refused.len(), 499, "{way}");
        for error in &refused {
            let fault = error.fault().unwrap();
            assert_eq!(fault.code, code::TOO_LARGE, "{way}: {fault}");
            let limit = "more than 1048576 bytes (`Limits::message_bytes`)";
            assert!(fault.message.contains(limit), "{way}: {fault}");
        }
        let not_run =
            |error: &&farcall::Error| error.to_string().contains("the method did not run");
        let not_run = refused.iter().filter(not_run).count();
        let ran = printer.ran.lock().unwrap().len();
        assert_eq!(ran + not_run, 500, "{way}");
        // One that fits, and as much again that does not.
        assert!(ran <= 4, "{way}: {ran} ran");
    }
}

#[tokio::test]
async fn notifications_behind_replies_that_do_not_fit_run() {
    let (printer, clients) = served().await;
    for (way, press) in clients {
        if press.channel().encoding() == Encoding::Xml {
            // It has no notifications: they are calls whose answers nobody reads.
            continue;
        }
        printer.noted.store(0, Ordering::SeqCst);
        let [a, b, c, d, e] = std::array::from_fn(|_| press.print(700_000));
        let results = press.batch((a, b, c, d, e, press.note())).await.unwrap();
        assert!(results.4.is_err() && results.5.is_ok(), "{way}");
        assert_eq!(printer.noted.load(Ordering::SeqCst), 1, "{way}");
    }
}
