//! A real browser, Chromium without a window, opens pages that call farcall. `scripts/test` installs
//! it; without it a test says that it was left out.

mod attacks;
mod chromium;
mod relay;
mod site;
mod web_socket;
