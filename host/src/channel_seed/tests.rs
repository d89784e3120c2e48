//! Channels follow their variables, and what an operator decided about one stays.

use domain::{Channel, ChannelStatus};
use store::{OpenOptions, Store};

use super::{report, seed_offers, source};
use crate::{
    channel_draft::tests::{offer, provider},
    config::{Environment, environment_of},
};

struct Fixture {
    store: Store,
    _dir: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let options = OpenOptions { url: None, data_dir: dir.path().join("data"), master_key: None, create: true };
        Fixture { store: Store::open(options).await.unwrap(), _dir: dir }
    }

    async fn seed(&self, variables: &[(&str, &str)]) -> Option<Channel> {
        let environment: Environment = environment_of(variables);
        seed_offers(&self.store, &[offer(provider())], &environment).await.unwrap();
        self.store.channels().await.unwrap().into_iter().find(|channel| channel.name == "env-vendor")
    }
}

#[tokio::test]
async fn a_channel_follows_its_variables() {
    let fixture = Fixture::new().await;
    assert!(fixture.seed(&[("OTHER", "x")]).await.is_none());
    let made = fixture.seed(&[("VENDOR_KEY", "k1")]).await.unwrap();
    assert_eq!((made.secrets["key"].expose(), made.base_url.as_deref(), source(&made)), ("k1", None, "environment"));
    let changed = fixture
        .seed(&[("VENDOR_API_KEY", "k2"), ("VENDOR_KEY", "k1"), ("VENDOR_BASE_URL", "http://127.0.0.1:1")])
        .await;
    let changed = changed.unwrap();
    assert_eq!((changed.id, changed.secrets["key"].expose()), (made.id, "k2"), "the first name is preferred");
    assert_eq!(changed.approval.typed_origins[0].to_string(), "http://127.0.0.1:1");
    let gone = fixture.seed(&[]).await.unwrap();
    assert_eq!((gone.status, gone.secrets.len()), (ChannelStatus::Disabled, 0));
    let back = fixture.seed(&[("VENDOR_KEY", "k3")]).await.unwrap();
    assert_eq!((back.id, back.status, back.secrets["key"].expose()), (made.id, ChannelStatus::Enabled, "k3"));
    assert_eq!(back.approval.origins[0].to_string(), "https://api.vendor.test:443");
}

#[tokio::test]
async fn what_the_operator_decided_about_it_stays() {
    let fixture = Fixture::new().await;
    let mut channel = fixture.seed(&[("VENDOR_KEY", "k1")]).await.unwrap();
    channel.status = ChannelStatus::Disabled;
    channel.priority = 5;
    fixture.store.save_channel(&channel).await.unwrap();
    let channel = fixture.seed(&[("VENDOR_KEY", "k2")]).await.unwrap();
    assert_eq!((channel.status, channel.priority, channel.secrets["key"].expose()), (ChannelStatus::Disabled, 5, "k2"));
}

#[tokio::test]
async fn a_secret_whose_variable_is_gone_is_wiped_though_the_address_stays() {
    let fixture = Fixture::new().await;
    let address = ("VENDOR_BASE_URL", "http://127.0.0.1:1");
    let made = fixture.seed(&[("VENDOR_KEY", "k1"), address]).await.unwrap();
    for without in [vec![address], vec![("VENDOR_KEY", ""), address]] {
        let gone = fixture.seed(&without).await.unwrap();
        assert_eq!((gone.status, gone.secrets.len(), gone.base_url), (ChannelStatus::Disabled, 0, None));
        assert!(gone.approval.typed_origins.is_empty());
        let back = fixture.seed(&[("VENDOR_KEY", "k2"), address]).await.unwrap();
        assert_eq!((back.id, back.status, back.secrets["key"].expose()), (made.id, ChannelStatus::Enabled, "k2"));
    }
    let refused = [("VENDOR_KEY", "k2"), ("VENDOR_BASE_URL", "http://169.254.169.254/")];
    assert_eq!(fixture.seed(&refused).await.unwrap().status, ChannelStatus::Disabled);
}

#[test]
fn every_variable_has_a_line_that_is_true() {
    let says = |provider: domain::Provider, variables: &[(&str, &str)]| {
        let lines = report::lines(&[offer(provider)], &[], &environment_of(variables));
        lines.into_iter().map(|line| format!("{} {}", line.variable, line.says)).collect::<Vec<_>>().join("\n")
    };
    let key = ("VENDOR_KEY", "k1");
    let mut no_models = provider();
    no_models.models.clear();
    let mut no_address = provider();
    no_address.endpoints[0].url = String::new();
    let mut with_variable = provider();
    with_variable.endpoints[0].url = "https://{region}.vendor.test".into();
    let cases = [
        (with_variable, vec![key], "use witgate channel add --provider vendor --setting region=VALUE"),
        (provider(), vec![key], "VENDOR_KEY fills channel env-vendor when"),
        (provider(), vec![key, ("VENDOR_API_KEY", "k2")], "VENDOR_KEY is not used: VENDOR_API_KEY comes first"),
        (
            provider(),
            vec![("VENDOR_BASE_URL", "https://p.test")],
            "VENDOR_BASE_URL makes no channel of provider vendor: the \
          secret `key` is missing too; set VENDOR_API_KEY or VENDOR_KEY",
        ),
        (provider(), vec![key, ("VENDOR_BASE_URL", "http://169.254.169.254/")], "never called"),
        (provider(), vec![("VENDOR_KEY", "two\nlines")], "more than one line"),
        (no_models, vec![key], "lists no models"),
        (no_address, vec![key], "set VENDOR_BASE_URL"),
        (provider(), vec![("OTHER_API_KEY", "k")], "OTHER_API_KEY is set, but no installed adapter knows it"),
    ];
    for (provider, variables, part) in cases {
        let said = says(provider, &variables);
        assert!(said.contains(part) && !said.contains("--secret"), "{part:?} is not in {said:?}");
    }
    assert_eq!(says(provider(), &[("API_KEYS", "x"), ("WITGATE_X_API_KEY", "x"), ("OTHER", "x")]), "");
}

#[tokio::test]
async fn an_address_without_the_secret_makes_nothing() {
    let fixture = Fixture::new().await;
    assert!(fixture.seed(&[("VENDOR_BASE_URL", "https://proxy.test")]).await.is_none());
}

#[tokio::test]
async fn a_built_in_provider_has_a_channel_until_the_operator_says_otherwise() {
    let fixture = Fixture::new().await;
    let mut built_in = provider();
    (built_in.built_in, built_in.secrets, built_in.endpoints) = (true, vec![], vec![]);
    let offers = [offer(built_in)];
    let environment = environment_of(&[]);
    seed_offers(&fixture.store, &offers, &environment).await.unwrap();
    let mut channel = fixture.store.channel("vendor").await.unwrap();
    assert_eq!(channel.status, ChannelStatus::Enabled);
    (channel.status, channel.name) = (ChannelStatus::Disabled, "mine".to_owned());
    fixture.store.save_channel(&channel).await.unwrap();
    seed_offers(&fixture.store, &offers, &environment).await.unwrap();
    let channels = fixture.store.channels().await.unwrap();
    assert_eq!(channels.len(), 1);
    assert_eq!(channels[0].status, ChannelStatus::Disabled);
}

#[tokio::test]
async fn a_catalog_cannot_take_a_variable_of_another_provider_or_of_ours() {
    let fixture = Fixture::new().await;
    fixture.seed(&[("VENDOR_KEY", "k1")]).await.unwrap();
    let mut greedy = provider();
    greedy.id = "aaa".into();
    greedy.env.secrets =
        vec![("key".into(), vec!["WITGATE_MASTER_KEY".into(), "SESSION_SECRET".into(), "VENDOR_KEY".into()])];
    let environment = environment_of(&[("WITGATE_MASTER_KEY", "m"), ("SESSION_SECRET", "s"), ("VENDOR_KEY", "k1")]);
    seed_offers(&fixture.store, &[offer(greedy), offer(provider())], &environment).await.unwrap();
    let names: Vec<_> = fixture.store.channels().await.unwrap().into_iter().map(|channel| channel.name).collect();
    assert_eq!(names, ["env-vendor"]);
}
