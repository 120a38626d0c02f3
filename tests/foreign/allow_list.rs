//! Python's `ipaddress` says which addresses are in which networks, and the allow-list must agree.

use farcall::AllowList;

use crate::service::{printed, run};

/// Prints lists of networks, each with ten addresses and whether each is in one of them. Addresses are mostly
/// near the ends of networks, and IPv4 ones are at times written as IPv4-mapped.
const GENERATE: &str = r#"
import random, sys
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

random.seed(int(sys.argv[1]))
FAMILIES = {32: (IPv4Address, IPv4Network), 128: (IPv6Address, IPv6Network)}

def number(bits):
    return random.choice([random.getrandbits(bits), random.getrandbits(8), 2**bits - 1 - random.getrandbits(8)])

def network(bits):
    kind = FAMILIES[bits][1]
    while True:
        net = kind((number(bits), random.randrange(bits + 1)), strict=False)
        # As IPv6 these hold IPv4-mapped addresses, which are IPv4 here.
        if bits == 32 or not net.overlaps(IPv6Network("::ffff:0:0/96")) or net.prefixlen < 80:
            return net

def address(nets):
    net = random.choice(nets)
    bits = net.max_prefixlen
    value = random.choice([
        int(net.network_address) + random.randrange(-2, 3),
        int(net.broadcast_address) + random.randrange(-2, 3),
        random.randrange(int(net.network_address), int(net.broadcast_address) + 1),
        number(bits),
    ])
    return FAMILIES[bits][0](value % 2**bits)

def written(ip):
    return f"::ffff:{ip}" if ip.version == 4 and random.random() < 0.3 else str(ip)

def written_net(net):
    if net.version == 4 and random.random() < 0.3:
        return f"::ffff:{net.network_address}/{net.prefixlen + 96}"
    if net.prefixlen == net.max_prefixlen and random.random() < 0.5:
        return str(net.network_address)
    return str(net)

for _ in range(10_000):
    nets = [network(random.choice([32, 128])) for _ in range(random.randrange(1, 5))]
    shown = ",".join(map(written_net, nets))
    for _ in range(10):
        ip = address(nets)
        if ip.version == 6 and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        print(shown, written(ip), int(any(ip in net for net in nets)))
"#;

#[tokio::test]
async fn python_agrees_about_a_hundred_thousand_addresses() {
    let seed = std::process::id().to_string();
    let arguments = ["-c", GENERATE, &seed].map(str::to_owned);
    let Some(output) = run("python3", arguments.into()).await else {
        return;
    };
    let (mut inside, mut cases) = (0, 0);
    for line in printed(&output).lines() {
        let mut parts = line.split(' ');
        let mut part = || parts.next().unwrap();
        let (list, address, expected) = (part(), part(), part() == "1");
        let allow = AllowList::new(list.split(',')).unwrap();
        let allowed = allow.allows(address.parse().unwrap());
        assert_eq!(allowed, expected, "seed {seed}: {address} in {list}");
        inside += usize::from(expected);
        cases += 1;
    }
    // Else it would not say much.
    assert!(
        cases == 100_000 && inside > cases / 4 && inside < cases * 3 / 4,
        "{inside}"
    );
}
