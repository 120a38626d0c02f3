//! The bounds on what travels, with words for those who miss them.

use serde::de::{Deserialize, DeserializeOwned};
use serde::ser::Serialize;

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

/// As [`Wire`], but of a parameter, which may borrow from the message it came in: a type that
/// borrows, named with `'static` for its lifetimes.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Name<'a>(&'a str);
///
/// fn is_taken<T: farcall_core::wire::Parameter>() {}
/// is_taken::<Vec<Name<'static>>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a call",
    label = "this type has no wire form",
    note = "derive `serde::Serialize` and `serde::Deserialize` on it"
)]
pub trait Parameter: Serialize + Deserialize<'static> + Send {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + Deserialize<'static> + Send> Parameter for T {}

/// One half of [`Wire`]: a type whose values can be written, borrowed or not.
///
/// ```
/// fn is_written<T: farcall_core::wire::Written + ?Sized>() {}
/// is_written::<str>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a call",
    label = "this type has no wire form",
    note = "derive `serde::Serialize` and `serde::Deserialize` on it"
)]
pub trait Written: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Written for T {}

/// The other half of [`Wire`]: a type whose values can be read from bytes that live for `'de`.
///
/// ```
/// fn is_read<'de, T: farcall_core::wire::Readable<'de>>() {}
/// is_read::<farcall_core::params::Text<'_>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a call",
    label = "this type has no wire form",
    note = "derive `serde::Serialize` and `serde::Deserialize` on it"
)]
pub trait Readable<'de>: Deserialize<'de> {}

#[diagnostic::do_not_recommend]
impl<'de, T: Deserialize<'de>> Readable<'de> for T {}
