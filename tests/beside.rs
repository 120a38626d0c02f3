//! What travels beside parameters and results: metadata in both directions, ids, a client's
//! defaults, and what layers give a call.

use std::time::Duration;

use farcall::{
    Context, Encoding, Error, Fault, Method, Reply, Request, Server, Service, Stream, code,
};
use futures_util::{StreamExt, stream};

#[farcall::service]
trait Desk {
    /// Tells in metadata who answered, and what it cost.
    async fn ask(&self, cx: &Context, cost: u32) -> u32;
    /// Sends this along.
    async fn send(&self, cx: &Context, name: String, value: String) -> bool;
    async fn refuse(&self, cx: &Context) -> Result<u32, Fault>;
    fn count(&self, cx: &Context) -> impl Stream<Item = u32>;
    async fn id(&self, cx: &Context) -> Option<String>;
    /// The metadata `name`, and how many milliseconds are left.
    async fn told(&self, cx: &Context, name: String) -> (Vec<String>, Option<u64>);
    fn told_in_stream(&self, cx: &Context, name: String) -> impl Stream<Item = Vec<String>>;
    /// What the layer said.
    async fn tenant(&self, cx: &Context) -> Option<u32>;
}

struct Clerk;

fn values(cx: &Context, name: &str) -> Vec<String> {
    let all = cx.metadata().iter();
    let all = all.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    all.map(|(_, value)| value.to_owned()).collect()
}

impl Desk for Clerk {
    async fn ask(&self, cx: &Context, cost: u32) -> u32 {
        cx.reply_metadata("Served-By", "clerk");
        tokio::task::yield_now().await;
        cx.reply_metadata("cost", cost.to_string());
        cost
    }
    async fn send(&self, cx: &Context, name: String, value: String) -> bool {
        cx.reply_metadata(name, value);
        true
    }
    async fn refuse(&self, cx: &Context) -> Result<u32, Fault> {
        cx.reply_metadata("cost", "7");
        Err(Fault::new(1, "no"))
    }
    fn count(&self, cx: &Context) -> impl Stream<Item = u32> {
        cx.reply_metadata("length", "3");
        stream::iter(0..3)
    }
    async fn id(&self, cx: &Context) -> Option<String> {
        cx.request_id().map(|id| id.to_string())
    }
    async fn told(&self, cx: &Context, name: String) -> (Vec<String>, Option<u64>) {
        let left = cx.time_left();
        (
            values(cx, &name),
            left.and_then(|left| left.as_millis().try_into().ok()),
        )
    }
    fn told_in_stream(&self, cx: &Context, name: String) -> impl Stream<Item = Vec<String>> {
        let told = values(cx, &name);
        stream::once(async { told })
    }
    async fn tenant(&self, cx: &Context) -> Option<u32> {
        cx.extension::<Tenant>().map(|Tenant(number)| number)
    }
}

#[derive(Clone)]
struct Tenant(u32);

/// Reads the metadata `tenant`, for the handlers of `S`.
#[derive(Clone)]
struct OfTenant<S>(S);

impl<S: Service> Service for OfTenant<S> {
    const METHODS: &'static [Method] = S::METHODS;

    fn call(&self, request: Request) -> impl Future<Output = Reply> + Send + use<S> {
        let service = self.0.clone();
        async move {
            if let Some(number) = request.context().metadata().get_as("tenant")? {
                request.context().extend(Tenant(0));
                request.context().extend(Tenant(number));
            }
            service.call(request).await
        }
    }
}

const WAYS: [&str; 8] = [
    "bincode+tcp://",
    "xml+tcp://",
    "json+tcp://",
    "bincode+http://",
    "json+http://",
    "xml+http://",
    "bincode+http://?version=2",
    "json+http://?version=2",
];

async fn desks() -> Vec<(&'static str, DeskClient)> {
    let server = Server::new().service(OfTenant(DeskServer::new(Clerk)));
    let listening = server.listen("tcp://127.0.0.1:0").await.unwrap();
    let at = listening.local_addr().unwrap();
    tokio::spawn(listening.run());
    let mut desks = Vec::new();
    for way in WAYS {
        let address = way.replace("//", &format!("//{at}/"));
        let address = match way.contains("tcp") {
            true => address.trim_end_matches('/').to_owned(),
            false => address,
        };
        desks.push((way, DeskClient::connect(&address).await.unwrap()));
    }
    desks
}

#[tokio::test]
async fn a_handler_sends_metadata_along_with_its_result() {
    for (way, desk) in desks().await {
        let (result, metadata) = desk.ask(7).with_reply_metadata().await.unwrap();
        assert_eq!(result, 7, "{way}");
        let got = (metadata.get("served-by"), metadata.get_as("cost"));
        // A JSON-RPC stream has no place for it.
        let sent = match way.starts_with("json+tcp") {
            true => (None, Ok(None)),
            false => (Some("clerk"), Ok(Some(7))),
        };
        assert_eq!(got, sent, "{way}");
        // The next call has nothing of it.
        let (_, metadata) = desk.id().with_reply_metadata().await.unwrap();
        assert_eq!(metadata.get("cost"), None, "{way}");
        assert_eq!(desk.ask(8).await.unwrap(), 8, "{way}");
        let fault = desk.refuse().with_reply_metadata().await.unwrap_err();
        assert!(
            matches!(&fault, Error::Fault(fault) if fault.code == 1),
            "{way}: {fault}"
        );
    }
}

#[tokio::test]
async fn metadata_of_a_reply_that_cannot_travel_is_a_fault_that_says_why() {
    for (way, desk) in desks().await {
        for (name, value, why) in [
            ("set cookie", "7", "characters that no header's may have"),
            ("a", "7\r\nset-cookie: b=1", "control characters"),
            ("a", " 7", "blank"),
            ("", "7", "1 to 200 bytes"),
            ("a", &"7".repeat(9000), "8 KiB at most"),
        ] {
            let send = desk.send(name.to_owned(), value.to_owned());
            let failure = send.with_reply_metadata().await.unwrap_err();
            let fault = failure.fault().unwrap();
            assert_eq!(fault.code, code::INTERNAL_ERROR, "{way}: {fault}");
            assert!(fault.message.contains(why), "{way}: {fault}");
        }
        // A header of HTTP's own is none of HTTP's here.
        let send = desk.send("content-length".to_owned(), "1".to_owned());
        let (sent, metadata) = send.with_reply_metadata().await.unwrap();
        let expected = (!way.starts_with("json+tcp")).then_some("1");
        assert_eq!(
            (sent, metadata.get("content-length")),
            (true, expected),
            "{way}"
        );
    }
}

#[tokio::test]
async fn a_stream_has_its_metadata_when_it_is_opened() {
    let carrying = |way: &str| !way.contains("json");
    for (way, desk) in desks().await.into_iter().filter(|(way, _)| carrying(way)) {
        let items = desk.count().await.unwrap();
        assert_eq!(items.metadata().get_as("length"), Ok(Some(3)), "{way}");
        assert_eq!(items.count().await, 3, "{way}");
    }
}

#[tokio::test]
async fn each_call_of_a_batch_in_frames_has_its_own_result() {
    for (way, desk) in desks().await {
        let sums = desk.batch((desk.ask(1), desk.ask(2))).await.unwrap();
        assert_eq!((sums.0.unwrap(), sums.1.unwrap()), (1, 2), "{way}");
    }
}

#[tokio::test]
async fn a_request_has_the_callers_own_id_or_that_of_its_message() {
    for (way, desk) in desks().await {
        let id = desk.id().await.unwrap();
        match way.starts_with("xml+http") {
            true => assert_eq!(id, None, "{way}"),
            false => assert!(id.is_some_and(|id| id.parse::<u64>().is_ok()), "{way}"),
        }
        if !way.starts_with("json+tcp") {
            let id = desk.id().metadata("X-Request-Id", "7f").await.unwrap();
            assert_eq!(id.as_deref(), Some("7f"), "{way}");
        }
    }
}

#[tokio::test]
async fn a_clients_defaults_are_those_of_calls_that_say_nothing_else() {
    for (way, desk) in desks().await {
        if way.starts_with("json+tcp") {
            continue;
        }
        let minute = Duration::from_secs(60);
        let ours = desk.with_metadata("a", "1").with_metadata("b", "2");
        let ours = ours.with_metadata("A", "3").with_timeout(minute);
        let (a, left) = ours.told("a".to_owned()).await.unwrap();
        assert_eq!(a, ["3"], "{way}: said again");
        let over = 30_000..=60_000;
        assert!(
            left.is_some_and(|left| over.contains(&left)),
            "{way}: {left:?}"
        );
        let call = ours
            .told("a".to_owned())
            .metadata("a", "4")
            .metadata("a", "5");
        let (a, left) = call.timeout(Duration::from_secs(20)).await.unwrap();
        assert_eq!(a, ["4", "5"], "{way}: the call's own take its place");
        assert!(left.is_some_and(|left| left <= 20_000), "{way}: {left:?}");
        let (b, _) = ours.told("b".to_owned()).metadata("a", "4").await.unwrap();
        assert_eq!(b, ["2"], "{way}");
        let (none, left) = desk.told("a".to_owned()).await.unwrap();
        assert!(
            none.is_empty(),
            "{way}: the client it came from has no defaults"
        );
        assert!(left.is_some_and(|left| left <= 10_000), "{way}: {left:?}");
        // Both lead the same way.
        let (id, told) = desk
            .batch((desk.id(), ours.told("b".to_owned())))
            .await
            .unwrap();
        assert!(id.is_ok() && told.unwrap().0 == ["2"], "{way}");
        if way.contains("+tcp") {
            let mut items = ours.told_in_stream("b".to_owned()).await.unwrap();
            assert_eq!(items.next().await.unwrap().unwrap(), ["2"], "{way}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clients_default_time_ends_its_streams_too() {
    let desk = QuietClient::in_memory(QuietServer::new(Silent), Encoding::Bincode);
    let desk = desk.with_timeout(Duration::from_secs(5));
    let start = tokio::time::Instant::now();
    let mut items = desk.silence().await.unwrap();
    let why = items.next().await.unwrap().unwrap_err();
    assert!(why.is_timeout(), "{why}");
    assert_eq!(start.elapsed().as_secs(), 5);
    let why = desk.wait().await.unwrap_err();
    assert!(why.is_timeout(), "{why}");
    assert_eq!(
        start.elapsed().as_secs(),
        10,
        "before the 20 s that the trait says"
    );
    let patient = desk.wait().timeout(Duration::from_secs(60));
    assert!(patient.await.is_err());
    assert_eq!(start.elapsed().as_secs(), 70);
}

#[farcall::service]
trait Quiet {
    fn silence(&self) -> impl Stream<Item = u32>;
    #[rpc(timeout = "20s")]
    async fn wait(&self);
}

struct Silent;

impl Quiet for Silent {
    fn silence(&self) -> impl Stream<Item = u32> {
        stream::pending()
    }
    async fn wait(&self) {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_layer_gives_calls_what_their_handlers_find_by_its_type() {
    for (way, desk) in desks().await {
        assert_eq!(desk.tenant().await.unwrap(), None, "{way}");
        if way.starts_with("json+tcp") {
            continue;
        }
        let tenant = desk.tenant().metadata("tenant", "7").await.unwrap();
        assert_eq!(tenant, Some(7), "{way}");
        let failure = desk.tenant().metadata("tenant", "seven").await.unwrap_err();
        let fault = failure.fault().unwrap();
        assert_eq!(fault.code, code::INVALID_PARAMS, "{way}");
        let words = "metadata `tenant` is no `u32`: invalid digit found in string";
        assert_eq!(fault.message, words, "{way}");
    }
}
