//! Composite keys, addresses made of settings, and what a newer build asks for: only the operator's words move an approval.

use domain::{
    Channel, ChannelId, EndpointSpec, GrantSpec, KeyPart, KeySplit, Placement, PlacementSpot, Secret, SplitBy,
};

use super::{origins, provider};
use crate::channel_draft::{Edit, Offer, apply, blank, unapproved};

const JSON_KEY: &str = "{\n  \"client_email\": \"a@vendor.test\",\n  \"private_key\": \"-----BEGIN\\nhunter2\\n\"\n}\n";

/// A provider with a composite key, at an address of a setting and one of a part of the key.
fn offer(change: impl FnOnce(&mut domain::Provider)) -> Offer {
    let part = |name: &str, public, optional| KeyPart { name: name.into(), pointer: String::new(), public, optional };
    let mut composite = provider();
    let parts = vec![part("id", true, false), part("code", false, false), part("zone", true, true)];
    composite.secrets[0].split = Some(KeySplit { by: SplitBy::Separator("|".into()), parts });
    composite.endpoints[0].url = "https://{region}-api.vendor.test/v1".into();
    composite.endpoints[1].url = "https://files.{zone}.vendor.test".into();
    change(&mut composite);
    super::offer(composite)
}

fn json_key(provider: &mut domain::Provider) {
    let part = |name: &str, pointer: &str, public| KeyPart {
        name: name.into(),
        pointer: pointer.into(),
        public,
        optional: false,
    };
    let parts = vec![part("email", "/client_email", true), part("pem", "/private_key", false)];
    provider.secrets[0].split = Some(KeySplit { by: SplitBy::Json, parts });
    provider.endpoints[1].url = "https://files.vendor.test".into();
}

fn edit(key: &str, region: &str) -> Edit {
    let filled = |name: &str, value: &str| (!value.is_empty()).then(|| (name.to_owned(), value.to_owned()));
    Edit {
        secrets: filled("key", key).into_iter().map(|(name, value)| (name, Secret::new(&value))).collect(),
        settings: filled("region", region).into_iter().collect(),
        ..Edit::default()
    }
}

fn made(offer: &Offer, edit: Edit) -> Result<Channel, Vec<String>> {
    let mut channel = blank("main", &offer.provider);
    apply(&mut channel, edit, offer)?;
    channel.id = ChannelId(1);
    Ok(channel)
}

#[test]
fn a_composite_key_must_have_its_form() {
    let example = offer(|provider| provider.secrets[0].example = "ACCESS_KEY_ID|SECRET_ACCESS_KEY|ZONE".into());
    for (offer, key, expected) in [
        (offer(|_| ()), "hunter2", Some("the secret `key` must be `ID|CODE|ZONE`: `code` is missing in it")),
        (example.clone(), "hunter2|", Some("must be `ACCESS_KEY_ID|SECRET_ACCESS_KEY|ZONE`: `code` is missing")),
        (example, "AK|SK|z1\nx", Some("more than one line")),
        (offer(json_key), "AK|hunter2", Some("must be a JSON object with `/client_email` and `/private_key`")),
        (offer(json_key), JSON_KEY, None),
        (offer(|_| ()), "AK|SK|z1", None),
        (offer(|_| ()), "AK|SK", None),
    ] {
        let errors = made(&offer, edit(key, "eu")).map(|_| ()).err();
        let shown = errors.as_ref().map(|errors| errors.join("\n"));
        match expected {
            None => assert_eq!(shown, None),
            Some(part) => assert!(
                shown.as_ref().is_some_and(|shown| shown.contains(part) && !shown.contains("hunter2")),
                "{part} is not in {shown:?}"
            ),
        }
        assert!(errors.is_none_or(|errors| errors.len() == 1));
    }
}

#[test]
fn addresses_are_made_of_settings_and_public_parts_and_follow_them() {
    let offer = offer(|_| ());
    let mut channel = made(&offer, edit("AK|SK|z1", "eu-1")).unwrap();
    assert_eq!(origins(&channel), ["https://eu-1-api.vendor.test:443", "https://files.z1.vendor.test:443"]);
    apply(&mut channel, edit("", "us-2"), &offer).unwrap();
    assert_eq!(origins(&channel), ["https://us-2-api.vendor.test:443", "https://files.z1.vendor.test:443"]);
    apply(&mut channel, edit("AK|SK|z2", ""), &offer).unwrap();
    assert_eq!(origins(&channel), ["https://us-2-api.vendor.test:443", "https://files.z2.vendor.test:443"]);
    let typed = |url: &str| Edit { base_url: Some(url.into()), ..Edit::default() };
    apply(&mut channel, typed("http://127.0.0.1:9"), &offer).unwrap();
    assert_eq!(origins(&channel), ["http://127.0.0.1:9", "https://files.z2.vendor.test:443"]);
    apply(&mut channel, edit("", "eu-3"), &offer).unwrap();
    assert_eq!(origins(&channel)[0], "http://127.0.0.1:9", "a typed address has no variables");
    assert_eq!(channel.approval.typed_origins.len(), 1);
    apply(&mut channel, typed(""), &offer).unwrap();
    assert_eq!(origins(&channel)[0], "https://eu-3-api.vendor.test:443");
    assert!(channel.approval.typed_origins.is_empty() && unapproved(&channel, &offer).is_empty());
}

#[test]
fn a_value_that_is_no_label_is_refused_and_a_missing_one_is_asked_for() {
    let offer = offer(|_| ());
    for (key, region, part) in [
        ("AK|SK|z1", "", "the address of endpoint `api` needs a value for `region`: --setting region=VALUE"),
        ("AK|SK|z1", "evil.test/", "`region` becomes a part of the host name of endpoint `api`"),
        ("AK|SK|evil.test", "eu", "`zone` becomes a part of the host name of endpoint `files`"),
    ] {
        let errors = made(&offer, edit(key, region)).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(part) && !errors[0].contains("evil"), "{errors:?}");
    }
    let mut channel = made(&offer, edit("AK|SK", "eu")).unwrap();
    assert_eq!(origins(&channel), ["https://eu-api.vendor.test:443"], "the other endpoint leads nowhere");
    assert!(apply(&mut channel, edit("", "a.b"), &offer).is_err());
}

#[test]
fn defaults_of_settings_count() {
    let mut offer = offer(|_| ());
    offer.check_settings = std::sync::Arc::new(|json| Ok(json.replace("{}", r#"{"region":"eu-9"}"#)));
    assert_eq!(origins(&made(&offer, edit("AK|SK", "")).unwrap()), ["https://eu-9-api.vendor.test:443"]);
}

#[test]
fn a_newer_build_that_asks_for_more_waits() {
    let old = offer(|_| ());
    let mut channel = made(&old, edit("AK|SK|z1", "eu")).unwrap();
    assert!(unapproved(&channel, &old).is_empty() && !channel.approval.computes);
    let mut newer = offer(|provider| {
        provider.endpoints[0].url = "https://{region}.evil.test".into();
        provider.endpoints.push(EndpointSpec { name: "more".into(), url: "https://more.test".into(), pasted: vec![] });
        provider.placements.push(Placement {
            endpoint: "files".into(),
            spot: PlacementSpot::Form,
            name: "apiKey".into(),
        });
        provider.grants.push(GrantSpec { name: "spy".into(), title: String::new() });
        let split = provider.secrets[0].split.as_mut().unwrap();
        split.parts.push(KeyPart { name: "rest".into(), pointer: String::new(), public: false, optional: true });
    });
    newer.computes = true;
    let asked = |region: &str| {
        [
            format!("requests to https://{region}.evil.test:443"),
            "requests to https://more.test:443".to_owned(),
            "secrets in form field `apiKey` at endpoint `files`".to_owned(),
            "the access token `spy`".to_owned(),
            "reading part 1 of 4 of `key`, divided by `|`".to_owned(),
            "reading part 3 of 4 of `key`, divided by `|`".to_owned(),
            "computing with secrets".to_owned(),
        ]
    };
    assert_eq!(unapproved(&channel, &newer), asked("eu"));
    // Neither a new key nor a new setting approves anything of it.
    apply(&mut channel, edit("AK|SK2|z2", "us"), &newer).unwrap();
    assert_eq!(unapproved(&channel, &newer), asked("us"));
    assert_eq!(origins(&channel), ["https://files.z2.vendor.test:443", "https://eu-api.vendor.test:443"]);
    apply(&mut channel, Edit { approve: true, ..Edit::default() }, &newer).unwrap();
    assert_eq!(unapproved(&channel, &newer), Vec::<String>::new());
    assert_eq!(origins(&channel)[0], "https://us.evil.test:443");
}
