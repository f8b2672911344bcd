//! Who gets in: every route of the list as nobody, as a stranger, at another organization.

use axum::body::Body;
use axum::http::Request;
use envora_server::routes::{self, Route};

use crate::house::{Answer, House};

fn path_of(route: &Route, organization: &str) -> String {
    let path = route.path.replace("{org_id}", organization);
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if part.starts_with('{') { "act_00000000000000000000000000" } else { part })
        .collect();
    parts.join("/")
}

async fn ask(
    house: &House,
    route: &Route,
    (host, organization): (&str, &str),
    token: Option<&str>,
) -> Answer {
    let mut request = Request::builder()
        .method(route.method.as_str())
        .uri(path_of(route, organization))
        .header("host", host)
        .header("content-type", "application/json")
        .header("if-match", "\"v1\"");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    house.send(request.body(Body::from("{}")).unwrap()).await
}

#[tokio::test]
async fn every_route_of_an_organization_asks_who_it_is() {
    let house = House::new();
    for route in routes::list().iter().filter(|route| route.action.is_some()) {
        let (name, host) = (format!("{} {}", route.method.as_str(), route.path), "acme.localhost");
        let nobody = ask(&house, route, (host, "acme"), None).await;
        nobody.is_problem(401, "unauthenticated");
        assert_eq!(nobody.header("www-authenticate"), "Bearer", "{name}");
        ask(&house, route, (host, "acme"), Some("env_live_no"))
            .await
            .is_problem(401, "unauthenticated");
        // A stranger's token opens nothing here, and a foreign organization is not there.
        let stranger = ask(&house, route, (host, "acme"), Some(&house.other_token)).await;
        stranger.is_problem(401, "unauthenticated");
        for other in ["bolt", "org_00000000000000000000000000", "no-such"] {
            let elsewhere = ask(&house, route, (host, other), Some(&house.token)).await;
            elsewhere.is_problem(404, "not_found");
        }
        let owner = ask(&house, route, (host, "acme"), Some(&house.token)).await;
        assert!(!matches!(owner.status, 401 | 403), "{name}: {}", owner.json());
    }
}

#[tokio::test]
async fn open_routes_are_open_and_say_nothing_of_anyone() {
    let house = House::new();
    for route in routes::list().iter().filter(|route| route.action.is_none()) {
        let path = route.path.replace("{code}", "not_found");
        let request =
            Request::builder().uri(path).header("host", "bolt.localhost").body(Body::empty());
        let answer = house.send(request.unwrap()).await;
        assert_eq!(answer.status, 200, "{}", route.path);
        assert!(!String::from_utf8_lossy(&answer.body).contains("company"));
    }
}

#[tokio::test]
async fn the_host_alone_decides() {
    let house = House::new();
    let get = |host: &str| {
        Request::builder()
            .uri("/v2/organizations/acme")
            .header("host", host)
            .header("x-forwarded-host", "acme.localhost")
            .header("authorization", format!("Bearer {}", house.token))
            .body(Body::empty())
            .unwrap()
    };
    for host in [
        "acme.localhost",
        "ACME.localhost:80",
        "acme.localhost.",
        "localhost:8080",
        "127.0.0.1",
        "[::1]:8080",
    ] {
        assert_eq!(house.send(get(host)).await.status, 200, "{host}");
    }
    for host in
        ["example.org", "nobody.localhost", "acme", "10.0.0.1", "acme.localhost.evil.example"]
    {
        let answer = house.send(get(host)).await;
        let body = answer.is_problem(421, "misdirected");
        assert!(!body["detail"].as_str().unwrap().contains("company"));
    }
    let two = Request::builder()
        .uri("/version")
        .header("host", "acme.localhost")
        .header("host", "bolt.localhost")
        .body(Body::empty());
    assert_eq!(house.send(two.unwrap()).await.status, 400);
    // The test environment is another tenant: the live token says where it belongs.
    house.send(get("acme-test.localhost")).await.is_problem(403, "wrong_environment");
    let open = Request::builder()
        .uri("/version")
        .header("host", "acme-test.localhost")
        .body(Body::empty());
    assert_eq!(house.send(open.unwrap()).await.header("envora-environment"), "test");
}
