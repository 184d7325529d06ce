//! A name server on the loopback address of a separate network.

use std::net::{IpAddr, UdpSocket};
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

/// The address of the name server.
pub const ADDRESS: &str = "127.0.0.53";

const A: u16 = 1;
const AAAA: u16 = 28;
/// A response that is recursive and authoritative enough for every resolver.
const RESPONSE: u16 = 0x8180;
const TRUNCATED: u16 = 0x0200;
const HEAD: usize = 12;

/// What the name server does with a question about a name.
#[derive(Debug, Clone)]
enum Behaviour {
    Silent,
    /// Fails with this code.
    Code(u16),
    /// Answers that the response does not fit, and accepts no TCP connection.
    Truncated,
    /// Sends bytes that are no response.
    Garbage,
    Addresses(Vec<IpAddr>),
}

impl Behaviour {
    fn parse(value: &Value) -> Result<Self> {
        if let Some(addresses) = value.as_array() {
            let address = |value: &Value| Ok(value.as_str().context("an address is text")?.parse()?);
            return Ok(Self::Addresses(addresses.iter().map(address).collect::<Result<_>>()?));
        }
        Ok(match value.as_str().context("a name has addresses or a behaviour")? {
            "silent" => Self::Silent,
            "servfail" => Self::Code(2),
            "nxdomain" => Self::Code(3),
            "refused" => Self::Code(5),
            "truncated" => Self::Truncated,
            "garbage" => Self::Garbage,
            other => bail!("unknown behaviour {other:?}"),
        })
    }
}

/// Starts the name server, which runs until this process ends. It knows no other names.
///
/// # Errors
/// If a value is unknown, or its port is taken.
pub fn serve(names: &Map<String, Value>) -> Result<()> {
    let names: Vec<(String, Behaviour)> = names
        .iter()
        .map(|(name, value)| Ok((name.clone(), Behaviour::parse(value)?)))
        .collect::<Result<_>>()?;
    let socket = UdpSocket::bind((ADDRESS, 53)).context("the port of name servers")?;
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question) {
            if let Some(response) = answer(&question[..length], &names) {
                // The client may have gone.
                let _sent = socket.send_to(&response, from);
            }
        }
    });
    Ok(())
}

/// Returns the response to a question, or `None` if there is to be none.
fn answer(question: &[u8], names: &[(String, Behaviour)]) -> Option<Vec<u8>> {
    let (name, end) = name_of(question)?;
    let kind = u16::from_be_bytes(question.get(end..end + 2)?.try_into().ok()?);
    let nowhere = Behaviour::Code(3);
    let known = names.iter().find(|(known, _)| *known == name);
    let behaviour = known.map_or(&nowhere, |(_, behaviour)| behaviour);
    let (flags, addresses) = match behaviour {
        Behaviour::Silent => return None,
        Behaviour::Garbage => return Some([&question[..2], &[0xff; 40]].concat()),
        Behaviour::Code(code) => (RESPONSE | code, Vec::new()),
        Behaviour::Truncated => (RESPONSE | TRUNCATED, Vec::new()),
        Behaviour::Addresses(addresses) => {
            let is_asked = |address: &&IpAddr| if address.is_ipv4() { kind == A } else { kind == AAAA };
            (RESPONSE, addresses.iter().filter(is_asked).copied().collect())
        }
    };
    let mut response = question[..2].to_vec();
    let count = u16::try_from(addresses.len()).ok()?;
    for number in [flags, 1, count, 0, 0] {
        response.extend(number.to_be_bytes());
    }
    response.extend(question.get(HEAD..end + 4)?);
    for address in addresses {
        let bytes = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        // A pointer to the name in the question, the type, the class, a minute, and the address.
        response.extend([0xc0, 0x0c]);
        response.extend(kind.to_be_bytes());
        response.extend([0, 1, 0, 0, 0, 60]);
        response.extend(u16::try_from(bytes.len()).ok()?.to_be_bytes());
        response.extend(bytes);
    }
    Some(response)
}

/// Returns the name in a question, and the place after it.
fn name_of(question: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), HEAD);
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
}
