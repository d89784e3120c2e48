//! A place in a JSON document: reads what is expected there and says where it was when it is not.

use domain::ProviderError;
use serde_json::{Map, Value};

/// A value and the JSON pointer that leads to it.
#[derive(Clone)]
pub(crate) struct At<'a> {
    pointer: String,
    value: &'a Value,
}

type Read<T> = Result<T, ProviderError>;

impl<'a> At<'a> {
    /// The whole document.
    pub(crate) fn root(value: &'a Value) -> At<'a> {
        At { pointer: String::new(), value }
    }

    /// An error about this place.
    pub(crate) fn wrong(&self, what: impl Into<String>) -> ProviderError {
        ProviderError { pointer: self.pointer.clone(), what: what.into() }
    }

    /// The value itself.
    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// A member of this object; none when it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Read<Option<At<'a>>> {
        let member = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(member.map(|value| self.below(name, value)))
    }

    /// A member of this object that must be there.
    pub(crate) fn need(&self, name: &str) -> Read<At<'a>> {
        self.get(name)?.ok_or_else(|| self.wrong(format!("`{name}` is missing")))
    }

    /// All members of this object.
    pub(crate) fn members(&self) -> Read<Vec<(&'a str, At<'a>)>> {
        Ok(self.object()?.iter().map(|(name, value)| (name.as_str(), self.below(name, value))).collect())
    }

    /// All items of this list.
    pub(crate) fn items(&self) -> Read<Vec<At<'a>>> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("must be a list"))?;
        Ok(items.iter().enumerate().map(|(index, value)| self.below(&index.to_string(), value)).collect())
    }

    /// This text.
    pub(crate) fn text(&self) -> Read<&'a str> {
        self.value.as_str().ok_or_else(|| self.wrong("must be a string"))
    }

    /// This text, which must not be empty.
    pub(crate) fn name(&self) -> Read<&'a str> {
        self.text()?.trim().is_empty().then(|| self.wrong("must not be empty")).map_or_else(|| self.text(), Err)
    }

    /// This list of texts that are not empty.
    pub(crate) fn names(&self) -> Read<Vec<String>> {
        self.items()?.iter().map(|item| item.name().map(str::to_owned)).collect()
    }

    /// This boolean.
    pub(crate) fn flag(&self) -> Read<bool> {
        self.value.as_bool().ok_or_else(|| self.wrong("must be true or false"))
    }

    /// This count.
    pub(crate) fn count(&self) -> Read<u32> {
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| self.wrong("must be a whole number, 0 to 4294967295"))
    }

    fn object(&self) -> Read<&'a Map<String, Value>> {
        self.value.as_object().ok_or_else(|| self.wrong("must be an object"))
    }

    fn below(&self, name: &str, value: &'a Value) -> At<'a> {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        At { pointer: format!("{}/{escaped}", self.pointer), value }
    }
}
