//! Something between a client and a server whose connections fail as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use farcall::testing::{Faults, Faulty};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// How many bytes each connection took from the client, and gave to it.
    ended: tokio::sync::Mutex<mpsc::UnboundedReceiver<(u64, u64)>>,
}

#[derive(Default)]
struct State {
    /// What goes wrong with the next connection. Those after it are well.
    next: Option<Faults>,
    open: Vec<tokio::task::AbortHandle>,
}

impl Proxy {
    pub(crate) async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let (ends, ended) = mpsc::unbounded_channel();
        tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    let faults = state.lock().unwrap().next.take().unwrap_or_default();
                    let carrying = tokio::spawn(carry(client, to, faults, ends.clone()));
                    state.lock().unwrap().open.push(carrying.abort_handle());
                }
            }
        });
        Self {
            address,
            state,
            ended: tokio::sync::Mutex::new(ended),
        }
    }

    /// Closes what is open, and has this go wrong with the next connection.
    pub(crate) fn next_is(&self, faults: Faults) {
        let mut state = self.state.lock().unwrap();
        state.next = Some(faults);
        state.open.drain(..).for_each(|open| open.abort());
    }

    /// How many bytes the first connection took and gave, once it has ended.
    pub(crate) async fn first_connection(&self) -> (u64, u64) {
        self.ended.lock().await.recv().await.unwrap()
    }
}

async fn carry(
    client: TcpStream,
    to: SocketAddr,
    faults: Faults,
    ends: mpsc::UnboundedSender<(u64, u64)>,
) {
    client.set_nodelay(true).unwrap();
    let mut server = TcpStream::connect(to).await.unwrap();
    let mut client = Faulty::new(client, faults);
    // What was read before the cut still arrives: nothing waits in between.
    let _ = copy_bidirectional(&mut client, &mut server).await;
    let _ = ends.send((client.bytes_read(), client.bytes_written()));
    // The server may answer what it got: only then is it known what ran.
    let _ = server.shutdown().await;
    let _ = server.read_to_end(&mut Vec::new()).await;
}
