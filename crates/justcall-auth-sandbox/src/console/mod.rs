//! The console: a page that shows what happens in the sandbox and steers it, with the stream of events that feeds it.
//!
//! The page is made of plain files, which are part of the program. It loads nothing from elsewhere and makes the same control
//! calls as any other program.

mod events;

use std::sync::Arc;

use hyper::{Method, Response};

use crate::shared::Shared;
use crate::wire::{Payload, Reply};

/// What follows the control URL where the page is.
pub(crate) const PAGE: &str = "console/";

/// A file of the page.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The files by their names; the one without a name is the page.
const ASSETS: &[Asset] = &[
    Asset { name: "", content_type: HTML, text: include_str!("page/index.html") },
    Asset { name: "style.css", content_type: CSS, text: include_str!("page/style.css") },
    Asset { name: "icon.svg", content_type: SVG, text: include_str!("page/icon.svg") },
    Asset { name: "main.js", content_type: JAVASCRIPT, text: include_str!("page/main.js") },
    Asset { name: "api.js", content_type: JAVASCRIPT, text: include_str!("page/api.js") },
    Asset { name: "dom.js", content_type: JAVASCRIPT, text: include_str!("page/dom.js") },
    Asset { name: "model.js", content_type: JAVASCRIPT, text: include_str!("page/model.js") },
    Asset { name: "start.js", content_type: JAVASCRIPT, text: include_str!("page/start.js") },
    Asset { name: "account.js", content_type: JAVASCRIPT, text: include_str!("page/account.js") },
    Asset { name: "chart.js", content_type: JAVASCRIPT, text: include_str!("page/chart.js") },
    Asset { name: "clients.js", content_type: JAVASCRIPT, text: include_str!("page/clients.js") },
    Asset { name: "requests.js", content_type: JAVASCRIPT, text: include_str!("page/requests.js") },
    Asset { name: "faults.js", content_type: JAVASCRIPT, text: include_str!("page/faults.js") },
    Asset { name: "webhooks.js", content_type: JAVASCRIPT, text: include_str!("page/webhooks.js") },
];

/// Answers a request for a file of the page.
pub(crate) fn file(method: &Method, name: &str) -> Reply {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Reply::error(404, "The console has no such file.");
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Reply::error(405, "The console accepts only GET and HEAD.");
    }
    Reply::text(200, asset.content_type, asset.text)
}

/// Answers a request for the events after a revision.
pub(crate) fn stream(shared: &Arc<Shared>, since: u64) -> Response<Payload> {
    Reply::text(200, "text/event-stream", "").into_response_with(events::open(shared, since))
}

#[cfg(test)]
mod tests {
    use super::ASSETS;

    /// The files that a file names in an attribute or an import.
    fn named(text: &str) -> impl Iterator<Item = &str> {
        let quoted = text.split(['"', '\'']).skip(1).step_by(2);
        quoted.filter(|name| [".js", ".css", ".svg"].iter().any(|end| name.ends_with(end)))
    }

    #[test]
    fn it_has_every_file_that_the_page_names_and_no_other() {
        let mut used: Vec<&str> = ASSETS
            .iter()
            .flat_map(|asset| named(asset.text))
            .map(|name| name.trim_start_matches("./"))
            .collect();
        used.sort_unstable();
        used.dedup();
        let mut served: Vec<&str> =
            ASSETS.iter().map(|asset| asset.name).filter(|name| !name.is_empty()).collect();
        served.sort_unstable();
        assert_eq!(used, served);
    }

    #[test]
    fn it_loads_nothing_from_elsewhere_and_writes_no_markup() {
        for asset in ASSETS {
            // The namespace of SVG is a name and is never loaded.
            let text = asset.text.replace("http://www.w3.org/2000/svg", "");
            for wrong in
                ["//cdn", "https://", "@import", "innerHTML", "outerHTML", "insertAdjacentHTML", "eval("]
            {
                assert!(!text.contains(wrong), "{} has {wrong}", asset.name);
            }
            assert!(!text.contains(" style=\"") && !text.contains(" onclick="), "{}", asset.name);
        }
    }
}
