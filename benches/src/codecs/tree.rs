//! XML-RPC through a tree of values, which is dxr's own way.

use dxr::{MethodCall, MethodResponse, TryFromParams, TryFromValue, TryToParams, TryToValue};

use super::Round;
use crate::load::Op;
use crate::peer::{Peer, Problem};
use crate::subjects::dxr::{Dxr, Record};

fn call<P, A, R>(params: &P, method: &'static str, run: impl FnOnce(A) -> R) -> Result<R, Problem>
where
    P: TryToParams,
    A: TryFromParams,
    R: TryToValue + TryFromValue,
{
    let call = MethodCall {
        name: method.into(),
        params: params.try_to_params()?,
    };
    let text = call.to_xml()?;
    let called = MethodCall::from_xml(&text)?;
    let result = run(A::try_from_params(&called.params)?);
    let reply = MethodResponse {
        value: result.try_to_value()?,
    };
    let text = reply.to_xml()?;
    Ok(R::try_from_value(&MethodResponse::from_xml(&text)?.value)?)
}

/// One call after the other.
pub(super) fn prepare(op: Op) -> Result<Round, Problem> {
    Ok(match op {
        Op::Add => Box::new(|| {
            let add = |(x, y): (i32, i32)| x.wrapping_add(y);
            let sum = call(&(100_000, -7), "add", add)?;
            (sum == 99_993)
                .then_some(())
                .ok_or_else(|| "a wrong sum".into())
        }),
        _ => {
            let mut records = Dxr::sample_records();
            Box::new(move || {
                let sent = std::mem::take(&mut records);
                records = call(&(sent,), "records", |(records,): (Vec<Record>,)| records)?;
                Ok(())
            })
        }
    })
}
