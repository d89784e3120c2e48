//! Reads the names that a component imports and exports, before anything of it is compiled.

use wasmparser::{Encoding, Parser, Payload};

use crate::{CONTRACT, LoadError};

/// Interfaces of the contract that the host lends.
const LENT: [&str; 3] = ["machine", "log", "secrets"];
/// Packages of WASI 0.2 that exist for guests, with nothing granted in them.
const WASI: [&str; 6] = ["io", "cli", "clocks", "random", "filesystem", "sockets"];
/// The package of the contract.
const PACKAGE: &str = "witgate:adapter";

/// Refuses a file that is no component, imports what is not lent, or speaks another version of the contract.
pub(crate) fn inspect(wasm: &[u8]) -> Result<(), LoadError> {
    if !wasm.starts_with(b"\0asm") {
        return Err(LoadError::NotAComponent("it does not start like one (\\0asm)".to_owned()));
    }
    let (mut depth, mut complete, mut catalog) = (0_usize, false, false);
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(malformed)?;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                let what = "it is a core module; build it for wasm32-wasip2, or encode it as a component";
                return Err(LoadError::NotAComponent(what.to_owned()));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth == 0 => complete = true,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    check_import(import.map_err(malformed)?.name.name)?;
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    catalog |= check_export(export.map_err(malformed)?.name.name)?;
                }
            }
            _ => {}
        }
    }
    if !complete {
        return Err(LoadError::NotAComponent("it is cut off".to_owned()));
    }
    if !catalog {
        return Err(LoadError::Shape(format!("it does not export {PACKAGE}/catalog@{CONTRACT}")));
    }
    Ok(())
}

fn malformed(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::NotAComponent(error.to_string())
}

/// Splits `package:name/interface@1.2.3`.
fn split(name: &str) -> Option<(&str, &str, &str)> {
    let (path, version) = name.split_once('@')?;
    let (package, interface) = path.split_once('/')?;
    Some((package, interface, version))
}

fn check_import(name: &str) -> Result<(), LoadError> {
    let refused = || LoadError::Import(name.to_owned());
    let (package, interface, version) = split(name).ok_or_else(refused)?;
    if package == PACKAGE {
        check_version(version)?;
        return if LENT.contains(&interface) { Ok(()) } else { Err(refused()) };
    }
    let wasi = package.strip_prefix("wasi:").is_some_and(|package| WASI.contains(&package));
    if wasi && version.starts_with("0.2.") { Ok(()) } else { Err(refused()) }
}

/// Whether this is the catalog. Other exports are none of our business: some toolchains add their own.
fn check_export(name: &str) -> Result<bool, LoadError> {
    match split(name) {
        Some((PACKAGE, interface, version)) => check_version(version).map(|()| interface == "catalog"),
        _ => Ok(false),
    }
}

/// Inside one minor version the contract only gains interfaces and functions; what is missing shows when the component is linked.
fn check_version(built: &str) -> Result<(), LoadError> {
    let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
    if minor(built) == minor(CONTRACT) { Ok(()) } else { Err(LoadError::Contract { built: built.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    fn importing(name: &str) -> Result<(), LoadError> {
        inspect(&component(&format!(
            r#"(component (import "{name}" (instance))
                 (instance $c) (export "witgate:adapter/catalog@0.1.0" (instance $c)))"#
        )))
    }

    #[test]
    fn what_is_lent_may_be_imported() {
        for name in [
            "witgate:adapter/machine@0.1.0",
            "witgate:adapter/log@0.1.7",
            "witgate:adapter/secrets@0.1.0",
            "wasi:io/poll@0.2.6",
            "wasi:sockets/tcp@0.2.12",
            "wasi:cli/stderr@0.2.0",
        ] {
            assert_eq!(importing(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_its_name() {
        for name in [
            "wasi:http/outgoing-handler@0.2.3",
            "wasi:io/poll@0.3.0",
            "wasi:keyvalue/store@0.2.0",
            "evil:host/shell@1.0.0",
            "witgate:adapter/chat@0.1.0",
            "environment",
        ] {
            let error = importing(name).unwrap_err();
            assert_eq!(error, LoadError::Import(name.to_owned()));
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn another_contract_is_refused_and_both_versions_are_named() {
        let error = importing("witgate:adapter/machine@0.2.0").unwrap_err().to_string();
        assert!(error.contains("0.2.0") && error.contains(CONTRACT), "{error}");
        let newer = component(r#"(component (instance $c) (export "witgate:adapter/catalog@1.0.0" (instance $c)))"#);
        assert_eq!(inspect(&newer), Err(LoadError::Contract { built: "1.0.0".to_owned() }));
    }

    #[test]
    fn a_nested_component_may_import_what_its_parent_gives_it() {
        let nested = component(
            r#"(component (component (import "inner" (func))) (core module (import "env" "f" (func)))
                 (instance $c) (export "witgate:adapter/catalog@0.1.0" (instance $c)))"#,
        );
        assert_eq!(inspect(&nested), Ok(()));
    }

    #[test]
    fn what_is_no_component_is_refused() {
        for (wasm, expected) in [
            (b"hello, I am not WebAssembly".to_vec(), "\\0asm"),
            (Vec::new(), "\\0asm"),
            (component("(module)"), "core module"),
            (component("(component)"), "catalog"),
        ] {
            let error = inspect(&wasm).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        // Without names in the text there is no custom section at the end, so that every cut loses something.
        let whole = component(r#"(component (instance) (export "witgate:adapter/catalog@0.1.0" (instance 0)))"#);
        for length in 0..whole.len() {
            assert!(inspect(&whole[..length]).is_err(), "cut at {length} of {}", whole.len());
        }
    }
}
