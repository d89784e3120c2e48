//! `witgate channel`: adds, changes, lists and removes accounts at providers.

use std::{io, sync::Arc};

use clap::{Args, Subcommand};
use domain::{ChannelModel, ChannelStatus};
use plugin_runtime::{PluginState, Registry};
use store::Store;

use super::{Done, Failure, plugin, table};
use crate::{
    channel_draft::{self, Edit, Offer},
    channel_seed::{self, ENV_PREFIX},
    config::{Config, nearest},
};

mod ask;
mod secrets;
mod show;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add a channel
    Add(Add),
    /// Change a channel; what is not named stays
    Set(Set),
    /// List channels
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a channel, what it approves, and what its adapter asks for beyond that
    Show(Named),
    /// Ask the vendor what the account has left
    Balance(Named),
    /// Ask the vendor which models the account may call
    UpstreamModels(Named),
    /// Ask the vendor how many tokens a chat request has
    CountTokens(CountArgs),
    /// Let a channel take part again
    Enable(Named),
    /// Keep a channel, but send it nothing
    Disable(Named),
    /// Remove a channel and its secrets
    Remove(Named),
}

#[derive(Args)]
pub(super) struct Add {
    /// Name of the new channel
    #[arg(value_name = "NAME", required_unless_present = "name")]
    channel: Option<String>,
    /// The same, as an option
    #[arg(long, value_name = "NAME", conflicts_with = "channel")]
    name: Option<String>,
    /// Provider id; `witgate plugin list` shows them
    #[arg(long, value_name = "ID")]
    provider: String,
    #[command(flatten)]
    fields: Fields,
}

#[derive(Args)]
pub(super) struct Set {
    /// Name or id of the channel
    #[arg(value_name = "CHANNEL", required_unless_present = "name")]
    channel: Option<String>,
    /// New name; without CHANNEL, the channel that is meant
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Approve everything that the adapter asks for now: addresses, placements of secrets, access tokens, parts of keys that it reads,
    /// computing with secrets; `channel show` lists it
    #[arg(long)]
    approve: bool,
    #[command(flatten)]
    fields: Fields,
}

#[derive(Args)]
pub(super) struct Named {
    /// Name or id of the channel
    #[arg(value_name = "CHANNEL", required_unless_present = "name")]
    channel: Option<String>,
    /// The same, as an option
    #[arg(long, value_name = "NAME", conflicts_with = "channel")]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct CountArgs {
    #[command(flatten)]
    channel: Named,
    /// A file with the chat request, JSON; its `model` is the vendor's name of the model
    #[arg(long, value_name = "FILE")]
    body: std::path::PathBuf,
}

impl Named {
    /// The name or id that was given.
    fn wanted(&self) -> String {
        self.channel.as_ref().or(self.name.as_ref()).cloned().unwrap_or_default()
    }
}

#[derive(Args)]
struct Fields {
    /// Address instead of the provider's own, or `default` for the provider's own; typing it approves its host and port
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Secret: NAME=@FILE, NAME=- for standard input, or NAME=VALUE, which other users of this machine can see while the command runs
    /// and which the shell remembers; the name may be left out when there is only one
    #[arg(long = "secret", value_name = "NAME=@FILE")]
    secrets: Vec<String>,
    /// Setting of the provider
    #[arg(long = "setting", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// Models, PUBLIC or PUBLIC=UPSTREAM, or `catalog` to follow the adapter's catalog [default: catalog]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    models: Option<Vec<String>>,
    /// Groups that may use it [default: default]
    #[arg(long = "group", value_name = "GROUP", value_delimiter = ',')]
    groups: Vec<String>,
    /// Higher goes first [default: 0]
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Share among channels of one priority [default: 1]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    weight: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs a command about channels.
pub(super) async fn run(command: Command, config: &Config) -> Done {
    let store = Store::open(config.store_options(matches!(command, Command::Add(_)))?).await?;
    let done = match command {
        Command::Add(args) => add(&store, config, args).await,
        Command::Set(args) => set(&store, config, args).await,
        Command::List { json } => list(&store, json).await,
        Command::Show(named) => show(&store, config, named).await,
        Command::Balance(named) => ask::balance(&store, config, named).await,
        Command::CountTokens(args) => ask::count(&store, config, args).await,
        Command::UpstreamModels(named) => ask::models(&store, config, named).await,
        Command::Enable(named) => turn(&store, named, ChannelStatus::Enabled).await,
        Command::Disable(named) => turn(&store, named, ChannelStatus::Disabled).await,
        Command::Remove(named) => remove(&store, config, named).await,
    };
    store.close().await;
    done
}

async fn add(store: &Store, config: &Config, args: Add) -> Done {
    let name = args.channel.or(args.name).unwrap_or_default();
    let mut errors = check_name(&name);
    let (mut edit, unreadable) = edit(&args.fields);
    errors.extend(unreadable);
    let registry = plugin::load(config).await?;
    let offer = find(store, config, &registry, &args.provider).await;
    let offer = match offer {
        Ok(offer) => offer,
        Err(failure) => return Err(Failure::new([errors, failure.lines].concat())),
    };
    errors.extend(secrets::read(&args.fields.secrets, &offer.provider, &mut io::stdin(), &mut edit.secrets));
    let mut channel = channel_draft::blank(&name, &offer.provider);
    errors.extend(channel_draft::apply(&mut channel, edit, &offer).err().unwrap_or_default());
    if !errors.is_empty() {
        return Err(Failure::new(errors));
    }
    let channel = store.add_channel(channel_draft::into_new(channel)).await?;
    show::done(&channel, "added", args.fields.json)
}

async fn set(store: &Store, config: &Config, args: Set) -> Done {
    let (wanted, rename) = match (args.channel, args.name) {
        (Some(channel), rename) => (channel, rename),
        (None, name) => (name.unwrap_or_default(), None),
    };
    let mut channel = store.channel(&wanted).await?;
    let (mut edit, mut errors) = edit(&args.fields);
    edit.approve = args.approve;
    if edit == Edit::default() && rename.is_none() && args.fields.secrets.is_empty() && errors.is_empty() {
        return Err(Failure::usage(vec![
            "nothing to set; name what is to change: --secret, --base-url, --models, --group, --priority, ..."
                .to_owned(),
        ]));
    }
    // Before plugins are looked for: what they offer does not matter here.
    if channel.name.starts_with(ENV_PREFIX) && (edit.base_url.is_some() || !args.fields.secrets.is_empty()) {
        errors.push(format!(
            "channel `{}` has its secrets and address from variables, which would be put back at the next start: change the \
             variables and restart the server, or add a channel of your own",
            channel.name
        ));
        return Err(Failure::new(errors));
    }
    if let Some(name) = rename {
        errors.extend(check_name(&name));
        if channel.name.starts_with(ENV_PREFIX) {
            errors.push(format!("channel `{}` belongs to the environment and keeps its name", channel.name));
        }
        channel.name = name;
    }
    let mut more = Vec::new();
    if edit.needs_offer() || !args.fields.secrets.is_empty() {
        let registry = plugin::load(config).await?;
        let offer = find(store, config, &registry, &channel.provider).await?;
        errors.extend(secrets::read(&args.fields.secrets, &offer.provider, &mut io::stdin(), &mut edit.secrets));
        errors.extend(channel_draft::apply(&mut channel, edit, &offer).err().unwrap_or_default());
        more = channel_draft::unapproved(&channel, &offer);
    } else {
        channel_draft::apply_routing(&mut channel, &edit);
    }
    if !errors.is_empty() {
        return Err(Failure::new(errors));
    }
    store.save_channel(&channel).await?;
    if !more.is_empty() {
        table::remark(&channel_draft::asks_for_more(&channel.name, &more))?;
    }
    show::done(&channel, "changed", args.fields.json)
}

/// Without its plugin, a channel is shown all the same.
async fn show(store: &Store, config: &Config, named: Named) -> Done {
    let channel = store.channel(&named.wanted()).await?;
    let registry = plugin::load(config).await?;
    let offer = registry.provider(&channel.provider).map(|adapter| Offer::of(&adapter));
    show::whole(&channel, offer.as_ref(), named.json)
}

async fn list(store: &Store, as_json: bool) -> Done {
    let channels = store.channels().await?;
    if as_json {
        return Ok(table::print_json(&channels.iter().map(show::describe).collect())?);
    }
    let rows: Vec<_> = channels.iter().map(show::row).collect();
    Ok(table::print(
        show::HEADINGS,
        &rows,
        "no channels yet; add one with: witgate channel add --name NAME --provider ID",
    )?)
}

async fn turn(store: &Store, named: Named, status: ChannelStatus) -> Done {
    let mut channel = store.channel(&named.wanted()).await?;
    channel.status = status;
    store.save_channel(&channel).await?;
    let done = if status == ChannelStatus::Enabled { "enabled" } else { "disabled" };
    show::done(&channel, done, named.json)
}

/// A built-in provider would get its channel back at the next start, so its last one stays, disabled.
async fn remove(store: &Store, config: &Config, named: Named) -> Done {
    let mut channel = store.channel(&named.wanted()).await?;
    let others =
        store.channels().await?.iter().any(|other| other.provider == channel.provider && other.id != channel.id);
    let built_in = !others && {
        let registry = plugin::load(config).await?;
        registry.provider(&channel.provider).is_some_and(|adapter| adapter.provider().built_in)
    };
    if built_in {
        channel.status = ChannelStatus::Disabled;
        store.save_channel(&channel).await?;
        table::remark("a channel of a built-in provider is disabled instead, so that it does not come back")?;
        return show::done(&channel, "disabled", named.json);
    }
    store.remove_channel(channel.id).await?;
    if channel_seed::source(&channel) == "environment" {
        table::remark("it comes back when the server starts while its variables are set")?;
    }
    show::done(&channel, "removed", named.json)
}

/// What the options say, secrets aside: reading them takes the provider's names.
fn edit(fields: &Fields) -> (Edit, Vec<String>) {
    let mut errors = Vec::new();
    let mut settings = Vec::new();
    for text in &fields.settings {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => settings.push((name.to_owned(), value.to_owned())),
            _ => errors.push(format!("--setting `{text}` is not of the form NAME=VALUE")),
        }
    }
    let models = fields.models.as_ref().map(|texts| {
        let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
        match texts.as_slice() {
            ["catalog"] => Vec::new(),
            [] => {
                errors.push(empty("--models", "--models catalog to follow the adapter's catalog"));
                Vec::new()
            }
            texts => texts.iter().filter_map(|text| model(text).map_err(|error| errors.push(error)).ok()).collect(),
        }
    });
    let groups: Vec<String> =
        fields.groups.iter().map(|group| group.trim().to_owned()).filter(|group| !group.is_empty()).collect();
    if groups.is_empty() && !fields.groups.is_empty() {
        errors.push(empty("--group", "--group default to go back to the usual one"));
    }
    let base_url = fields.base_url.as_ref().map(|url| url.trim());
    if base_url == Some("") {
        errors.push(empty("--base-url", "--base-url default to use the provider's own address"));
    }
    let edit = Edit {
        base_url: base_url
            .filter(|url| !url.is_empty())
            .map(|url| if url == "default" { String::new() } else { url.to_owned() }),
        secrets: Vec::new(),
        settings,
        models,
        groups: Some(groups).filter(|groups| !groups.is_empty()),
        priority: fields.priority,
        weight: fields.weight,
        approve: false,
    };
    (edit, errors)
}

fn empty(option: &str, instead: &str) -> String {
    format!("{option} is empty; leave it out to keep what is there, or write {instead}")
}

fn model(text: &str) -> Result<ChannelModel, String> {
    let (public, upstream) = text.split_once('=').unwrap_or((text, text));
    let (public, upstream) = (public.trim(), upstream.trim());
    if public.is_empty() || upstream.is_empty() {
        return Err(format!("--models: `{text}` is neither a name nor PUBLIC=UPSTREAM"));
    }
    Ok(ChannelModel { public: public.to_owned(), upstream: upstream.to_owned() })
}

/// A channel is found by name or id, so a name must not look like an id.
fn check_name(name: &str) -> Vec<String> {
    if name.starts_with(ENV_PREFIX) {
        vec![format!("`{name}`: names that start with {ENV_PREFIX} are for channels that environment variables make")]
    } else if !name.is_empty() && name.chars().all(|char| char.is_ascii_digit()) {
        vec![format!("`{name}`: a name of digits only would be taken for an id")]
    } else {
        Vec::new()
    }
}

/// What offers this provider, or everything that helps to find out why nothing does.
async fn find(store: &Store, config: &Config, registry: &Registry, id: &str) -> Result<Offer, Failure> {
    if let Some(adapter) = registry.provider(id) {
        return Ok(Offer::of(&adapter));
    }
    let dir = config.plugins_dir();
    let mut known: Vec<String> = registry
        .adapters()
        .iter()
        .map(|adapter| Arc::clone(adapter.provider()))
        .map(|provider| provider.id.clone())
        .collect();
    known.sort();
    let offers =
        if known.is_empty() { "no plugin is loaded".to_owned() } else { format!("there are {}", known.join(", ")) };
    let meant = nearest(id, known.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`? "));
    let meant = meant.unwrap_or_default();
    let served = plugin::served(store).await?;
    let served = served.as_ref().and_then(|(address, served)| {
        Some((address, served.iter().find(|plugin| plugin.providers.iter().any(|provider| provider == id))?))
    });
    let refused: Vec<_> =
        registry.plugins().into_iter().filter(|plugin| plugin.state != PluginState::Serving).collect();
    if let Some((address, plugin)) = served
        && let Some(file) = refused.iter().find(|refused| refused.file == plugin.file)
    {
        return Err(Failure::new(vec![format!(
            "{} in {} does not load: {}; the server at {address} still serves provider `{id}` with the last good build ({}); \
             put a good build there first",
            file.file,
            dir.display(),
            file.reason,
            plugin.version,
        )]));
    }
    let mut lines = vec![format!("no plugin in {} offers provider `{id}`; {meant}{offers}", dir.display())];
    lines.extend(refused.iter().map(|plugin| format!("{} is not loaded: {}", plugin.file, plugin.reason)));
    if let Some((address, plugin)) = served {
        lines.push(format!(
            "the server at {address} has it from {} in another directory; name that with --plugins-dir",
            plugin.file
        ));
    }
    Err(Failure::new(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(models: Option<&[&str]>, settings: &[&str]) -> Fields {
        let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Fields {
            base_url: None,
            secrets: vec![],
            settings: own(settings),
            models: models.map(own),
            groups: vec![],
            priority: None,
            weight: None,
            json: false,
        }
    }

    #[test]
    fn models_may_have_a_name_of_their_own_upstream() {
        let (edit, errors) = edit(&fields(Some(&["a", " org/b=b-2024 ", ""]), &["x=1=2"]));
        let models: Vec<_> = edit.models.unwrap().into_iter().map(|model| (model.public, model.upstream)).collect();
        let expected =
            [("a", "a"), ("org/b", "b-2024")].map(|(public, upstream)| (public.to_owned(), upstream.to_owned()));
        assert_eq!(models, expected);
        assert_eq!(edit.settings, [("x".to_owned(), "1=2".to_owned())]);
        assert!(errors.is_empty() && edit.groups.is_none());
        assert_eq!(super::edit(&fields(Some(&["catalog"]), &[])).0.models, Some(vec![]));
    }

    #[test]
    fn what_cannot_be_read_is_all_reported() {
        let (_, errors) = edit(&fields(Some(&["=b", "c="]), &["novalue", "=x"]));
        assert_eq!(errors.len(), 4, "{errors:?}");
        let mut empty = fields(Some(&[""]), &[]);
        (empty.base_url, empty.groups) = (Some(" ".to_owned()), vec![String::new()]);
        let errors = edit(&empty).1.join("\n");
        for advice in ["--models catalog", "--group default", "--base-url default"] {
            assert!(errors.contains(advice), "{advice} is not in {errors}");
        }
    }

    #[test]
    fn names_that_would_be_taken_for_something_else_are_refused() {
        assert!(check_name("main").is_empty() && check_name("gpt-4").is_empty());
        assert!(!check_name("12").is_empty() && !check_name("env-x").is_empty());
    }
}
