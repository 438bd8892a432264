//! `/api/v1/openapi.json`: the API as an OpenAPI 3.1 document, made of the table of routes and of the
//! types that are sent.
//!
//! `docs/openapi.json` is the same document, for whoever has no node; a test compares them.
//!
//! *Source*: ours; OpenAPI 3.1.1, whose schemas are JSON Schema 2020-12.

use axum::Json;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    Role,
    problem::Problem,
    routes::{Asked, Gives, ROUTES, Route},
};

pub(super) async fn document() -> Json<Value> {
    Json(openapi())
}

/// The document.
fn openapi() -> Value {
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
    };
    let mut sent = settings().for_serialize().into_generator();
    let mut brought = settings().for_deserialize().into_generator();
    let problem = json!({
        "description": "Why it was not done.",
        "content": { "application/problem+json": { "schema": sent.subschema_for::<Problem>() } },
    });
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = operation(route, &mut sent, &mut brought);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        let method = match route.asked {
            Asked::Get => "get",
            Asked::Post(_) => "post",
        };
        path[method] = operation;
    }
    let mut schemas = sent.take_definitions(true);
    schemas.extend(brought.take_definitions(true));
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Concordat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The API of one organisation's node.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "problem": problem },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(route: &Route, sent: &mut SchemaGenerator, brought: &mut SchemaGenerator) -> Value {
    let (status, media, schema) = match (&route.asked, &route.gives) {
        (Asked::Post(_), Gives::Json(shape)) => ("201", "application/json", Some(shape(sent))),
        (_, Gives::Json(shape) | Gives::Verdict(shape)) => {
            ("200", "application/json", Some(shape(sent)))
        }
        (_, Gives::Events(shape)) => ("200", "text/event-stream", Some(shape(sent))),
        (_, Gives::Text(media)) => ("200", *media, None),
    };
    let content = schema.map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
    let mut operation = json!({
        "summary": route.does,
        "parameters": parameters(route, brought),
        "responses": {
            status: { "description": "Done.", "content": { media: content } },
            "default": { "$ref": "#/components/responses/problem" },
        },
    });
    if matches!(route.gives, Gives::Verdict(_)) {
        operation["responses"]["503"] = operation["responses"][status].clone();
    }
    if let Asked::Post(shape) = route.asked {
        let content = json!({ "application/json": { "schema": shape(brought) } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if let Some(permission) = route.needs {
        let roles = Role::who_may(permission);
        operation["description"] = json!(format!("For tokens of the roles {roles}."));
        operation["security"] = json!([{ "token": [] }]);
    }
    operation
}

/// What stands in the path, then what may stand after the question mark.
fn parameters(route: &Route, brought: &mut SchemaGenerator) -> Vec<Value> {
    let named = route.path.split(['{', '}']).skip(1).step_by(2);
    let mut parameters: Vec<Value> = named
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true, "schema": { "type": "string" },
                "description": "The beginning of its id, if only one begins so.",
            })
        })
        .collect();
    let query = route.query.map(|shape| shape(brought).to_value());
    let fields = query.as_ref().and_then(|query| query["properties"].as_object());
    for (name, schema) in fields.into_iter().flatten() {
        parameters.push(json!({ "name": name, "in": "query", "schema": schema }));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

    #[test]
    fn the_document_in_docs_is_the_one_that_is_served() {
        let document = serde_json::to_string_pretty(&openapi()).unwrap() + "\n";
        if std::env::var_os("UPDATE").is_some() {
            fs::write(PATH, &document).unwrap();
        }
        let kept = fs::read_to_string(PATH).unwrap_or_default();
        assert!(kept == document, "docs/openapi.json differs; run this test with UPDATE=1");
    }

    #[test]
    fn every_route_is_in_it_and_every_reference_leads_somewhere() {
        let document = openapi();
        for route in ROUTES {
            let method = if matches!(route.asked, Asked::Get) { "get" } else { "post" };
            let operation = &document["paths"][route.path][method];
            assert_eq!(operation["summary"], route.does, "{}", route.path);
            assert_eq!(operation["security"].is_array(), route.needs.is_some(), "{}", route.path);
        }
        let text = document.to_string();
        let references = text.split("\"$ref\":\"#").skip(1);
        let references: Vec<&str> = references.filter_map(|rest| rest.split('"').next()).collect();
        assert!(references.len() > ROUTES.len());
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
