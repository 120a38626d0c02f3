//! The bounds on what travels, with words for those who miss them.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type whose values can be a parameter or a result: serde can write and read it.
///
/// Implemented for every type that qualifies; never implement it.
///
/// ```
/// fn travels<T: farcall_core::wire::Wire>() {}
/// travels::<Vec<(String, i64)>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a call",
    label = "this type has no wire form",
    note = "derive `serde::Serialize` and `serde::Deserialize` on it"
)]
pub trait Wire: Serialize + DeserializeOwned + Send {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send> Wire for T {}
