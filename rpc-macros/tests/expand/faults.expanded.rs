#[automatically_derived]
impl ::farcall::TypedFault for BookError {
    const KINDS: &'static [(i32, &'static str)] = &[
        (1i32, "Closed"),
        (2i32, "NotFound"),
        (-3i32, "Torn"),
    ];
    fn to_fault(&self, encoding: ::farcall::Encoding) -> ::farcall::Fault {
        match self {
            Self::Closed => {
                ::farcall::Fault::new(1i32, ::std::string::ToString::to_string(self))
            }
            Self::NotFound { id, r#type } => {
                ::farcall::Fault::new(2i32, ::std::string::ToString::to_string(self))
                    .with_data(encoding, &["id", "type"], &(id, r#type))
            }
            Self::Torn(field_0) => {
                ::farcall::Fault::new(-3i32, ::std::string::ToString::to_string(self))
                    .with_data(encoding, &["0"], &(field_0,))
            }
        }
    }
    fn from_fault(fault: &::farcall::Fault) -> ::core::option::Option<Self> {
        match fault.code {
            1i32 => ::core::option::Option::Some(Self::Closed),
            2i32 => {
                let (id, r#type) = fault.data.as_ref()?.decode(&["id", "type"]).ok()?;
                ::core::option::Option::Some(Self::NotFound { id, r#type })
            }
            -3i32 => {
                let (field_0,) = fault.data.as_ref()?.decode(&["0"]).ok()?;
                ::core::option::Option::Some(Self::Torn(field_0))
            }
            _ => ::core::option::Option::None,
        }
    }
}
#[automatically_derived]
impl<T> my::rpc::TypedFault for Broken<T>
where
    T: my::rpc::Wire + ::core::marker::Sync,
    Self: ::core::fmt::Display,
{
    const KINDS: &'static [(i32, &'static str)] = &[(7i32, "Broken")];
    fn to_fault(&self, encoding: my::rpc::Encoding) -> my::rpc::Fault {
        match self {
            Self { part } => {
                my::rpc::Fault::new(7i32, ::std::string::ToString::to_string(self))
                    .with_data(encoding, &["part"], &(part,))
            }
        }
    }
    fn from_fault(fault: &my::rpc::Fault) -> ::core::option::Option<Self> {
        match fault.code {
            7i32 => {
                let (part,) = fault.data.as_ref()?.decode(&["part"]).ok()?;
                ::core::option::Option::Some(Self { part })
            }
            _ => ::core::option::Option::None,
        }
    }
}
