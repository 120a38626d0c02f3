//! An error that has no form as a fault.

struct Broken;

#[farcall::service]
trait Thermostat {
    async fn get(&self, room: u8) -> Result<f64, Broken>;
}

struct Hall;

impl Thermostat for Hall {
    async fn get(&self, _room: u8) -> Result<f64, Broken> {
        Err(Broken)
    }
}

fn main() {
    let _ = ThermostatServer::new(Hall);
}
