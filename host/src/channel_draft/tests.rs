//! What an operator may say about a channel, and what is answered to mistakes.

use std::sync::Arc;

use domain::{
    Channel, ChannelId, EndpointSpec, EnvSpec, GrantSpec, Model, Placement, PlacementSpot, Provider, Secret, SecretSpec,
};

use super::{Edit, Offer, apply, blank};

mod approval;

pub(crate) fn provider() -> Provider {
    let secret = |name: &str, required| SecretSpec {
        name: name.into(),
        title: "API key".into(),
        required,
        split: None,
        example: String::new(),
    };
    Provider {
        id: "vendor".into(),
        title: "Vendor".into(),
        docs: String::new(),
        version: "1.0.0".into(),
        endpoints: vec![
            EndpointSpec { name: "api".into(), url: "https://api.vendor.test/v1".into(), pasted: vec!["/v1".into()] },
            EndpointSpec { name: "files".into(), url: "https://files.vendor.test".into(), pasted: vec![] },
        ],
        secrets: vec![secret("key", true), secret("project", false)],
        placements: vec![Placement {
            endpoint: "api".into(),
            spot: PlacementSpot::Header,
            name: "authorization".into(),
        }],
        grants: vec![GrantSpec { name: "access".into(), title: "Access token".into() }],
        settings_schema: r#"{"type":"object","properties":{"region":{"type":"string"},"beta":{"type":"boolean"},
            "size":{"type":"integer"}},"additionalProperties":false}"#
            .into(),
        operations: vec!["chat".into()],
        models: vec![Model { id: "m".into(), context: 0, max_output: 0, capabilities: vec![], prices: vec![] }],
        env: EnvSpec {
            secrets: vec![("key".into(), vec!["VENDOR_API_KEY".into(), "VENDOR_KEY".into()])],
            base_url: vec!["VENDOR_BASE_URL".into()],
        },
        whole_body: false,
        built_in: false,
        descriptor: "{}".into(),
    }
}

pub(crate) fn offer(provider: Provider) -> Offer {
    let check = |json: &str| {
        if json.contains("nowhere") { Err(vec!["setting `region`: no such region".into()]) } else { Ok(json.into()) }
    };
    Offer { provider: Arc::new(provider), check_settings: Arc::new(check), computes: false }
}

fn made(edit: Edit) -> Result<Channel, Vec<String>> {
    let offer = offer(provider());
    let mut channel = blank("main", &offer.provider);
    apply(&mut channel, edit, &offer).map(|()| channel)
}

fn key() -> Vec<(String, Secret)> {
    vec![("key".into(), Secret::new("k"))]
}

fn origins(channel: &Channel) -> Vec<String> {
    channel.approval.origins.iter().map(ToString::to_string).collect()
}

#[test]
fn a_new_channel_approves_what_the_catalog_asks_for() {
    let channel = made(Edit { secrets: key(), ..Edit::default() }).unwrap();
    assert_eq!(origins(&channel), ["https://api.vendor.test:443", "https://files.vendor.test:443"]);
    assert!(channel.approval.typed_origins.is_empty());
    assert_eq!((channel.approval.placements.len(), channel.approval.grants), (1, vec!["access".to_owned()]));
    assert!(channel.models.is_empty(), "it follows the catalog");
}

#[test]
fn a_typed_address_takes_the_place_of_the_first_origin() {
    let url = Some("http://127.0.0.1:8080/v1/".to_owned());
    let channel = made(Edit { secrets: key(), base_url: url, ..Edit::default() }).unwrap();
    assert_eq!(origins(&channel), ["http://127.0.0.1:8080", "https://files.vendor.test:443"]);
    assert_eq!(channel.approval.typed_origins.len(), 1);
    assert_eq!(channel.base_url.as_deref(), Some("http://127.0.0.1:8080/v1/"));
}

#[test]
fn changing_the_address_moves_the_approval_and_approves_nothing_else() {
    let mut channel = made(Edit { secrets: key(), ..Edit::default() }).unwrap();
    channel.id = ChannelId(7);
    let mut newer = provider();
    newer.endpoints.push(EndpointSpec { name: "evil".into(), url: "https://evil.test".into(), pasted: vec![] });
    let offer = offer(newer);
    let edit = Edit { base_url: Some("https://proxy.test".into()), ..Edit::default() };
    apply(&mut channel, edit, &offer).unwrap();
    assert_eq!(origins(&channel), ["https://proxy.test:443", "https://files.vendor.test:443"]);
    apply(&mut channel, Edit { base_url: Some(String::new()), ..Edit::default() }, &offer).unwrap();
    assert_eq!(origins(&channel), ["https://api.vendor.test:443", "https://files.vendor.test:443"]);
    assert!(channel.approval.typed_origins.is_empty() && channel.base_url.is_none());
    apply(&mut channel, Edit { approve: true, ..Edit::default() }, &offer).unwrap();
    assert_eq!(origins(&channel).last().unwrap(), "https://evil.test:443");
}

#[test]
fn metadata_addresses_are_refused_at_once() {
    for url in [
        "http://169.254.169.254/v1",
        "http://[fd00:ec2::254]/",
        "http://2852039166/",
        "http://Metadata.google.internal./",
        "http://instance-data/",
    ] {
        let errors = made(Edit { secrets: key(), base_url: Some(url.into()), ..Edit::default() }).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("never called"), "{errors:?}");
    }
}

#[test]
fn secrets_are_one_line_of_text() {
    for (secret, part) in [("a\nb", "more than one line"), ("a\u{1b}[0m", "control character")] {
        let errors = made(Edit { secrets: vec![("key".into(), Secret::new(secret))], ..Edit::default() }).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(part) && !errors[0].contains("a\n"), "{errors:?}");
    }
}

#[test]
fn a_catalog_cannot_reach_a_private_address_by_itself() {
    for url in ["http://localhost:11434/v1", "http://10.0.0.1/v1"] {
        let mut local = provider();
        local.endpoints[0].url = url.into();
        let offer = offer(local);
        let errors = apply(&mut blank("a", &offer.provider), Edit { secrets: key(), ..Edit::default() }, &offer);
        let errors = errors.unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains("--base-url"), "{errors:?}");
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let edit = Edit {
        base_url: Some("ftp://vendor.test".into()),
        secrets: vec![("kee".into(), Secret::new("k"))],
        settings: vec![("beta".into(), "perhaps".into()), ("regoin".into(), "x".into())],
        models: Some(["a", "a"].map(|name| domain::ChannelModel { public: name.into(), upstream: name.into() }).into()),
        ..Edit::default()
    };
    let errors = made(edit).unwrap_err().join("\n");
    for part in [
        "must start with http:// or https://",
        "no secret `kee`; it has `key`, `project`",
        "needs the secret `key` (API key)",
        "setting `beta`: `perhaps` is not of type boolean",
        "no setting `regoin`; it has `beta`, `region`, `size`",
        "model `a` is named twice",
    ] {
        assert_eq!(errors.matches(part).count(), 1, "{part} in {errors}");
    }
}

#[test]
fn settings_are_read_by_their_types_and_checked() {
    let set = |settings: &[(&str, &str)]| {
        let settings = settings.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
        made(Edit { secrets: key(), settings, ..Edit::default() })
    };
    let channel = set(&[("region", "12"), ("beta", "true"), ("size", "3")]).unwrap();
    assert_eq!(channel.settings, r#"{"beta":true,"region":"12","size":3}"#);
    assert_eq!(set(&[("region", "nowhere")]).unwrap_err(), ["setting `region`: no such region"]);
    assert!(set(&[("size", "3.5")]).is_err());
}

#[test]
fn secrets_can_be_replaced_and_optional_ones_taken_away() {
    let mut channel =
        made(Edit { secrets: [key(), vec![("project".into(), Secret::new("p"))]].concat(), ..Edit::default() })
            .unwrap();
    channel.id = ChannelId(1);
    let offer = offer(provider());
    let take = |name: &str| Edit { secrets: vec![(name.into(), Secret::new(""))], ..Edit::default() };
    apply(&mut channel, take("project"), &offer).unwrap();
    assert_eq!(channel.secrets.keys().collect::<Vec<_>>(), ["key"]);
    assert!(apply(&mut channel, take("key"), &offer).is_err());
}
