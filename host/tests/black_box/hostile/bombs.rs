//! Components that no compiler would make: bombs in what is declared, and in what has to be compiled.

/// A component whose catalog is this core module: its declarations, and the body of `providers`.
fn component(declarations: &str, body: &str, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $module
                {declarations}
                (func (export "providers") (result i32) {body}))
            (core instance $core (instantiate $module))
            {more}
            (type $provider (record (field "id" string) (field "descriptor" string)))
            (func $providers (result (list $provider))
                (canon lift (core func $core "providers") (memory $core "memory")))
            (component $catalog
                (type $record (record (field "id" string) (field "descriptor" string)))
                (import "provider" (type $imported (eq $record)))
                (import "providers" (func $from (result (list $imported))))
                (export $exported "provider" (type $imported))
                (export "providers" (func $from) (func (result (list $exported)))))
            (instance $instance (instantiate $catalog
                (with "provider" (type $provider)) (with "providers" (func $providers))))
            (export "witgate:adapter/catalog@0.2.0" (instance $instance)))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

const MEMORY: &str = r#"(memory (export "memory") 1)"#;

/// Name, component, and what the reason for its refusal says (one of these, between bars).
pub(super) fn all() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let with_memory = |more: &str| format!("{MEMORY} {more}");
    let grow = "(loop $again (drop (table.grow $table (ref.null func) (i32.const 50000))) (br $again)) unreachable";
    let instances = "(core instance (instantiate $module))".repeat(1_000);
    vec![
        ("memory-at-birth", component(r#"(memory (export "memory") 65535)"#, "i32.const 0", ""), "memory"),
        ("table-at-birth", component(&with_memory("(table 10000000 funcref)"), "i32.const 0", ""), "does not load"),
        ("table-bomb", component(&with_memory("(table $table 1 funcref)"), grow, ""), "table"),
        (
            "loop-at-birth",
            component(&with_memory("(func $begin (loop $again (br $again))) (start $begin)"), "i32.const 0", ""),
            "CPU time|took longer than",
        ),
        ("many-instances", component(MEMORY, "i32.const 0", &instances), "instance"),
    ]
}

/// A component with one more core module at its end that is of no use: thirty megabytes of loops over a thousand variables.
pub(super) fn compile_bomb() -> Vec<u8> {
    let mut component = component(MEMORY, "i32.const 0", "");
    let bomb = bomb();
    component.push(1);
    length(&mut component, bomb.len());
    component.extend(bomb);
    component
}

const FUNCTIONS: usize = 16;
const LOOPS: usize = 100_000;
const VARIABLES: usize = 1_000;

fn bomb() -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // One type, no parameters and no results; functions of that type; their bodies.
    section(&mut module, 1, &[1, 0x60, 0, 0]);
    let mut functions = Vec::new();
    length(&mut functions, FUNCTIONS);
    functions.extend([0; FUNCTIONS]);
    section(&mut module, 3, &functions);
    let body = body();
    let mut code = Vec::new();
    length(&mut code, FUNCTIONS);
    for _ in 0..FUNCTIONS {
        length(&mut code, body.len());
        code.extend(&body);
    }
    section(&mut module, 10, &code);
    module
}

/// `loop  v[a] = v[b] + v[c]; br_if 0 (v[d] == 0)  end`, again and again.
fn body() -> Vec<u8> {
    let mut body = vec![1];
    length(&mut body, VARIABLES);
    body.push(0x7e);
    for round in 0..LOOPS {
        let variable = |code: &mut Vec<u8>, operation: u8, step: usize| {
            code.push(operation);
            length(code, round * step % VARIABLES);
        };
        body.extend([0x03, 0x40]);
        variable(&mut body, 0x20, 7);
        variable(&mut body, 0x20, 11);
        body.push(0x7c);
        variable(&mut body, 0x21, 13);
        variable(&mut body, 0x20, 17);
        body.extend([0x50, 0x0d, 0, 0x0b]);
    }
    body.push(0x0b);
    body
}

fn section(module: &mut Vec<u8>, id: u8, content: &[u8]) {
    module.push(id);
    length(module, content.len());
    module.extend(content);
}

/// A number in LEB128.
fn length(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return;
        }
    }
}
