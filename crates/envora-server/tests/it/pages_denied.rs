//! The pages for those they are not for: another organization's session, and ids of elsewhere.

use axum::body::Body;
use axum::http::Request;

use crate::house::{Answer, House};
use crate::pages::{open, signed_in, text};

/// A page of the other organization's host.
async fn elsewhere(house: &House, path: &str, cookie: &str) -> Answer {
    let request = Request::builder()
        .uri(path)
        .header("host", "bolt.localhost:8080")
        .header("accept", "text/html")
        .header("cookie", cookie);
    house.send(request.body(Body::empty()).unwrap()).await
}

/// A session of the other organization.
async fn signed_in_elsewhere(house: &House) -> String {
    let request = Request::builder()
        .method("POST")
        .uri("/sign-in")
        .header("host", "bolt.localhost:8080")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(format!("token={}", house.other_token)));
    let answer = house.send(request.unwrap()).await;
    assert_eq!(answer.status, 303);
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn another_organizations_session_opens_no_page_and_shows_no_row() {
    let house = crate::activities::lived_in().await;
    let (ours, theirs) = (signed_in(&house).await, signed_in_elsewhere(&house).await);
    let id = |answer: &Answer| answer.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let activity = id(&house.get("/activities?state=counted").await);
    let facility = house.get("/facilities/b24").await.json()["id"].as_str().unwrap().to_owned();
    let trace = house.get(&format!("/activities/{activity}/figures")).await.json();
    let figure = trace["figures"][0]["figure"]["figure_id"].as_str().unwrap().to_owned();
    let of_ours = [
        format!("/activities/{activity}"),
        format!("/activities/{activity}/figures"),
        format!("/figures/{figure}"),
        format!("/?facility={facility}"),
        format!("/quality?facility={facility}"),
        "/facilities?change=b24".to_owned(),
    ];
    for path in &of_ours {
        assert_eq!(open(&house, path, &ours).await.status, 200, "{path}");
        // Their session at our host is nobody's; ours at theirs as well.
        for answer in [open(&house, path, &theirs).await, elsewhere(&house, path, &ours).await] {
            assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"), "{path}");
            assert_eq!(answer.body, b"", "{path}");
        }
        let denied = elsewhere(&house, path, &theirs).await;
        assert_eq!(denied.status, 404, "{path}");
        let page = text(denied);
        for told in [activity.as_str(), facility.as_str(), "kW.h", "acme"] {
            assert!(!page.contains(told), "{path} tells {told}: {page}");
        }
    }
    // Lists at their own host know nothing of us.
    for path in [
        "/",
        "/activities",
        "/imports",
        "/facilities",
        "/quality",
        "/audit",
        "/settings",
        "/factors",
    ] {
        let theirs_alone = elsewhere(&house, path, &theirs).await;
        assert_eq!(theirs_alone.status, 200, "{path}");
        let page = text(theirs_alone);
        for told in [activity.as_str(), facility.as_str(), "The acme company", ">b24<"] {
            assert!(!page.contains(told), "{path} tells {told}");
        }
        assert_eq!(elsewhere(&house, path, &ours).await.status, 303, "{path}");
    }
}

#[tokio::test]
async fn a_facility_leads_to_its_figures_and_a_figure_back_to_it() {
    let house = crate::activities::lived_in().await;
    let session = signed_in(&house).await;
    let facility = house.get("/facilities/b24").await.json()["id"].as_str().unwrap().to_owned();
    let places = text(open(&house, "/facilities", &session).await);
    let path = format!("/?facility={facility}");
    assert!(places.contains(&format!("href=\"{path}\"")), "{places}");
    let of_it = text(open(&house, &path, &session).await);
    assert!(of_it.contains("Only ") && of_it.contains("show all facilities"), "{of_it}");
    let figure = of_it.split("href=\"/figures/").nth(1).and_then(|rest| rest.split('"').next());
    let page = text(open(&house, &format!("/figures/{}", figure.unwrap()), &session).await);
    let back = format!("href=\"/?year=2022&#38;facility={facility}\"");
    assert!(page.contains(&back), "the trace leads back to its facility: {page}");
    assert!(page.contains("href=\"/activities/act_") && page.contains("href=\"/factors/sha256:"));
}
