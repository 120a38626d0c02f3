//! curl, which sends what it is told.

use crate::service::{printed, run, serve};

/// A POST of `body`, and curl's options before it.
fn post(options: &[&str], content_type: &str, body: &str, url: &str) -> Vec<String> {
    let header = format!("content-type: {content_type}");
    let request = ["-sS", "-H", &header, "-d", body, url];
    let all = options.iter().chain(&request);
    all.map(|&argument| argument.to_owned()).collect()
}

const ADD: &str = r#"{"jsonrpc":"2.0","method":"add","params":[7,3],"id":1}"#;

#[tokio::test]
async fn curl_calls() {
    let url = format!("http://127.0.0.1:{}/", serve().await);
    let Some(output) = run("curl", post(&[], "application/json", ADD, &url)).await else {
        return;
    };
    assert_eq!(printed(&output), r#"{"jsonrpc":"2.0","result":10,"id":1}"#);
    let xml = "<?xml version='1.0'?><methodCall><methodName>add</methodName><params>\
               <param><value><int>7</int></value></param><param><value><i4>3</i4></value></param>\
               </params></methodCall>";
    let output = run("curl", post(&[], "text/xml", xml, &url)).await.unwrap();
    assert!(printed(&output).contains("<value><int>10</int></value>"));
    // curl's own default type is a form's, which any web page could send.
    let form = post(&[], "application/x-www-form-urlencoded", ADD, &url);
    let output = run("curl", form).await.unwrap();
    assert!(
        printed(&output).contains("application/json"),
        "it says what to set"
    );
    let output = run("curl", vec!["-sS".into(), url.clone()]).await.unwrap();
    assert!(
        printed(&output).contains("add"),
        "the page lists the methods"
    );
    let large = format!(
        r#"{{"jsonrpc":"2.0","method":"greet","params":["{}"],"id":1}}"#,
        "x".repeat(60_000)
    );
    let output = run("curl", post(&[], "application/json", &large, &url))
        .await
        .unwrap();
    assert!(
        printed(&output).contains("xxx"),
        "Expect: 100-continue is honoured"
    );
}

#[tokio::test]
async fn curl_sends_a_batch() {
    let url = format!("http://127.0.0.1:{}/", serve().await);
    let batch = r#"[{"jsonrpc":"2.0","method":"divide","params":{"x":1,"y":0},"id":"a"},
                    {"jsonrpc":"2.0","method":"nothing"},
                    {"jsonrpc":"2.0","method":"echo","params":["<&> é 😀"],"id":null}]"#;
    if let Some(output) = run("curl", post(&[], "application/json", batch, &url)).await {
        assert_eq!(
            printed(&output),
            r#"[{"jsonrpc":"2.0","error":{"code":1,"message":"division by zero"},"id":"a"},{"jsonrpc":"2.0","result":"<&> é 😀","id":null}]"#
        );
    }
}

#[tokio::test]
async fn curl_keeps_its_connection() {
    let url = format!("http://127.0.0.1:{}/", serve().await);
    let words = " %{http_code} %{num_connects}\n";
    let mut arguments = post(&["-w", words], "application/json", ADD, &url);
    arguments.push(url.clone());
    if let Some(output) = run("curl", arguments).await {
        let answer = r#"{"jsonrpc":"2.0","result":10,"id":1}"#;
        assert_eq!(
            printed(&output),
            format!("{answer} 200 1\n{answer} 200 0\n")
        );
    }
}

#[tokio::test]
async fn curl_speaks_http_2() {
    let url = format!("http://127.0.0.1:{}/", serve().await);
    let options = ["--http2-prior-knowledge", "-w", " %{http_version}"];
    if let Some(output) = run("curl", post(&options, "application/json", ADD, &url)).await {
        assert_eq!(
            printed(&output),
            r#"{"jsonrpc":"2.0","result":10,"id":1} 2"#
        );
    }
}

#[tokio::test]
async fn curl_sends_chunks_and_speaks_http_1_0() {
    let url = format!("http://127.0.0.1:{}/RPC2", serve().await);
    let answer = r#"{"jsonrpc":"2.0","result":10,"id":1}"#;
    for options in [["-H", "transfer-encoding: chunked"], ["--http1.0", "-f"]] {
        if let Some(output) = run("curl", post(&options, "application/json", ADD, &url)).await {
            assert_eq!(printed(&output), answer, "{options:?}");
        }
    }
}

#[tokio::test]
async fn curl_asks_for_gzip() {
    let url = format!("http://127.0.0.1:{}/", serve().await);
    let long = "seven ".repeat(1000);
    let call = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{long}"],"id":1}}"#);
    let json = "content-type: application/json";
    for version in ["--http1.1", "--http1.0", "--http2-prior-knowledge"] {
        let words = " %{size_download}";
        let curl = [
            "-sS",
            "--compressed",
            version,
            "-w",
            words,
            "-H",
            json,
            "-d",
            &call,
            &url,
        ];
        let curl = curl.map(str::to_owned).to_vec();
        let Some(output) = run("curl", curl).await else {
            return;
        };
        let said = printed(&output);
        let (answer, size) = said.rsplit_once(' ').unwrap();
        let expected = format!(r#"{{"jsonrpc":"2.0","result":"{long}","id":1}}"#);
        assert_eq!(answer, expected, "{version}");
        let size: usize = size.parse().unwrap();
        assert!(size < 1000, "{version}: {size} bytes came");
    }
}
