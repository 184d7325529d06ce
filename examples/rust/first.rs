//! The first call: `first [SOURCE [BASE_URL [CA_FILE]]]`.

use justcall_auth::{Client, Config, Error};

fn first_call(config: &Config) -> Result<(), Error> {
    // [snippet]
    let client = Client::new(config)?;
    let account = client.verify()?;
    println!("{}", account.email().unwrap_or("unknown"));
    // [/snippet]
    Ok(())
}

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

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match configure(&arguments).and_then(|config| first_call(&config)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}\n{}", error.message(), error.hint());
            std::process::ExitCode::FAILURE
        }
    }
}
