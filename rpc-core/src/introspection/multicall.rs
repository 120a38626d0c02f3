//! `system.multicall`: many calls in one, answered in their order.
//!
//! The members are found in the encoding of the call, each with its parameters still encoded, and
//! run side by side, a bounded number at a time. One that is malformed fails alone.

mod outcomes;

use std::pin::pin;

use futures_util::StreamExt;

use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::params::Arguments;
use crate::protocol::room::Room;
use crate::router::Router;
use crate::service::{Reply, Request};
use outcomes::Outcomes;

/// The wire name, which may not be among the members.
pub(crate) const NAME: &str = "system.multicall";

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
    request.reply_with(|out| {
        outcomes.write(out);
        Ok(())
    })
}

/// Runs the members, as many at a time as the limits say, and gathers what they give in order.
async fn outcomes(
    router: &Router,
    request: &Request,
    members: Vec<Member>,
) -> Result<Outcomes, Fault> {
    let mut outcomes = Outcomes::new(request)?;
    let peer = request.context().peer();
    let side_by_side = peer.members.run(members.len(), &peer.limits);
    let room = &Room::of(request.message_limit());
    let calls = members.into_iter().map(|member| async move {
        if let Some(fault) = room.refuses() {
            return Err(fault);
        }
        let mut outcome = room.run(pin!(call(router, request, member))).await;
        let size = outcome.as_ref().map_or(0, Vec::len);
        if let Err(fault) = room.take(size) {
            outcome = Err(fault);
        }
        outcome
    });
    let mut answers = pin!(futures_util::stream::iter(calls).buffered(side_by_side.places()));
    while let Some(outcome) = room.next(answers.as_mut()).await {
        outcomes.push(outcome);
    }
    outcomes.shrink();
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

    /// Appends `fault` as a member's outcome.
    pub(super) fn write_fault(out: &mut Vec<u8>, fault: &Fault) {
        let failed = Failed {
            code: fault.code,
            message: &fault.message,
        };
        // A number and text: there is nothing in it that JSON has not.
        let _ = Encoding::Json.encode(&failed, out);
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
