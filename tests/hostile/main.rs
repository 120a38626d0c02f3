//! Peers that are slow, rude or many: what a server does about them, and that others notice nothing. A
//! file for each kind.

mod amplified;
mod beside;
mod broken;
mod descriptors;
mod full;
mod http2;
mod service;
mod slow;
mod smuggled;
mod unread;
