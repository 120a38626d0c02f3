//! Traits that are odd but legal.
