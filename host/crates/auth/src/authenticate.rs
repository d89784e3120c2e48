//! From the key that a request presents to what the snapshot knows of it.

use std::sync::Arc;

use domain::{ApiKey, Fault, FaultCode, KeyStatus, Snapshot};

use crate::KeyHasher;

/// The API key behind `key`. Looked up by its keyed hash, so the time it takes tells nothing about other keys.
///
/// # Errors
/// `KeyInvalid` when nobody made this key here, `KeyRevoked` when it was revoked. The key is never repeated.
pub fn authenticate(snapshot: &Snapshot, hasher: &KeyHasher, key: &str) -> Result<Arc<ApiKey>, Fault> {
    let Some(api_key) = snapshot.api_keys.get(&hasher.hash(key)) else {
        return Err(Fault::new(
            FaultCode::KeyInvalid,
            "The API key is not known here. Check that it was copied whole and that it belongs to this server.",
        ));
    };
    match api_key.status {
        KeyStatus::Active => Ok(Arc::clone(api_key)),
        KeyStatus::Revoked => {
            Err(Fault::new(FaultCode::KeyRevoked, "The API key was revoked. Ask the operator for a new one."))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::ApiKeyId;

    use super::*;

    #[test]
    fn tells_active_revoked_and_unknown_keys_apart() {
        let hasher = KeyHasher::new(&[7; 32]);
        let mut snapshot = Snapshot::default();
        for (id, key, status) in [(1, "sk-good", KeyStatus::Active), (2, "sk-gone", KeyStatus::Revoked)] {
            let api_key = ApiKey {
                id: ApiKeyId(id),
                name: key.to_owned(),
                prefix: "sk-".to_owned(),
                status,
                group: "default".to_owned(),
                models: None,
                created_ms: 0,
            };
            snapshot.api_keys.insert(hasher.hash(key), Arc::new(api_key));
        }
        assert_eq!(authenticate(&snapshot, &hasher, "sk-good").unwrap().id, ApiKeyId(1));
        for (key, code) in [("sk-gone", FaultCode::KeyRevoked), ("sk-Good", FaultCode::KeyInvalid)] {
            let fault = authenticate(&snapshot, &hasher, key).unwrap_err();
            assert_eq!(fault.code, code);
            assert!(!fault.message.contains(key));
        }
        let other = KeyHasher::new(&[8; 32]);
        assert_eq!(authenticate(&snapshot, &other, "sk-good").unwrap_err().code, FaultCode::KeyInvalid);
    }
}
