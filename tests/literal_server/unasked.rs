//! Servers that speak without being asked.

use crate::Literal;

#[farcall::service]
trait Feed {
    async fn add(&self, x: i64, y: i64) -> i64;
}

const TELLS: &str = r#"{"jsonrpc":"2.0","method":"onEvent","params":{}}"#;
const ASKS: &str = r#"{"jsonrpc":"2.0","method":"confirm","params":[1],"id":ID}"#;
const OLD: &str = r#"{"method":"onEvent","params":[],"id":null}"#;
const TEN: &str = r#"{"jsonrpc":"2.0","result":10,"id":ID}"#;

#[tokio::test]
async fn a_stream_has_notifications_and_requests_of_the_server_between_replies() {
    let beside = [
        format!("{TELLS}\n{TEN}\n{TELLS}"),
        format!("{ASKS}\n{TEN}"),
        format!("{OLD}\n{TEN}"),
        format!("[{TELLS},{ASKS}]\n{TEN}"),
    ];
    let server = Literal::new("json+tcp", beside.each_ref().map(String::as_str)).await;
    let feed = FeedClient::new(server.channel);
    for _ in 0..beside.len() {
        assert_eq!(feed.add(7, 3).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn the_answer_to_a_batch_may_have_notifications_among_its_replies() {
    let answer = format!(
        r#"[{TELLS},{{"jsonrpc":"2.0","result":1,"id":ID0}},{ASKS},{{"jsonrpc":"2.0","result":2,"id":ID1}}]"#
    )
    .replace("ID}", "ID1}");
    let stream = format!("[{TELLS}]\n{answer}");
    for (way, answer) in [("json+tcp", &stream), ("json+http", &answer)] {
        let server = Literal::new(way, [answer]).await;
        let feed = FeedClient::new(server.channel);
        let (one, two) = feed.batch((feed.add(1, 0), feed.add(1, 1))).await.unwrap();
        assert_eq!((one.unwrap(), two.unwrap()), (1, 2), "{way}");
    }
}

#[tokio::test]
async fn a_reply_that_repeats_the_method_is_a_reply() {
    let echoed = r#"{"jsonrpc":"2.0","method":"add","result":10,"id":ID}"#;
    for way in ["json+tcp", "json+http"] {
        let server = Literal::new(way, [echoed]).await;
        let feed = FeedClient::new(server.channel);
        assert_eq!(feed.add(7, 3).await.unwrap(), 10, "{way}");
    }
}

#[tokio::test]
async fn a_request_in_the_place_of_the_one_answer_is_told_so() {
    let server = Literal::new("json+http", [ASKS]).await;
    let error = FeedClient::new(server.channel).add(7, 3).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the other side broke the protocol: a request where a reply is due"
    );
}

#[tokio::test]
async fn what_broke_a_connection_is_said_once() {
    for answer in ["what?", "[what?]", r#"{"jsonrpc":"2.0"}"#] {
        let server = Literal::new("json+tcp", [answer]).await;
        let error = FeedClient::new(server.channel).add(7, 3).await.unwrap_err();
        let words = error.to_string();
        assert_eq!(words.matches("broke the protocol").count(), 1, "{words}");
    }
}
