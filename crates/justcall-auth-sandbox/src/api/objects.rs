//! Lists and their objects: pages, reading by id, creating, updating, deleting, and refusals of invalid requests.

use serde_json::{Map, Value, json};

use super::endpoints::{Action, ENDPOINTS, RESOURCES, Resource, fits};
use super::{Call, Page};
use crate::shared::Shared;
use crate::state::{ObjectList, Objects};
use crate::wire::{List, Reply, Success};

/// Returns the answer for a path without its version, or `None` if there is no such endpoint.
pub(super) fn answer(shared: &Shared, objects: &mut Objects, call: &Call, path: &str) -> Option<Reply> {
    let method = if call.reads() { "GET" } else { call.method.as_str() };
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.method == method && fits(endpoint.path, path));
    if let Some(endpoint) = endpoint {
        return Some(act(objects, call, &endpoint.action).unwrap_or_else(|refusal| refusal));
    }
    if let Some(resource) = resource(path) {
        return Some(of_list(shared, objects, call, method, resource).unwrap_or_else(|refusal| refusal));
    }
    // Another public client removes a webhook at `webhooks/url/ID`.
    let (list, id) = path
        .strip_prefix("webhooks/url/")
        .map_or_else(|| path.rsplit_once('/'), |id| Some(("webhooks", id)))?;
    of_object(objects, call, method, resource(list)?, id)
}

fn resource(path: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.path == path)
}

fn list_of<'a>(objects: &'a mut Objects, resource: &Resource) -> &'a mut ObjectList {
    objects.list(resource.path, resource.id, resource.seed)
}

fn act(objects: &mut Objects, call: &Call, action: &Action) -> Result<Reply, Reply> {
    match action {
        Action::Read(data) => Ok(success(&data())),
        Action::Write(required) => Ok(success(&Value::Object(members(call, required)?))),
        Action::Create(path, required) => {
            let resource = resource(path).expect("the table creates in its own lists");
            create(objects, call, resource, required)
        }
    }
}

/// Answers for a whole list, or for the object whose id is in the body or the query.
fn of_list(
    shared: &Shared,
    objects: &mut Objects,
    call: &Call,
    method: &str,
    resource: &Resource,
) -> Result<Reply, Reply> {
    match (method, resource.create) {
        ("GET", _) => page(shared, call, list_of(objects, resource).all()),
        ("POST", Some(required)) => create(objects, call, resource, required),
        ("PUT" | "DELETE", _) => {
            let id = call.parameter(resource.id).map(str::to_owned);
            let id = match id {
                Some(id) => id,
                None => text(&members(call, &[resource.id])?[resource.id]),
            };
            of_object(objects, call, method, resource, &id).ok_or_else(not_found)
        }
        _ => Err(not_found()),
    }
}

fn of_object(
    objects: &mut Objects,
    call: &Call,
    method: &str,
    resource: &Resource,
    id: &str,
) -> Option<Reply> {
    let list = list_of(objects, resource);
    match method {
        "GET" => list.get(id).map(success),
        "PUT" | "PATCH" if resource.update => match members(call, &[]) {
            Ok(members) => list.update(id, members).map(success),
            Err(refusal) => Some(refusal),
        },
        "DELETE" if resource.delete => list.remove(id).as_ref().map(success),
        _ => None,
    }
}

fn page(shared: &Shared, call: &Call, all: &[Value]) -> Result<Reply, Reply> {
    let page = Page::of(call)?;
    let range = page.range(all.len());
    let next = (range.end < all.len())
        .then(|| format!("{}{}?page={}&per_page={}", shared.url, call.path, page.number + 1, page.size));
    Ok(Reply::json(200, &List::new(all[range].iter().collect(), next)))
}

fn create(
    objects: &mut Objects,
    call: &Call,
    resource: &Resource,
    required: &[&str],
) -> Result<Reply, Reply> {
    let members = members(call, required)?;
    match list_of(objects, resource).create(members) {
        Ok(object) => Ok(success(object)),
        Err(full) => Err(Reply::error(full.status(), full.message())),
    }
}

/// Returns the members of the body. Fails with 400 if it is no JSON object, and with 422 if a member is missing or invalid.
fn members(call: &Call, required: &[&str]) -> Result<Map<String, Value>, Reply> {
    let body = if call.body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&call.body) };
    let Ok(Value::Object(members)) = body else {
        return Err(Reply::error(400, "The body must be a JSON object."));
    };
    let missing = |name: &&&str| members.get(**name).is_none_or(|value| value.is_null() || *value == "");
    let mut errors: Map<String, Value> = required
        .iter()
        .filter(missing)
        .map(|name| ((*name).to_owned(), json!([format!("The {name} field is required.")])))
        .collect();
    let is_wrong = members.get("contact_number").is_some_and(|number| !is_phone_number(number));
    if is_wrong && !errors.contains_key("contact_number") {
        errors.insert("contact_number".into(), json!(["The contact_number must have 7 to 15 digits."]));
    }
    if errors.is_empty() {
        return Ok(members);
    }
    Err(Reply::json(
        422,
        &json!({"status": "error", "message": "The given data was invalid.", "errors": errors}),
    ))
}

fn is_phone_number(value: &Value) -> bool {
    let text = text(value);
    let digits = text.strip_prefix('+').unwrap_or(&text);
    (7..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// Returns an id or a number as text, whether it is a number or a string in JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn success(data: &Value) -> Reply {
    Reply::json(200, &Success { status: "success", data })
}

fn not_found() -> Reply {
    Reply::error(404, "Not found.")
}
