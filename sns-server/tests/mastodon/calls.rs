//! What the double answers to each call.

use crate::instance::Shared;
use crate::published::{self, Carries};
use crate::wire::{Cut, Half};
use crate::world::{ACCOUNT, Fault, Flavour, MediaFile, Status, World};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart};
use axum::http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

type Reply = (u16, Value);

/// A file part as it came.
struct FilePart {
    name: Option<String>,
    media_type: Option<String>,
    bytes: Bytes,
}

/// A request's parameters.
#[derive(Default)]
struct Given {
    fields: BTreeMap<String, Value>,
    file: Option<FilePart>,
}

pub(crate) async fn answer(shared: Shared, cut: Cut, request: Request<Body>) -> Response<Body> {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let headers = request.headers().clone();
    let fault = {
        let mut world = shared.world();
        world.requests.push(format!("{method} {}", uri.path()));
        match world.faults.front() {
            Some((path, _)) if uri.path().starts_with(path) => world.faults.pop_front(),
            _ => None,
        }
    };
    let fault = fault.map(|(_, fault)| fault);
    let request = match &fault {
        Some(Fault::CutInRequest(bytes)) => {
            let mut body = request.into_body();
            let mut read = 0;
            while read < *bytes
                && let Some(Ok(frame)) = body.frame().await
            {
                read += frame.data_ref().map_or(0, Bytes::len);
            }
            cut.now();
            return Response::new(Body::empty());
        }
        Some(Fault::Slow) => {
            let (parts, mut body) = request.into_parts();
            let mut read = Vec::new();
            let mut since = 0;
            while let Some(Ok(frame)) = body.frame().await {
                let data = frame.into_data().unwrap_or_default();
                read.extend_from_slice(&data);
                since += data.len();
                if since > 512 * 1024 {
                    since = 0;
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
            Request::from_parts(parts, Body::from(read))
        }
        _ => request,
    };
    match &fault {
        Some(Fault::Answer(status, headers, body)) => {
            // Instances read what they refuse.
            let _ = request.into_body().collect().await;
            let mut response = Response::builder().status(*status);
            for (name, value) in headers {
                response = response.header(*name, value);
            }
            return response.body(Body::from(body.clone())).unwrap();
        }
        Some(Fault::Silent) => return std::future::pending().await,
        _ => {}
    }

    let (status, body) = served(&shared, &method, &uri, &headers, request).await;
    let body = body.to_string();
    match fault {
        Some(Fault::DoneThenTell) => {
            shared.told.notify_one();
            std::future::pending().await
        }
        Some(Fault::DoneThenSilent) => std::future::pending().await,
        Some(Fault::DoneThen(status)) => {
            Response::builder().status(status).body(Body::from("<html>proxy</html>")).unwrap()
        }
        Some(Fault::DoneThenCut) => {
            cut.now();
            Response::new(Body::empty())
        }
        Some(Fault::DoneThenCutInAnswer) => {
            let promised = u64::try_from(body.len()).unwrap();
            let bytes = Bytes::from(body.into_bytes());
            let bytes = Some(bytes.slice(..bytes.len() / 2));
            let pause = Some(Box::pin(tokio::time::sleep(Duration::from_millis(50))));
            Response::new(Body::new(Half { bytes, promised, pause }))
        }
        _ => Response::builder()
            .status(status)
            .header("content-type", "application/json; charset=utf-8")
            .body(Body::from(body))
            .unwrap(),
    }
}

async fn served(
    shared: &Shared,
    method: &str,
    uri: &Uri,
    headers: &HeaderMap,
    request: Request<Body>,
) -> Reply {
    let deviates = |what: String| {
        shared.world().deviations.push(format!("{method} {}: {what}", uri.path()));
    };
    let Some((call, id)) = published::find(method, uri.path()) else {
        deviates("no such call".to_owned());
        return (404, json!({"error": "Record not found"}));
    };
    let query: BTreeMap<String, String> =
        axum::extract::Query::try_from_uri(uri).map(|query| query.0).unwrap_or_default();
    published::deviations(call, &query, headers).into_iter().for_each(deviates);
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        // Nobody is there any more to deviate.
        return (400, json!({"error": "cut off"}));
    };
    let request = Request::from_parts(parts, Body::from(body.to_bytes()));
    let given = match given(call.carries, request).await {
        Ok(given) => given,
        Err(problem) => {
            deviates(problem.clone());
            return (400, json!({"error": problem}));
        }
    };
    let mut world = shared.world();
    let flavour = world.flavour;

    if !call.scopes.is_empty() {
        let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|bearer| bearer.strip_prefix("Bearer ")).unwrap_or_default();
        let Some(has) = world.tokens.get(token) else {
            return (401, json!({"error": "The access token is invalid"}));
        };
        let has: Vec<&str> = has.split(' ').collect();
        let fits = |scope: &&str| {
            has.contains(scope) || has.contains(&scope.split(':').next().unwrap_or_default())
        };
        if !call.scopes.iter().any(fits) {
            return (403, json!({"error": "This action is outside the authorized scopes"}));
        }
    }
    match (call.path, id) {
        ("/api/v2/instance", _) if flavour.is_pixelfed() => (404, json!({"error": "Not found"})),
        ("/api/v2/instance", _) => (200, world.instance(2)),
        ("/api/v1/instance", _) => (200, world.instance(1)),
        ("/api/v1/accounts/verify_credentials", _) => {
            (200, json!({"id": ACCOUNT, "username": "me", "acct": "me"}))
        }
        ("/api/v1/accounts/:id/statuses", Some(id)) if id == ACCOUNT => {
            let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(20);
            (200, Value::Array(world.page(limit, query.get("min_id").map(String::as_str))))
        }
        ("/api/v2/media", _) if flavour == Flavour::OldPixelfed => {
            (404, json!({"message": "The route api/v2/media could not be found."}))
        }
        ("/api/v2/media", _) => upload(&mut world, given, true),
        ("/api/v1/media", _) => upload(&mut world, given, false),
        ("/api/v1/media/:id", Some(id)) => media(&mut world, &id),
        ("/api/v1/statuses", _) => post(&mut world, given, headers),
        ("/api/v1/apps", _) => register(&mut world, &given),
        ("/oauth/token", _) => exchange(&mut world, &given),
        _ => (404, json!({"error": "Record not found"})),
    }
}

async fn given(carries: Carries, request: Request<Body>) -> Result<Given, String> {
    let mut given = Given::default();
    match carries {
        Carries::Nothing => {}
        Carries::Multipart(allowed) => {
            let mut request = request;
            axum::extract::DefaultBodyLimit::disable().apply(&mut request);
            let parts = Multipart::from_request(request, &()).await;
            let mut parts = parts.map_err(|error| error.to_string())?;
            let mut names = Vec::new();
            while let Some(part) = parts.next_field().await.map_err(|error| error.to_string())? {
                let name = part.name().unwrap_or_default().to_owned();
                names.push(name.clone());
                let file_name = part.file_name().map(str::to_owned);
                let media_type = part.content_type().map(str::to_owned);
                let bytes = part.bytes().await.map_err(|error| error.to_string())?;
                if name == "file" {
                    given.file = Some(FilePart { name: file_name, media_type, bytes });
                } else {
                    let text = String::from_utf8(bytes.to_vec()).map_err(|e| e.to_string())?;
                    given.fields.insert(name, Value::String(text));
                }
            }
            let wrong = published::wrong_fields(allowed, names.iter().map(String::as_str));
            wrong.is_empty().then_some(()).ok_or_else(|| format!("{wrong:?}"))?;
        }
        Carries::Json(allowed) => {
            let body = request.into_body().collect().await.map_err(|error| error.to_string())?;
            let fields = serde_json::from_slice(&body.to_bytes());
            given.fields = fields.map_err(|error| error.to_string())?;
            let wrong = published::wrong_fields(allowed, given.fields.keys().map(String::as_str));
            wrong.is_empty().then_some(()).ok_or_else(|| format!("{wrong:?}"))?;
        }
        Carries::Form(allowed) => {
            let form = axum::Form::<Vec<(String, String)>>::from_request(request, &()).await;
            let form = form.map_err(|error| error.to_string())?.0;
            let wrong = published::wrong_fields(allowed, form.iter().map(|(key, _)| key.as_str()));
            wrong.is_empty().then_some(()).ok_or_else(|| format!("{wrong:?}"))?;
            given.fields = form.into_iter().map(|(key, value)| (key, value.into())).collect();
        }
    }
    Ok(given)
}

fn upload(world: &mut World, given: Given, is_v2: bool) -> Reply {
    let Some(file) = given.file else {
        world.deviations.push("media without a file".to_owned());
        return (422, json!({"error": "Validation failed: File can't be blank"}));
    };
    let media_type = file.media_type.unwrap_or_default();
    let supported =
        ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm"];
    if !supported.contains(&media_type.as_str())
        || !file.name.is_some_and(|name| name.contains('.'))
    {
        world.deviations.push(format!("a file of type {media_type:?} without a fitting name"));
    }
    let description = given.fields.get("description").and_then(Value::as_str).map(str::to_owned);
    let length = u64::try_from(file.bytes.len()).unwrap();
    let is_video = media_type.starts_with("video/");
    let most = if is_video { world.limits.video } else { world.limits.picture };
    let mut wrong = Vec::new();
    if length > most {
        wrong.push(format!("a file of {length} bytes, at most {most}"));
    }
    if description.as_ref().is_some_and(|text| text.chars().count() > world.limits.description) {
        wrong.push("a description that is too long".to_owned());
    }
    if description.as_deref() == Some("") {
        wrong.push("an empty description".to_owned());
    }
    if media_type == "image/jpeg" {
        let mut decoder = jpeg_decoder::Decoder::new(file.bytes.as_ref());
        if decoder.read_info().is_err() {
            return (422, json!({"error": "Validation failed: File could not be verified"}));
        }
        let info = decoder.info().unwrap();
        let pixels = u64::from(info.width) * u64::from(info.height);
        if pixels > world.limits.pixels {
            wrong.push(format!("a picture of {pixels} pixels, at most {}", world.limits.pixels));
        }
    }
    if !wrong.is_empty() {
        world.deviations.extend(wrong.clone());
        return (422, json!({"error": format!("Validation failed: {wrong:?}")}));
    }
    let id = world.id();
    let processing = if is_v2 { world.processing } else { 0 };
    let bytes = file.bytes.to_vec();
    let file = MediaFile { bytes, media_type, description, processing, is_attached: false };
    world.media.insert(id.clone(), file);
    // Pixelfed says 202 always.
    let status = if processing > 0 || (is_v2 && world.flavour.is_pixelfed()) { 202 } else { 200 };
    (status, world.attachment(&id))
}

fn media(world: &mut World, id: &str) -> Reply {
    match world.media.get_mut(id).filter(|media| !media.is_attached) {
        None => (404, json!({"error": "Record not found"})),
        Some(media) if media.processing == u32::MAX => {
            (422, json!({"error": "Error processing thumbnail for uploaded media"}))
        }
        Some(media) if media.processing > 0 => {
            media.processing -= 1;
            (206, world.attachment(id))
        }
        Some(_) => (200, world.attachment(id)),
    }
}

fn post(world: &mut World, given: Given, headers: &HeaderMap) -> Reply {
    let text = |key: &str| given.fields.get(key).and_then(Value::as_str).map(str::to_owned);
    let key = headers["idempotency-key"].to_str().unwrap_or_default().to_owned();
    let visibility = text("visibility").unwrap_or_else(|| "public".to_owned());
    let flavour = world.flavour;
    if !["public", "unlisted", "private", "direct"].contains(&visibility.as_str()) {
        world.deviations.push(format!("visibility {visibility:?}"));
    }
    if given.fields.get("sensitive").is_some_and(|value| !value.is_boolean()) {
        world.deviations.push("sensitive is no boolean".to_owned());
    }
    if flavour.is_pixelfed() && visibility == "direct" {
        return (400, json!({"error": "Direct visibility is not available."}));
    }
    match (flavour, world.keys.get(&key)) {
        (Flavour::Mastodon, Some(id)) => {
            let status = world.statuses.iter().find(|status| status.id == *id);
            return (200, world.entity(status.unwrap()));
        }
        (Flavour::Pixelfed, Some(_)) => {
            return (400, json!({"error": "Duplicate idempotency key."}));
        }
        // Before it looks at anything else.
        (Flavour::Pixelfed, None) => {
            world.keys.insert(key.clone(), String::new());
        }
        _ => {}
    }
    let ids = match given.fields.get("media_ids") {
        None => Vec::new(),
        Some(Value::Array(ids)) if ids.iter().all(Value::is_string) && !ids.is_empty() => {
            ids.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        }
        Some(other) => {
            world.deviations.push(format!("media_ids {other}"));
            Vec::new()
        }
    };
    let words = text("status").unwrap_or_default();
    if words.is_empty() && ids.is_empty() {
        return (422, json!({"error": "Validation failed: Text can't be blank"}));
    }
    if flavour.is_pixelfed() && ids.is_empty() {
        return (403, json!({"message": "Empty statuses are not allowed"}));
    }
    if words.chars().count() > world.limits.characters || ids.len() > world.limits.files {
        world.deviations.push(format!("{} files, {} characters", ids.len(), words.len()));
    }
    let usable = |id: &String| {
        world.media.get(id).is_some_and(|media| !media.is_attached && media.processing == 0)
    };
    if !ids.iter().all(usable) {
        return match flavour.is_pixelfed() {
            true => (400, json!({"message": "Invalid media_ids"})),
            false => (422, json!({"error": "Media with the specified ids were not found"})),
        };
    }
    let is_video = |id: &String| world.media[id].media_type.starts_with("video/");
    if flavour == Flavour::Mastodon && ids.len() > 1 && ids.iter().any(is_video) {
        world.deviations.push("a video with something else".to_owned());
    }
    let in_reply_to_id = text("in_reply_to_id");
    if let Some(parent) = &in_reply_to_id
        && !world.statuses.iter().any(|status| status.id == *parent)
    {
        return (404, json!({"error": "Record not found"}));
    }
    for id in &ids {
        world.media.get_mut(id).unwrap().is_attached = true;
    }
    let id = world.id();
    let status = Status {
        id: id.clone(),
        text: words,
        media_ids: ids,
        in_reply_to_id,
        visibility,
        language: text("language"),
        sensitive: given.fields.get("sensitive").and_then(Value::as_bool),
    };
    let entity = world.entity(&status);
    world.statuses.push(status);
    if matches!(flavour, Flavour::Mastodon | Flavour::Pixelfed) {
        world.keys.insert(key, id);
    }
    (StatusCode::OK.as_u16(), entity)
}

fn register(world: &mut World, given: &Given) -> Reply {
    let text = |key: &str| given.fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let (name, uris, scopes) = (text("client_name"), text("redirect_uris"), text("scopes"));
    let known: &[&str] = match world.flavour.is_pixelfed() {
        true => &["read", "write", "follow", "push"],
        false => {
            &["read", "write", "read:accounts", "read:statuses", "write:media", "write:statuses"]
        }
    };
    if name.is_empty() || uris.is_empty() {
        world.deviations.push("an app needs client_name and redirect_uris".to_owned());
        return (422, json!({"error": "Validation failed: Application name can't be blank"}));
    }
    if !scopes.split(' ').all(|scope| known.contains(&scope)) {
        world.deviations.push(format!("scopes {scopes:?}"));
        return (422, json!({"error": "Validation failed: Scopes doesn't match configured"}));
    }
    let (id, scopes) = (format!("app{}", world.apps.len()), scopes.to_owned());
    world.apps.insert(id.clone(), ("app-secret".to_owned(), scopes));
    let answer = json!({"id": "1", "name": name, "redirect_uri": uris, "client_id": id,
        "client_secret": "app-secret"});
    (200, answer)
}

fn exchange(world: &mut World, given: &Given) -> Reply {
    let text = |key: &str| given.fields.get(key).and_then(Value::as_str).unwrap_or_default();
    let Some((secret, scopes)) = world.apps.get(text("client_id")).cloned() else {
        return (401, json!({"error": "invalid_client", "error_description": "unknown client"}));
    };
    let granted = world.codes.remove(text("code"));
    let fits = text("grant_type") == "authorization_code"
        && text("client_secret") == secret
        && text("redirect_uri") == "urn:ietf:wg:oauth:2.0:oob"
        && text("scope") == scopes
        && granted == Some((text("client_id").to_owned(), scopes.clone()));
    if !fits {
        let description = "The provided authorization grant is invalid, expired, revoked.";
        return (400, json!({"error": "invalid_grant", "error_description": description}));
    }
    let token = "fresh-token-of-the-login".to_owned();
    world.tokens.insert(token.clone(), scopes.clone());
    (200, json!({"access_token": token, "token_type": "Bearer", "scope": scopes, "created_at": 1}))
}
