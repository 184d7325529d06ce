//! Lists the latest calls: `request [SOURCE [BASE_URL [CA_FILE]]]`.

use justcall_auth::{Client, Config, Error, ErrorKind, Request};

// [snippet]
fn list_calls(client: &Client) -> Result<(), Error> {
    let mut request = Request::new("GET", "/v2.1/calls")?;
    request.add_query("per_page", "3")?.set_header("accept-language", "en")?;
    match client.request(request) {
        Ok(response) => println!("{}", String::from_utf8_lossy(response.body())),
        Err(error) if error.kind() == ErrorKind::RateLimited => {
            println!("come back in {:?}", error.retry_after().unwrap_or_default());
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
// [/snippet]

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = configure(&arguments).and_then(|config| list_calls(&Client::new(&config)?));
    if let Err(error) = result {
        let body =
            error.response().map(|response| String::from_utf8_lossy(response.body())).unwrap_or_default();
        eprintln!("{error}\nhint: {}\n{body}", error.hint());
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
