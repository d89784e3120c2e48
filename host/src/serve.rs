//! `witgate serve`: builds the rooms in the order of their dependencies, serves, and drains them again.

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use arc_swap::ArcSwap;
use domain::Snapshot;
use exchange::{Limits, Rooms};
use plugin_runtime::{PluginState, Registry, Runtime};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    channel_seed,
    config::Config,
    data_lock,
    http::{Edge, accept},
    routes, shutdown,
};

/// How soon a change made by another process is followed.
const FOLLOW: Duration = Duration::from_millis(250);
/// How often the server says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// Runs until it is asked to stop.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let background = TaskTracker::new();
    let _held = data_lock::acquire(&config.data.dir)?;
    let store = Store::open(config.store_options(true)?).await.context("the database could not be opened")?;
    let plugins_dir = config.plugins_dir();
    // One that was named must be there: making a mistyped one would serve nothing, silently.
    if config.plugins.dir.is_some() && !plugins_dir.is_dir() {
        anyhow::bail!("the plugins directory {} does not exist (plugins.dir)", plugins_dir.display());
    }
    tokio::fs::create_dir_all(&plugins_dir)
        .await
        .with_context(|| format!("cannot create {}", plugins_dir.display()))?;
    let runtime = Runtime::new(config.runtime_options()?).context("the plugin runtime could not start")?;
    let served = store.plugin_states().await?.into_iter().filter(|state| state.state.starts_with("serving"));
    let served: Vec<String> = served.map(|state| state.file).collect();
    let registry = plugin_runtime::load_dir_again(&runtime, &plugins_dir, &served).await;
    if registry.adapters().is_empty() {
        tracing::warn!(directory = %plugins_dir.display(), "no plugin is loaded: copy .wasm files there, they are live at once");
    }
    channel_seed::import_api_keys(&store, &config).await?;
    channel_seed::seed(&store, &registry, &config.environment).await?;
    let watched = store.watch(FOLLOW, stop.clone().cancelled_owned()).await?;

    let rooms = Arc::new(rooms(&config, &store, registry.clone())?);
    let app = Arc::new(App {
        rooms: Arc::clone(&rooms),
        hasher: store.key_hasher(),
        body_limit: usize::try_from(config.server.body_limit_bytes).unwrap_or(usize::MAX),
    });
    let listener = TcpListener::bind(config.server.listen).await.with_context(|| {
        format!("cannot listen on {}; is another server running there? (--listen)", config.server.listen)
    })?;
    let address = listener.local_addr()?;

    let mut routes = routes::Builder::default();
    routes.rebuild(&rooms, &watched.snapshot.load());
    let resumed = exchange::resume(&rooms)
        .await
        .map_err(|fault| anyhow::anyhow!("parked exchanges cannot be read: {}", fault.message))?;
    if resumed > 0 {
        tracing::info!(exchanges = resumed, "parked exchanges are taken up again");
    }
    background.spawn(routes::follow(routes, Arc::clone(&rooms), Arc::clone(&watched.snapshot), stop.clone()));
    background.spawn(publish(store.clone(), registry.clone(), config.clone(), address.to_string(), stop.clone()));
    let watching = plugin_runtime::watch_dir(runtime, plugins_dir, registry, stop.clone().cancelled_owned());
    let signals = tokio::spawn(shutdown::on_signal(stop.clone()));

    let mut out = std::io::stdout();
    writeln!(out, "listening on http://{address}").and_then(|()| out.flush()).ok();
    tracing::info!(%address, "listening");
    let edge = Edge::new(app);
    let connections = accept(listener, edge, config.server.header_timeout_ms, stop.clone()).await;
    drain(&rooms, &connections, config.server.shutdown_grace_s).await;
    background.close();
    background.wait().await;
    watching.await.ok();
    watched.task.await.ok();
    signals.abort();
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What exchanges may reach, before there is a table of who offers what.
pub(crate) fn rooms(config: &Config, store: &Store, registry: Registry) -> anyhow::Result<Rooms> {
    Ok(Rooms {
        registry,
        table: ArcSwap::default(),
        upstream: upstream::Upstream::new(concat!("witgate/", env!("CARGO_PKG_VERSION")))?,
        ledger: store.ledger(),
        parking: store.parking(),
        grants: exchange::Grants::default(),
        ready: exchange::Ready::default(),
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
        limits: limits(config),
    })
}

/// Open streams may finish within the grace period; whatever still runs then is told to end, and is settled.
async fn drain(rooms: &Rooms, connections: &TaskTracker, grace: Duration) {
    /// For settling and for the last bytes to the clients.
    const LAST: Duration = Duration::from_secs(5);
    rooms.tasks.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "still busy after the grace period (server.shutdown_grace_s)");
    }
    rooms.stopping.cancel();
    if tokio::time::timeout(LAST, rooms.tasks.wait()).await.is_err() {
        tracing::error!(exchanges = rooms.tasks.len(), "exchanges did not end in time; their records are lost");
    }
    if tokio::time::timeout(LAST, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut");
    }
}

/// Shows the command line what this server has loaded and where it listens.
async fn publish(store: Store, registry: Registry, config: Config, address: String, stop: CancellationToken) {
    let mut published = None;
    while !stop.is_cancelled() {
        let generation = registry.generation();
        if published != Some(generation) {
            let rows: Vec<store::PluginState> = registry.plugins().into_iter().map(row).collect();
            let ensured = channel_seed::seed(&store, &registry, &config.environment).await;
            match (store.publish_plugins(&rows).await, ensured) {
                (Ok(()), Ok(())) => published = Some(generation),
                (Err(error), _) => tracing::warn!(%error, "the plugin list could not be published"),
                (_, Err(error)) => tracing::warn!(%error, "channels of plugins and variables could not be made"),
            }
        }
        if let Err(error) = store.heartbeat(&address).await {
            tracing::debug!(%error, "the heartbeat could not be written");
        }
        tokio::select! {
            () = registry.changed() => {}
            () = tokio::time::sleep(HEARTBEAT) => {}
            () = stop.cancelled() => {}
        }
    }
}

fn row(status: plugin_runtime::PluginStatus) -> store::PluginState {
    store::PluginState {
        file: status.file,
        providers: status.providers,
        version: status.version,
        digest: status.digest,
        models: u32::try_from(status.models).unwrap_or(u32::MAX),
        state: match status.state {
            PluginState::Serving => "serving",
            PluginState::ServingLastGood => "serving-last-good",
            PluginState::Refused => "refused",
            PluginState::Loading => "loading",
        }
        .to_owned(),
        reason: status.reason,
        changed_ms: status.changed_ms,
    }
}

fn limits(config: &Config) -> Limits {
    /// As good as never: 100 years.
    const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
    let or_never = |duration: Duration| if duration.is_zero() { NEVER } else { duration };
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    Limits {
        attempts: size(config.exchange.attempts),
        total: or_never(config.exchange.total_s),
        keepalive: or_never(config.server.keepalive_ms),
        linger: config.exchange.linger_ms,
        requests: size(config.exchange.requests),
        in_flight: size(config.exchange.requests_in_flight),
        parked_total: config.exchange.parked_total_s,
        media_max: size(config.exchange.media_max_bytes),
        media_total: size(config.exchange.media_total_bytes),
        answer_max: size(config.exchange.answer_max_bytes),
        media_origins: config.exchange.media_origins.clone(),
        messages_max: size(config.exchange.messages_max),
        usage_max: u32::try_from(config.exchange.usage_max_tokens).unwrap_or(u32::MAX),
        guest_total: config.plugins.exchange_wall_s,
        reserve_output_tokens: u32::try_from(config.exchange.reserve_output_tokens).unwrap_or(u32::MAX),
        held_over: size(config.exchange.held_over_bytes),
        text_max: size(config.exchange.text_max_bytes),
        stall: config.exchange.stall_ms,
        upstream: config.upstream_limits(),
    }
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

/// The snapshot type that `routes` follows.
pub(crate) type Current = Arc<ArcSwap<Snapshot>>;
