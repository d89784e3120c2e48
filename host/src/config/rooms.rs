//! What each room of the program is started with, made from the configuration.

use anyhow::Context as _;
use domain::Secret;

use super::Config;

impl Config {
    /// How the store is opened. `create`: a database that does not exist is made, else it is an error.
    pub(crate) fn store_options(&self, create: bool) -> anyhow::Result<store::OpenOptions> {
        let url = Some(self.data.database.clone()).filter(|url| !url.is_empty());
        Ok(store::OpenOptions { url, data_dir: self.data.dir.clone(), master_key: self.master_key()?, create })
    }

    /// The master key that was given, if one was; the store makes one otherwise.
    pub(crate) fn master_key(&self) -> anyhow::Result<Option<Secret>> {
        match (&self.secrets.master_key, &self.secrets.master_key_file) {
            (Some(_), Some(_)) => {
                anyhow::bail!("secrets.master_key and secrets.master_key_file are both set; keep one")
            }
            (Some(key), None) => Ok(Some(key.clone())),
            (None, None) => Ok(None),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("secrets.master_key_file: {} cannot be read", file.display()))?;
                Ok(Some(Secret::new(&text)))
            }
        }
    }

    /// Limits and places of the sandboxes. Plugins are compiled by this program in a process of its own, and run the fixtures that are
    /// packed into them before they serve.
    pub(crate) fn runtime_options(&self) -> anyhow::Result<plugin_runtime::RuntimeOptions> {
        let program = std::env::current_exe().context("the program's own file is not known")?;
        let mut options = plugin_runtime::RuntimeOptions::new(self.plugin_cache_dir());
        options.keep_log = self.plugins.log == "on";
        options.memory_max = size(self.plugins.memory_max_bytes);
        options.step_cpu = self.plugins.step_cpu_ms;
        options.step_wall = self.plugins.step_wall_ms;
        options.instances = u32::try_from(self.plugins.instances).unwrap_or(u32::MAX);
        options.compile_wall = self.plugins.compile_wall_s;
        options.compiler = plugin_runtime::Compiler::Child(program, vec!["plugin-compile".into()]);
        options.trial = Some(std::sync::Arc::new(fixtures::Quick));
        options.trial_wall = fixtures::TRIAL_WALL;
        Ok(options)
    }

    /// Deadlines and sizes of requests to vendors.
    pub(crate) fn upstream_limits(&self) -> upstream::Limits {
        upstream::Limits {
            connect: self.upstream.connect_ms,
            first_byte: self.upstream.first_byte_ms,
            idle: self.upstream.idle_ms,
            max_body: size(self.upstream.max_body_bytes),
            max_message: size(self.upstream.max_message_bytes),
            ..upstream::Limits::default()
        }
    }

    /// Where logs go and what they hold.
    pub(crate) fn log_options(&self) -> telemetry::LogOptions {
        let format = match self.server.log_format.as_str() {
            "json" => telemetry::LogFormat::Json,
            _ => telemetry::LogFormat::Text,
        };
        let file = self.server.log_dir.as_ref().map(|dir| dir.join("witgate.log"));
        telemetry::LogOptions { format, level: self.server.log_level.clone(), file }
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
