//! `cargo xtask new-plugin`: writes a plugin that builds and whose tests pass, for an author to change bit by bit into a real vendor's.

#[cfg(test)]
mod guide;
mod proof;
mod template;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

pub(crate) use proof::prove;
use template::Home;

use crate::tools;

/// As long as a provider's id may be.
const NAME_MAX: usize = 40;

/// The command.
pub(crate) fn new_plugin(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (name, dir) = match words.as_slice() {
        [name] if !name.starts_with('-') => (*name, None),
        [name, "--dir", dir] | ["--dir", dir, name] if !name.starts_with('-') => (*name, Some(*dir)),
        _ => bail!("`new-plugin` takes NAME, and --dir PATH for a crate outside of this repository"),
    };
    let root = tools::root();
    check_name(name, root)?;
    match dir {
        None => {
            let folder = Path::new("plugins").join(name);
            write(&folder, &template::files(name, Home::Member)?)?;
            println!("{}: written. Next:\n\n{}", folder.display(), template::commands(name, Home::Member));
        }
        Some(dir) => {
            let folder = settled(&tools::called_from().join(dir));
            ensure!(
                !folder.starts_with(root.join("plugins")),
                "{}: folders under plugins/ belong to this workspace; leave --dir out",
                folder.display()
            );
            let home = Home::Alone { root };
            write(&folder, &template::files(name, home)?)?;
            println!("{}: written. Next, in that folder:\n\n{}", folder.display(), template::commands(name, home));
        }
    }
    Ok(())
}

/// The name is the provider's id, part of a crate's name and of a host name.
fn check_name(name: &str, root: &Path) -> Result<()> {
    let spelled = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-')
        && !name.ends_with('-')
        && name.len() <= NAME_MAX;
    ensure!(
        spelled,
        "`{name}` cannot be a plugin's name: it is 1 to {NAME_MAX} lower-case letters, digits and hyphens, begins with a letter and does \
         not end with a hyphen"
    );
    let plugins = root.join("plugins");
    ensure!(!plugins.join(name).exists(), "plugins/{name} is there already; choose another name");
    for entry in fs::read_dir(&plugins).with_context(|| format!("cannot list {}", plugins.display()))? {
        let plugin = entry?;
        if plugin.path().join("catalog").join(format!("{name}.json")).exists() {
            bail!(
                "the provider `{name}` is offered by plugins/{}; a gateway serves one of a name, so choose another",
                plugin.file_name().display()
            );
        }
    }
    Ok(())
}

/// Writes all files or none: into a folder beside the one that is wanted, which then gets its name.
fn write(folder: &Path, files: &[(String, String)]) -> Result<()> {
    let taken = fs::read_dir(folder).map_or_else(|_| folder.exists(), |mut entries| entries.next().is_some());
    ensure!(!taken, "{} is there already, and not an empty folder; nothing was written", folder.display());
    let half = beside(folder)?;
    let written = write_half(&half, files)
        .and_then(|()| fs::rename(&half, folder).with_context(|| format!("cannot make {}", folder.display())));
    if written.is_err() {
        fs::remove_dir_all(&half).ok();
    }
    written
}

fn write_half(half: &Path, files: &[(String, String)]) -> Result<()> {
    for (path, text) in files {
        let file = half.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Without `..` and links, as far as it exists.
fn settled(folder: &Path) -> PathBuf {
    let parent = folder.parent().and_then(|parent| parent.canonicalize().ok());
    parent.zip(folder.file_name()).map_or_else(|| folder.to_owned(), |(parent, name)| parent.join(name))
}

fn beside(folder: &Path) -> Result<PathBuf> {
    let name = folder.file_name().with_context(|| format!("{} is no folder that can be made", folder.display()))?;
    Ok(folder.with_file_name(format!(".{}.partial", name.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own under `target`, empty.
    fn scratch(name: &str) -> PathBuf {
        let folder = tools::root().join("target/new-plugin/tests").join(name);
        fs::remove_dir_all(&folder).ok();
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_wrong_or_taken_name_is_refused_with_the_reason() {
        let root = scratch("names");
        fs::create_dir_all(root.join("plugins/family/catalog")).unwrap();
        fs::write(root.join("plugins/family/catalog/cousin.json"), "{}").unwrap();
        for good in ["a", "acme", "acme-2", &"a".repeat(NAME_MAX)] {
            assert!(check_name(good, &root).is_ok(), "{good}");
        }
        for bad in ["", "2acme", "Acme", "a_b", "a/b", "..", "-a", "a-", "ä", &"a".repeat(NAME_MAX + 1)] {
            let error = check_name(bad, &root).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{bad}` cannot be a plugin's name")), "{error}");
        }
        assert!(check_name("family", &root).unwrap_err().to_string().starts_with("plugins/family is there already"));
        assert!(check_name("cousin", &root).unwrap_err().to_string().contains("offered by plugins/family"));
    }

    #[test]
    fn nothing_is_half_written() {
        let root = scratch("writing");
        let left = || fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        let file = |path: &str| (path.to_owned(), "text".to_owned());
        // A file where the next one needs a folder.
        assert!(write(&root.join("new"), &[file("a"), file("a/b")]).is_err());
        assert_eq!(left(), [""; 0]);

        write(&root.join("new"), &[file("a"), file("b/c")]).unwrap();
        assert_eq!(left(), ["new"]);
        let error = write(&root.join("new"), &[file("a")]).unwrap_err().to_string();
        assert!(error.contains("is there already"), "{error}");
        assert!(root.join("new/b/c").exists());

        fs::create_dir(root.join("empty")).unwrap();
        write(&root.join("empty"), &[file("a")]).unwrap();
        assert!(root.join("empty/a").exists());
    }
}
