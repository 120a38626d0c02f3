//! nginx in front: it says who calls, over HTTP in a header and for any protocol in the PROXY
//! protocol.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use farcall::{AllowList, Context, Encoding, Limits, Proxies, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, Command};

use crate::service::{left_out, spawn, start};

/// nginx's block for HTTP on `port`, all of which goes to `server` as `directives` say. It writes nothing
/// but into its own folder.
pub(crate) fn http(port: u16, server: u16, directives: &str) -> String {
    format!(
        "http {{
            access_log off;
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            server {{
                listen 127.0.0.1:{port};
                location / {{
                    proxy_pass http://127.0.0.1:{server};
                    proxy_http_version 1.1;
                    {directives}
                }}
            }}
        }}"
    )
}

const STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

#[farcall::service]
trait Mirror {
    async fn whoami(&self, cx: &Context) -> String;
}

struct Glass;

impl Mirror for Glass {
    async fn whoami(&self, cx: &Context) -> String {
        let address = cx.peer_address();
        address.map_or_else(String::new, |address| address.ip().to_string())
    }
}

/// nginx at work, in a folder of its own.
pub(crate) struct Nginx {
    folder: PathBuf,
    _running: Child,
}

impl Nginx {
    /// `None`, and a word about it, if it is not there.
    pub(crate) async fn start(name: &str, modules: &str, blocks: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("farcall-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let config = folder.join("nginx.conf");
        let here = folder.display();
        let text = format!(
            "{modules}\ndaemon off; master_process off; pid {here}/pid;\n\
             error_log stderr notice;\nevents {{ }}\n{blocks}"
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.args([Path::new("-p"), &folder, Path::new("-c"), &config]);
        command.args(["-e", "stderr"]);
        let mut running = spawn(&mut command)?;
        // It says so once its sockets are open.
        let mut said = BufReader::new(running.stderr.take().unwrap()).lines();
        let mut all = String::new();
        loop {
            let line = said.next_line().await.unwrap();
            let line = line.unwrap_or_else(|| panic!("nginx ended: {all}"));
            all += &line;
            if line.contains("event method") {
                break;
            }
        }
        // Whoever stops reading stops it.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Some(Self {
            folder,
            _running: running,
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Its clients are not at 127.0.0.1, where nginx is.
async fn connect(from: &str, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket
        .connect(SocketAddr::from(([127, 0, 0, 1], port)))
        .await
        .unwrap()
}

/// The server behind nginx, which lets nobody in but 127.0.0.2.
async fn behind(proxies: fn(Proxies) -> Proxies) -> u16 {
    let nginx = Proxies::new(AllowList::new(["127.0.0.1"]).unwrap());
    let server = Server::new().service(MirrorServer::new(Glass));
    let allow = AllowList::new(["127.0.0.2"]).unwrap();
    start(server.proxies(proxies(nginx)).allow(allow)).await
}

#[tokio::test]
async fn nginx_forwards_over_http() {
    let (port, server) = (free_port(), behind(|nginx| nginx).await);
    let directives = "proxy_set_header Connection \"\";
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;";
    let blocks = http(port, server, directives);
    let Some(_nginx) = Nginx::start("nginx-http", "", &blocks).await else {
        return;
    };
    let body = r#"{"jsonrpc":"2.0","method":"whoami","id":1}"#;
    for (from, headers, expected) in [
        ("127.0.0.2", "", "\"result\":\"127.0.0.2\""),
        (
            "127.0.0.2",
            "X-Forwarded-For: 192.0.2.1\r\n",
            "\"result\":\"127.0.0.2\"",
        ),
        (
            "127.0.0.2",
            "Forwarded: for=192.0.2.1\r\n",
            "\"result\":\"127.0.0.2\"",
        ),
        ("127.0.0.3", "", " 403 "),
        ("127.0.0.3", "X-Forwarded-For: 127.0.0.2\r\n", " 403 "),
        (
            "127.0.0.3",
            "Forwarded: for=127.0.0.2\r\nX-Real-IP: 127.0.0.2\r\n",
            " 403 ",
        ),
    ] {
        let mut io = connect(from, port).await;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: calc.example\r\n{headers}Content-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        io.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains(expected), "{from} {headers}: {answer}");
    }
}

#[tokio::test]
async fn nginx_speaks_the_proxy_protocol() {
    if !Path::new(STREAM).exists() {
        return left_out("nginx's stream module");
    }
    let (port, server) = (free_port(), behind(Proxies::proxy_protocol).await);
    let blocks = format!(
        "stream {{ server {{
            listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{server}; proxy_protocol on;
        }} }}"
    );
    let modules = format!("load_module {STREAM};");
    let Some(_nginx) = Nginx::start("nginx-stream", &modules, &blocks).await else {
        return;
    };
    for encoding in [Encoding::Bincode, Encoding::Json, Encoding::Xml] {
        let client = |io| MirrorClient::new(farcall::over(io, encoding, Limits::default()));
        let allowed = client(connect("127.0.0.2", port).await);
        assert_eq!(allowed.whoami().await.unwrap(), "127.0.0.2", "{encoding}");
        let other = client(connect("127.0.0.3", port).await);
        assert!(other.whoami().await.is_err(), "{encoding}");
    }
}
