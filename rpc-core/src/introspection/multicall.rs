//! `system.multicall`: many calls in one, answered in their order.
//!
//! The members are found in the encoding of the call, each with its parameters still encoded, and
//! run side by side, a bounded number at a time. One that is malformed fails alone.

use futures_util::StreamExt;

use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::params::Arguments;
use crate::router::Router;
use crate::service::{Reply, Request};

/// The wire name, which may not be among the members.
pub(super) const NAME: &str = "system.multicall";

/// One member: what to call with what, or why that cannot be told.
type Member = Result<(String, Arguments), Fault>;

pub(super) async fn run(router: &Router, request: Request) -> Reply {
    let members = members(&request)?;
    let limits = request.limits();
    if members.len() > limits.batch_members {
        return Err(Fault::new(
            code::TOO_LARGE,
            format!(
                "{} calls in one; the limit is {} (`Limits::batch_members`)",
                members.len(),
                limits.batch_members
            ),
        ));
    }
    let calls = members
        .into_iter()
        .map(|member| call(router, &request, member));
    let parallel = limits.batch_parallel.max(1);
    let outcomes: Vec<_> = futures_util::stream::iter(calls)
        .buffered(parallel)
        .collect()
        .await;
    let is_farcall = request.is_from_farcall();
    match request.encoding() {
        #[cfg(feature = "xml")]
        Encoding::Xml => request.reply_with(|out| {
            crate::protocol::xmlrpc::write_outcomes(out, &outcomes, is_farcall);
            Ok(())
        }),
        #[cfg(feature = "json")]
        Encoding::Json => request.reply_with(|out| json::write_outcomes(out, &outcomes)),
        _ => Err(only_text()),
    }
}

fn members(request: &Request) -> Result<Vec<Member>, Fault> {
    let arguments = request.arguments();
    match request.encoding() {
        #[cfg(feature = "xml")]
        Encoding::Xml => xml::members(arguments, request.limits().budget()),
        #[cfg(feature = "json")]
        Encoding::Json => json::members(arguments),
        _ => Err(only_text()),
    }
}

fn only_text() -> Fault {
    Fault::new(
        code::INVALID_REQUEST,
        "multicall is for JSON and XML; frames that are sent together are one round trip already",
    )
}

fn no_calls(error: &dyn std::fmt::Display) -> Fault {
    Fault::new(
        code::INVALID_PARAMS,
        format!("invalid parameters for `{NAME}`: {error}"),
    )
}

fn no_call() -> Fault {
    Fault::new(
        code::INVALID_REQUEST,
        "a member is no struct of methodName and params",
    )
}

#[cfg(feature = "xml")]
mod xml {
    use super::{Member, no_call, no_calls};
    use crate::encoding::Encoding;
    use crate::fault::Fault;
    use crate::limits::Budget;
    use crate::params::{Arguments, Part};
    use crate::protocol::xmlrpc;

    pub(super) fn members(arguments: &Arguments, budget: Budget) -> Result<Vec<Member>, Fault> {
        let found = xmlrpc::members(arguments.bytes(), budget).map_err(|error| no_calls(&error))?;
        let members = found.into_iter().map(|member| {
            let name = member.name.ok_or_else(no_call)?;
            let params = match member.params {
                Some(at) => arguments.within(Part::Value, at),
                None => Arguments::none(Encoding::Xml),
            };
            Ok((name, params))
        });
        Ok(members.collect())
    }
}

#[cfg(feature = "json")]
mod json {
    use serde::{Deserialize, Serialize};
    use serde_json::value::RawValue;

    use super::{Member, no_call, no_calls};
    use crate::encoding::Encoding;
    use crate::error::EncodeError;
    use crate::fault::Fault;
    use crate::params::{Arguments, Part};
    use crate::payload::Payload;

    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        calls: Vec<&'a RawValue>,
    }

    #[derive(Deserialize)]
    struct Call<'a> {
        #[serde(rename = "methodName")]
        method_name: String,
        #[serde(borrow)]
        params: Option<&'a RawValue>,
    }

    #[derive(Serialize)]
    struct Failed<'a> {
        #[serde(rename = "faultCode")]
        code: i32,
        #[serde(rename = "faultString")]
        message: &'a str,
    }

    pub(super) fn members(arguments: &Arguments) -> Result<Vec<Member>, Fault> {
        let bytes = arguments.bytes();
        let found = if bytes.trim_ascii_start().starts_with(b"{") {
            serde_json::from_slice::<Named<'_>>(bytes).map(|named| named.calls)
        } else {
            serde_json::from_slice::<(Vec<&RawValue>,)>(bytes).map(|(calls,)| calls)
        };
        let found = found.map_err(|error| no_calls(&error))?;
        Ok(found.into_iter().map(member).collect())
    }

    fn member(raw: &RawValue) -> Member {
        let call: Call<'_> = serde_json::from_str(raw.get()).map_err(|_| no_call())?;
        let params = match call.params {
            Some(params) => {
                let message = Payload::copied_from(params.get().as_bytes());
                let at = 0..message.len();
                Arguments::new(Encoding::Json, Part::Value, message, at)
            }
            None => Arguments::none(Encoding::Json),
        };
        Ok((call.method_name, params))
    }

    /// Appends the array of outcomes: each a result in an array of one, or a fault.
    pub(super) fn write_outcomes(
        out: &mut Vec<u8>,
        outcomes: &[Result<Vec<u8>, Fault>],
    ) -> Result<(), EncodeError> {
        out.push(b'[');
        for (index, outcome) in outcomes.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match outcome {
                Ok(value) => {
                    out.push(b'[');
                    out.extend_from_slice(value);
                    out.push(b']');
                }
                Err(fault) => {
                    let failed = Failed {
                        code: fault.code,
                        message: &fault.message,
                    };
                    Encoding::Json.encode(&failed, out)?;
                }
            }
        }
        out.push(b']');
        Ok(())
    }
}

async fn call(router: &Router, request: &Request, member: Member) -> Result<Vec<u8>, Fault> {
    let (name, arguments) = member?;
    if name == NAME {
        return Err(Fault::new(
            code::INVALID_REQUEST,
            "a multicall may not hold another",
        ));
    }
    let unknown = || Fault::method_not_found(&name);
    let target = router.find(&name).ok_or_else(unknown)?;
    let method = router.method(target).ok_or_else(unknown)?;
    let answer = router
        .call(target, request.aside(method, target.index(), arguments))?
        .await?;
    Ok(answer.body.unwrap_or_default())
}
