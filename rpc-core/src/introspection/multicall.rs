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
    let outcomes = outcomes(router, &request, members).await?;
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

/// Runs the members, as many at a time as the limits say, and gathers what they give in order.
async fn outcomes(
    router: &Router,
    request: &Request,
    members: Vec<Member>,
) -> Result<Vec<Result<Vec<u8>, Fault>>, Fault> {
    let limits = request.limits();
    let calls = members
        .into_iter()
        .map(|member| call(router, request, member));
    // At least one at a time, or nothing would ever run.
    let parallel = limits.batch_parallel.max(1);
    let mut answers = std::pin::pin!(futures_util::stream::iter(calls).buffered(parallel));
    let mut outcomes = Vec::new();
    let mut size = 0_usize;
    while let Some(outcome) = answers.next().await {
        // Together they would be refused in the end; by then they could be very many bytes.
        size = size.saturating_add(outcome.as_ref().map_or(0, Vec::len));
        let limit = limits.message_bytes;
        if size > limit {
            return Err(Fault::new(
                code::TOO_LARGE,
                format!(
                    "the results have more bytes than a reply; the limit is {limit} \
                     (`Limits::message_bytes`)"
                ),
            ));
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn members(request: &Request) -> Result<Vec<Member>, Fault> {
    match request.encoding() {
        #[cfg(feature = "xml")]
        Encoding::Xml => xml::members(request),
        #[cfg(feature = "json")]
        Encoding::Json => json::members(request),
        _ => Err(only_text()),
    }
}

fn only_text() -> Fault {
    Fault::new(
        code::INVALID_REQUEST,
        "multicall is for JSON and XML; frames that are sent together are one round trip already",
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
    use super::{Member, no_call};
    use crate::encoding::Encoding;
    use crate::fault::Fault;
    use crate::params::{Arguments, Part};
    use crate::protocol::xmlrpc;
    use crate::service::Request;

    pub(super) fn members(request: &Request) -> Result<Vec<Member>, Fault> {
        let arguments = request.arguments();
        let found = xmlrpc::members(arguments.bytes(), request.limits().budget())
            .map_err(|error| request.misfit(&arguments.placed(error, arguments.place().1)))?;
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

    use super::{Member, no_call};
    use crate::encoding::Encoding;
    use crate::error::EncodeError;
    use crate::fault::Fault;
    use crate::params::{Arguments, Part, required};
    use crate::protocol::jsonrpc::place;
    use crate::service::Request;

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

    pub(super) fn members(request: &Request) -> Result<Vec<Member>, Fault> {
        let (found,) = request.params::<(Vec<&RawValue>,)>((required,))?;
        let members = found.into_iter();
        Ok(members
            .map(|raw| member(request.arguments(), raw))
            .collect())
    }

    fn member(arguments: &Arguments, raw: &RawValue) -> Member {
        let call: Call<'_> = serde_json::from_str(raw.get()).map_err(|_| no_call())?;
        let params = match call.params {
            Some(params) => {
                let at = place(arguments.place().0, params.get().as_bytes());
                arguments.elsewhere(Part::Value, at)
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
