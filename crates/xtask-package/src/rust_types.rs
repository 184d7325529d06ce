//! Types, signatures and bounds in rustdoc's JSON, as Rust writes them.

use serde_json::Value;

/// Returns a type.
pub fn type_of(value: &Value) -> String {
    let Some((kind, inner)) = value.as_object().and_then(|object| object.iter().next()) else {
        return if value == "infer" { "_".to_owned() } else { "()".to_owned() };
    };
    match &**kind {
        "resolved_path" => path(inner),
        "generic" | "primitive" => text(inner).to_owned(),
        "tuple" => format!("({})", list(inner, type_of, ", ")),
        "slice" => format!("[{}]", type_of(inner)),
        "array" => format!("[{}; {}]", type_of(&inner["type"]), text(&inner["len"])),
        "impl_trait" => format!("impl {}", bounds(inner)),
        "dyn_trait" => {
            let traits = list(&inner["traits"], |bound| path(&bound["trait"]), " + ");
            let lifetime = inner["lifetime"].as_str().map(|name| format!(" + {name}")).unwrap_or_default();
            format!("dyn {traits}{lifetime}")
        }
        "function_pointer" => format!("fn{}", signature(&inner["sig"])),
        "raw_pointer" => format!(
            "*{} {}",
            if inner["is_mutable"] == true { "mut" } else { "const" },
            type_of(&inner["type"])
        ),
        "borrowed_ref" => {
            let lifetime = inner["lifetime"].as_str().map(|name| format!("{name} ")).unwrap_or_default();
            let mutable = if inner["is_mutable"] == true { "mut " } else { "" };
            format!("&{lifetime}{mutable}{}", type_of(&inner["type"]))
        }
        "qualified_path" => {
            let owner = type_of(&inner["self_type"]);
            let of_trait = if inner["trait"].is_null() { String::new() } else { path(&inner["trait"]) };
            match &*of_trait {
                "" => format!("{owner}::{}", text(&inner["name"])),
                of_trait => format!("<{owner} as {of_trait}>::{}", text(&inner["name"])),
            }
        }
        _ => inner.to_string(),
    }
}

/// Returns the path of a type or trait, as the source names it, with its arguments.
pub fn path(value: &Value) -> String {
    let name = text(&value["path"]);
    let arguments = &value["args"];
    if let Some(inner) = arguments.get("parenthesized") {
        let output = output(&inner["output"]);
        return format!("{name}({}){output}", list(&inner["inputs"], type_of, ", "));
    }
    let inner = &arguments["angle_bracketed"];
    let given = list(&inner["args"], argument, ", ");
    let constraints = list(&inner["constraints"], constraint, ", ");
    match (given.is_empty(), constraints.is_empty()) {
        (true, true) => name.to_owned(),
        (false, false) => format!("{name}<{given}, {constraints}>"),
        _ => format!("{name}<{given}{constraints}>"),
    }
}

/// Returns a function named `place`.
pub fn function(inner: &Value, place: &str) -> String {
    let header = &inner["header"];
    let mut words = String::new();
    for key in ["is_const", "is_async", "is_unsafe"] {
        if header[key] == true {
            words.push_str(key.trim_start_matches("is_"));
            words.push(' ');
        }
    }
    let (declared, where_clause) = generics(&inner["generics"]);
    format!("{words}fn {place}{declared}{}{where_clause}", signature(&inner["sig"]))
}

/// Returns the parameters of a generic item, and its `where` clause.
pub fn generics(value: &Value) -> (String, String) {
    let parameters: Vec<String> = array(&value["params"]).filter_map(parameter).collect();
    let parameters =
        if parameters.is_empty() { String::new() } else { format!("<{}>", parameters.join(", ")) };
    let predicates = list(&value["where_predicates"], predicate, ", ");
    (parameters, if predicates.is_empty() { predicates } else { format!(" where {predicates}") })
}

/// Returns bounds, such as `Send + 'static`.
pub fn bounds(value: &Value) -> String {
    list(value, bound, " + ")
}

fn bound(value: &Value) -> String {
    let of_trait = &value["trait_bound"];
    if of_trait.is_null() {
        return value["outlives"].as_str().map_or_else(|| value.to_string(), str::to_owned);
    }
    let maybe = if of_trait["modifier"] == "maybe" { "?" } else { "" };
    format!("{maybe}{}", path(&of_trait["trait"]))
}

/// Returns a declared parameter, unless it stands for an `impl Trait`.
fn parameter(value: &Value) -> Option<String> {
    let (name, kind) = (text(&value["name"]), &value["kind"]);
    if kind["type"]["is_synthetic"] == true {
        return None;
    }
    if let Some(constant) = kind.get("const") {
        return Some(format!("const {name}: {}", type_of(&constant["type"])));
    }
    let bounds = bounds(&kind["type"]["bounds"]);
    Some(if bounds.is_empty() { name.to_owned() } else { format!("{name}: {bounds}") })
}

fn predicate(value: &Value) -> String {
    let inner = &value["bound_predicate"];
    if inner.is_null() {
        value.to_string()
    } else {
        format!("{}: {}", type_of(&inner["type"]), bounds(&inner["bounds"]))
    }
}

fn argument(value: &Value) -> String {
    if let Some(inner) = value.get("type") {
        return type_of(inner);
    }
    let lifetime_or_constant = value["lifetime"].as_str().or_else(|| value["const"]["expr"].as_str());
    lifetime_or_constant.unwrap_or("_").to_owned()
}

fn constraint(value: &Value) -> String {
    let (name, binding) = (text(&value["name"]), &value["binding"]);
    match binding.get("equality") {
        Some(equal) => format!("{name} = {}", argument(equal)),
        None => format!("{name}: {}", bounds(&binding["constraint"])),
    }
}

fn signature(value: &Value) -> String {
    let input = |pair: &Value| match (text(&pair[0]), type_of(&pair[1])) {
        ("", input) => input,
        (name, input) => format!("{name}: {input}"),
    };
    format!("({}){}", list(&value["inputs"], input, ", "), output(&value["output"]))
}

fn output(value: &Value) -> String {
    if value.is_null() { String::new() } else { format!(" -> {}", type_of(value)) }
}

fn list(value: &Value, write: impl Fn(&Value) -> String, separator: &str) -> String {
    array(value).map(write).collect::<Vec<_>>().join(separator)
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{function, type_of};

    #[test]
    fn it_writes_types_as_rust_does() {
        let text =
            json!({"borrowed_ref": {"lifetime": "'a", "is_mutable": false, "type": {"primitive": "str"}}});
        let option = json!({"resolved_path": {"path": "Option", "id": 1, "args": {"angle_bracketed": {"args": [{"type": text}], "constraints": []}}}});
        assert_eq!(type_of(&option), "Option<&'a str>");
        let number = json!({"primitive": "u8"});
        assert_eq!(
            type_of(&json!({"tuple": [{"slice": number}, {"array": {"type": number, "len": "4"}}]})),
            "([u8], [u8; 4])"
        );
        let iterator = json!({"trait_bound": {"trait": {"path": "Iterator", "args": {"angle_bracketed": {"args": [], "constraints": [
            {"name": "Item", "binding": {"equality": {"type": number}}}]}}}, "modifier": "none"}});
        assert_eq!(
            type_of(&json!({"impl_trait": [iterator, {"outlives": "'a"}]})),
            "impl Iterator<Item = u8> + 'a"
        );
    }

    #[test]
    fn it_writes_functions_as_rust_does() {
        let parameter = json!({"name": "T", "kind": {"type": {"bounds": [{"trait_bound": {"trait": {"path": "Send", "args": null}}}], "is_synthetic": false}}});
        let inner = json!({
            "header": {"is_const": true},
            "generics": {"params": [parameter], "where_predicates": []},
            "sig": {"inputs": [["value", {"generic": "T"}]], "output": {"primitive": "bool"}},
        });
        assert_eq!(function(&inner, "a::f"), "const fn a::f<T: Send>(value: T) -> bool");
    }
}
