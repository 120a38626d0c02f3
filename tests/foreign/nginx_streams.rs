//! Streams through nginx, which neither gathers nor holds back what passes it, if it is told not to.

use std::time::Duration;

use farcall::Server;
use futures_util::{StreamExt, stream};

use crate::nginx::{Nginx, free_port, http};
use crate::service::start;
use crate::streams::{NumbersClient, NumbersServer, Plain};

#[tokio::test]
async fn streams_pass_nginx_as_they_come() {
    let server = start(
        Server::new()
            .host("calc.example")
            .service(NumbersServer::new(Plain)),
    )
    .await;
    let port = free_port();
    // As README.md says.
    let directives = "proxy_set_header Host calc.example;
         proxy_set_header Upgrade $http_upgrade;
         proxy_set_header Connection $http_connection;
         proxy_buffering off;
         proxy_request_buffering off;";
    let blocks = http(port, server, directives);
    let Some(_nginx) = Nginx::start("nginx-streams", "", &blocks).await else {
        return;
    };
    for way in [
        "bincode+http",
        "json+http",
        "xml+http",
        "json+ws",
        "bincode+ws",
    ] {
        let address = format!("{way}://127.0.0.1:{port}/");
        let numbers = NumbersClient::connect(&address).await.unwrap();
        let counted: Vec<_> = numbers.count(5000).await.unwrap().collect().await;
        let counted: Vec<u64> = counted.into_iter().map(Result::unwrap).collect();
        assert_eq!(counted, (0..5000).collect::<Vec<_>>(), "{address}");
        let total = numbers.total(stream::iter(0..5000_u64)).await.unwrap();
        assert_eq!(total, 12_497_500, "{address}");

        // Each item arrives before the next is sent: nothing waits for more.
        let (tell, told) = tokio::sync::mpsc::unbounded_channel();
        let said = stream::unfold(told, |mut told| async { Some((told.recv().await?, told)) });
        let mut doubled = numbers.double(said.boxed()).await.unwrap();
        for number in 0..5 {
            tell.send(number).unwrap();
            let next = tokio::time::timeout(Duration::from_secs(20), doubled.next()).await;
            assert_eq!(next.unwrap().unwrap().unwrap(), number * 2, "{address}");
        }
        drop(tell);
        assert!(doubled.next().await.is_none(), "{address}");
    }
}
