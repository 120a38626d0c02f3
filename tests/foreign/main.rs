//! Those who have never heard of farcall call it: clients of other languages, curl, and bare
//! sockets. `scripts/test` installs them; a test whose client is not there says that it was left
//! out.

mod curl;
mod node;
mod python;
mod python_gzip;
mod ruby;
mod service;
mod socket;
