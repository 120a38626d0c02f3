//! The methods `validator1.*`, by which XML-RPC servers have been compared since 1999.

use std::collections::BTreeMap;

use farcall::Server;
use farcall::params::Bytes;
use farcall::types::{DateTime, Value};
use serde::{Deserialize, Serialize};

use crate::ruby;
use crate::service::{script_at, start};

#[farcall::service(namespace = "validator1", rename_all = "camelCase")]
trait Validator {
    /// Returns the sum of all members `curly`.
    async fn array_of_structs_test(&self, structs: Vec<Stooges>) -> i64;
    /// Counts the characters that XML has to escape.
    async fn count_the_entities(&self, text: &str) -> Entities;
    /// Returns `moe + larry + curly`.
    async fn easy_struct_test(&self, stooges: Stooges) -> i64;
    /// Returns `structure`.
    async fn echo_struct_test(&self, structure: BTreeMap<String, Value>)
    -> BTreeMap<String, Value>;
    /// Returns its parameters.
    async fn many_types_test(
        &self,
        number: i64,
        boolean: bool,
        string: String,
        double: f64,
        moment: DateTime,
        bytes: Bytes,
    ) -> (i64, bool, String, f64, DateTime, Bytes);
    /// Returns the first and the last string, joined.
    async fn moderate_size_array_check(&self, strings: Vec<String>) -> Result<String, Empty>;
    /// Returns `moe + larry + curly` of 1 April 2000.
    async fn nested_struct_test(&self, calendar: Calendar) -> Result<i64, Empty>;
    /// Multiplies.
    async fn simple_struct_return_test(&self, number: i64) -> Times;
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stooges {
    moe: i64,
    larry: i64,
    curly: i64,
}

impl Stooges {
    fn sum(&self) -> i64 {
        self.moe + self.larry + self.curly
    }
}

/// Year, month, day.
type Calendar = BTreeMap<String, BTreeMap<String, BTreeMap<String, Day>>>;

/// Most days have nothing in them.
#[derive(Debug, Serialize, Deserialize)]
struct Day {
    #[serde(flatten)]
    stooges: Option<Stooges>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entities {
    ct_left_angle_brackets: usize,
    ct_right_angle_brackets: usize,
    ct_ampersands: usize,
    ct_apostrophes: usize,
    ct_quotes: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Times {
    times10: i64,
    times100: i64,
    times1000: i64,
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
#[error("there is nothing in it")]
#[fault(code = 1)]
struct Empty;

struct Correct;

impl Validator for Correct {
    async fn array_of_structs_test(&self, structs: Vec<Stooges>) -> i64 {
        structs.iter().map(|stooges| stooges.curly).sum()
    }
    async fn count_the_entities(&self, text: &str) -> Entities {
        let count = |c| text.matches(c).count();
        Entities {
            ct_left_angle_brackets: count('<'),
            ct_right_angle_brackets: count('>'),
            ct_ampersands: count('&'),
            ct_apostrophes: count('\''),
            ct_quotes: count('"'),
        }
    }
    async fn easy_struct_test(&self, stooges: Stooges) -> i64 {
        stooges.sum()
    }
    async fn echo_struct_test(
        &self,
        structure: BTreeMap<String, Value>,
    ) -> BTreeMap<String, Value> {
        structure
    }
    async fn many_types_test(
        &self,
        number: i64,
        boolean: bool,
        string: String,
        double: f64,
        moment: DateTime,
        bytes: Bytes,
    ) -> (i64, bool, String, f64, DateTime, Bytes) {
        (number, boolean, string, double, moment, bytes)
    }
    async fn moderate_size_array_check(&self, strings: Vec<String>) -> Result<String, Empty> {
        match (strings.first(), strings.last()) {
            (Some(first), Some(last)) => Ok(format!("{first}{last}")),
            _ => Err(Empty),
        }
    }
    async fn nested_struct_test(&self, calendar: Calendar) -> Result<i64, Empty> {
        let month = calendar.get("2000").and_then(|year| year.get("04"));
        let day = month.and_then(|month| month.get("01"));
        let stooges = day.and_then(|day| day.stooges.as_ref());
        stooges.map(Stooges::sum).ok_or(Empty)
    }
    async fn simple_struct_return_test(&self, number: i64) -> Times {
        Times {
            times10: number * 10,
            times100: number * 100,
            times1000: number * 1000,
        }
    }
}

async fn serve() -> u16 {
    start(Server::new().service(ValidatorServer::new(Correct))).await
}

#[tokio::test]
async fn python_validates() {
    let text = r#"
import sys
from datetime import datetime
from xmlrpc.client import Binary, DateTime, Fault, ServerProxy
URL = f"http://127.0.0.1:{sys.argv[1]}/RPC2"
validator = ServerProxy(URL, allow_none=True).validator1
def same(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"

stooges = {"moe": 1, "larry": -2, "curly": 30}
same(validator.arrayOfStructsTest([stooges, {**stooges, "shemp": "x"}, stooges]), 90)
same(validator.arrayOfStructsTest([]), 0)
text = "<<>&&&'\"\"\"\" plain ]]> &lt;"
same(validator.countTheEntities(text), {
    "ctLeftAngleBrackets": 2, "ctRightAngleBrackets": 2, "ctAmpersands": 4,
    "ctApostrophes": 1, "ctQuotes": 4})
same(validator.easyStructTest(stooges), 29)

moment, data = DateTime("19980717T14:08:55"), Binary(bytes(range(256)))
everything = {
    "": "", "  a <&> ": None, "nested": {"deeper": [{"x": [1, [2.5, [True]]]}, {}, []]},
    "moment": moment, "data": data, "text": "19980717T14:08:55", "double": 2.0}
echoed = validator.echoStructTest(everything)
same(echoed, everything)
same(type(echoed["double"]), float)
same(type(echoed["moment"]), DateTime)
same(type(echoed["text"]), str)

types = [7, True, "a <&>\n b ", -1e300, moment, data]
same(validator.manyTypesTest(*types), types)
native = ServerProxy(URL, use_builtin_types=True).validator1
types = [7, False, "😀", 2.0, datetime(2000, 2, 29, 23, 59, 59), b"\x00\xff"]
same(native.manyTypesTest(*types), types)
for spelling in ("1998-07-17T14:08:55", "19980717T140855", "19980717T14:08:55.250",
                 "19980717T14:08:55Z", "1998-07-17T16:08:55+02:00", "19980717T13:08:55-0100"):
    same(validator.manyTypesTest(7, True, "", 1.5, DateTime(spelling), data)[4], moment)
try:
    sys.exit(validator.manyTypesTest(7, True, "", 1.5, DateTime("yesterday"), data))
except Fault as fault:
    same(fault.faultCode, -32602)
    assert "moment" in fault.faultString and "19980717T14:08:55" in fault.faultString, fault

strings = [f"<{number}>" for number in range(150)]
same(validator.moderateSizeArrayCheck(strings), "<0><149>")
import calendar
days = {str(year): {f"{month:02}": {f"{day:02}": {}
        for day in range(1, calendar.monthrange(year, month)[1] + 1)}
        for month in range(1, 13)} for year in (1999, 2000)}
days["2000"]["04"]["01"] = stooges
same(validator.nestedStructTest(days), 29)
same(validator.simpleStructReturnTest(-7), {"times10": -70, "times100": -700, "times1000": -7000})

server = ServerProxy(URL)
same(server.system.methodSignature("validator1.manyTypesTest"),
    [["array", "int", "boolean", "string", "double", "dateTime.iso8601", "base64"]])
same(server.system.methodSignature("validator1.echoStructTest"), [["struct", "struct"]])
print("all is well")
"#;
    script_at(serve().await, "python3", "-c", text).await;
}

#[tokio::test]
async fn ruby_validates() {
    if !ruby::is_there("xmlrpc/client").await {
        return;
    }
    let text = r##"
require "date"
require "xmlrpc/client"
validator = XMLRPC::Client.new("127.0.0.1", "/RPC2", ARGV[0].to_i).proxy("validator1")
same = lambda do |actual, expected|
  actual == expected or raise "#{actual.inspect} is not #{expected.inspect}"
end

stooges = { "moe" => 1, "larry" => -2, "curly" => 30 }
same.(validator.arrayOfStructsTest([stooges] * 3), 90)
same.(validator.countTheEntities("<<>&&&'\"\"\"\""), {
  "ctLeftAngleBrackets" => 2, "ctRightAngleBrackets" => 1, "ctAmpersands" => 3,
  "ctApostrophes" => 1, "ctQuotes" => 4 })
same.(validator.easyStructTest(stooges), 29)
moment = XMLRPC::DateTime.new(1998, 7, 17, 14, 8, 55)
bytes = (0..255).to_a.pack("C*")
data = XMLRPC::Base64.new(bytes)
nested = { "deeper" => [{ "x" => [1, [2.5, [true]]] }, {}, []], "text" => " <&> " }
same.(validator.echoStructTest(nested), nested)
echoed = validator.echoStructTest({ "moment" => moment, "data" => data })
same.(echoed["moment"].to_a, moment.to_a)
same.(echoed["data"], bytes)
types = validator.manyTypesTest(7, true, "a <&>", -1.5, moment, data)
same.(types[0..3], [7, true, "a <&>", -1.5])
same.(types[4].to_a, moment.to_a)
same.(types[5], bytes)
same.(validator.moderateSizeArrayCheck((0...150).map { |n| "<#{n}>" }), "<0><149>")
days = { "2000" => { "04" => { "01" => stooges, "02" => {} } }, "1999" => { "12" => {} } }
same.(validator.nestedStructTest(days), 29)
same.(validator.simpleStructReturnTest(7),
  { "times10" => 70, "times100" => 700, "times1000" => 7000 })
puts "all is well"
"##;
    script_at(serve().await, "ruby", "-e", text).await;
}
