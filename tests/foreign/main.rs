//! Those who have never heard of farcall call it, clients of other languages, curl, and bare
//! sockets; and servers of other languages are called. `scripts/test` installs them; a test whose
//! other end is not there says that it was left out.

mod allow_list;
mod curl;
mod docs;
mod events;
mod nginx;
mod nginx_streams;
mod node;
mod perl;
mod php;
mod python;
mod python_gzip;
mod ruby;
mod servers;
mod service;
mod socket;
mod streams;
mod tls;
mod validator;
mod web_socket;
