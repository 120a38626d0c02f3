//! A server's side: one document in, one document out.

use farcall_core::encoding::Encoding;

use crate::service::{answer, answer_to, call, check_fault, peer, result};

const SUM: &str = "<int>10</int>";
const SEVEN_AND_THREE: &str = "<param><value><int>7</int></value></param>\n\
                               <param><value><i4>3</i4></value></param>";

#[test]
fn a_call_is_answered_with_exactly_one_value() {
    assert_eq!(answer(call("add", SEVEN_AND_THREE)), result(SUM));
    assert_eq!(answer(call(" add\n", SEVEN_AND_THREE)), result(SUM));
}

#[test]
fn no_parameters_may_be_written_in_many_ways() {
    for params in [
        "",
        "<params/>",
        "<params></params>",
        "<params>\n</params>",
        "<!-- none -->",
    ] {
        let document = format!("<methodCall><methodName>echo</methodName>{params}</methodCall>");
        assert_eq!(answer(document), result("<nil/>"));
    }
}

#[test]
fn remarks_and_attributes_are_let_pass() {
    let document = format!(
        "\n<?xml version='1.0' standalone='yes'?><!-- hi --><?pi?><methodCall xmlns:ex='urn:x'>\
         <methodName><!-- the -->a<![CDATA[dd]]></methodName><!-- and -->\
         <params>{SEVEN_AND_THREE}</params ></methodCall\n><!-- bye -->\n<?pi?>"
    );
    assert_eq!(answer(document), result(SUM));
}

#[test]
fn the_declared_character_encoding_counts() {
    let document = |encoding: &str, text: &[u8]| {
        let mut document = format!("<?xml version=\"1.0\" encoding={encoding}?>").into_bytes();
        document
            .extend_from_slice(b"<methodCall><methodName>echo</methodName><params><param><value>");
        document.extend_from_slice(text);
        document.extend_from_slice(b"</value></param></params></methodCall>");
        document
    };
    let e = result("<string>é€</string>");
    assert_eq!(answer(document("'UTF-8'", "é€".as_bytes())), e);
    assert_eq!(answer(document("\"utf-8\"", "é€".as_bytes())), e);
    assert_eq!(answer(document("'ASCII'", b"&#233;&#x20ac;")), e);
    assert_eq!(answer(document("'us-ascii'", b"&#233;&#x20AC;")), e);
    assert_eq!(answer(document("'ISO-8859-1'", b"\xe9&#8364;")), e);
    assert_eq!(answer(document("'iso-8859-1'", b"\xe9&#8364;")), e);
    check_fault(
        document("'ascii'", b"\xe9"),
        -32702,
        "US-ASCII, does not have at line 1 column 102",
    );
    check_fault(document("'EBCDIC'", b"x"), -32701, "encoding");
    check_fault(document("'UTF-8'", b"\xe9"), -32702, "not UTF-8");

    let text = String::from_utf8(document("'UTF-16'", "é€".as_bytes())).unwrap();
    let units = || std::iter::once(0xfeff).chain(text.encode_utf16());
    assert_eq!(
        answer(units().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        e
    );
    assert_eq!(
        answer(units().flat_map(u16::to_be_bytes).collect::<Vec<_>>()),
        e
    );
    let odd: Vec<u8> = units().flat_map(u16::to_le_bytes).chain([0]).collect();
    let end = text.chars().count() + 1;
    let words = format!("UTF-16 throughout at line 1 column {end}");
    check_fault(odd, -32702, &words);
    let lone: Vec<u8> = [0xfeff, u16::from(b'<'), 0xd800]
        .into_iter()
        .flat_map(u16::to_be_bytes)
        .collect();
    check_fault(lone, -32702, "UTF-16 throughout at line 1 column 2");

    let marked = format!("\u{feff}{}", call("add", SEVEN_AND_THREE));
    assert_eq!(answer(marked), result(SUM));
}

#[test]
fn what_is_not_well_formed_is_a_parse_error() {
    let documents = [
        "",
        "   ",
        "hello",
        "{\"method\":\"add\"}",
        "<",
        "<methodCall>",
        "<methodCall><methodName>add</methodName>",
        "<methodCall><methodName>add</methodName></methodCal>",
        "<methodCall><methodName>add</methodName><params></params>",
        "<methodCall><methodName>add</methodNam></methodCall>",
        "<methodCall><methodName>ad&nbsp;d</methodName></methodCall>",
    ];
    for document in documents {
        check_fault(document, -32700, "");
    }
    for params in [
        "<param><value><int>7</i4></value></param>",
        "<param><value>&nbsp;</value></param>",
        "<param><value>&#1;</value></param>",
        "<param><value>&#xD800;</value></param>",
        "<param><value>&#+65;</value></param>",
        "<param><value>&lt</value></param>",
        "<param><value>]]></value></param>",
        "<param><value><!-- a -- b --></value></param>",
        "<param><value><![CDATA[</value></param>",
        "<param><value></param>",
        "<param><value></value></param></params></methodCall><methodCall><params>",
        "<param><value></value>",
    ] {
        check_fault(call("echo", params), -32700, "line");
    }
    check_fault(format!("{}x", call("echo", "")), -32700, "");
    check_fault(format!("{}<x/>", call("echo", "")), -32700, "");
}

#[test]
fn characters_that_xml_has_not_are_refused_and_not_repeated() {
    for c in [
        '\0', '\u{1}', '\u{8}', '\u{b}', '\u{c}', '\u{1f}', '\u{fffe}', '\u{ffff}',
    ] {
        let param = format!("<param><value>{c}</value></param>");
        check_fault(call("echo", &param), -32702, "U+");
    }
}

#[test]
fn a_document_type_is_refused_wherever_it_stands() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"c\"><!ENTITY d \"&b;&b;\">]>";
    check_fault(
        format!("{bomb}{}", call("echo", "")),
        -32700,
        "document type",
    );
    check_fault(
        format!("<?xml version='1.0'?>{bomb}"),
        -32700,
        "document type",
    );
    check_fault(
        call("echo", &format!("<param><value>{bomb}</value></param>")),
        -32700,
        "document type",
    );
}

#[test]
fn well_formed_but_no_call() {
    check_fault("<methodResponse/>", -32600, "expected `&lt;methodCall&gt;`");
    check_fault(
        "<methodCall><params/></methodCall>",
        -32600,
        "expected `&lt;methodName&gt;`",
    );
    check_fault(
        "<methodCall></methodCall>",
        -32600,
        "expected `&lt;methodName&gt;`",
    );
    let twice =
        call("add", SEVEN_AND_THREE).replace("<params>", "<methodName>echo</methodName><params>");
    check_fault(
        twice,
        -32600,
        "expected `&lt;params&gt;` or `&lt;/methodCall&gt;`, found `&lt;methodName&gt;` at line 4",
    );
    check_fault("<methodCall/>", -32600, "expected `&lt;methodCall&gt;`");
}

#[test]
fn an_unknown_method_is_named() {
    check_fault(call("sub&lt;", ""), -32601, "there is no method `sub&lt;`");
    check_fault(call("", ""), -32601, "there is no method ``");
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    let one = "<param><value><int>7</int></value></param>";
    check_fault(call("add", one), -32602, "parameter `y` is missing");
    check_fault(call("add", &one.repeat(3)), -32602, "too many parameters");
    let text = "<param><value>secret</value></param>";
    check_fault(
        call("add", &format!("{one}{text}")),
        -32602,
        "parameter `y`: expected i64, found a string",
    );
    check_fault(
        call("add", "<param><value><foo/></value></param>"),
        -32602,
        "`&lt;foo&gt;` is no type",
    );
    check_fault(call("add", "<param/>"), -32602, "expected `&lt;param&gt;`");
}

#[test]
fn what_a_stranger_sent_is_not_repeated() {
    for (value, words) in [
        ("<boolean>1</boolean>", "expected i64, found a boolean"),
        ("<double>271828.5</double>", "expected i64, found a float"),
        (
            "<i8>9271828182845904523</i8>",
            "expected i64, found an integer that does not fit",
        ),
        (
            "<i8>2718281828459045235360287471352</i8>",
            "expected i64, found an integer of more than 64 bits",
        ),
        ("<base64>27182818</base64>", "expected i64, found bytes"),
    ] {
        let document = call("add", &format!("<param><value>{value}</value></param>"));
        check_fault(&document, -32602, words);
        assert!(!answer(document).contains("2718"), "{value}");
    }
    let name = "é\u{202e}".repeat(16) + "secret";
    let document = call("add", &format!("<param><value><{name}/></value></param>"));
    check_fault(&document, -32602, "\\u{202e}…&gt;` is no type of XML-RPC");
    assert!(!answer(document).contains("secret"));
}

#[test]
fn a_fault_has_two_members_and_data_only_for_farcall() {
    let document = answer(call("fail", ""));
    let fault = "<value><struct><member><name>faultCode</name><value><int>7</int></value></member>\
                 <member><name>faultString</name><value><string>out of &lt;paper&gt;\u{fffd}</string></value></member>";
    let head = "<?xml version=\"1.0\"?>\n<methodResponse><fault>";
    let tail = "</struct></value></fault></methodResponse>\n";
    assert_eq!(document, format!("{head}{fault}{tail}"));
    let mut peer = peer(Encoding::Xml);
    peer.is_farcall = true;
    let data = "<member><name>data</name><value><struct><member><name>tray</name><value><int>2</int></value></member></struct></value></member>";
    assert_eq!(
        answer_to(peer, call("fail", "").as_bytes()),
        format!("{head}{fault}{data}{tail}")
    );
}

#[test]
fn what_fails_on_the_server_is_an_internal_error() {
    check_fault(call("panic", ""), -32603, "the handler failed");
    check_fault(call("many", ""), -32603, "XML-RPC has no NaN");
}

#[test]
fn introspection_in_xml() {
    let name = "<param><value>add</value></param>";
    assert_eq!(
        answer(call("system.methodHelp", name)),
        result("<string>Returns `x + y`.</string>")
    );
    let int = "<value><string>int</string></value>";
    assert_eq!(
        answer(call("system.methodSignature", name)),
        result(&format!(
            "<array><data><value><array><data>{}</data></array></value></data></array>",
            int.repeat(3)
        ))
    );
    let capabilities = answer(call("system.getCapabilities", ""));
    for name in [
        "xmlrpc",
        "faults_interop",
        "system.multicall",
        "introspection",
        "nil",
    ] {
        assert!(
            capabilities.contains(&format!("<name>{name}</name>")),
            "{name}"
        );
    }
    assert!(answer(call("system.listMethods", "")).contains("<string>system.multicall</string>"));
}
