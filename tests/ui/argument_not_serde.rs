//! Types that serde does not know, in the words of `Wire`, where the trait names them.

struct Celsius(f64);

#[farcall::service]
trait Thermostat {
    async fn set(&self, room: u8, target: Celsius);
}

struct Hall;

impl Thermostat for Hall {
    async fn set(&self, _room: u8, target: Celsius) {
        drop(target.0);
    }
}

fn main() {
    let _ = ThermostatServer::new(Hall);
}
