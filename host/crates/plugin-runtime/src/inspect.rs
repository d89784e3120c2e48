//! Reads a component without compiling anything of it: what it imports and exports, how large it is, which contract it was built for.

use std::ops::Range;

use wasmparser::{Encoding, MemoryType, Parser, Payload};

use crate::{
    CONTRACT, FIXTURES_SECTION, LoadError,
    contract::{Generation, refusal},
};

/// Interfaces of the contract that the host lends.
const LENT: [&str; 3] = ["machine", "log", "secrets"];
/// Packages of WASI 0.2 that exist for guests, with nothing granted in them.
const WASI: [&str; 6] = ["io", "cli", "clocks", "random", "filesystem", "sockets"];
/// The package of the contract.
const PACKAGE: &str = "witgate:adapter";

/// What was read of a component that may be compiled.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// The generation of the contract that it was built for.
    pub(crate) generation: Generation,
    /// The version of the contract that it names; the first, when it names several of one generation.
    pub(crate) built: String,
    /// Names of its imports.
    pub(crate) imports: Vec<String>,
    /// Names of its exports.
    pub(crate) exports: Vec<String>,
    /// Its size.
    pub(crate) bytes: usize,
    /// How many modules are in it, at any depth.
    pub(crate) core_modules: usize,
    /// Bytes of those modules.
    pub(crate) core_bytes: usize,
    /// Bytes that all its memories start with.
    pub(crate) memory_minimum: u64,
    /// Bytes that all its memories may have; none when one is not bounded.
    pub(crate) memory_maximum: Option<u64>,
    /// Where the packed fixtures are in the file.
    pub(crate) fixtures: Option<Range<usize>>,
}

/// Refuses a file that is no component, imports what is not lent, or speaks another version of the contract.
pub(crate) fn inspect(wasm: &[u8]) -> Result<Inspection, LoadError> {
    if !wasm.starts_with(b"\0asm") {
        return Err(LoadError::NotAComponent("it does not start like one (\\0asm)".to_owned()));
    }
    let (mut depth, mut complete, mut found) = (0_usize, false, Found::default());
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(malformed)?;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                let what = "it is a core module; build it for wasm32-wasip2, or encode it as a component";
                return Err(LoadError::NotAComponent(what.to_owned()));
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                depth += 1;
                found.core_modules += 1;
                found.core_bytes += unchecked_range.len();
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth == 0 => complete = true,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found.import(import.map_err(malformed)?.name.name)?;
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    found.export(export.map_err(malformed)?.name.name)?;
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    found.memory(memory.map_err(malformed)?);
                }
            }
            Payload::CustomSection(section) if depth == 0 && section.name() == FIXTURES_SECTION => {
                let end = section.range().end;
                found.fixtures = Some(end - section.data().len()..end);
            }
            _ => {}
        }
    }
    if !complete {
        return Err(LoadError::NotAComponent("it is cut off".to_owned()));
    }
    found.finish(wasm.len())
}

/// What was found so far.
#[derive(Default)]
struct Found {
    contract: Option<(Generation, String)>,
    catalog: bool,
    imports: Vec<String>,
    exports: Vec<String>,
    core_modules: usize,
    core_bytes: usize,
    memory_minimum: u64,
    /// Bytes, and whether a memory without a bound was seen.
    memory_maximum: (u64, bool),
    fixtures: Option<Range<usize>>,
}

impl Found {
    fn import(&mut self, name: &str) -> Result<(), LoadError> {
        self.imports.push(name.to_owned());
        let refused = || LoadError::Import(name.to_owned());
        let (package, interface, version) = split(name).ok_or_else(refused)?;
        if package == PACKAGE {
            self.speaks(version)?;
            return if LENT.contains(&interface) { Ok(()) } else { Err(refused()) };
        }
        let wasi = package.strip_prefix("wasi:").is_some_and(|package| WASI.contains(&package));
        if wasi && version.starts_with("0.2.") { Ok(()) } else { Err(refused()) }
    }

    /// Exports that are not the contract's are none of our business: some toolchains add their own.
    fn export(&mut self, name: &str) -> Result<(), LoadError> {
        self.exports.push(name.to_owned());
        if let Some((PACKAGE, interface, version)) = split(name) {
            self.speaks(version)?;
            self.catalog |= interface == "catalog";
        }
        Ok(())
    }

    /// Inside one generation the contract only gains interfaces and functions; what is missing shows when the component is linked.
    fn speaks(&mut self, version: &str) -> Result<(), LoadError> {
        let Some(generation) = Generation::of(version) else {
            return Err(LoadError::Contract { built: version.to_owned(), what: refusal(version) });
        };
        match &self.contract {
            Some((other, built)) if *other != generation => {
                Err(LoadError::Mixed { one: built.clone(), other: version.to_owned() })
            }
            Some(_) => Ok(()),
            None => {
                self.contract = Some((generation, version.to_owned()));
                Ok(())
            }
        }
    }

    fn memory(&mut self, memory: MemoryType) {
        let page = 1_u64 << memory.page_size_log2.unwrap_or(16).min(16);
        self.memory_minimum = self.memory_minimum.saturating_add(memory.initial.saturating_mul(page));
        match memory.maximum {
            Some(most) => self.memory_maximum.0 = self.memory_maximum.0.saturating_add(most.saturating_mul(page)),
            None => self.memory_maximum.1 = true,
        }
    }

    fn finish(self, bytes: usize) -> Result<Inspection, LoadError> {
        let Some((generation, built)) = self.contract.filter(|_| self.catalog) else {
            return Err(LoadError::Shape(format!("it does not export {PACKAGE}/catalog@{CONTRACT}")));
        };
        Ok(Inspection {
            generation,
            built,
            imports: self.imports,
            exports: self.exports,
            bytes,
            core_modules: self.core_modules,
            core_bytes: self.core_bytes,
            memory_minimum: self.memory_minimum,
            memory_maximum: (!self.memory_maximum.1).then_some(self.memory_maximum.0),
            fixtures: self.fixtures,
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn component(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    /// Inspects a component that imports this and exports the catalog of this version.
    fn importing(name: &str, catalog: &str) -> Result<Inspection, LoadError> {
        inspect(&component(&format!(
            r#"(component (import "{name}" (instance))
                 (instance $c) (export "witgate:adapter/catalog@{catalog}" (instance $c)))"#
        )))
    }

    #[test]
    fn what_is_lent_may_be_imported() {
        for (name, catalog, generation) in [
            ("witgate:adapter/machine@0.1.0", "0.1.0", Generation::V0_1),
            ("witgate:adapter/log@0.1.7", "0.1.0", Generation::V0_1),
            ("witgate:adapter/secrets@0.2.0", "0.2.0", Generation::V0_2),
            ("witgate:adapter/machine@0.2.0", "0.2.1", Generation::V0_2),
            ("wasi:io/poll@0.2.6", "0.1.0", Generation::V0_1),
            ("wasi:sockets/tcp@0.2.12", "0.2.0", Generation::V0_2),
            ("wasi:cli/stderr@0.2.0", "0.2.0", Generation::V0_2),
        ] {
            let inspection = importing(name, catalog).unwrap();
            assert_eq!(inspection.generation, generation, "{name}");
            assert_eq!(inspection.imports, [name]);
            assert_eq!(inspection.exports, [format!("witgate:adapter/catalog@{catalog}")]);
        }
    }

    #[test]
    fn anything_else_is_refused_by_its_name() {
        for name in [
            "wasi:http/outgoing-handler@0.2.3",
            "wasi:io/poll@0.3.0",
            "wasi:keyvalue/store@0.2.0",
            "evil:host/shell@1.0.0",
            "witgate:adapter/chat@0.2.0",
            "environment",
        ] {
            let error = importing(name, "0.2.0").unwrap_err();
            assert_eq!(error, LoadError::Import(name.to_owned()));
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn another_contract_is_refused_and_both_versions_are_named() {
        let error = importing("witgate:adapter/machine@0.3.0", "0.2.0").unwrap_err().to_string();
        assert!(error.contains("0.3.0") && error.contains("0.2.x and 0.1.x"), "{error}");
        for (version, advice) in [("1.0.0", "update the host"), ("0.0.1", "newer SDK")] {
            let error = importing("wasi:io/poll@0.2.6", version).unwrap_err();
            assert!(matches!(&error, LoadError::Contract { built, .. } if built == version), "{error}");
            assert!(error.to_string().contains(advice), "{error}");
        }
    }

    #[test]
    fn two_contracts_in_one_component_are_refused() {
        let error = importing("witgate:adapter/log@0.1.0", "0.2.0").unwrap_err();
        assert_eq!(error, LoadError::Mixed { one: "0.1.0".to_owned(), other: "0.2.0".to_owned() });
    }

    #[test]
    fn sizes_and_packed_fixtures_are_read() {
        let wasm = component(
            r#"(component
                 (core module (memory 2 16)) (component (core module (memory 1)))
                 (instance $c) (export "witgate:adapter/catalog@0.2.0" (instance $c))
                 (@custom "other" "no") (@custom "witgate:fixtures" "packed"))"#,
        );
        let inspection = inspect(&wasm).unwrap();
        assert_eq!((inspection.bytes, inspection.core_modules), (wasm.len(), 2));
        assert!(inspection.core_bytes > 16 && inspection.core_bytes < wasm.len());
        assert_eq!((inspection.memory_minimum, inspection.memory_maximum), (3 << 16, None));
        assert_eq!(&wasm[inspection.fixtures.unwrap()], b"packed");

        let bounded = component(
            r#"(component (core module (memory 2 16)) (instance $c)
                 (export "witgate:adapter/catalog@0.2.0" (instance $c)))"#,
        );
        let inspection = inspect(&bounded).unwrap();
        assert_eq!((inspection.memory_maximum, inspection.fixtures), (Some(1 << 20), None));
    }

    #[test]
    fn a_nested_component_may_import_what_its_parent_gives_it() {
        let nested = component(
            r#"(component (component (import "inner" (func))) (core module (import "env" "f" (func)))
                 (instance $c) (export "witgate:adapter/catalog@0.2.0" (instance $c)))"#,
        );
        assert_eq!(inspect(&nested).map(|inspection| inspection.imports), Ok(Vec::new()));
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
        let whole = component(r#"(component (instance) (export "witgate:adapter/catalog@0.2.0" (instance 0)))"#);
        for length in 0..whole.len() {
            assert!(inspect(&whole[..length]).is_err(), "cut at {length} of {}", whole.len());
        }
    }
}
