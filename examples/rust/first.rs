//! The first call: `first [SOURCE [BASE_URL CA_FILE]]`.

use justcall_auth::{Client, Config, Error};

fn first_call(config: &Config) -> Result<(), Error> {
    // [snippet]
    let client = Client::new(config)?;
    let account = client.verify()?;
    println!("{}", account.email().unwrap_or("unknown"));
    // [/snippet]
    Ok(())
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut config = Config::new();
    if let Some(source) = arguments.first() {
        config.set_source(source)?;
    }
    if let [_, base_url, ca_file] = arguments.as_slice() {
        config.set_base_url(base_url)?;
        config.set_ca_file(ca_file)?;
    }
    first_call(&config)
}
