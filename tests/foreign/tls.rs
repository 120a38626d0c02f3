//! Over TLS: Python's own client, and curl.

use farcall::ServerTls;

use crate::service::{calc, printed, run, start};

/// A server with a certificate of its own, and the file that it is in; both ports are one.
async fn serve(test: &str) -> (u16, String) {
    let own = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let file = std::env::temp_dir().join(format!("farcall-{test}-{}.pem", std::process::id()));
    std::fs::write(&file, own.cert.pem()).unwrap();
    let tls = ServerTls::from_pem(own.cert.pem(), own.signing_key.serialize_pem()).unwrap();
    let port = start(calc().tls(tls).tls_beside_plain()).await;
    (port, file.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn pythons_xmlrpc_client_calls_over_https() {
    let (port, ca) = serve("python-tls").await;
    let text = r#"
import ssl, sys
from xmlrpc.client import ServerProxy
url = f"https://localhost:{sys.argv[1]}/RPC2"
trusting = ssl.create_default_context(cafile=sys.argv[2])
with ServerProxy(url, context=trusting) as server:
    assert server.add(7, 3) == 10
    assert server.echo("x" * 100_000) == "x" * 100_000
try:
    ServerProxy(url).add(7, 3)
except ssl.SSLCertVerificationError:
    print("all is well")
"#;
    let arguments = vec!["-c".into(), text.into(), port.to_string(), ca.clone()];
    if let Some(output) = run("python3", arguments).await {
        assert_eq!(printed(&output), "all is well\n");
    }
    std::fs::remove_file(ca).unwrap();
}

#[tokio::test]
async fn curl_calls_over_https_in_both_versions() {
    const ADD: &str = r#"{"jsonrpc":"2.0","method":"add","params":[7,3],"id":1}"#;

    let (port, ca) = serve("curl-tls").await;
    let url = format!("https://localhost:{port}/");
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let options = [
            "-sS",
            option,
            "--cacert",
            &ca,
            "-w",
            " over %{http_version}",
            "-d",
            ADD,
            "-H",
            "content-type: application/json",
            &url,
        ];
        let options = options.map(str::to_owned).to_vec();
        if let Some(output) = run("curl", options).await {
            let expected = format!(r#"{{"jsonrpc":"2.0","result":10,"id":1}} over {version}"#);
            assert_eq!(printed(&output), expected);
        }
    }
    std::fs::remove_file(ca).unwrap();
}
