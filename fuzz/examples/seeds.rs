//! Writes messages that are right, for the fuzzer to begin with: a folder for each target, in the
//! folder that the first argument names.

use std::path::Path;
use std::{env, fs, io};

use farcall::Encoding;
use farcall_core::connection::Speech;
use farcall_fuzz::conversation;

/// The first byte of a stream's seed: not cut.
const WHOLE: &[u8] = &[0];

/// JSON-RPC requests beside those of [`conversation`].
const JSON: [&str; 4] = [
    r#"[{"jsonrpc":"2.0","method":"add","params":[1,2],"id":"a"},{"jsonrpc":"2.0","method":"forget","params":["x"]},1]"#,
    r#"{"jsonrpc":"2.0","method":"never","id":7}{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":7}}"#,
    r#"{"id":1.5,"params":{"loud":true,"name":"\u00e9\n"},"method":"greet","version":"2.0"}"#,
    r#"{"jsonrpc":"2.0","method":"rpc.discover","id":null}"#,
];

/// XML-RPC requests.
const XML: [&str; 3] = [
    "<?xml version='1.0'?>\n<methodCall>\n<methodName>add</methodName>\n<params>\n<param>\n<value><int>7</int></value>\n</param>\n<param>\n<value><i8>3</i8></value>\n</param>\n</params>\n</methodCall>\n",
    "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data><value><struct><member><name>methodName</name><value>greet</value></member><member><name>params</name><value><array><data><value>A&amp;<![CDATA[<b>]]>&#65;</value></data></array></value></member></struct></value></data></array></value></param></params></methodCall>",
    "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><methodCall><methodName>any</methodName><params><param><value><struct><member><name>a</name><value><double>-1.5e3</double></value></member><member><name>b</name><value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value></member><member><name>c</name><value><base64> AA\n== </base64></value></member><member><name>d</name><value><ex:nil/></value></member><member><name>e</name><value><boolean>1</boolean></value></member></struct></value></param></params></methodCall>",
];

/// XML-RPC replies.
const REPLIES: [&str; 2] = [
    "<?xml version='1.0'?><methodResponse><params><param><value><int>10</int></value></param></params></methodResponse>",
    "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int></value></member><member><name>faultString</name><value><string>Too many</string></value></member></struct></value></fault></methodResponse>",
];

/// HTTP requests.
const REQUESTS: [&str; 5] = [
    "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 53\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"add\",\"params\":[7,3],\"id\":1}POST / HTTP/1.1\r\n",
    "POST / HTTP/1.0\r\ncontent-type:text/xml\r\ncontent-length:5\r\n\r\n<meth",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n2;a=b\r\n{}\r\n0\r\nA: b\r\n\r\n",
    "GET /?method=count&params=[3] HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0",
];

/// Addresses.
const ADDRESSES: [&str; 5] = [
    "tcp://127.0.0.1:8000",
    "xml+http://h/RPC2?gzip=1",
    "bincode+http://[::1]:8000/?version=2",
    "unix:///run/calc.sock",
    "json+mem://calc",
];

/// Allow-lists.
const LISTS: [&str; 2] = [
    "# the office\n192.0.2.0/24\n2001:db8::/32 # the other\n::ffff:10.0.0.0/104\n",
    "\u{feff}127.0.0.1\r\n::/0\r\n",
];

/// What proxies say.
const PROXIES: [&str; 4] = [
    "PROXY TCP4 192.0.2.1 10.0.0.1 12345 80\r\n",
    "PROXY UNKNOWN\r\n",
    "192.0.2.9, [2001:db8::1]:80, 10.0.0.2",
    "for=192.0.2.60;proto=http, For=\"[2001:db8::17]:4711\"",
];

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1) else {
        return Err(io::Error::other("say into which folder"));
    };
    let seeds = Seeds(folder.as_ref());
    for (at, encoding) in (0..).zip(Encoding::ALL) {
        let said = conversation::record(Speech::Native, encoding);
        let name = encoding.name();
        // The targets put the magic in front by themselves.
        seeds.write("native_server", name, &[WHOLE, &said.client[4..]])?;
        seeds.write("native_client", name, &[WHOLE, &[at], &said.server[4..]])?;
        seeds.write("http_server", name, &[WHOLE, &said.client])?;
        for (kind, value) in (0..).zip(conversation::values(encoding)) {
            let name = format!("{name}-{kind}");
            seeds.write("values", &name, &[&[at, kind], &value])?;
        }
    }
    let said = conversation::record(Speech::JsonRpc, Encoding::Json);
    seeds.write("jsonrpc_server", "calls", &[WHOLE, &said.client])?;
    seeds.write("jsonrpc_client", "replies", &[WHOLE, &said.server])?;
    seeds.texts("jsonrpc_server", WHOLE, &JSON)?;
    seeds.texts("jsonrpc_post", &[], &JSON)?;
    seeds.texts("xmlrpc_request", &[], &XML)?;
    seeds.texts("xmlrpc_reply", &[], &REPLIES)?;
    seeds.texts("http_server", WHOLE, &REQUESTS)?;
    // The first byte says the content type and the coding.
    seeds.texts("http_bodies", &[0b1100], &JSON)?;
    seeds.texts("http_bodies", &[0b0001], &XML)?;
    seeds.texts("address", &[], &ADDRESSES)?;
    // Frames of a client are masked: with nothing here, which is legal and readable.
    let text = JSON[0].as_bytes();
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
    let head = [&[0x81, 0xfe], &length[..], &[0; 4]].concat();
    seeds.write("web_socket", "text", &[&[0], &head, text])?;
    seeds.write(
        "web_socket",
        "ping",
        &[&[2], b"\x89\x82\0\0\0\0hi\x88\x80\0\0\0\0"],
    )?;
    // The first bytes are an address that is asked about.
    seeds.texts("allow_list", &[192; 16], &LISTS)?;
    seeds.texts("proxies", &[], &PROXIES)?;
    let binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\x0a\0\0\x01\x30\x39\0\x50";
    seeds.write("proxies", "binary", &[binary])?;
    seeds.texts("sniff", &[], &["POST / HT"])
}

/// The folder of all seeds.
struct Seeds<'a>(&'a Path);

impl Seeds<'_> {
    fn write(&self, target: &str, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), parts.concat())
    }

    fn texts(&self, target: &str, start: &[u8], texts: &[&str]) -> io::Result<()> {
        for (number, text) in texts.iter().enumerate() {
            let name = format!("{}-{number}", start.first().unwrap_or(&0));
            self.write(target, &name, &[start, text.as_bytes()])?;
        }
        Ok(())
    }
}
