//! Secrets that an operator gives: known names, one line each unless it is JSON, composite ones in the declared form.
//! No message repeats a value.

use domain::{Channel, Provider, Secret, SecretSpec, SplitBy, split_secret};

/// Puts secrets over a channel's, an empty one takes away, and checks the result.
pub(super) fn set(
    channel: &mut Channel,
    provider: &Provider,
    secrets: Vec<(String, Secret)>,
    errors: &mut Vec<String>,
) {
    let mut refused = Vec::new();
    for (name, secret) in secrets {
        let Some(spec) = provider.secrets.iter().find(|spec| spec.name == name) else {
            errors.push(unknown(provider, &name));
            continue;
        };
        if secret.expose().is_empty() {
            channel.secrets.remove(&name);
            continue;
        }
        match check(spec, &secret) {
            Ok(()) => drop(channel.secrets.insert(name, secret)),
            Err(error) => {
                errors.push(error);
                refused.push(name);
            }
        }
    }
    let missing = |spec: &&SecretSpec| spec.required && !channel.secrets.contains_key(&spec.name);
    for spec in provider.secrets.iter().filter(missing).filter(|spec| !refused.contains(&spec.name)) {
        let of = if spec.title.is_empty() { String::new() } else { format!(" ({})", spec.title) };
        let like = if spec.example.is_empty() { String::new() } else { format!(", in the form `{}`", spec.example) };
        errors.push(format!(
            "provider `{}` needs the secret `{name}`{of}: --secret {name}=@FILE, or {name}=- to read it from standard input{like}",
            provider.id,
            name = spec.name,
        ));
    }
}

fn check(spec: &SecretSpec, secret: &Secret) -> Result<(), String> {
    let (name, text) = (&spec.name, secret.expose());
    let json = spec.split.as_ref().is_some_and(|split| split.by == SplitBy::Json);
    // JSON may have lines, and its own grammar keeps other control characters out.
    if !json && text.contains(['\n', '\r']) {
        return Err(format!("secret `{name}` has more than one line; a secret is one line"));
    }
    if !json && text.chars().any(char::is_control) {
        return Err(format!("secret `{name}` has a control character in it; was it copied whole?"));
    }
    match &spec.split {
        Some(split) => split_secret(spec, split, secret).map(drop).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

/// The refusal of a secret's name.
pub(crate) fn unknown(provider: &Provider, name: &str) -> String {
    let known: Vec<_> = provider.secrets.iter().map(|spec| format!("`{}`", spec.name)).collect();
    match known.as_slice() {
        [] => format!("provider `{}` takes no secret, `{name}` was given", provider.id),
        known => format!("provider `{}` has no secret `{name}`; it has {}", provider.id, known.join(", ")),
    }
}
