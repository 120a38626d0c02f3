//! What the list means for connections, new ones and open ones.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const NOBODY: [&str; 1] = ["192.0.2.0/24"];
/// Every way a client of ours can come in by an address.
const WAYS: [&str; 5] = [
    "bincode+tcp",
    "json+tcp",
    "json+http",
    "xml+http",
    "bincode+http?version=2",
];

#[tokio::test]
async fn who_is_not_listed_gets_no_byte_whatever_is_spoken() {
    let house = House::open(&AllowList::new(NOBODY).unwrap()).await;
    let spoken = [
        &b""[..],
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"knock\",\"id\":1}\n",
        b"\x16\x03\x01\x00\x05hello",
        b"\xffnonsense",
    ];
    for words in spoken {
        let mut io = TcpStream::connect(house.address).await.unwrap();
        let _ = io.write_all(words).await;
        let mut heard = Vec::new();
        // Closed, or reset because of what was sent.
        let _ = io.read_to_end(&mut heard).await;
        assert_eq!(heard, b"", "{words:?}");
    }
    assert_eq!(house.knocks(), 0);
    let report = house.close().await;
    assert_eq!(
        (report.connections, report.refused),
        (0, spoken.len() as u64)
    );
}

#[tokio::test]
async fn of_two_addresses_the_listed_one_is_served() {
    let house = House::open(&AllowList::new(["127.0.0.2"]).unwrap()).await;
    assert!(house.connect_from("127.0.0.1").await.knock().await.is_err());
    assert_eq!(
        house.connect_from("127.0.0.2").await.knock().await.unwrap(),
        1
    );
    let report = house.close().await;
    assert_eq!((report.connections, report.refused), (1, 1));
}

#[tokio::test]
async fn an_ipv4_client_of_an_ipv6_socket_is_known_by_its_ipv4_address() {
    let porter = Porter::default();
    let server = Server::new().service(DoorServer::new(porter.clone()));
    let server = server.allow(AllowList::new(["127.0.0.2"]).unwrap());
    let Ok(listening) = server.listen("tcp://[::]:0").await else {
        return eprintln!("left out: this machine has no IPv6");
    };
    let mut house = House::run(listening, porter);
    house.address.set_ip("127.0.0.1".parse().unwrap());
    assert!(house.connect_from("127.0.0.1").await.knock().await.is_err());
    assert_eq!(
        house.connect_from("127.0.0.2").await.knock().await.unwrap(),
        1
    );
}

#[tokio::test]
async fn an_open_connection_gets_no_call_answered_once_its_address_is_taken_off() {
    for way in WAYS {
        let list = AllowList::new(["127.0.0.1"]).unwrap();
        let house = House::open(&list).await;
        let door = house.connect(way).await;
        assert_eq!(door.knock().await.unwrap(), 1, "{way}");
        list.set(NOBODY).unwrap();
        let error = door.knock().await.expect_err(way);
        assert!(!error.is_timeout(), "{way}: {error}");
        assert_eq!(house.knocks(), 1, "{way}");
        list.set(["127.0.0.1"]).unwrap();
        assert_eq!(house.connect(way).await.knock().await.unwrap(), 2, "{way}");
    }
}

#[tokio::test]
async fn requests_that_wait_behind_a_slow_one_are_not_answered_either() {
    let list = AllowList::new(["127.0.0.1"]).unwrap();
    let house = House::open(&list).await;
    let post = |method: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}","id":1}}"#);
        format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let mut io = TcpStream::connect(house.address).await.unwrap();
    let both = post("wait") + &post("knock");
    io.write_all(both.as_bytes()).await.unwrap();
    house.porter.waits.notified().await;
    list.set(NOBODY).unwrap();
    house.porter.may_answer.notify_one();
    let mut heard = String::new();
    io.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard.matches("HTTP/1.1 200").count(), 1, "{heard}");
    assert_eq!(house.knocks(), 0);
}

#[tokio::test]
async fn a_call_in_flight_is_still_answered() {
    for way in WAYS {
        let list = AllowList::new(["127.0.0.1"]).unwrap();
        let house = House::open(&list).await;
        let door = house.connect(way).await;
        let call = door.wait();
        let taken_off = async {
            house.porter.waits.notified().await;
            list.set(NOBODY).unwrap();
            // The connection hears of it before the handler answers.
            tokio::task::yield_now().await;
            house.porter.may_answer.notify_one();
        };
        let (answer, ()) = tokio::join!(async { call.await }, taken_off);
        assert_eq!(answer.unwrap(), 7, "{way}");
        assert!(door.knock().await.is_err(), "{way}");
        assert_eq!(house.knocks(), 0, "{way}");
    }
}

#[tokio::test]
async fn without_grace_calls_in_flight_are_dropped_at_once() {
    for way in WAYS {
        let list = AllowList::new(["127.0.0.1"]).unwrap();
        let list = list.grace(Duration::ZERO);
        let house = House::open(&list).await;
        let door = house.connect(way).await;
        let taken_off = async {
            house.porter.waits.notified().await;
            list.set(NOBODY).unwrap();
            house.porter.given_up.notified().await;
        };
        let (answer, ()) = tokio::join!(async { door.wait().await }, taken_off);
        let error = answer.expect_err(way);
        assert!(!error.is_timeout(), "{way}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_grace() {
    let list = AllowList::new(["127.0.0.1"]).unwrap();
    let list = list.grace(Duration::from_secs(5));
    let house = House::open(&list).await;
    let door = house.connect("bincode+tcp").await;
    let mut items = door.talk().await.unwrap();
    assert_eq!(items.next().await.unwrap().unwrap(), 7);
    list.set(NOBODY).unwrap();
    let taken_off = tokio::time::Instant::now();
    // The time passes while the stream is not read, and its sender waits.
    tokio::time::sleep(Duration::from_secs(6)).await;
    while let Some(Ok(_)) = items.next().await {}
    assert!(taken_off.elapsed() < Duration::from_secs(7));
}

#[tokio::test]
async fn connections_without_an_address_are_not_asked_about() {
    let folder = Folder::new("unix");
    let socket = folder.0.join("socket");
    let unix = format!("unix://{}", socket.display());
    let memory = format!("mem://allow-list-{}", std::process::id());
    let server = Server::new().service(DoorServer::new(Porter::default()));
    let server = server.allow(AllowList::new(NOBODY).unwrap());
    let listening = server
        .listen(&unix)
        .await
        .unwrap()
        .listen(&memory)
        .await
        .unwrap();
    tokio::spawn(listening.run());
    for address in [unix, memory] {
        let door = DoorClient::connect(&address).await.unwrap();
        assert!(door.knock().await.is_ok(), "{address}");
    }
}
