//! JSON-RPC as serde_json suggests it: a derived envelope with the parameters as a `RawValue`, read
//! in a second step.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Round;
use crate::load::Op;
use crate::peer::{Problem, Record};

#[derive(Serialize)]
struct Call<'a, P> {
    jsonrpc: &'a str,
    method: &'a str,
    params: P,
    id: u64,
}

#[derive(Deserialize)]
struct Called<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: &'a RawValue,
    id: u64,
}

#[derive(Serialize)]
struct Reply<'a, R> {
    jsonrpc: &'a str,
    result: R,
    id: u64,
}

#[derive(Deserialize)]
struct Replied<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow)]
    result: &'a RawValue,
    id: u64,
}

/// One round: both messages written and read.
fn call<P, A, R>(
    message: &mut Vec<u8>,
    params: P,
    method: &str,
    run: impl FnOnce(A) -> R,
) -> Result<R, Problem>
where
    P: Serialize,
    A: DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    message.clear();
    let call = Call {
        jsonrpc: "2.0",
        method,
        params,
        id: 1,
    };
    serde_json::to_writer(&mut *message, &call)?;
    let called: Called<'_> = serde_json::from_slice(message)?;
    if called.jsonrpc != "2.0" || called.method != method {
        return Err("another call".into());
    }
    let (id, result) = (called.id, run(serde_json::from_str(called.params.get())?));
    message.clear();
    let reply = Reply {
        jsonrpc: "2.0",
        result,
        id,
    };
    serde_json::to_writer(&mut *message, &reply)?;
    let replied: Replied<'_> = serde_json::from_slice(message)?;
    if replied.jsonrpc != "2.0" || replied.id != 1 {
        return Err("another reply".into());
    }
    Ok(serde_json::from_str(replied.result.get())?)
}

/// One call after the other, in one buffer.
pub(super) fn prepare(op: Op) -> Result<Round, Problem> {
    let mut message = Vec::new();
    Ok(match op {
        Op::Add => Box::new(move || {
            let add = |(x, y): (i32, i32)| x.wrapping_add(y);
            let sum = call(&mut message, (100_000, -7), "add", add)?;
            (sum == 99_993)
                .then_some(())
                .ok_or_else(|| "a wrong sum".into())
        }),
        _ => {
            let mut records = Record::samples();
            Box::new(move || {
                let echo = |(records,): (Vec<Record>,)| records;
                records = call(&mut message, (&records,), "records", echo)?;
                Ok(())
            })
        }
    })
}
