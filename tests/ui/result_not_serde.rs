//! A result that serde does not know.

struct Celsius(f64);

#[farcall::service]
trait Thermostat {
    async fn get(&self, room: u8) -> Celsius;
}

struct Hall;

impl Thermostat for Hall {
    async fn get(&self, room: u8) -> Celsius {
        Celsius(f64::from(room))
    }
}

fn main() {
    let _ = ThermostatServer::new(Hall);
}
