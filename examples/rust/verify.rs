//! Verifies a pair: `verify [SOURCE [BASE_URL [CA_FILE]]]`.

use justcall_auth::{Client, Config, Error};

// [snippet]
fn verify(config: &Config) -> Result<(), Error> {
    let client = Client::new(config)?;
    let account = client.verify()?;
    println!("account: {}", account.id().map_or("unknown".into(), |id| id.to_string()));
    println!("email:   {}", account.email().unwrap_or("unknown"));
    println!("plan:    {}", account.plan().unwrap_or("unknown"));
    Ok(())
}
// [/snippet]

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = configure(&arguments).and_then(|config| verify(&config));
    if let Err(error) = result {
        eprintln!("{error}\nhint: {}", error.hint());
        std::process::exit(1);
    }
}

/// Sets SOURCE, and the sandbox if the arguments name one.
fn configure(arguments: &[String]) -> Result<Config, Error> {
    let mut config = Config::new();
    if let Some(source) = arguments.first() {
        config.set_source(source)?;
    }
    if let Some(base_url) = arguments.get(1) {
        config.set_base_url(base_url)?;
    }
    if let Some(ca_file) = arguments.get(2) {
        config.set_ca_file(ca_file)?;
    }
    Ok(config)
}
