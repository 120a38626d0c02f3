//! A client's side: what servers answer.

use farcall_core::error::Failure;
use farcall_core::limits::Budget;
use farcall_core::payload::Payload;
use farcall_core::protocol::xmlrpc::read_reply;
use serde::de::DeserializeOwned;

fn reply<T: DeserializeOwned>(document: impl AsRef<[u8]>) -> Result<T, Failure> {
    let inbound = read_reply(Payload::copied_from(document.as_ref()), Budget::default())?;
    inbound
        .decode(Budget::default())
        .map_err(|error| Failure::decode("test", error))
}

fn with_fault(members: &str) -> String {
    format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n{members}\
         </struct></value>\n</fault>\n</methodResponse>\n"
    )
}

const CODE: &str = "<member>\n<name>faultCode</name>\n<value><int>4</int></value>\n</member>\n";
const TEXT: &str = "<member><name>faultString</name><value>too &lt;many</value></member>";

#[test]
fn a_result_is_the_one_parameter() {
    let document = "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n\
                    <value><int>5</int></value>\n</param>\n</params>\n</methodResponse>\n";
    assert_eq!(reply::<i64>(document).unwrap(), 5);
    let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><methodResponse><params><param>\
                  <value>\xe9</value></param></params><!-- --></methodResponse><?pi?>";
    assert_eq!(reply::<String>(latin).unwrap(), "é");
}

#[test]
fn no_parameter_is_nothing() {
    for params in ["<params/>", "<params></params>"] {
        let document = format!("<methodResponse>{params}</methodResponse>");
        reply::<()>(&document).unwrap();
        assert_eq!(reply::<Option<i32>>(&document).unwrap(), None);
    }
}

#[test]
fn a_fault_is_read_in_whatever_order_its_members_come() {
    let other = "<member><name>trace</name><value><array><data/></array></value></member>";
    let digits = "<member><name>faultCode</name><value>4</value></member>";
    for members in [
        format!("{CODE}{TEXT}"),
        format!("{TEXT}{CODE}"),
        format!("{other}{TEXT}{other}{digits}"),
    ] {
        let failure = reply::<()>(with_fault(&members)).unwrap_err();
        let fault = failure
            .fault()
            .unwrap_or_else(|| panic!("{members}: {failure}"));
        assert_eq!((fault.code, &*fault.message), (4, "too <many"));
        assert!(fault.data.is_none());
    }
}

#[test]
fn the_words_of_a_fault_arrive_whatever_its_code_is() {
    for code in ["E_TRAY", "99999999999", "-2147483649", "1.5", ""] {
        let code = format!("<member><name>faultCode</name><value>{code}</value></member>");
        for members in [format!("{code}{TEXT}"), format!("{TEXT}{code}")] {
            let failure = reply::<()>(with_fault(&members)).unwrap_err();
            let fault = failure.fault().unwrap();
            assert_eq!((fault.code, &*fault.message), (-32603, "too <many"));
        }
    }
}

#[test]
fn the_data_of_a_farcall_server_comes_with_the_fault() {
    let data = "<member><name>data</name><value><struct><member><name>tray</name>\
                <value><int>2</int></value></member></struct></value></member>";
    let failure = reply::<()>(with_fault(&format!("{CODE}{TEXT}{data}"))).unwrap_err();
    let data = failure.fault().unwrap().data.as_ref().unwrap();
    assert_eq!(data.decode::<(i32,)>(&["tray"]).unwrap(), (2,));
}

#[test]
fn what_is_no_reply_is_the_servers_mistake() {
    let value = "<param><value><int>5</int></value></param>";
    for document in [
        String::new(),
        "<html><body>502 Bad Gateway</body></html>".to_owned(),
        "<methodResponse/>".to_owned(),
        "<methodResponse></methodResponse>".to_owned(),
        format!("<methodResponse><params>{value}{value}</params></methodResponse>"),
        format!("<methodResponse><params>{value}</params>"),
        format!("<methodResponse><params>{value}</params></methodResponse><x/>"),
        "<methodResponse><params><param></param></params></methodResponse>".to_owned(),
        "<methodResponse><params><param><value><int>5</int></param></params></methodResponse>"
            .to_owned(),
        "<methodResponse><fault><value>no</value></fault></methodResponse>".to_owned(),
        with_fault(""),
        with_fault("<member><name>faultCode</name><value>x</value></member>"),
    ] {
        let failure = reply::<i64>(&document).unwrap_err();
        assert!(failure.fault().is_none(), "{document}");
        assert!(failure.was_sent(), "{document}: {failure}");
    }
}

#[test]
fn a_result_of_another_type_is_told_apart_from_a_broken_reply() {
    let document =
        "<methodResponse><params><param><value>5</value></param></params></methodResponse>";
    let failure = reply::<i32>(document).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the reply of `test` makes no sense: expected i32, found a string at line 1 column 39"
    );
}
