//! farcall's own reading and writing of messages, without the connection, the router and the
//! handler's task around them: what the peers' codecs are compared with.

use farcall_core::channel::{Options, Outbound};
use farcall_core::encoding::Encoding;
use farcall_core::fault::Fault;
use farcall_core::limits::Budget;
use farcall_core::method::Method;
use farcall_core::params::{DecodeParams, EncodeParams, Tuple};
use farcall_core::payload::Payload;
use farcall_core::protocol::{jsonrpc, read_reply, write_call, xmlrpc};
use farcall_core::service::Service;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Round;
use crate::load::Op;
use crate::peer::{Problem, Record};
use crate::subjects::farcall::{BenchServer, Handlers};

/// One round: both messages written and read.
fn call<P, A, R>(
    message: &mut Vec<u8>,
    encoding: Encoding,
    method: &'static Method,
    params: &P,
    run: impl FnOnce(A) -> R,
) -> Result<R, Problem>
where
    P: EncodeParams,
    A: for<'de> DecodeParams<'de>,
    R: Serialize + DeserializeOwned,
{
    let options = Options::default();
    let call = Outbound {
        method,
        params,
        options: &options,
    };
    message.clear();
    write_call(message, &call, encoding, None)?;
    let text = Payload::copied_from(message);
    message.clear();
    let absent = <A as Tuple>::NONE_ABSENT;
    let served = match encoding {
        Encoding::Json => jsonrpc::serve(message, text, method, absent, run),
        _ => xmlrpc::serve(message, text, method, absent, run),
    };
    served.map_err(|fault: Fault| fault.message)?;
    let reply = read_reply(encoding, Payload::copied_from(message), Budget::default())?;
    Ok(reply.decode(Budget::default())?)
}

fn method(name: &str) -> Result<&'static Method, Problem> {
    let methods = <BenchServer<Handlers> as Service>::METHODS;
    let found = methods.iter().find(|method| method.name == name);
    found.ok_or_else(|| format!("no method is called `{name}`").into())
}

/// One call after the other, in one buffer.
pub(super) fn prepare(encoding: &str, op: Op) -> Result<Round, Problem> {
    let encoding: Encoding = encoding.parse()?;
    let mut message = Vec::new();
    Ok(match op {
        Op::Add => {
            let method = method("add")?;
            Box::new(move || {
                let add = |(x, y): (i32, i32)| x.wrapping_add(y);
                let params = (100_000, -7);
                let sum = call(&mut message, encoding, method, &params, add)?;
                (sum == 99_993)
                    .then_some(())
                    .ok_or_else(|| "a wrong sum".into())
            })
        }
        _ => {
            let method = method("records")?;
            let mut records = Record::samples();
            Box::new(move || {
                let echo = |(records,): (Vec<Record>,)| records;
                records = call(&mut message, encoding, method, &(&records,), echo)?;
                Ok(())
            })
        }
    })
}
